/** Rules about what routes do where something takes too long or fails: what of it can have an effect. Pure. */
import type { ListenerConfig } from "./listener_schema.ts";
import type { Path } from "./problem.ts";
import { poolsOfRoute } from "./route_pools.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RuleContext } from "./rules.ts";

/** Time-outs of a route that are about servers. */
const OF_SERVERS = ["tunnel", "queue", "connect", "response"] as const;

export function checkFailures(
  context: RuleContext,
  { protocol }: ListenerConfig,
  route: RouteConfig,
  path: Path,
): void {
  // On the listener itself they are the listener's own.
  if (!path.includes("routes") || route.timeouts === undefined) return;
  const here = [...path, "timeouts"];
  if (protocol !== "http") {
    return context.error(here, `cannot stand on a ${protocol} listener, which sees no requests`, "key");
  }
  if (poolsOfRoute({ action: route.action }).length > 0) return;
  for (const key of OF_SERVERS) {
    if (route.timeouts[key] === undefined) continue;
    context.warn(
      [...here, key],
      `has no effect beside ${route.action.kind}: no server gets the request`,
      "key",
    );
  }
}
