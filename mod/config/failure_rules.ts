/** Rules about what routes do where something takes too long or fails: what of it can have an effect. Pure. */
import type { ListenerConfig } from "./listener_schema.ts";
import type { Path } from "./problem.ts";
import { NEEDS_TIMEOUT } from "./retry_schema.ts";
import { poolsOfRoute } from "./route_pools.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RuleContext } from "./rules.ts";

/** What a listener has no use for that sees no requests. */
const OF_REQUESTS: Readonly<Record<ListenerConfig["protocol"], readonly Path[]>> = {
  http: [],
  tcp: [["timeouts"], ["retry"], ["fallback", "respond"], ["fallback", "statuses"]],
  udp: [["timeouts"], ["retry"], ["fallback"]],
};
/** Time-outs of a route that are about servers. */
const OF_SERVERS = ["tunnel", "queue", "connect", "response"] as const;

export function checkFailures(
  context: RuleContext,
  { protocol }: ListenerConfig,
  route: RouteConfig,
  path: Path,
): void {
  // On the listener itself they are the listener's own.
  if (!path.includes("routes")) return;
  for (const key of OF_REQUESTS[protocol]) {
    if (!context.given([...path, ...key])) continue;
    context.error([...path, ...key], `cannot stand on a ${protocol} listener, which sees no requests`, "key");
  }
  if (protocol === "udp") return;
  checkFallback(context, route, path);
  if (protocol === "tcp") return;
  checkTimeouts(context, route, path);
  checkRetry(context, route, path);
}

function checkTimeouts(context: RuleContext, { action, timeouts }: RouteConfig, path: Path): void {
  if (timeouts === undefined || poolsOfRoute({ action }).length > 0) return;
  for (const key of OF_SERVERS) {
    if (timeouts[key] === undefined) continue;
    context.warn(
      [...path, "timeouts", key],
      `has no effect beside ${action.kind}: no server gets the request`,
      "key",
    );
  }
}

function checkRetry(context: RuleContext, { action, retry }: RouteConfig, path: Path): void {
  if (retry === undefined) return;
  const here = [...path, "retry"];
  const pools = poolsOfRoute({ action });
  if (pools.length === 0) {
    context.warn(here, `has no effect beside ${action.kind}: no server gets the request`, "key");
  }
  const onOf = (pool: string) => retry.on ?? context.config.pools[pool]?.retry.on ?? [];
  if (retry.perTry === undefined || pools.every((pool) => onOf(pool).includes("timeout"))) return;
  context.error([...here, "perTry"], NEEDS_TIMEOUT, "key");
}

function checkFallback(context: RuleContext, { action, fallback }: RouteConfig, path: Path): void {
  if (fallback === undefined) return;
  const here = [...path, "fallback"];
  if (poolsOfRoute({ action }).length === 0) {
    context.error(here, `has nothing to stand in for beside ${action.kind}, which needs no server`, "key");
  } else if (action.kind === "pool" && action.pool === fallback.pool) {
    context.error([...here, "pool"], "must be another pool than the route's");
  }
}
