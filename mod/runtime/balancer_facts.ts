/** What the keeper says of its balancer: to the election, and to whoever asks. Pure. */
import type { BalancerFacts } from "./election_facts.ts";
import type { Heard } from "./heard.ts";
import type { Supervisor } from "./supervise.ts";

/** `alive`: there is a process. */
export function balancerFacts(
  { state, lastDeath }: Supervisor,
  heard: Heard,
  alive: boolean,
): BalancerFacts {
  return {
    serving: state === "running" && alive,
    state: `is ${state}${lastDeath === null ? "" : `; the last one ended: ${lastDeath}`}`,
    heardAt: heard.at,
    pools: heard.pools,
  };
}

export function balancerStatus(
  { state, restarts, lastDeath }: Supervisor,
  { lagMs, counters, pools }: Heard,
  pid: number | null,
  badLines: number,
) {
  return { state, pid, restarts, lastDeath, badLines, lagMs, counters, pools: Object.fromEntries(pools) };
}
