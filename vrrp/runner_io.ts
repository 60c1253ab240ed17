/**
 * One virtual router at work: its machine, its timer, its addresses. Inputs go in, and what the machine wants done is
 * done in its order.
 *
 * Adverts, addresses and announcements go through one queue, as their order is the protocol's; with netlink none of
 * them waits. A renewal is part of the same timer, so that an election that stands still lets its addresses go. It
 * knows no other instance, no configuration file and no log.
 */
import { formatIp, type IpBytes } from "../mod/base/address.ts";
import { reasonOf } from "../mod/base/reason.ts";
import type { AddressWriter } from "./address_writer_io.ts";
import type { Announcer } from "./announce_io.ts";
import type { CarriedInstance } from "./carried.ts";
import type { Action, Advert, Input, InstanceConfig, State } from "./events.ts";
import { Machine, type MachineStatus } from "./machine.ts";
import type { Link, NetlinkMessage } from "./netlink.ts";
import { RouteHolder, type RouteWriter } from "./route_io.ts";
import { type RunnerSettings, versionOf } from "./settings.ts";
import type { SyncFacts } from "./sync_group.ts";
import { leaseSecondsFor, renewIntervalMs, sameAddress, type Vip } from "./vip.ts";
import { type Outcome, type Renewal, VipHolder } from "./vip_io.ts";

export interface RunnerOptions {
  readonly settings: RunnerSettings;
  readonly writer: AddressWriter;
  readonly routes: RouteWriter;
  /** Null: the kernel refuses; `whyMute` says why. */
  readonly announcer: Announcer | null;
  readonly findLink: (device: string) => Link | null;
  readonly setSysctl: (name: string, value: string) => string | null;
  readonly now: () => number;
  /** Sends an advert of this instance; false: there is no way to. */
  readonly speak: (settings: RunnerSettings, priority: number, intervalMs: number, health: number) => boolean;
  readonly events: RunnerEvents;
}

export interface RunnerEvents {
  onTransition(from: State, to: State, reason: string): void;
  /** Two nodes held the address, if only for the moment that a take-over lasts. */
  onConflict(conflict: Extract<Action, { kind: "conflict" }>): void;
  onNote(reason: string): void;
  /** The machine has taken an input, and what it wanted is under way. */
  onHandled(): void;
  onProblem(problem: string): void;
}

/** An address that could not be set is tried again after this. */
const RETRY_MS = 5000;
const ADDRESS = "address";

export class Runner {
  readonly #options: RunnerOptions;
  readonly #machine: Machine;
  #settings: RunnerSettings;
  #local: IpBytes;
  #holder: VipHolder;
  #routes: RouteHolder;
  #queue: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #rote: ReturnType<typeof setInterval> | undefined;
  #renewAt = Infinity;
  #stopped = false;
  /** Adverts of this instance. */
  sent = 0;
  received = 0;
  conflicts = 0;
  /** How often it has come into each state. */
  readonly transitions: Record<State, number> = { initialize: 0, backup: 0, active: 0, fault: 0 };

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const width = options.settings.vips[0]!.address.length;
    // Until the interface has told its own; no advert leaves before.
    this.#local = new Uint8Array(width);
    this.#machine = new Machine(this.#config());
    this.#holder = this.#holderOf(options.settings);
    this.#routes = this.#routesOf(options.settings);
  }

  get settings(): RunnerSettings {
    return this.#settings;
  }

  get state(): State {
    return this.#machine.state;
  }

  get priority(): number {
    return this.#machine.priority;
  }

  sync(): SyncFacts {
    return this.#machine.sync();
  }

  status(): MachineStatus {
    return this.#machine.status(this.#options.now());
  }

  get held(): readonly Vip[] {
    return this.#holder.held;
  }

  /**
   * Removes what a crash left behind, makes sure that addresses can be set at all, and takes part. With what is
   * `carried` over it goes on as the keeper before: an Active's addresses are not left over.
   */
  async start(carried?: CarriedInstance): Promise<void> {
    const { writer } = this.#options;
    const { addressDevice: device, vips } = this.#settings;
    if (carried?.state === "active") {
      this.input({ kind: "resume", carried });
      return await this.#queue;
    }
    const { found, problems } = await this.#holder.removeLeftovers();
    this.#complain(this.#routes.remove().problems);
    for (const { address } of found) {
      this.#options.events.onNote(`removed ${formatIp(address)}, which was left on ${device}`);
    }
    // Removing what is not there needs the same capability, and changes nothing.
    const refused = problems.length > 0
      ? problems
      : await writer.remove(device, vips).catch((error) => [String(error.message)]);
    if (refused.length > 0) this.input({ kind: "hardFault", what: ADDRESS, reason: refused.join("; ") });
    if (refused.length > 0) this.#retryLater();
    this.input(carried === undefined ? { kind: "start" } : { kind: "resume", carried });
  }

  /**
   * What a keeper that takes over is to know; null: the address is on its way to another node. After it nothing is
   * decided here any more, and an Active advertises and renews by rote until `release`.
   */
  freeze(): CarriedInstance | null {
    const carried = this.#machine.carried(this.#options.now());
    if (carried === null) return null;
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
    if (carried.state === "active") this.#goOnByRote();
    return carried;
  }

  /** Ends what `freeze` has left going. Nothing is said and nothing removed: another keeper has it. */
  async release(): Promise<void> {
    clearInterval(this.#rote);
    await this.#queue;
  }

  input(input: Input): void {
    if (this.#stopped) return;
    const now = this.#options.now();
    for (const action of this.#machine.handle(input, now)) this.#perform(action);
    this.#schedule(now);
    this.#options.events.onHandled();
  }

  advert(advert: Omit<Advert, "kind">): void {
    this.received++;
    this.input({ kind: "advert", ...advert });
  }

  /** This process stood still for so long. */
  stalled(ms: number): void {
    if (ms > this.#settings.intervalMs) this.input({ kind: "stalled", ms });
  }

  /** The address that adverts come from; null: there is no way to speak, for this reason. */
  hasVoice(local: IpBytes | null, reason: string): void {
    if (local === null) return this.input({ kind: "hardFault", what: "socket", reason });
    this.#local = local;
    this.input({ kind: "reconfigure", config: this.#config() });
    this.input({ kind: "faultCleared", what: "socket" });
  }

  /** Other settings for the same virtual router on the same interface. */
  reconfigure(settings: RunnerSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    const gone = before.vips.filter(({ address }) =>
      !settings.vips.some((vip) => sameAddress(vip.address, address))
    );
    const old = this.#holder;
    const holder = this.#holderOf(settings);
    const leaving = gone.length === 0 ? null : this.#holderOf({ ...settings, vips: gone });
    const oldRoutes = this.#routes;
    const routes = this.#routesOf(settings);
    this.#queued(async () => {
      const held = old.held.length > 0;
      this.#holder = holder;
      this.#routes = routes;
      if (JSON.stringify(before.routing) !== JSON.stringify(settings.routing)) {
        this.#complain(oldRoutes.remove().problems);
      }
      if (held) this.#added(await holder.add());
      if (leaving !== null && held) this.#told(await leaving.remove());
    });
    this.input({ kind: "reconfigure", config: this.#config() });
  }

  /** An event of the kernel: is one of our addresses gone? */
  notice(message: NetlinkMessage): void {
    this.#queued(async () => this.#lost(await this.#holder.notice(message)));
  }

  /** Takes no part any more; resolves when the last advert is out and the addresses are gone. */
  async stop(): Promise<void> {
    this.input({ kind: "stop" });
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
    await this.#queue;
  }

  #config(): InstanceConfig {
    const { priority, intervalMs, preempt, vips, transport, syncGroup, announce } = this.#settings;
    const addresses = vips.map(({ address, prefix }) => `${formatIp(address)}/${prefix}`);
    return {
      version: versionOf(transport),
      priority,
      intervalMs,
      preempt,
      localAddress: this.#local,
      addresses,
      announce,
      synced: syncGroup !== null,
    };
  }

  #holderOf({ device: lower, addressDevice: device, vips, intervalMs }: RunnerSettings): VipHolder {
    const { writer, now, setSysctl } = this.#options;
    const leaseSeconds = leaseSecondsFor(intervalMs);
    return new VipHolder({ device, vips, leaseSeconds, apart: device !== lower, writer, now, setSysctl });
  }

  #routesOf({ routing, intervalMs }: RunnerSettings): RouteHolder {
    return new RouteHolder(this.#options.routes, routing, leaseSecondsFor(intervalMs));
  }

  #perform(action: Action): void {
    const { events, speak } = this.#options;
    switch (action.kind) {
      case "sendAdvert": {
        const health = this.status().health;
        return this.#queued(() => {
          if (speak(this.#settings, action.priority, action.intervalMs, health)) this.sent++;
        });
      }
      case "addAddresses":
        return this.#queued(async () => this.#added(await this.#holder.add()));
      case "removeAddresses":
        this.#renewAt = Infinity;
        return this.#queued(async () => {
          this.#told(await this.#holder.remove());
          this.#complain(this.#routes.remove().problems);
        });
      case "announce":
        return this.#queued(() => this.#announce(action.times));
      case "notify":
        this.transitions[action.to]++;
        return events.onTransition(action.from, action.to, action.reason);
      case "conflict":
        if (action.counts) this.conflicts++;
        return events.onConflict(action);
      case "note":
        return events.onNote(action.reason);
    }
  }

  #queued(action: () => void | Promise<void>): void {
    this.#queue = this.#queue.then(action).catch((error: unknown) =>
      this.#options.events.onProblem(reasonOf(error))
    );
  }

  #announce(times: number): void {
    const { announcer, findLink, events } = this.#options;
    const link = findLink(this.#settings.addressDevice);
    if (link === null || announcer === null) return;
    const addresses = this.#settings.vips.map(({ address }) => address);
    for (let round = 0; round < times; round++) {
      const problems = announcer.announce(link, addresses);
      for (const problem of problems) events.onProblem(problem);
      if (problems.length > 0) return;
    }
  }

  #told({ problems }: Outcome): void {
    this.#complain(problems);
  }

  #complain(problems: readonly string[]): void {
    for (const problem of problems) this.#options.events.onProblem(problem);
  }

  #added(outcome: Outcome): void {
    this.#told(outcome);
    if (this.#machine.state !== "active") return;
    if (!outcome.done) {
      this.input({ kind: "hardFault", what: ADDRESS, reason: outcome.problems.join("; ") });
      return this.#retryLater();
    }
    // They may need an address as their source.
    this.#complain(this.#routes.set());
    const now = this.#options.now();
    this.#renewAt = now + this.#renewMs();
    this.#schedule(now);
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(async () => {
      const { writer } = this.#options;
      const { addressDevice: device, vips } = this.#settings;
      const refused = await writer.remove(device, vips).catch((error) => [String(error.message)]);
      if (refused.length > 0) this.#retryLater();
      else this.input({ kind: "faultCleared", what: ADDRESS });
    }, RETRY_MS);
  }

  #lost({ lost, problems }: Renewal): void {
    this.#told({ done: true, problems });
    if (lost.length > 0 && this.#machine.state === "active") this.input({ kind: "addressLost" });
  }

  #renewMs(): number {
    return renewIntervalMs(leaseSecondsFor(this.#settings.intervalMs));
  }

  #schedule(now: number): void {
    clearTimeout(this.#timer);
    const dueAt = Math.min(this.#machine.deadline(), this.#renewAt);
    if (this.#stopped || dueAt === Infinity) return;
    this.#timer = setTimeout(() => this.#due(), Math.max(0, dueAt - now));
  }

  #goOnByRote(): void {
    const { intervalMs } = this.#settings;
    const priority = this.#machine.priority;
    const { health } = this.status();
    const again = () => {
      this.#queued(() => void this.#options.speak(this.#settings, priority, intervalMs, health));
      this.#queued(async () => void await this.#renew());
    };
    again();
    this.#rote = setInterval(again, Math.min(intervalMs, this.#renewMs()));
  }

  #due(): void {
    this.input({ kind: "tick" });
    const now = this.#options.now();
    if (now < this.#renewAt || this.#stopped) return;
    this.#renewAt = now + this.#renewMs();
    this.#schedule(now);
    this.#queued(async () => this.#lost(await this.#renew()));
  }

  async #renew(): Promise<Renewal> {
    const renewal = await this.#holder.renew();
    if (this.#holder.held.length > 0) this.#complain(this.#routes.keep());
    return renewal;
  }
}
