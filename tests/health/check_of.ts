/** A check as tests need it, from what would stand in a configuration. */
import { CheckSchema } from "../../mod/config/check_schema.ts";
import type { CheckSnapshot } from "../../mod/config/snapshot.ts";

/** `given` as in a configuration; `some`: what a pool would add. */
export function checkOf(
  given: Readonly<Record<string, unknown>> = {},
  some: Partial<CheckSnapshot> = {},
): CheckSnapshot {
  const { type, settings, port = 0, interval, fastInterval, timeout, rise, fall } = CheckSchema.parse(given);
  return {
    ...{ type, settings, port, rise, fall },
    intervalMs: interval,
    fastIntervalMs: fastInterval ?? interval,
    timeoutMs: timeout,
    ...some,
  };
}
