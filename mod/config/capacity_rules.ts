/**
 * How much a configuration may hold: everything that is counted has a row in memory of a fixed size. Pure.
 *
 * A name is one server here; when the addresses behind names are too many, only the balancer can tell.
 */
import { LISTENER_CAPACITY, POOL_CAPACITY, SERVER_CAPACITY } from "../base/shared_memory.ts";
import { functionsOf } from "./functions.ts";
import type { RuleContext } from "./rules.ts";

export function checkCapacity(context: RuleContext): void {
  const { listeners, pools } = context.config;
  const atMost = (key: string, count: number, capacity: number, what: string) => {
    if (count > capacity) {
      context.error([key], `must hold at most ${capacity} ${what}, and has ${count}`, "key");
    }
  };
  const functions = functionsOf(context.config);
  const servers = Object.values(pools).reduce((sum, pool) => sum + pool.servers.length, 0) +
    functions.reduce((sum, { count }) => sum + count, 0);
  atMost("listeners", listeners.length, LISTENER_CAPACITY, "listeners");
  atMost("pools", Object.keys(pools).length + functions.length, POOL_CAPACITY, "pools");
  atMost("pools", servers, SERVER_CAPACITY, "servers");
}
