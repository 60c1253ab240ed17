/**
 * The sockets of VRRP itself: one for every interface and family that an instance with such a transport is on, and for
 * each list of peers there.
 *
 * Beside `Segments`, which has the signed datagrams: there the nodes of one file report to each other also when they
 * elect by VRRP. It knows which virtual router an advert is for; what becomes of it is the election's affair.
 */
import { formatIp, type IpBytes } from "../base/address.ts";
import type { DropReason } from "../../vrrp/drops.ts";
import type { Claim } from "../../vrrp/foreign.ts";
import type { WireRouter } from "../../vrrp/judge.ts";
import type { Kernel } from "../../vrrp/kernel_io.ts";
import type { Link } from "../../vrrp/netlink.ts";
import type { Advert } from "../../vrrp/packet.ts";
import type { Runner } from "../../vrrp/runner_io.ts";
import { type RunnerSettings, type SegmentSettings, versionOf } from "../../vrrp/settings.ts";
import { sameAddress } from "../../vrrp/vip.ts";
import { Wire } from "../../vrrp/wire_io.ts";
import { hasVirtualMac, type InstanceSettings, segmentKey, speaksUdp } from "./election.ts";

export interface WiresOptions {
  readonly kernel: () => Pick<Kernel, "openRaw" | "findLink" | "macvlan">;
  readonly setSysctl: (name: string, value: string) => string | null;
  /** The instances at work on a segment. */
  readonly runners: (settings: SegmentSettings) => readonly Runner[];
  readonly onWake: () => void;
  readonly onDropped: (device: string, reason: DropReason, source: string) => void;
  /** Somebody whom this node does not hear says that it is active with the instance's id. */
  readonly onClaim: (runner: Runner, claim: Claim) => void;
  readonly onProblem: (where: string, problem: string) => void;
}

export class Wires {
  readonly #options: WiresOptions;
  readonly #wires = new Map<string, { readonly wire: Wire; readonly remove: () => void }>();
  #vips: readonly IpBytes[] = [];
  /** Those that speak VRRP. */
  #instances: readonly InstanceSettings[] = [];

  constructor(options: WiresOptions) {
    this.#options = options;
  }

  /** The socket that an instance speaks through; null: there is none, or it speaks otherwise. */
  of(settings: InstanceSettings): Wire | null {
    return speaksUdp(settings) ? null : this.#wires.get(wireKey(settings))?.wire ?? null;
  }

  /** Opens and closes sockets so that every instance has one. One that may stay is not disturbed. */
  update(all: readonly InstanceSettings[]): void {
    this.#vips = all.flatMap(({ runner }) => runner.vips.map(({ address }) => address));
    const before = new Map(this.#instances.map((one) => [one.runner.name, wireKey(one)]));
    const instances = this.#instances = all.filter((one) => !speaksUdp(one));
    for (const [key, { wire, remove }] of this.#wires) {
      if (instances.some((one) => wireKey(one) === key)) continue;
      this.#wires.delete(key);
      wire.close();
      remove();
    }
    for (const one of instances) {
      const wire = this.of(one);
      if (wire === null) this.#open(one);
      else if (before.get(one.runner.name) !== wireKey(one)) {
        // It has other peers now, and speaks from where others do already.
        this.#runnerOf(one)?.hasVoice(wire.local, wire.whyMute);
      }
    }
  }

  /** Sends an advert of an instance; false: there is no way to. */
  speak(settings: InstanceSettings, runner: RunnerSettings, priority: number, intervalMs: number): boolean {
    const { vrid, advertised: addresses, transport, password } = runner;
    const advert: Advert = { version: versionOf(transport), vrid, priority, intervalMs, addresses };
    return this.of(settings)?.send(advert, password) ?? false;
  }

  /** An interface has come, gone or changed. */
  onLink(device: string): void {
    for (const { wire } of this.#wires.values()) if (wire.settings.device === device) wire.look();
  }

  /** `keep`: the interfaces with virtual MACs stay, for the keeper that has taken over. */
  close(keep = false): void {
    for (const { wire, remove } of this.#wires.values()) {
      wire.close();
      if (!keep) remove();
    }
    this.#wires.clear();
  }

  /** Null: it has not been placed yet. */
  #runnerOf({ runner, segment }: InstanceSettings): Runner | null {
    return this.#options.runners(segment).find(({ settings }) => settings.name === runner.name) ?? null;
  }

  #open(instance: InstanceSettings): void {
    const { kernel, setSysctl, onWake, onDropped, onClaim, onProblem } = this.#options;
    const settings = instance.segment;
    const { device } = settings;
    const key = wireKey(instance);
    const speakers = () =>
      this.#instances.filter((one) => wireKey(one) === key).flatMap((one) => this.#runnerOf(one) ?? []);
    const macvlan = hasVirtualMac(instance.runner)
      ? kernel().macvlan(instance.runner.vrid, settings.family, setSysctl)
      : null;
    const find = (vrid: number) => speakers().find(({ settings }) => settings.vrid === vrid);
    const wire = new Wire({
      settings,
      vips: () => this.#vips,
      router: (vrid) => routerOf(find(vrid)),
      findLink: (device) => kernel().findLink(device),
      ...macvlan === null ? {} : { through: (link: Link) => macvlan.raise(link) },
      open: (options) => kernel().openRaw(options),
      handler: {
        onVoice: (local, reason) => {
          if (local === null) onProblem(device, reason);
          for (const runner of speakers()) runner.hasVoice(local, reason);
        },
        onWake,
        onAdvert: (advert, source) => {
          const runner = find(advert.vrid);
          if (runner === undefined) return;
          const { priority, intervalMs, addresses } = advert;
          if (!sameAddresses(addresses, runner.settings)) {
            const listed = addresses.map(formatIp).join(", ");
            onProblem(
              runner.settings.name,
              `${formatIp(source)} advertises other addresses than this node has: ${listed}`,
            );
          }
          if (intervalMs !== runner.settings.intervalMs) {
            onProblem(
              runner.settings.name,
              `${
                formatIp(source)
              } advertises every ${intervalMs} ms, this node every ${runner.settings.intervalMs} ms`,
            );
          }
          const count = addresses.length;
          runner.advert({ priority, intervalMs, sender: source, count, node: null, health: null });
        },
        // Virtual routers of others share the LAN: counted, not told.
        onDropped: (reason, source) => void (reason === "vrid" || onDropped(device, reason, source)),
        onClaim: ({ vrid, priority }, sender, refused) => {
          const runner = find(vrid);
          if (runner !== undefined) onClaim(runner, { sender, priority, refused });
        },
        onProblem: (problem) => onProblem(device, problem),
      },
    });
    this.#wires.set(key, { wire, remove: () => macvlan?.remove() });
    wire.start();
  }
}

/** One socket an interface, family and list of peers, and one for each virtual MAC, which has an interface of its own. */
function wireKey({ runner, segment }: InstanceSettings): string {
  const own = hasVirtualMac(runner) ? [String(runner.vrid)] : segment.peers.map(formatIp);
  return [segmentKey(segment), ...own].join(" ");
}

function routerOf(runner: Runner | undefined): WireRouter | null {
  if (runner === undefined) return null;
  const { transport, password, intervalMs, advertised } = runner.settings;
  return { version: versionOf(transport), password, intervalMs, addresses: advertised };
}

/** RFC 9568 section 7.1: the list is compared, and a difference is logged, no more: so addresses can be added. */
function sameAddresses(listed: readonly IpBytes[], { advertised }: RunnerSettings): boolean {
  return listed.length === advertised.length &&
    advertised.every((address) => listed.some((one) => sameAddress(one, address)));
}
