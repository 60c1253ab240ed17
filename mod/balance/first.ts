/**
 * Fills servers up in the order of the configuration: the first one that is not full, so that the last ones can be
 * left idle or turned off. Without `maxConnections` the first server gets everything. Weights do not matter, but
 * for 0, which comes last. It must not know load or latency.
 */
import type { Policy, PolicyOptions, ServerView } from "./policy.ts";

export function first(_options: PolicyOptions): Policy {
  return FIRST;
}

/** One for all pools, as it has no state. */
const FIRST: Policy = {
  pick(servers: ServerView): number {
    let last = -1;
    for (let index = 0; index < servers.size; index++) {
      if (!servers.eligible(index)) continue;
      if (servers.weight(index) > 0) return index;
      if (last < 0) last = index;
    }
    return last;
  },
};
