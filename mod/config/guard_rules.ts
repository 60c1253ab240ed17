/**
 * Rules about the guards of listeners and routes: which of them see what they need, and which limits may be shared. Pure.
 */
import { GUARD_KEYS, type GuardsConfig } from "./guard_schema.ts";
import type { LimitConfig } from "./limit_schema.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { Path } from "./problem.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RuleContext } from "./rules.ts";

/** Guards that need no request. */
const OF_CONNECTIONS: readonly string[] = ["access"];

export function checkGuards(context: RuleContext, listener: ListenerConfig, at: number): void {
  const path = ["listeners", at];
  checkPlace(context, listener.protocol, path);
  for (const key of GUARD_KEYS) {
    if (listener[key] === false) {
      context.warn([...path, key], "has no effect: only a route has something to turn off");
    }
  }
  if (!context.given([...path, "routes"])) return;
  for (const [index, route] of listener.routes.entries()) {
    const where = [...path, "routes", index];
    checkPlace(context, listener.protocol, where);
    checkLimits(context, listener, route.limits ?? {}, where);
    for (const key of OF_CONNECTIONS as readonly (keyof GuardsConfig)[]) {
      if (route[key] !== false || listener.protocol === "http") continue;
      context.error(
        [...where, key],
        `must not be false on a ${listener.protocol} listener: its clients are looked at as they come`,
      );
    }
  }
}

/** What the listener refuses never comes to a route. */
function checkLimits(
  context: RuleContext,
  { protocol, limits }: ListenerConfig,
  ofRoute: NonNullable<RouteConfig["limits"]>,
  path: Path,
): void {
  const where = [...path, "limits"];
  if (protocol !== "http" && context.given(where)) {
    context.error(where, `cannot stand on a ${protocol} listener, which sees no requests`, "key");
  }
  for (const key of ["head", "headers"] as const) {
    const value = ofRoute[key];
    if (value === undefined || value <= limits[key]) continue;
    context.error([...where, key], `must be at most the listener's, which is ${limits[key]}`);
  }
}

function checkPlace(context: RuleContext, protocol: string, path: Path): void {
  // udp_rules.ts has those of its own.
  if (protocol !== "tcp") return;
  for (const key of GUARD_KEYS) {
    if (OF_CONNECTIONS.includes(key) || !context.given([...path, key])) continue;
    context.error([...path, key], "cannot stand on a tcp listener, which sees no requests", "key");
  }
}

/** What limits of one name must have alike, as they have one table. */
const SHARED = {
  rateLimit: ["rate", "key", "mask", "size"],
  concurrencyLimit: ["key", "mask", "size"],
  connectionLimit: ["mask", "size"],
} as const;
type Kind = keyof typeof SHARED;
/** Fields that all of them have, and those that some have. */
type Limit = Pick<LimitConfig, "name" | "mask" | "size"> & object;

/** Limits of one name count together, so they must count the same. */
export function checkSharedLimits(context: RuleContext): void {
  for (const kind of Object.keys(SHARED) as Kind[]) {
    const first = new Map<string, { limit: Limit; path: Path }>();
    for (const { limit, path } of limitsAt(context, kind)) {
      if (limit.name === undefined || !context.whole(path)) continue;
      const other = first.get(limit.name);
      if (other === undefined) first.set(limit.name, { limit, path });
      const differs = SHARED[kind].find((field) =>
        contentOf(limit, field) !== contentOf(other?.limit ?? limit, field)
      );
      if (differs === undefined) continue;
      const where = context.given([...path, differs]) ? [...path, differs] : [...path, "name"];
      context.error(
        where,
        `must have the ${differs} of ${context.show(other!.path)}, which has the same name`,
      );
    }
  }
}

function limitsAt(context: RuleContext, kind: Kind): { limit: Limit; path: Path }[] {
  const places = context.config.listeners.flatMap((
    listener,
    at,
  ): [Partial<Record<Kind, unknown>>, Path][] => [
    [listener, ["listeners", at]],
    ...listener.routes.map((
      route,
      index,
    ): [GuardsConfig, Path] => [route, ["listeners", at, "routes", index]]),
  ]);
  return places.flatMap(([config, path]) => {
    const given = config[kind] as Limit | readonly Limit[] | false | undefined;
    if (given === undefined || given === false) return [];
    const here = [...path, kind];
    const list = context.given([...here, 0]);
    return [given].flat().map((limit, index) => ({ limit, path: list ? [...here, index] : here }));
  });
}

function contentOf(limit: Limit, field: string): string {
  return JSON.stringify(Reflect.get(limit, field));
}
