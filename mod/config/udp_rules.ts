/** Rules about listeners of UDP that are proxied, and about their pools. Pure. */
import { isUnspecifiedIp, parseIp } from "../base/address.ts";
import { GUARD_KEYS } from "./guard_schema.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { Path } from "./problem.ts";
import { poolsOfRoute } from "./route_pools.ts";
import type { RuleContext } from "./rules.ts";

/** What needs a request or a connection. */
const FOREIGN: readonly Path[] = [
  ...["tls", "hsts", "redirectHttps", "proxyProtocol", "trustedProxies", "clientAddress", "headers"],
  ...["errorPages", "interceptErrors", "compress", "timeouts", "routes", "connectionLimit"],
  ...GUARD_KEYS.filter((key) => key !== "access"),
].map((key) => [key]);
const FOREIGN_LIMITS = ["head", "headers", "body", "bodyRate"].map((key) => ["limits", key]);
const FOREIGN_TO_POOLS = ["tls", "proxyProtocol", "sticky", "queue", "retry", "breaker"];

export function checkDatagrams(context: RuleContext, listener: ListenerConfig, at: number): void {
  const path: Path = ["listeners", at];
  if (listener.protocol !== "udp") {
    if (context.given([...path, "udp"])) context.error([...path, "udp"], "needs protocol: udp", "key");
    return;
  }
  for (const field of [...FOREIGN, ...FOREIGN_LIMITS]) {
    if (!context.given([...path, ...field])) continue;
    const instead = field[0] === "routes" ? ": name its one pool by pool" : "";
    context.error([...path, ...field], `cannot stand on a listener of udp${instead}`, "key");
  }
  for (const [index, { host }] of listener.bind.entries()) {
    if (!isUnspecifiedIp(parseIp(host)!)) continue;
    const inList = context.given([...path, "bind", index]);
    context.warn(
      inList ? [...path, "bind", index] : [...path, "bind"],
      "names no address: answers leave by the one that leads to the client, which may not be the one it asked",
    );
  }
  for (const name of listener.routes.flatMap(poolsOfRoute)) checkPool(context, name, listener.name);
}

function checkPool(context: RuleContext, name: string, listener: string): void {
  for (const field of FOREIGN_TO_POOLS) {
    if (!context.given(["pools", name, field])) continue;
    context.error(
      ["pools", name, field],
      `cannot stand in a pool of "${listener}", a listener of udp`,
      "key",
    );
  }
}
