/**
 * From the configuration of a node to the snapshot that its workers get: names resolved, rows given, words made
 * numbers. Pure: what a name stands for now is a parameter.
 */
import { formatHostPort, formatIp, parseIp } from "../base/address.ts";
import { hash128 } from "../base/hash.ts";
import { type AcmeAnswers, withAnswers } from "./acme_build.ts";
import { acmeNames, acmeNamesOf } from "./acme_names.ts";
import { CHECK_KINDS } from "../health/kinds.ts";
import { cacheSnapshot, storeSnapshot } from "./cache_build.ts";
import { TlsFiles } from "./certificates.ts";
import type { AgentConfig, CheckConfig } from "./check_schema.ts";
import { UNCOMPRESSED } from "./compress_schema.ts";
import { breakerSnapshot, failureSnapshot, retrySnapshot } from "./failure_build.ts";
import { claimRules, connectionLimitSnapshot, guardsSnapshot, routeLabels } from "./guard_schema.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { LiveServer } from "./live.ts";
import { keyBlock } from "./pem.ts";
import type { PoolConfig, ServerConfig } from "./pool_schema.ts";
import { changesSnapshot, routeSnapshot } from "./route_build.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RowAllocator } from "./rows.ts";
import type { Config } from "./schema.ts";
import type { ServerTlsConfig } from "./server_tls_schema.ts";
import type {
  AgentSnapshot,
  CheckSnapshot,
  CompressSnapshot,
  ListenerSnapshot,
  PoolSnapshot,
  ProxyVersion,
  RequestLimits,
  ServerSnapshot,
  ServerTlsSnapshot,
  Snapshot,
  TlsSnapshot,
  TracingSnapshot,
} from "./snapshot.ts";
import { type MakeServerId, stickySnapshot, withId } from "./sticky_build.ts";
import type { HstsConfig, TlsConfig } from "./tls_schema.ts";
import type { TracingConfig } from "./tracing_schema.ts";

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
  /** Needed by pools with sessions. */
  readonly makeServerId?: MakeServerId;
  /** The texts of the files that the configuration names, by path as written. */
  readonly files?: ReadonlyMap<string, string>;
  /** Directory of the configuration file, which relative paths in it start from. */
  readonly directory: string;
  /** The certificates of listeners, as they were read for this configuration. */
  readonly certificates?: TlsFiles;
  /** What authorities that ask for names are told; absent: nothing. */
  readonly acme?: AcmeAnswers;
  /** What an operator has set for single addresses of servers, by pool and name; what is for all is in the configuration. */
  readonly live?: Readonly<Record<string, Readonly<Record<string, LiveServer>>>>;
}

const NO_FILES: ReadonlyMap<string, string> = new Map();
const NO_CERTIFICATES = new TlsFiles();

/** Builds a snapshot; throws with a message for people when it does not fit into shared memory. */
export function buildSnapshot(config: Config, options: BuildOptions): Snapshot {
  const { rows, generation, node } = options;
  const keptServers = new Set<string>();
  const keptRoutes = new Set<string>();
  const files = options.files ?? NO_FILES;
  const pools = Object.entries(config.pools).map(([name, pool]) => {
    const checkTls = pool.tls === null ? null : tlsSnapshot(pool.tls, files);
    const http2 = pool.protocol === "h2";
    const tls = checkTls !== null && http2 ? { ...checkTls, alpn: ["h2"] } : checkTls;
    const names = {
      http2,
      used: tls !== null || pool.check?.tls != null,
      serverName: pool.tls?.serverName ?? "",
      traffic: tls === null ? null : fingerprint(tls),
    };
    const servers = pool.servers.flatMap((server, index) =>
      serversOf(name, server, names, options.resolve(name, index), rows, keptServers, options.live?.[name])
        .map((one) => withId(one, server.cookie, pool.sticky, options.makeServerId))
    );
    const check = pool.check === undefined
      ? null
      : checkSnapshot(pool.check, { tls: checkTls, http2 }, files, pool.proxyProtocol);
    return poolSnapshot(name, pool, servers, tls, check, rows);
  });
  const names = acmeNames(config);
  const listeners = config.listeners.filter(({ forward }) => forward === "proxy").map((listener) =>
    withAnswers(
      listenerSnapshot(
        listener,
        rows,
        keptRoutes,
        options.directory,
        options.certificates ?? NO_CERTIFICATES,
        files,
      ),
      { own: acmeNamesOf(listener), all: names, answers: options.acme },
    )
  );
  rows.servers.keep(keptServers);
  rows.pools.keep(new Set(pools.map((pool) => pool.name)));
  rows.listeners.keep(new Set(listeners.map((listener) => listener.name)));
  rows.routes.keep(keptRoutes);
  const { level, access, format } = config.log;
  // The workers do not write the log: what "auto" comes to is the control thread's to know.
  return {
    generation,
    node,
    listeners,
    pools,
    log: { level, access, format: format === "text" ? "text" : "json" },
    ...(config.tracing === undefined ? {} : { tracing: tracingSnapshot(config.tracing) }),
    ...storeSnapshot(config.cache, listeners),
  };
}

function listenerSnapshot(
  listener: ListenerConfig,
  rows: RowAllocator,
  keptRoutes: Set<string>,
  directory: string,
  certificates: TlsFiles,
  files: ReadonlyMap<string, string>,
): ListenerSnapshot {
  const {
    name,
    bind,
    protocol,
    trustedProxies,
    clientAddress,
    proxyProtocol,
    timeouts,
    limits,
    tls,
    hsts,
    udp,
  } = listener;
  const place = { config: listener, label: `listener ${name}` };
  const labelOf = routeLabels(name);
  return {
    name,
    row: rows.listeners.row(name),
    binds: bind.map(({ host, port }) => ({ host, port })),
    protocol,
    ...(protocol === "udp" ? { udp: { idleMs: udp.idle, answers: udp.answers ?? 0 } } : {}),
    trustedProxies,
    ...(clientAddress === undefined ? {} : { clientAddress }),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    timeouts: {
      headMs: timeouts.head,
      bodyMs: timeouts.body,
      keepAliveMs: timeouts.keepAlive,
      idleMs: timeouts.idle,
      tunnelMs: timeouts.tunnel,
      requestMs: timeouts.request,
    },
    limits,
    tls: tls === undefined ? null : listenerTls(tls, protocol, acmeNamesOf(listener), certificates),
    hsts: tls === undefined || hsts === undefined ? "" : hstsValue(hsts),
    routes: listener.routes.map((route) => {
      const snapshot = routeSnapshot(route, directory, files);
      const label = labelOf(snapshot.match);
      keptRoutes.add(label);
      const guards = guardsSnapshot(place, { config: route, label }, files);
      const claims = claimRules(listener, route);
      return {
        ...snapshot,
        label: label.slice(`route ${name} `.length),
        row: rows.routeRow(label),
        ...compressSnapshot(listener, route),
        ...guards,
        ...limitsSnapshot(listener, route),
        ...failureSnapshot(listener, route),
        ...cacheSnapshot(route, listener.headers?.request, claims),
        ...(claims === undefined ? {} : { claims }),
      };
    }),
    ...changesSnapshot(listener, files),
    ...guardsSnapshot(place, null, files),
    ...connectionLimitSnapshot(listener.connectionLimit, place.label),
  };
}

function tracingSnapshot({ sample, parents }: TracingConfig): TracingSnapshot {
  return { sample, parents };
}

/** What a route does not say is as the listener has it. */
function limitsSnapshot({ limits }: ListenerConfig, route: RouteConfig): { limits?: RequestLimits } {
  if (route.limits === undefined) return {};
  const { head = limits.head, headers = limits.headers, body = limits.body } = route.limits;
  return { limits: { head, headers, body } };
}

/** A route's setting replaces the listener's. */
function compressSnapshot(
  { protocol, compress: preset = null }: ListenerConfig,
  { action, compress = preset }: RouteConfig,
): { compress?: CompressSnapshot } {
  const never = protocol !== "http" || UNCOMPRESSED.includes(action.kind);
  return compress === null || never ? {} : { compress };
}

function listenerTls(
  tls: TlsConfig,
  protocol: ListenerConfig["protocol"],
  names: readonly string[],
  files: TlsFiles,
): TlsSnapshot {
  const { certificates, minVersion, alpn, strictSni, clientAuth } = tls;
  return {
    certificates: [
      ...certificates.map(({ cert, key }) => files.certificate(cert, key)),
      ...files.had(names),
    ],
    minVersion,
    alpn: alpn ?? (protocol === "http" ? ["h2", "http/1.1"] : []),
    strictSni,
    clientAuth: clientAuth === undefined
      ? null
      : { mode: clientAuth.mode, ca: files.authorities(clientAuth.ca) },
  };
}

/** RFC 6797 section 6.1. */
function hstsValue({ maxAge, includeSubDomains, preload }: HstsConfig): string {
  return `max-age=${maxAge}${includeSubDomains ? "; includeSubDomains" : ""}${preload ? "; preload" : ""}`;
}

/** How the servers of a pool are spoken to. */
interface PoolTls {
  readonly http2: boolean;
  /** By traffic or by checks. */
  readonly used: boolean;
  /** Of the pool; empty: each server has its own. */
  readonly serverName: string;
  /** What tells one way of making its connections from another; null: they are plain. */
  readonly traffic: string | null;
}

function tlsSnapshot(tls: ServerTlsConfig, files: ReadonlyMap<string, string>): ServerTlsSnapshot {
  const text = (path: string) => {
    const found = files.get(path);
    if (found === undefined) throw new Error(`Cannot use ${path} as it was not read`);
    return found;
  };
  const { verify, ca, clientCertificate, alpn, minVersion } = tls;
  return {
    verify,
    ca: ca === undefined ? null : ca.map(text).join(""),
    clientCertificate: clientCertificate === undefined
      ? null
      : { cert: text(clientCertificate.cert), key: keyBlock(text(clientCertificate.key)) },
    alpn: alpn ?? [],
    minVersion,
  };
}

/** The name that a server's certificate is for; empty: its address. */
function serverTlsName({ serverName, source }: ServerConfig, ofPool: string): string {
  if (serverName !== undefined) return serverName;
  if (ofPool !== "") return ofPool;
  if (source.kind === "dns") return source.type === "SRV" ? "" : source.dns;
  return parseIp(source.host) === null ? source.host : "";
}

/** Not the settings themselves, as a name of a row is no place for a key. */
function fingerprint(tls: ServerTlsSnapshot): string {
  const words = new Uint32Array(4);
  hash128(words, new TextEncoder().encode(JSON.stringify(tls)));
  return words.join(".");
}

/**
 * Every address of a server is one. With several, the address makes the names differ: `NAME#IP`, and with several
 * ports `NAME#IP:port`, as SRV records may name one host twice.
 */
function serversOf(
  pool: string,
  server: ServerConfig,
  tls: PoolTls,
  addresses: readonly ResolvedAddress[],
  rows: RowAllocator,
  kept: Set<string>,
  live: Readonly<Record<string, LiveServer>> = {},
): ServerSnapshot[] {
  const { name, maxConnections, backup, slowStart } = server;
  const tlsName = tls.used ? serverTlsName(server, tls.serverName) : "";
  const several = addresses.length > 1;
  const ports = new Set(addresses.map(({ port }) => port)).size;
  return addresses.map((address) => {
    const ip = parseIp(address.host);
    const host = ip === null ? address.host : formatIp(ip);
    const plain = [pool, name, host, address.port, ...(tls.http2 ? ["h2"] : [])];
    // With other certificates, with another trust or another protocol, it is another server: connections that are idle, or soon
    // will be, were made to the one before.
    const key = JSON.stringify(tls.traffic === null ? plain : [...plain, tlsName, tls.traffic]);
    kept.add(key);
    const own = several ? `${name}#${ports > 1 ? formatHostPort(host, address.port) : host}` : name;
    const { state = server.state, weight } = several ? live[own] ?? {} : {};
    return {
      name: own,
      host,
      port: address.port,
      weight: weight ?? (address.weight === undefined ? server.weight : address.weight * server.weight),
      maxConnections,
      backup: backup || address.backup === true,
      slowStartMs: slowStart,
      ...(state === "ready" ? {} : { state }),
      ...(tlsName === "" ? {} : { tlsName }),
      slot: rows.servers.row(key),
    };
  });
}

function poolSnapshot(
  name: string,
  pool: PoolConfig,
  servers: readonly ServerSnapshot[],
  tls: ServerTlsSnapshot | null,
  check: CheckSnapshot | null,
  rows: RowAllocator,
): PoolSnapshot {
  const { balance, hashOn, hashMethod, passive, retry, timeouts, queue, whenAllDown, proxyProtocol } = pool;
  return {
    name,
    row: rows.pools.row(name),
    balance,
    // Of a pool that no worker chooses from, it says nothing to them.
    hashOn: hashOn.kind === "connection" ? { kind: "sourceIp", name: "" } : hashOn,
    hashMethod,
    servers,
    ...(pool.protocol === "h2" ? { http2: true } : {}),
    ...(tls === null ? {} : { tls }),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    check,
    ...(pool.agent === undefined ? {} : { agent: agentSnapshot(pool.agent) }),
    passive: passive === null ? null : {
      failures: passive.failures,
      errorsInRow: passive.errorsInRow,
      serverErrors: passive.serverErrors,
      minRequests: passive.minRequests,
      latencyFactor: passive.latencyFactor,
      latencyMarginMs: passive.latencyMargin,
      windowMs: passive.window,
      ejectForMs: passive.ejectFor,
      maxEjected: passive.maxEjected,
    },
    retry: retrySnapshot(retry),
    timeouts: { connectMs: timeouts.connect, responseMs: timeouts.response, idleMs: timeouts.idle },
    queue: { size: queue.size, timeoutMs: queue.timeout },
    whenAllDown,
    ...(pool.breaker === undefined ? {} : { breaker: breakerSnapshot(pool.breaker) }),
    ...(pool.sticky === undefined ? {} : { sticky: stickySnapshot(pool.sticky) }),
  };
}

/** A probe goes the way of the traffic, unless the check says otherwise. */
function checkSnapshot(
  check: CheckConfig,
  pool: { readonly tls: ServerTlsSnapshot | null; readonly http2: boolean },
  files: ReadonlyMap<string, string>,
  ofPool: ProxyVersion | undefined,
): CheckSnapshot {
  const kind = CHECK_KINDS[check.type];
  const settings = check.settings as never;
  // Another port is mostly another listener of the server, which knows nothing of proxies. HAProxy does the same.
  const samePort = check.port === undefined;
  const http2 = kind.http2 === "always" || (kind.http2 === "asPool" && pool.http2 && samePort);
  const own = check.tls == null ? null : tlsSnapshot(check.tls, files);
  const plain = kind.apart === true || kind.plain?.(settings) === true;
  const tls = plain ? null : own ?? (check.tls === null ? null : pool.tls);
  const wanted = kind.apart !== true &&
    (check.proxyProtocol ?? (ofPool !== undefined && samePort));
  const datagrams = kind.datagrams?.(settings, tls === null && !wanted) === true;
  return {
    type: check.type,
    settings: check.settings,
    ...(tls === null ? {} : { tls: http2 ? { ...tls, alpn: ["h2"] } : tls }),
    ...(tls === null || check.tls?.serverName === undefined ? {} : { tlsName: check.tls.serverName }),
    port: check.port ?? 0,
    ...(wanted && !datagrams ? { proxyProtocol: ofPool ?? "v2" } : {}),
    ...(http2 ? { http2 } : {}),
    ...(datagrams ? { datagrams } : {}),
    ...(kind.startsTls?.(settings) === true ? { startsTls: true } : {}),
    intervalMs: check.interval,
    fastIntervalMs: check.fastInterval ?? check.interval,
    timeoutMs: check.timeout,
    rise: check.rise,
    fall: check.fall,
  };
}

/** An agent is asked plainly, whatever way the traffic goes. */
function agentSnapshot({ port, host, send, interval, timeout }: AgentConfig): AgentSnapshot {
  return {
    type: "agent",
    settings: { send },
    host: host ?? "",
    port,
    intervalMs: interval,
    fastIntervalMs: interval,
    timeoutMs: timeout,
    rise: 1,
    fall: 1,
  };
}
