/**
 * What a virtual router and its interface's socket are told by the configuration. Pure.
 */
import type { IpBytes } from "../mod/base/address.ts";
import type { AnnounceConfig } from "./events.ts";
import type { Key } from "./extension.ts";
import type { Routing } from "./route.ts";
import type { Version } from "./timing.ts";
import type { Vip } from "./vip.ts";

/** `udp`: VRRPv3's packet, signed, in UDP; the others are VRRP itself, IP protocol 112. */
export type Transport = "udp" | "vrrp3" | "vrrp2";

export interface RunnerSettings {
  readonly name: string;
  readonly device: string;
  /** Where the addresses are set: `device`, or the interface with the virtual MAC. */
  readonly addressDevice: string;
  /** 1–255. */
  readonly vrid: number;
  /** What is set where it is active; the first ones are those that are advertised. */
  readonly vips: readonly Vip[];
  /** All of one family, at least one. */
  readonly advertised: readonly IpBytes[];
  readonly priority: number;
  readonly intervalMs: number;
  readonly preempt: boolean | number;
  readonly transport: Transport;
  /** Version 2 only; null: no authentication. */
  readonly password: string | null;
  readonly announce: AnnounceConfig;
  /** What is set where the addresses are. */
  readonly routing: Routing;
  /** The name of what it is active with; null: it is so by itself. */
  readonly syncGroup: string | null;
}

export interface SegmentSettings {
  readonly device: string;
  readonly family: 4 | 6;
  readonly keys: readonly Key[];
  readonly peers: readonly IpBytes[];
}

/** The version of VRRP that a transport speaks. */
export function versionOf(transport: Transport): Version {
  return transport === "vrrp2" ? 2 : 3;
}
