/**
 * What the kernel is to forward on this node: listeners with `forward: nat` and `dsr`, as plain data. Pure.
 *
 * A plan says what is configured; which servers take traffic now is told beside it (`Shares`), as it changes by itself.
 */
import { isUnspecifiedIp, parseIp } from "../base/address.ts";
import type { ListenerConfig } from "../config/listener_schema.ts";
import type { PoolConfig } from "../config/pool_schema.ts";
import type { Config } from "../config/schema.ts";

export interface KernelPlan {
  /** Of the tables of this node, and nobody else's. */
  readonly table: string;
  readonly onExit: "remove" | "keep";
  readonly services: readonly Service[];
  /** There are no other listeners. */
  readonly alone: boolean;
}

export interface Service {
  /** Of the listener. */
  readonly name: string;
  readonly mode: "nat" | "dsr";
  readonly protocol: "tcp" | "udp";
  readonly binds: readonly Bind[];
  readonly pool: string;
  readonly policy: Policy;
  readonly hash: "source" | "connection";
  readonly servers: readonly Server[];
  readonly masquerade: boolean;
  readonly persist: { readonly seconds: number; readonly entries: number } | null;
  readonly resetWhenDown: boolean;
  /** Where packets come in; dsr only. */
  readonly device: string;
}

export type Policy = "roundRobin" | "random" | "hash" | "maglev";

export interface Bind {
  /** Null: every address of the family that this node has. */
  readonly host: string | null;
  readonly family: 4 | 6;
  readonly port: number;
  /** Equal to `port` unless it is a range. */
  readonly lastPort: number;
}

export interface Server {
  readonly name: string;
  /** A canonical IP address. */
  readonly host: string;
  readonly family: 4 | 6;
  /** Null: the client's. */
  readonly port: number | null;
  /** As configured; 0 for a backup. */
  readonly weight: number;
}

/** How a server is used now. */
export interface Share {
  /** Of new connections, in any unit; 0: none. */
  readonly share: number;
  /** False: a health check took it out. */
  readonly up: boolean;
}

/** By pool and server; what is absent is not known yet, and gets nothing. */
export type Shares = ReadonlyMap<string, ReadonlyMap<string, Share>>;

/** The plan of `node`. Listeners have passed the rules of the configuration. */
export function kernelPlan(config: Config, node: string): KernelPlan {
  const services = config.listeners.flatMap((listener) => {
    const [route] = listener.routes;
    if (listener.forward === "proxy" || listener.protocol === "http" || route?.action.kind !== "pool") {
      return [];
    }
    const { pool } = route.action;
    return [serviceOf(listener, listener.forward, listener.protocol, pool, config)];
  });
  return {
    table: tableName(node),
    onExit: config.kernel.onExit,
    services,
    alone: services.length === config.listeners.length,
  };
}

/** Of a node that forwards nothing in the kernel. */
export function noPlan(node: string): KernelPlan {
  return { table: tableName(node), onExit: "remove", services: [], alone: false };
}

/** Which pools' health it needs. */
export function poolsOf({ services }: KernelPlan): ReadonlySet<string> {
  return new Set(services.map(({ pool }) => pool));
}

function serviceOf(
  { name, bind, kernel }: ListenerConfig,
  mode: Service["mode"],
  protocol: Service["protocol"],
  poolName: string,
  config: Config,
): Service {
  const pool = config.pools[poolName]!;
  const ranged = bind.some(({ lastPort }) => lastPort !== undefined);
  return {
    name,
    mode,
    protocol,
    binds: bind.flatMap(bindsOf),
    pool: poolName,
    policy: pool.balance as Policy,
    hash: pool.hashOn.kind === "connection" ? "connection" : "source",
    servers: serversOf(pool, ranged),
    masquerade: kernel.masquerade,
    persist: kernel.persist === undefined
      ? null
      : { seconds: Math.ceil(kernel.persist / 1000), entries: kernel.persistEntries },
    resetWhenDown: kernel.whenServerDown === "reset",
    device: kernel.interface ?? deviceOf(bind[0]!.host, config),
  };
}

/** The interface of the instance that has the address. */
function deviceOf(host: string, { vrrp }: Config): string {
  return vrrp.instances.find(({ addresses }) => addresses.some(({ address }) => address === host))
    ?.interface ?? "";
}

/** `::` takes IPv4 too, as everywhere. */
function bindsOf({ host, port, lastPort = port }: ListenerConfig["bind"][number]): Bind[] {
  const bytes = parseIp(host)!;
  if (!isUnspecifiedIp(bytes)) return [{ host, family: familyOf(bytes), port, lastPort }];
  const families = bytes.length === 4 ? [4] as const : [4, 6] as const;
  return families.map((family) => ({ host: null, family, port, lastPort }));
}

function serversOf({ servers }: PoolConfig, ranged: boolean): Server[] {
  return servers.flatMap(({ name, source, weight, backup }) => {
    const bytes = source.kind === "address" ? parseIp(source.host) : null;
    if (source.kind !== "address" || bytes === null) return [];
    const port = ranged ? null : source.port;
    return [{ name, host: source.host, family: familyOf(bytes), port, weight: backup ? 0 : weight }];
  });
}

function familyOf(bytes: Uint8Array): 4 | 6 {
  return bytes.length === 4 ? 4 : 6;
}

/** Two nodes on one machine have tables of their own. */
function tableName(node: string): string {
  return `tandem_${node.replace(/[^A-Za-z0-9-]/g, "_").slice(0, 100)}`;
}
