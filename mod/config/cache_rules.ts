/** Rules about the cache: where a route may have one, and what fits into what. Pure. */
import { formatSize } from "../base/size.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { Path } from "./problem.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RuleContext } from "./rules.ts";

/** Actions whose answers come from servers. */
const ASKS_SERVERS: readonly string[] = ["pool", "split", "function"];

/** Of one route. */
export function checkRouteCache(
  context: RuleContext,
  { protocol }: ListenerConfig,
  { action, cache }: RouteConfig,
  path: Path,
): void {
  if (cache === undefined) return;
  const here = [...path, "cache"];
  if (protocol === "tcp") {
    context.error(here, "cannot stand on a tcp listener, which sees no requests", "key");
  } else if (!ASKS_SERVERS.includes(action.kind)) {
    const where = "it stands beside pool, split or function";
    context.error(here, `has nothing to store beside ${action.kind}; ${where}`, "key");
  } else if (action.kind === "function" && action.next.length > 0) {
    const why = "it would answer what the function may refuse";
    context.error(here, `cannot stand beside a function with next: ${why}`, "key");
  }
}

/** Of what all routes share. */
export function checkCacheStore(context: RuleContext): void {
  const { cache, listeners } = context.config;
  if (!context.given(["cache"])) return;
  if (cache.maxObjectSize > cache.maxSize) {
    context.error(
      ["cache", "maxObjectSize"],
      `must be at most maxSize, which is ${formatSize(cache.maxSize)}`,
    );
  }
  const used = listeners.some(({ routes }) => routes.some((route) => route.cache !== undefined));
  if (!used && context.whole(["listeners"])) context.warn(["cache"], "has no effect: no route has a `cache`");
}
