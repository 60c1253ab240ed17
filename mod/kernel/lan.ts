/**
 * The MACs that direct return rewrites: of this node's interfaces and of the servers, as `ip -j` tells them. Pure.
 */
import { formatIp, parseIp } from "../base/address.ts";
import type { KernelPlan, Server } from "./plan.ts";

/** MACs as text, lower case. */
export interface Lan {
  /** By name of interface. */
  readonly devices: ReadonlyMap<string, Device>;
  /** By address of server. */
  readonly servers: ReadonlyMap<string, string>;
}

export interface Device {
  readonly mac: string;
  /** The kernel's number for it: one that is made anew has another, and none of the hooks of the one before. */
  readonly index: number;
}

export const EMPTY_LAN: Lan = { devices: new Map(), servers: new Map() };

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** Servers that are reached by a MAC, and where. */
export function directServers(
  { services }: KernelPlan,
): { readonly device: string; readonly server: Server }[] {
  return services.filter(({ mode }) => mode === "dsr")
    .flatMap(({ device, servers }) => servers.map((server) => ({ device, server })));
}

/**
 * What is known now. A server whose neighbour entry is being looked for, or has failed, keeps the MAC that it had: its
 * health check says when it is gone. `links` and `neighbours`: output of `ip -j link show` and `ip -j neigh show`.
 */
export function readLan(plan: KernelPlan, before: Lan, links: string, neighbours: string): Lan {
  const devices = new Map(
    rows(links).flatMap(({ ifname, ifindex, address }) =>
      typeof ifname === "string" && isMac(address)
        ? [[ifname, { mac: address, index: Number(ifindex) }] as const]
        : []
    ),
  );
  const known = new Map(
    rows(neighbours).flatMap(({ dst, dev, lladdr }) => {
      const bytes = typeof dst === "string" ? parseIp(dst) : null;
      return bytes !== null && isMac(lladdr) ? [[`${dev} ${formatIp(bytes)}`, lladdr] as const] : [];
    }),
  );
  const servers = new Map<string, string>();
  for (const { device, server: { host } } of directServers(plan)) {
    const mac = known.get(`${device} ${host}`) ?? before.servers.get(host);
    if (mac !== undefined) servers.set(host, mac);
  }
  return { devices, servers };
}

/** Input of `ip -batch -` that has the kernel find out, or make sure of, each server's MAC. */
export function lookUps(plan: KernelPlan): string {
  return [
    ...new Set(
      directServers(plan).map(({ device, server }) => `neigh replace ${server.host} dev ${device} use\n`),
    ),
  ]
    .join("");
}

/** True when both know the same. */
export function sameLan(one: Lan, other: Lan): boolean {
  const text = ({ devices, servers }: Lan) => JSON.stringify([[...devices], [...servers]]);
  return text(one) === text(other);
}

function isMac(value: unknown): value is string {
  return typeof value === "string" && MAC.test(value);
}

function rows(output: string): readonly Record<string, unknown>[] {
  return JSON.parse(output === "" ? "[]" : output);
}
