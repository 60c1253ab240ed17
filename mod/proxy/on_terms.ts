/** A pool as the requests of one route see it, where the route overrules what the pool says. Pure. */
import type { PoolTerms } from "../config/failure_snapshot.ts";
import type { LivePool } from "./environment.ts";

/** The same servers, places, budget and sessions, on other terms. */
export function onTerms(pool: LivePool, terms: PoolTerms | undefined): LivePool {
  if (terms === undefined) return pool;
  const { snapshot } = pool;
  return {
    ...pool,
    snapshot: {
      ...snapshot,
      timeouts: { ...snapshot.timeouts, ...terms.timeouts },
      queue: { ...snapshot.queue, ...terms.queue },
      retry: { ...snapshot.retry, ...terms.retry },
    },
  };
}
