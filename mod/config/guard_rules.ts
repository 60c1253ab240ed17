/**
 * Rules about the guards of listeners and routes: which of them see what they need. Pure.
 */
import { GUARD_KEYS } from "./guard_schema.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { Path } from "./problem.ts";
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
    for (const key of GUARD_KEYS) {
      if (route[key] !== false || listener.protocol === "http") continue;
      context.error(
        [...where, key],
        "must not be false on a tcp listener: its clients are looked at as they connect",
      );
    }
  }
}

function checkPlace(context: RuleContext, protocol: string, path: Path): void {
  if (protocol === "http") return;
  for (const key of GUARD_KEYS) {
    if (OF_CONNECTIONS.includes(key) || !context.given([...path, key])) continue;
    context.error([...path, key], "cannot stand on a tcp listener, which sees no requests", "key");
  }
}
