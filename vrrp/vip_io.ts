/**
 * Holds the virtual addresses of one instance: adds them with a lease, renews it, takes them off again, and notices
 * when one is gone.
 *
 * Calls are carried out one after another, in their order. It renews only what it still holds: a lease that has run
 * out while the process was frozen is lost, not renewed, for a peer has the address by then. It starts no timer: the
 * election calls `renew`, so that an election that stands still lets the addresses go. Deciding is left to it.
 */
import { formatIp } from "../mod/base/address.ts";
import { reasonOf } from "../mod/base/reason.ts";
import type { AddressWriter } from "./address_writer_io.ts";
import type { AddressSetting, NetlinkMessage } from "./netlink.ts";
import {
  absentVips,
  mayHaveSecondaries,
  presentVips,
  removalOrder,
  sameAddress,
  victims,
  type Vip,
  vipSetting,
} from "./vip.ts";

export interface VipOptions {
  readonly device: string;
  readonly vips: readonly Vip[];
  readonly leaseSeconds: number;
  /** The interface has a MAC of its own beside the one that leads to the addresses' prefixes. */
  readonly apart?: boolean;
  readonly writer: AddressWriter;
  /** A clock that never jumps, in milliseconds. */
  readonly now: () => number;
  /** Sets a kernel setting, named as for sysctl(8); what failed, or null. */
  readonly setSysctl?: (name: string, value: string) => string | null;
}

export interface Outcome {
  /** False: an address could not be added, removed or renewed. */
  readonly done: boolean;
  /** For the log: what failed, and what had to be mended. */
  readonly problems: readonly string[];
}

export interface Renewal extends Outcome {
  /** No longer on the interface: removed by somebody, or the lease ran out. They are not put back. */
  readonly lost: readonly Vip[];
}

export class VipHolder {
  readonly #options: VipOptions;
  /** What is held, with how it was set; empty when none is. */
  #held: AddressSetting[] = [];
  #renewedAtMs = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: VipOptions) {
    this.#options = options;
  }

  get held(): readonly Vip[] {
    return this.#held;
  }

  /** Removes what a crash or another program left of our addresses; `found` is what was there. */
  removeLeftovers(): Promise<Outcome & { readonly found: readonly Vip[] }> {
    return this.#inOrder(NONE_FOUND, async () => {
      const { device, vips, writer } = this.#options;
      const found = presentVips(await writer.list(device), vips);
      return { found, ...await this.#remove(found) };
    });
  }

  /** Adds all addresses, also those that are there already, with a fresh lease. */
  add(): Promise<Outcome> {
    return this.#inOrder({}, async () => {
      const { device, vips, writer, leaseSeconds, now, apart } = this.#options;
      const warnings = this.#protectNeighbours();
      const present = await writer.list(device);
      const startedAtMs = now();
      this.#held = vips.map((vip) => vipSetting(vip, present, leaseSeconds, apart));
      const failures = await writer.set(device, this.#held);
      this.#renewedAtMs = startedAtMs;
      return { done: failures.length === 0, problems: [...failures, ...warnings] };
    });
  }

  /** Removes all addresses, also those that are no longer held. */
  remove(): Promise<Outcome> {
    return this.#inOrder({}, () => {
      this.#held = [];
      return this.#remove(this.#options.vips);
    });
  }

  /** Prolongs the leases. Call it every `renewIntervalMs(leaseSeconds)`; more often does no harm. */
  renew(): Promise<Renewal> {
    return this.#inOrder(NONE_LOST, async () => {
      const { device, writer, leaseSeconds, now } = this.#options;
      if (this.#held.length === 0) return ALL_WELL;
      const startedAtMs = now();
      if (startedAtMs - this.#renewedAtMs >= leaseSeconds * 1000) return this.#lose(this.#held);
      // With netlink the removal of an address is an event; `ip` has to look.
      const lost = writer.via === "ip" ? absentVips(await writer.list(device), this.#held) : [];
      if (lost.length > 0) return this.#lose(lost);
      const problems = await writer.set(device, this.#held);
      if (problems.length === 0) this.#renewedAtMs = startedAtMs;
      return { ...NONE_LOST, done: problems.length === 0, problems };
    });
  }

  /**
   * Looks at an event of the kernel. The answer is what was held and is really gone: our own removals and what has
   * come back meanwhile do not count.
   */
  notice(message: NetlinkMessage): Promise<Renewal> {
    return this.#inOrder(NONE_LOST, async () => {
      const concerned = message.kind === "address" && message.gone &&
        this.#held.some(({ address }) => sameAddress(address, message.address.address));
      if (!concerned) return ALL_WELL;
      return this.#lose(absentVips(await this.#options.writer.list(this.#options.device), this.#held));
    });
  }

  #lose(lost: readonly Vip[]): Renewal {
    this.#held = this.#held.filter((own) => !lost.some((vip) => sameAddress(vip.address, own.address)));
    return { ...ALL_WELL, lost };
  }

  /** One holder after another: what another removes meanwhile would look as if it had gone with ours, and be put back. */
  #remove(vips: readonly Vip[]): Promise<Outcome> {
    return this.#options.writer.turns.take(() => this.#removeAlone(vips));
  }

  async #removeAlone(vips: readonly Vip[]): Promise<Outcome> {
    const { device, writer } = this.#options;
    const before = await writer.list(device);
    const there = removalOrder(presentVips(before, vips));
    const failures = await writer.remove(device, there);
    if (!there.some(mayHaveSecondaries)) return { done: failures.length === 0, problems: failures };
    const taken = victims(before, await writer.list(device), there);
    failures.push(...await writer.set(device, taken));
    const mended = taken.map(({ address }) =>
      `Removing an address of ${device} took ${formatIp(address)} with it: it was put back`
    );
    return { done: failures.length === 0, problems: [...failures, ...mended] };
  }

  /** Also for the lease's end, when nobody is left to put neighbours back. What failed is no reason not to go on. */
  #protectNeighbours(): string[] {
    const { device, vips, setSysctl } = this.#options;
    if (setSysctl === undefined || !vips.some(mayHaveSecondaries)) return [];
    const problem = setSysctl(`net.ipv4.conf.${device.replaceAll(".", "/")}.promote_secondaries`, "1");
    return problem === null ? [] : [problem];
  }

  /** One after another; what is thrown (no such interface, no `ip`) is a problem like any other. */
  #inOrder<T extends object>(otherwise: T, action: () => Promise<T & Outcome>): Promise<T & Outcome> {
    const result = this.#last.then(action).catch((error: unknown) => ({
      ...otherwise,
      done: false,
      problems: [reasonOf(error)],
    }));
    this.#last = result;
    return result;
  }
}

const NONE_FOUND: { readonly found: readonly Vip[] } = { found: [] };
const NONE_LOST: { readonly lost: readonly Vip[] } = { lost: [] };
const ALL_WELL: Renewal = { ...NONE_LOST, done: true, problems: [] };
