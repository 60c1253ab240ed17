/**
 * Rules about pools, their servers and checks. Pure.
 */
import { formatHostPort } from "../base/address.ts";
import { CHECK_KINDS, CHECK_TYPES, type CheckType } from "../health/kinds.ts";
import type { PoolConfig, ServerConfig } from "./pool_schema.ts";
import { isFunctionPool } from "./function_pool.ts";
import { poolsOfRoute } from "./route_pools.ts";
import { checkSticky } from "./sticky_rules.ts";
import { eachRepeated, type RuleContext } from "./rules.ts";

export function checkPools(context: RuleContext): void {
  const used = new Set<string>();
  const overTcp = new Set<string>();
  for (const { protocol, forward, routes } of context.config.listeners) {
    for (const name of routes.flatMap(poolsOfRoute)) {
      used.add(name);
      if (protocol !== "http" && forward === "proxy") overTcp.add(name);
    }
  }
  const known = [...used].every((name) => isFunctionPool(name) || context.given(["pools", name]));
  const everyUseKnown = known && context.config.listeners.length > 0 && context.whole(["listeners"]);
  for (const [name, pool] of Object.entries(context.config.pools)) {
    checkServers(context, name, pool);
    checkHash(context, name, pool, overTcp.has(name));
    checkSticky(context, name, pool, overTcp.has(name));
    checkCheck(context, name, pool);
    checkLatency(context, name, pool, overTcp.has(name));
    // A route that was cut out, or names no pool, may have been the one that was to use it.
    if (!used.has(name) && everyUseKnown) {
      context.warn(["pools", name], "is used by no listener", "key");
    }
  }
}

function checkLatency(context: RuleContext, name: string, { passive }: PoolConfig, overTcp: boolean): void {
  const path = ["pools", name, "passive"];
  if (passive == null || !context.whole(path)) return;
  if (passive.latencyFactor > 0 && overTcp) {
    context.warn([...path, "latencyFactor"], "has no effect on tcp and udp, which have no answers", "key");
  } else if (passive.latencyFactor === 0 && context.given([...path, "latencyMargin"])) {
    context.warn([...path, "latencyMargin"], "has no effect without latencyFactor", "key");
  }
}

function checkServers(context: RuleContext, pool: string, { servers }: PoolConfig): void {
  const path = ["pools", pool, "servers"];
  const repeated = new Set<number>();
  eachRepeated(servers, (one) => one.name, (at, first) => {
    repeated.add(at);
    const same = sourceKey(servers[at]!) === sourceKey(servers[first]!);
    const where = context.given([...path, at, "name"]) ? [...path, at, "name"] : [...path, at];
    context.error(
      where,
      same
        ? `is the same server as ${context.show([...path, first])}`
        : `has the name of ${context.show([...path, first])}`,
    );
  });
  eachRepeated(servers, sourceKey, (at, first) => {
    if (!repeated.has(at)) {
      context.error([...path, at], `is the same server as ${context.show([...path, first])}`);
    }
  });
  if (context.whole(path) && servers.every((server) => server.weight === 0)) {
    context.error(path, "must have a server with a weight above 0", "key");
  }
}

/** What is looked up or connected to. */
function sourceKey({ source }: ServerConfig): string {
  if (source.kind === "address") return formatHostPort(source.host, source.port);
  return `${source.type} ${source.dns} ${source.port}`;
}

function checkHash(context: RuleContext, name: string, pool: PoolConfig, overTcp: boolean): void {
  const path = ["pools", name];
  if (!context.whole([...path, "balance"])) return;
  const hashes = pool.balance === "hash" || pool.balance === "maglev";
  if (!hashes && context.given([...path, "hashOn"])) {
    context.error(
      [...path, "hashOn"],
      `has no sense with balance ${pool.balance}; it needs hash or maglev`,
      "key",
    );
  } else if (overTcp && pool.hashOn.kind !== "sourceIp") {
    context.error(
      [...path, "hashOn"],
      "must be sourceIp in a pool of a tcp listener, which sees no requests",
    );
  }
  if (pool.balance !== "hash" && context.given([...path, "hashMethod"])) {
    context.error([...path, "hashMethod"], `has no sense with balance ${pool.balance}; it needs hash`, "key");
  }
}

function checkCheck(context: RuleContext, name: string, { check }: PoolConfig): void {
  const path = ["pools", name, "check"];
  if (check === undefined || !context.whole(path)) return;
  for (const field of uselessFields(check.type)) {
    if (!context.given([...path, ...field])) continue;
    context.warn([...path, ...field], `has no effect in a check of type ${check.type}`, "key");
  }
  if (check.tls === null && CHECK_KINDS[check.type].startsTls?.(check.settings as never) === true) {
    context.error([...path, "tls"], "must not be false with startTls");
  }
  if (check.tls != null && CHECK_KINDS[check.type].plain?.(check.settings as never) === true) {
    context.warn([...path, "tls"], "has no effect, as nothing is said that TLS could carry", "key");
  }
}

/** Where a check of a type may have something that only others read. */
function uselessFields(type: CheckType): string[][] {
  const { fields, expect, apart } = CHECK_KINDS[type];
  const others = (below: "fields" | "expect") =>
    new Set(CHECK_TYPES.flatMap((one) => Object.keys(CHECK_KINDS[one][below])))
      .difference(new Set(Object.keys(below === "fields" ? fields : expect)));
  const connected = apart === true ? ["tls", "proxyProtocol"] : [];
  return [
    ...[...others("fields"), ...connected].map((field) => [field]),
    ...(Object.keys(expect).length === 0
      ? [["expect"]]
      : [...others("expect")].map((field) => ["expect", field])),
  ];
}
