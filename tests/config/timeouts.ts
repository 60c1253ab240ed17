/** The time-outs of a configuration that names none, for tests; `build_test.ts` holds them against the schema. */
import type { ListenerSnapshot, PoolSnapshot } from "../../mod/config/snapshot.ts";

export const LISTENER_TIMEOUTS: ListenerSnapshot["timeouts"] = {
  headMs: 10_000,
  bodyMs: 30_000,
  keepAliveMs: 60_000,
  idleMs: 300_000,
  tunnelMs: 3_600_000,
  requestMs: 0,
};

export const POOL_TIMEOUTS: PoolSnapshot["timeouts"] = {
  connectMs: 3000,
  responseMs: 60_000,
  idleMs: 60_000,
};
