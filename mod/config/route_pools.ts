/**
 * The pools that a route leads to. Pure.
 */
import { functionPool } from "./functions.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RouteSnapshot } from "./snapshot.ts";

type Led = Pick<RouteSnapshot | RouteConfig, "action" | "mirror"> & Pick<RouteSnapshot, "next">;

/** Names of every pool that requests of this route may go to, or copies of them. */
export function poolsOfRoute({ action, mirror, next = [] }: Led): string[] {
  const copies = mirror === undefined ? [] : [mirror.pool];
  if (action.kind === "pool") return [action.pool, ...next, ...copies];
  if (action.kind === "function") return [functionPool(action.name), ...action.next, ...copies];
  return action.kind === "split" ? [...action.pools.map(({ pool }) => pool), ...copies] : [];
}
