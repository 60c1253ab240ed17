/**
 * From the configuration of a node to the snapshot that its workers get: names resolved, rows given, words made
 * numbers. Pure: what a name stands for now is a parameter.
 */
import { formatHostPort, formatIp, parseIp } from "../base/address.ts";
import type { CheckConfig } from "./check_schema.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { PoolConfig, ServerConfig } from "./pool_schema.ts";
import type { RowAllocator } from "./rows.ts";
import type { Config } from "./schema.ts";
import type { RouteConfig } from "./route_schema.ts";
import type {
  CheckSnapshot,
  ListenerSnapshot,
  PoolSnapshot,
  ProxyVersion,
  RouteMatch,
  ServerSnapshot,
  Snapshot,
} from "./snapshot.ts";

/** One address of a server. Weight and backup are told only by SRV records. */
export interface ResolvedAddress {
  readonly host: string;
  readonly port: number;
  readonly weight?: number;
  readonly backup?: boolean;
}

export interface BuildOptions {
  readonly generation: number;
  readonly node: string;
  /** The addresses of a pool's server, by its index, now. */
  readonly resolve: (pool: string, server: number) => readonly ResolvedAddress[];
  readonly rows: RowAllocator;
}

/** Builds a snapshot; throws with a message for people when it does not fit into shared memory. */
export function buildSnapshot(config: Config, options: BuildOptions): Snapshot {
  const { rows, generation, node } = options;
  const keptServers = new Set<string>();
  const pools = Object.entries(config.pools).map(([name, pool]) => {
    const servers = pool.servers.flatMap((server, index) =>
      serversOf(name, server, options.resolve(name, index), rows, keptServers)
    );
    return poolSnapshot(name, pool, servers, rows);
  });
  const listeners = config.listeners.map((listener) => listenerSnapshot(listener, rows));
  rows.servers.keep(keptServers);
  rows.pools.keep(new Set(pools.map((pool) => pool.name)));
  rows.listeners.keep(new Set(listeners.map((listener) => listener.name)));
  const { level, access, format } = config.log;
  // The workers do not write the log: what "auto" comes to is the control thread's to know.
  return {
    generation,
    node,
    listeners,
    pools,
    log: { level, access, format: format === "text" ? "text" : "json" },
  };
}

function listenerSnapshot(listener: ListenerConfig, rows: RowAllocator): ListenerSnapshot {
  const { name, bind, protocol, trustedProxies, proxyProtocol, timeouts, limits } = listener;
  return {
    name,
    row: rows.listeners.row(name),
    binds: bind,
    protocol,
    trustedProxies,
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    timeouts: {
      headMs: timeouts.head,
      bodyMs: timeouts.body,
      keepAliveMs: timeouts.keepAlive,
      idleMs: timeouts.idle,
      tunnelMs: timeouts.tunnel,
    },
    limits,
    routes: listener.routes.map(({ match, action }) => ({ match: matchSnapshot(match), action })),
  };
}

function matchSnapshot(match: RouteConfig["match"]): RouteMatch {
  const { host, path, method, headers, query, sni, alpn } = match;
  return {
    hosts: host,
    methods: method,
    headers,
    query,
    ...(path === undefined ? {} : { path }),
    ...(sni.length + alpn.length === 0 ? {} : { tls: { sni, alpn } }),
  };
}

/**
 * Every address of a server is one. With several, the address makes the names differ: `NAME#IP`, and with several
 * ports `NAME#IP:port`, as SRV records may name one host twice.
 */
function serversOf(
  pool: string,
  server: ServerConfig,
  addresses: readonly ResolvedAddress[],
  rows: RowAllocator,
  kept: Set<string>,
): ServerSnapshot[] {
  const { name, weight, maxConnections, backup, slowStart, state } = server;
  const several = addresses.length > 1;
  const ports = new Set(addresses.map(({ port }) => port)).size;
  return addresses.map((address) => {
    const ip = parseIp(address.host);
    const host = ip === null ? address.host : formatIp(ip);
    const key = JSON.stringify([pool, name, host, address.port]);
    kept.add(key);
    return {
      name: several ? `${name}#${ports > 1 ? formatHostPort(host, address.port) : host}` : name,
      host,
      port: address.port,
      weight: address.weight === undefined ? weight : address.weight * weight,
      maxConnections,
      backup: backup || address.backup === true,
      slowStartMs: slowStart,
      ...(state === "ready" ? {} : { state }),
      slot: rows.servers.row(key),
    };
  });
}

function poolSnapshot(
  name: string,
  pool: PoolConfig,
  servers: readonly ServerSnapshot[],
  rows: RowAllocator,
): PoolSnapshot {
  const { balance, hashOn, hashMethod, check, passive, retry, timeouts, queue, whenAllDown, proxyProtocol } =
    pool;
  return {
    name,
    row: rows.pools.row(name),
    balance,
    hashOn,
    hashMethod,
    servers,
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    check: check === undefined ? null : checkSnapshot(check, proxyProtocol),
    passive: passive === null ? null : {
      failures: passive.failures,
      serverErrors: passive.serverErrors,
      minRequests: passive.minRequests,
      windowMs: passive.window,
      ejectForMs: passive.ejectFor,
      maxEjected: passive.maxEjected,
    },
    retry,
    timeouts: { connectMs: timeouts.connect, responseMs: timeouts.response, idleMs: timeouts.idle },
    queue: { size: queue.size, timeoutMs: queue.timeout },
    whenAllDown,
  };
}

function checkSnapshot(check: CheckConfig, ofPool: ProxyVersion | undefined): CheckSnapshot {
  // Another port is mostly another listener of the server, which knows nothing of proxies. HAProxy does the same.
  const wanted = check.proxyProtocol ?? (ofPool !== undefined && check.port === undefined);
  return {
    type: check.type,
    path: check.path,
    method: check.method,
    host: check.host ?? "",
    port: check.port ?? 0,
    ...(wanted ? { proxyProtocol: ofPool ?? "v2" } : {}),
    expectStatus: check.expect.status,
    intervalMs: check.interval,
    fastIntervalMs: check.fastInterval ?? check.interval,
    timeoutMs: check.timeout,
    rise: check.rise,
    fall: check.fall,
    command: check.command ?? [],
  };
}
