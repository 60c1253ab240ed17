/**
 * The pools that a route leads to. Pure.
 */
import type { RouteConfig } from "./route_schema.ts";
import type { RouteSnapshot } from "./snapshot.ts";

type Led = Pick<RouteSnapshot | RouteConfig, "action" | "mirror">;

/** Names of every pool that requests of this route may go to, or copies of them. */
export function poolsOfRoute({ action, mirror }: Led): string[] {
  const copies = mirror === undefined ? [] : [mirror.pool];
  if (action.kind === "pool") return [action.pool, ...copies];
  return action.kind === "split" ? [...action.pools.map(({ pool }) => pool), ...copies] : [];
}
