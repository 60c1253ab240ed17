/**
 * What the election needs of a configuration: the instances that this node takes part in, with its own priority in
 * each, and what a reload changes. Pure.
 */
import { type IpBytes, parseCidr, parseIp } from "../base/address.ts";
import type { Config } from "../config/schema.ts";
import type { TrackConfig } from "../config/track_schema.ts";
import type { VrrpInstanceConfig } from "../config/vrrp_schema.ts";
import { ownerPriorities } from "../../vrrp/priorities.ts";
import { macvlanName } from "../../vrrp/macvlan.ts";
import { MAIN_TABLE, type Routing, type VirtualRoute, type VirtualRule } from "../../vrrp/route.ts";
import type { RunnerSettings, SegmentSettings } from "../../vrrp/settings.ts";

export interface ElectionSettings {
  readonly instances: readonly InstanceSettings[];
  /** From the start of the node until it takes part. */
  readonly startupDelayMs: number;
  /** The first 64 bits of the hash of the file, to tell whether the nodes have the same. */
  readonly configHash: bigint;
  /** The nodes that are named as owners of these instances. */
  readonly owners?: readonly string[];
}

export interface InstanceSettings {
  readonly runner: RunnerSettings;
  readonly segment: SegmentSettings;
  readonly track: readonly TrackConfig[];
  /** Absolute paths of programs. */
  readonly onTransition: readonly string[];
}

/** The settings of `node`; instances whose owners do not name it are left to the others. */
export function electionSettings(config: Config, node: string, configHash: bigint): ElectionSettings {
  const instances = config.vrrp.instances.flatMap((instance) => {
    const priority = instance.priority ?? ownerPriorities(instance.owners ?? []).get(node);
    return priority === undefined ? [] : [settingsOf(instance, priority)];
  });
  const names = new Set(instances.map(({ runner }) => runner.name));
  const owners = config.vrrp.instances.filter(({ name }) => names.has(name)).flatMap(({ owners = [] }) =>
    owners
  );
  return {
    ...{ instances, startupDelayMs: config.vrrp.startupDelay, configHash },
    owners: [...new Set(owners)],
  };
}

function settingsOf(instance: VrrpInstanceConfig, priority: number): InstanceSettings {
  const { addresses, unadvertised } = instance;
  const vips = [...addresses, ...unadvertised].map(({ address, prefix }) => ({
    address: ip(address),
    prefix,
  }));
  const family = vips[0]!.address.length === 4 ? 4 : 6;
  return {
    runner: {
      name: instance.name,
      device: instance.interface,
      addressDevice: instance.virtualMac ? macvlanName(instance.routerId, family) : instance.interface,
      vrid: instance.routerId,
      vips,
      advertised: addresses.map(({ address }) => ip(address)),
      priority,
      intervalMs: instance.advertInterval,
      preempt: instance.preempt,
      transport: instance.transport,
      password: instance.password ?? null,
      syncGroup: instance.syncGroup ?? null,
      announce: {
        times: instance.announce.times,
        againMs: instance.announce.again,
        refreshMs: instance.announce.refresh,
        refreshTimes: instance.announce.refreshTimes,
      },
      routing: routingOf(instance, vips[0]!.address),
    },
    segment: {
      device: instance.interface,
      family,
      keys: instance.keys.map(({ id, secret }) => ({ id, secret: new TextEncoder().encode(secret) })),
      peers: instance.peers.map(ip),
    },
    track: instance.track,
    onTransition: instance.onTransition,
  };
}

function routingOf({ virtualRoutes, virtualRules }: VrrpInstanceConfig, first: IpBytes): Routing {
  const family = first.length === 4 ? 4 : 6;
  const everything = { bytes: new Uint8Array(first.length), prefix: 0 };
  const block = (text: string) => text === "default" ? everything : parseCidr(text)!;
  return {
    routes: virtualRoutes.map(({ to, type, via, device, source, metric, table }): VirtualRoute => ({
      to: block(to),
      type,
      via: via === undefined ? null : ip(via),
      device: device ?? null,
      // With one that is not the node's own the kernel takes the route away with the address, whoever is dead.
      source: source !== undefined ? ip(source) : family === 4 && type === "unicast" ? first : null,
      metric: metric ?? null,
      table: table ?? MAIN_TABLE,
    })),
    rules: virtualRules.map(({ from, to, table, priority }): VirtualRule => ({
      family,
      from: from === undefined ? null : block(from),
      to: to === undefined ? null : block(to),
      table,
      priority,
    })),
  };
}

/** The schema has seen to it that it is one. */
function ip(text: string): IpBytes {
  return parseIp(text)!;
}

/** The programs that an election may start. */
export function programsOf({ instances }: ElectionSettings): string[] {
  return instances.flatMap(({ track, onTransition }) => [
    ...onTransition,
    ...track.flatMap((one) => one.kind === "exec" ? one.command.slice(0, 1) : []),
  ]);
}

/** Where one voice is enough: an interface and a family. */
export function segmentKey({ device, family }: SegmentSettings): string {
  return `${device} ${family}`;
}

/** True when a running instance can go on with the new settings; otherwise it is another virtual router. */
export function continues(before: InstanceSettings, after: InstanceSettings): boolean {
  return before.runner.vrid === after.runner.vrid && before.runner.transport === after.runner.transport &&
    before.runner.addressDevice === after.runner.addressDevice &&
    segmentKey(before.segment) === segmentKey(after.segment);
}

/** True when its addresses are on an interface with the virtual MAC. */
export function hasVirtualMac({ device, addressDevice }: RunnerSettings): boolean {
  return device !== addressDevice;
}

/** True when its adverts go as signed datagrams; otherwise as VRRP itself. */
export function speaksUdp({ runner }: InstanceSettings): boolean {
  return runner.transport === "udp";
}

/** True when the node reports where this instance is: always between Tandems, beside VRRP only what is signed. */
export function reports(instance: InstanceSettings): boolean {
  return speaksUdp(instance) || instance.segment.keys.length > 0;
}

/** True when both mean the same, byte for byte. */
export function sameSettings(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
