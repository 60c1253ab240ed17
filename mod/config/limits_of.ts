/**
 * The limits of a snapshot, as whoever gives them memory wants them: each once, however many routes share it. Pure.
 */
import type { GuardsSnapshot, LimitSnapshot } from "./guard_snapshot.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a limit is known by among all. */
export function limitId({ kind, name }: Pick<LimitSnapshot, "kind" | "name">): string {
  return `${kind} ${name}`;
}

export function limitsOf({ listeners }: Snapshot): Map<string, LimitSnapshot> {
  const limits = listeners.flatMap(({ connectionLimit, guards, routes }) => [
    ...(connectionLimit === undefined ? [] : [connectionLimit]),
    ...[guards, ...routes.map((route) => route.guards)].flatMap(ofGuards),
  ]);
  return new Map(limits.map((limit) => [limitId(limit), limit]));
}

function ofGuards(guards: GuardsSnapshot | undefined): LimitSnapshot[] {
  return [...guards?.rateLimits ?? [], ...guards?.concurrencyLimits ?? []];
}
