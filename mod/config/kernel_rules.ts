/**
 * Rules about listeners that the kernel forwards (`forward: nat` and `dsr`), and about what only those may have. Pure.
 *
 * The kernel sees packets, not requests: whatever would need more is refused by name, and what has no effect is told.
 */
import { isUnspecifiedIp, parseIp } from "../base/address.ts";
import type { BindAddress } from "./fields.ts";
import { GUARD_KEYS } from "./guard_schema.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { PoolConfig, ServerConfig } from "./pool_schema.ts";
import type { Path } from "./problem.ts";
import { poolsOfRoute } from "./route_pools.ts";
import type { RuleContext } from "./rules.ts";

export function checkKernel(context: RuleContext): void {
  for (const [at, listener] of context.config.listeners.entries()) {
    const path: Path = ["listeners", at];
    if (listener.forward === "proxy") checkProxied(context, listener, path);
    else checkForwarded(context, listener, path);
  }
}

/** What only the kernel does. */
function checkProxied(context: RuleContext, listener: ListenerConfig, path: Path): void {
  if (!context.whole([...path, "forward"])) return;
  if (context.given([...path, "kernel"])) {
    context.error([...path, "kernel"], "has no sense without forward: nat or dsr", "key");
  }
  for (const { address, where } of bindsOf(context, listener, path)) {
    if (address.lastPort !== undefined) {
      context.error(where, "needs forward: nat or dsr, as it is a range of ports");
    }
  }
  for (const name of listener.routes.flatMap(poolsOfRoute)) {
    if (context.config.pools[name]?.hashOn.kind === "connection") {
      context.error(
        ["pools", name, "hashOn"],
        `cannot be connection in a pool of listener "${listener.name}", which the kernel does not forward`,
      );
    }
  }
}

const FOREIGN = [
  "tls",
  "hsts",
  "redirectHttps",
  "routes",
  "proxyProtocol",
  "udp",
  "trustedProxies",
  "clientAddress",
  "connectionLimit",
  ...GUARD_KEYS,
];

function checkForwarded(context: RuleContext, listener: ListenerConfig, path: Path): void {
  const { protocol, forward, kernel } = listener;
  if (protocol === "http" && context.whole([...path, "protocol"])) {
    context.error([...path, "forward"], "needs protocol tcp or udp: the kernel sees no requests");
  }
  for (const field of FOREIGN) {
    if (!context.given([...path, field])) continue;
    const instead = field === "routes" ? ": name its one pool by pool" : "";
    context.error([...path, field], `cannot stand on a listener that the kernel forwards${instead}`, "key");
  }
  for (const field of ["timeouts", "limits"]) {
    if (context.given([...path, field])) {
      context.warn([...path, field], "has no effect on a listener that the kernel forwards", "key");
    }
  }
  const useless = forward === "nat" ? ["interface"] : NAT_ONLY;
  for (const field of useless) {
    if (context.given([...path, "kernel", field])) {
      context.error([...path, "kernel", field], `has no sense with forward: ${forward}`, "key");
    }
  }
  if (
    context.given([...path, "kernel", "persistEntries"]) && kernel.persist === undefined && forward === "nat"
  ) {
    context.error([...path, "kernel", "persistEntries"], "has no sense without persist", "key");
  }
  for (const { address, where } of bindsOf(context, listener, path)) {
    if (address.port === 0) context.error(where, "must have a port on a listener that the kernel forwards");
  }
  if (forward === "dsr") checkDirect(context, listener, path);
  const [route] = listener.routes;
  if (listener.routes.length !== 1 || route?.action.kind !== "pool") return;
  const pool = context.config.pools[route.action.pool];
  if (pool !== undefined) checkPool(context, listener, path, route.action.pool, pool);
}

const NAT_ONLY = ["masquerade", "persist", "persistEntries", "whenServerDown"];

/** Direct return: who answers for the address must be known. */
function checkDirect(context: RuleContext, listener: ListenerConfig, path: Path): void {
  const { instances } = context.config.vrrp;
  let device = listener.kernel.interface;
  for (const { address, where } of bindsOf(context, listener, path)) {
    if (isUnspecifiedIp(parseIp(address.host)!)) {
      context.error(where, "must be the one address that the servers have too, with forward: dsr");
      continue;
    }
    const instance = instances.find(({ addresses, unadvertised }) =>
      [...addresses, ...unadvertised].some((one) => one.address === address.host)
    );
    if (instance?.virtualMac === true) {
      context.error(
        where,
        `cannot be an address of instance "${instance.name}", which has virtualMac, with forward: dsr`,
      );
    }
    if (listener.kernel.interface !== undefined) continue;
    if (instance === undefined) {
      if (context.whole(["vrrp"])) {
        context.error(where, "needs kernel.interface, as no instance has this address");
      }
      continue;
    }
    device ??= instance.interface;
    if (device !== instance.interface) {
      const rest = "with forward: dsr it needs a listener of its own";
      context.error(where, `is on ${instance.interface}, and the listener on ${device}: ${rest}`);
    }
  }
}

const NAT_POLICIES = ["roundRobin", "random", "hash", "maglev"];
/** What is about connections that Tandem would make. */
const POOL_FOREIGN = ["tls", "proxyProtocol"] as const;
const POOL_USELESS = ["retry", "breaker", "timeouts", "queue", "passive", "sticky"] as const;

function checkPool(
  context: RuleContext,
  listener: ListenerConfig,
  path: Path,
  name: string,
  pool: PoolConfig,
): void {
  const of = `in a pool of listener "${listener.name}", which the kernel forwards`;
  const at: Path = ["pools", name];
  if (!context.whole([...at, "servers"])) return;
  for (const field of POOL_FOREIGN) {
    if (context.given([...at, field])) context.error([...at, field], `cannot stand ${of}`, "key");
  }
  const shared = context.config.listeners.some((one) =>
    one.forward === "proxy" && one.routes.some((route) => poolsOfRoute(route).includes(name))
  );
  for (const field of shared ? [] : POOL_USELESS) {
    if (context.given([...at, field])) context.warn([...at, field], `has no effect ${of}`, "key");
  }
  checkPolicy(context, listener, at, pool, of);
  for (const [index, server] of pool.servers.entries()) {
    checkServer(context, listener, [...at, "servers", index], server, of);
  }
  for (const { address, where } of bindsOf(context, listener, path)) {
    if (address.host === "::") continue;
    const family = parseIp(address.host)!.length;
    if (
      !pool.servers.some(({ source }) => source.kind === "address" && parseIp(source.host)?.length === family)
    ) {
      context.error(where, `needs a server with an IPv${family === 4 ? 4 : 6} address in pool "${name}"`);
    }
  }
}

function checkPolicy(
  context: RuleContext,
  { forward, kernel }: ListenerConfig,
  at: Path,
  { balance, hashOn, hashMethod }: PoolConfig,
  of: string,
): void {
  const where: Path = context.given([...at, "balance"]) ? [...at, "balance"] : at;
  if (forward === "dsr" && balance !== "maglev") {
    return context.error(where, `must be maglev ${of} with dsr, and keeps no state`);
  }
  if (!NAT_POLICIES.includes(balance)) {
    return context.error(where, `must be ${NAT_POLICIES.slice(0, -1).join(", ")} or maglev ${of}`);
  }
  if (balance === "hash" && hashMethod === "ring") {
    context.error(where, `needs hashMethod: mod ${of}; few clients move with maglev`);
  }
  if (hashOn.kind !== "sourceIp" && hashOn.kind !== "connection") {
    context.error([...at, "hashOn"], `must be sourceIp or connection ${of}`);
  }
  if (kernel.persist !== undefined && balance === "maglev" && hashOn.kind === "sourceIp") {
    context.warn([...at, "hashOn"], "is what persist does too: one of both is enough");
  }
}

function checkServer(
  context: RuleContext,
  { forward, bind }: ListenerConfig,
  path: Path,
  { source, maxConnections }: ServerConfig,
  of: string,
): void {
  if (source.kind !== "address" || parseIp(source.host) === null) {
    return context.error(path, `must have an IP address, not a name, ${of}`);
  }
  const node = forward === "dsr" ? nodeAt(context, source.host) : null;
  if (node !== null) {
    return context.error(
      path,
      `cannot be a node, as ${node} says, with dsr: packets would go round in a circle`,
    );
  }
  if (maxConnections > 0) {
    context.warn([...path, "maxConnections"], `has no effect ${of}`, "key");
  }
  const range = bind.find(({ lastPort }) => lastPort !== undefined);
  const kept = range ?? (forward === "dsr" ? bind[0] : undefined);
  if (kept === undefined || kept.port === source.port) return;
  const why = range === undefined
    ? "packets go to servers as they are"
    : "ports of a range are not translated";
  context.error(
    path,
    `must have port ${kept.port}, ${
      range === undefined ? "the listener's" : "the first of the range"
    }, ${of}: ${why}`,
  );
}

/** Where the configuration says that an address is a node's. */
function nodeAt({ config }: RuleContext, host: string): string | null {
  for (const { name, addresses, unadvertised, peers } of config.vrrp.instances) {
    if (peers.includes(host)) return `peers of instance "${name}"`;
    if ([...addresses, ...unadvertised].some(({ address }) => address === host)) {
      return `addresses of instance "${name}"`;
    }
  }
  return null;
}

interface Bind {
  readonly address: BindAddress;
  readonly where: Path;
}

/** The addresses of a listener, and where each stands. */
function bindsOf(context: RuleContext, { bind }: ListenerConfig, path: Path): Bind[] {
  return bind.map((address, index) => {
    const inList = context.given([...path, "bind", index]);
    return { address, where: inList ? [...path, "bind", index] : [...path, "bind"] };
  });
}
