/**
 * The pools that a route leads to. Pure.
 */
import { functionPool } from "./function_pool.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RouteSnapshot } from "./snapshot.ts";

type Led =
  & Pick<RouteSnapshot | RouteConfig, "action" | "mirror">
  & Pick<RouteSnapshot, "next">
  & { readonly fallback?: { readonly pool?: string | undefined } | undefined };

/** Names of every pool that requests of this route may go to, or copies of them. */
export function poolsOfRoute({ action, mirror, fallback, next = [] }: Led): string[] {
  const beside = [mirror?.pool, fallback?.pool].filter((name) => name !== undefined);
  if (action.kind === "pool") return [action.pool, ...next, ...beside];
  if (action.kind === "function") return [functionPool(action.name), ...action.next, ...beside];
  return action.kind === "split" ? [...action.pools.map(({ pool }) => pool), ...beside] : [];
}
