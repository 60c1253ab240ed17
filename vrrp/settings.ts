/**
 * What a virtual router and its interface's socket are told by the configuration. Types only.
 */
import type { IpBytes } from "../mod/base/address.ts";
import type { Key } from "./extension.ts";
import type { Vip } from "./vip.ts";

export interface RunnerSettings {
  readonly name: string;
  readonly device: string;
  /** 1–255. */
  readonly vrid: number;
  /** All of one family. */
  readonly vips: readonly Vip[];
  readonly priority: number;
  readonly intervalMs: number;
  readonly preempt: boolean | number;
}

export interface SegmentSettings {
  readonly device: string;
  readonly family: 4 | 6;
  readonly keys: readonly Key[];
  readonly peers: readonly IpBytes[];
}
