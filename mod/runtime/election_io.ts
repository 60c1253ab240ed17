/**
 * All virtual routers of this node, inside the keeper: it starts, changes and stops them as the configuration says,
 * feeds them with what the kernel, the peers and the balancer tell, and says what they do.
 *
 * It decides nothing of the election (`vrrp/machine.ts` does) and nothing of health (`election_facts.ts`). Every event
 * first asks whether the process stood still. It carries no traffic and must not know how a balancer is run.
 */
import { reasonOf } from "../base/reason.ts";
import type { ExecSpawn } from "../health/exec_io.ts";
import type { ElectionStatus } from "../observe/election_status.ts";
import type { Log } from "../observe/log.ts";
import type { CarriedInstance, CarriedVoice } from "../../vrrp/carried.ts";
import type { State } from "../../vrrp/events.ts";
import { SYNC } from "../../vrrp/facts.ts";
import { type Kernel, openKernel } from "../../vrrp/kernel_io.ts";
import type { LinkChange } from "../../vrrp/links.ts";
import type { Report } from "../../vrrp/report.ts";
import { Runner } from "../../vrrp/runner_io.ts";
import type { SegmentSettings } from "../../vrrp/settings.ts";
import {
  continues,
  type ElectionSettings,
  type InstanceSettings,
  sameSettings,
  segmentKey,
  speaksUdp,
} from "./election.ts";
import { Departure } from "./departure_io.ts";
import { type BalancerFacts, type KernelFacts, verdictOf } from "./election_facts.ts";
import { ElectionPulse } from "./election_pulse_io.ts";
import { blockedStatus, instanceStatus, leftAlone, readyPeer, seenOn } from "./election_view.ts";
import { ForeignWatch } from "./foreign_io.ts";
import { Member } from "./member_io.ts";
import { Segments } from "./segments_io.ts";
import { StartupDelay } from "./startup_delay_io.ts";
import { SyncGroups, tracksFor } from "./sync_groups.ts";
import { type CarriedAnswer, Tracked } from "./tracked_io.ts";
import { Timeline } from "./timeline.ts";
import { Transitions } from "./transitions_io.ts";
import { Wires } from "./wires_io.ts";

/** The election for a keeper that takes over: instances by name, voices by segment. */
export interface CarriedElection {
  readonly maintenance: boolean;
  readonly instances: Readonly<Record<string, CarriedInstance>>;
  readonly voices: Readonly<Record<string, CarriedVoice>>;
  readonly answers: readonly CarriedAnswer[];
}

export interface ElectionOptions {
  readonly node: string;
  readonly version: string;
  readonly log: Log;
  /** Starts the programs of the configuration, without privileges. */
  readonly spawn: ExecSpawn;
  readonly balancer: () => BalancerFacts;
  readonly kernel: () => KernelFacts;
  /** An interface came, went or changed. */
  readonly onLink: () => void;
  readonly setSysctl: (name: string, value: string) => string | null;
  /** What the keeper before has left; absent: there was none. */
  readonly carried?: CarriedElection;
}

const NOTHING_CARRIED: CarriedElection = { maintenance: false, instances: {}, voices: {}, answers: [] };
/** Programs that are told of the end have so long. */
const LAST_WORDS_MS = 2000;

export class Election {
  readonly #options: ElectionOptions;
  readonly #log: Log;
  readonly #members = new Map<string, Member>();
  readonly #segments: Segments;
  readonly #wires: Wires;
  readonly #tracked: Tracked;
  readonly #transitions: Transitions;
  readonly #timeline: Timeline;
  readonly #groups = new SyncGroups();
  readonly #pulse = new ElectionPulse({
    onStall: (stoodMs) => {
      for (const { runner } of this.#members.values()) runner.stalled(stoodMs);
    },
    onBeat: () => this.evaluate(),
  });
  readonly #startedAt = performance.now();
  #kernel: Kernel | null = null;
  /** Why there is no election at all, and for which instances. */
  #blocked: { readonly reason: string; readonly instances: readonly InstanceSettings[] } | null = null;
  #configHash = 0n;
  readonly #delay = new StartupDelay(performance.now());
  #maintenance: boolean;
  /** Instances that have not been placed yet go on from here. */
  #carried: CarriedElection;
  #order: Promise<void> = Promise.resolve();
  readonly #departure = new Departure();
  #stopping = false;
  /** Everything is as a keeper that takes over was told, and goes on by rote. */
  #frozen = false;

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#timeline = new Timeline(options.node);
    this.#carried = options.carried ?? NOTHING_CARRIED;
    this.#maintenance = this.#carried.maintenance;
    this.#tracked = new Tracked(options.spawn, () => this.evaluate(), this.#carried.answers);
    this.#transitions = new Transitions(options.spawn, options.log);
    this.#segments = new Segments({
      node: options.node,
      log: options.log,
      configHash: () => this.#configHash,
      linkUp: (device) => this.#linkUp(device),
      runners: (settings) => this.#runnersOn(settings),
      news: () => this.#news(),
      onWake: () => this.#pulse.wake(),
      onClaim: (runner, claim) => this.#members.get(runner.settings.name)?.foreign.heard(claim),
      onReport: (runner, report, node) => this.#tellReport(runner, report, node),
      carried: this.#carried.voices,
    });
    this.#wires = new Wires({
      kernel: () => this.#kernel!,
      setSysctl: options.setSysctl,
      runners: (settings) => this.#runnersOn(settings),
      onWake: () => this.#pulse.wake(),
      onDropped: (device, reason, source) => this.#segments.dropped(device, reason, source),
      onClaim: (runner, claim) => this.#members.get(runner.settings.name)?.foreign.heard(claim),
      onProblem: (where, problem) => this.#segments.problem(where, problem),
    });
  }

  /** Makes the instances be these. Unchanged ones are not disturbed. One call after the other. */
  reconcile(settings: ElectionSettings): Promise<void> {
    this.#order = this.#order.then(() => this.#reconcile(settings)).catch((error: unknown) =>
      this.#log.error("the election cannot be changed", { reason: reasonOf(error) })
    );
    return this.#order;
  }

  /** Something that health depends on has changed. */
  evaluate(): void {
    if (this.#kernel === null || this.#frozen) return;
    for (const member of this.#members.values()) this.#judge(member);
  }

  /** Gives an instance's addresses to another node; what is in the way, or null. */
  move(name: string): string | null {
    if (this.#frozen) return "another keeper of this node takes over";
    const member = this.#members.get(name);
    if (member === undefined) return `there is no instance ${name} on this node`;
    if (member.runner.state !== "active") return `this node does not hold ${name}: ask the one that does`;
    if (!readyPeer(member, this.#segments.of(member.settings.segment), performance.now())) {
      return "no other node could take over";
    }
    member.runner.input({ kind: "handOver", reason: "moved by the operator" });
    return null;
  }

  /** Keeps this node out of every election, or lets it in again. What becomes worse by it, or why it cannot be. */
  maintain(on: boolean): string[] | string {
    if (this.#frozen) return "another keeper of this node takes over";
    if (this.#maintenance === on) return [];
    const segmentOf = (settings: SegmentSettings) => this.#segments.of(settings);
    const warnings = on ? leftAlone([...this.#members.values()], segmentOf, performance.now()) : [];
    for (const warning of warnings) this.#log.warning("maintenance", { warning });
    this.#maintenance = on;
    this.#log.info(on ? "maintenance begins" : "maintenance ends");
    for (const { runner } of this.#members.values()) runner.input({ kind: "maintenance", on });
    this.#segments.report();
    return warnings;
  }

  status(): ElectionStatus {
    const now = performance.now();
    const { node } = this.#options;
    const members = [...this.#members.values()].map((member) =>
      instanceStatus({
        node,
        member,
        segment: seenOn(this.#segments.of(member.settings.segment), this.#wires.of(member.settings)),
        foreign: { list: member.foreign.status(now), adverts: member.foreign.adverts },
        now,
        clock: Date.now(),
      })
    );
    const blocked = this.#blocked?.instances.map((settings) =>
      blockedStatus(settings, this.#blocked!.reason, Date.now())
    );
    return {
      maintenance: this.#maintenance,
      timerLagMs: Math.round(this.#pulse.worstMs * 10) / 10,
      instances: [...members, ...blocked ?? []],
      timeline: this.#timeline.list,
    };
  }

  /**
   * What a keeper that takes over is to know, or why this is not the moment. From then on this one decides nothing, and
   * what it holds it holds by rote, until `release`.
   */
  async freeze(): Promise<CarriedElection | { readonly problem: string }> {
    await this.#order;
    const moving = [...this.#members.values()].find(({ runner }) => runner.status().yielding);
    if (moving !== undefined) {
      return { problem: `the addresses of ${moving.settings.runner.name} are just moving to another node` };
    }
    this.#frozen = true;
    this.#pulse.stop();
    this.#segments.hush();
    const instances: Record<string, CarriedInstance> = {};
    for (const [name, { runner }] of this.#members) instances[name] = runner.freeze()!;
    const answers = this.#tracked.carried();
    void this.#tracked.close();
    return { maintenance: this.#maintenance, instances, voices: this.#segments.carried(), answers };
  }

  /** The voices as of now; for one that takes back what was frozen. */
  voices(): CarriedElection["voices"] {
    return this.#segments.carried();
  }

  /** Ends without a word, as another has taken over. */
  async release(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#members.values()].map(({ runner }) => runner.release()));
    await this.#segments.close();
    for (const { foreign } of this.#members.values()) foreign.close();
    this.#wires.close(true);
    await this.#transitions.close(LAST_WORDS_MS);
    await this.#kernel?.close();
    this.#kernel = null;
  }

  /** Hands the addresses over where another node is ready, gives them up elsewhere, and ends. */
  async stop(): Promise<void> {
    if (this.#stopping || this.#frozen) return await this.#order;
    this.#stopping = true;
    await this.#order;
    this.#order = this.#stop();
    await this.#order;
  }

  /** Ends the wait for a hand-over that `stop` is in. */
  hurry(): void {
    this.#departure.hurry();
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => this.#leave(member)));
    await Promise.all([...this.#members.values()].map(({ runner }) => runner.stop()));
    this.#segments.report();
    this.#pulse.stop();
    this.#delay.close();
    await this.#tracked.close();
    await this.#segments.close();
    for (const { foreign } of this.#members.values()) foreign.close();
    this.#wires.close();
    await this.#transitions.close(LAST_WORDS_MS);
    await this.#kernel?.close();
    this.#kernel = null;
  }

  async #leave(member: Member): Promise<void> {
    const { runner, settings } = member;
    const ready = readyPeer(member, this.#segments.of(settings.segment), performance.now());
    if (runner.state === "active" && ready) await this.#departure.of(runner);
  }

  async #reconcile(settings: ElectionSettings): Promise<void> {
    if (this.#stopping || this.#frozen) return;
    this.#configHash = settings.configHash;
    this.#delay.delayMs = settings.startupDelayMs;
    const { instances } = settings;
    if (instances.length > 0 && this.#kernel === null && !this.#open(instances)) return;
    for (const [name, member] of this.#members) {
      const next = instances.find(({ runner }) => runner.name === name);
      if (next !== undefined && continues(member.settings, next)) continue;
      this.#members.delete(name);
      member.foreign.close();
      await member.runner.stop();
    }
    await this.#segments.update(instances);
    this.#wires.update(instances);
    for (const next of instances) await this.#place(next);
    this.#tracked.update(instances.flatMap(({ track }) => track));
    this.#pulse.follow(instances.map(({ runner }) => runner.intervalMs));
    this.evaluate();
  }

  #open(instances: readonly InstanceSettings[]): boolean {
    try {
      this.#kernel = openKernel({
        onLink: (change) => this.#onLink(change),
        onAddressGone: (message) => {
          this.#pulse.wake();
          for (const { runner } of this.#members.values()) runner.notice(message);
        },
      }, (error) => this.#log.error("the kernel's events cannot be read", { reason: error.message }));
      this.#blocked = null;
    } catch (error) {
      const reason = `cannot reach the kernel: ${reasonOf(error)}`;
      this.#blocked = { reason, instances };
      this.#log.error("there is no election on this node", { reason });
      return false;
    }
    if (this.#kernel.announcer === null) this.#log.error(this.#kernel.whyMute);
    this.#pulse.start();
    return true;
  }

  async #place(next: InstanceSettings): Promise<void> {
    const { name } = next.runner;
    const before = this.#members.get(name);
    const member = before ?? this.#enrol(next);
    member.settings = next;
    if (before === undefined) {
      this.#judge(member);
      if (this.#maintenance) member.runner.input({ kind: "maintenance", on: true });
      const { [name]: carried, ...rest } = this.#carried.instances;
      this.#carried = { ...this.#carried, instances: rest };
      await member.runner.start(carried);
      const { priority } = next.runner;
      if (carried === undefined) this.#log.info("instance started", { instance: name, priority });
      else this.#log.info("instance goes on", { instance: name, priority, state: member.runner.state });
    } else if (!sameSettings(before.runner.settings, next.runner)) {
      const left = before.runner.settings.syncGroup !== next.runner.syncGroup;
      if (left) member.runner.input({ kind: "faultCleared", what: SYNC });
      member.runner.reconfigure(next.runner);
      this.#log.info("instance changed", { instance: name, priority: next.runner.priority });
    }
  }

  #enrol(settings: InstanceSettings): Member {
    const { name, device } = settings.runner;
    const kernel = this.#kernel!;
    const foreign = new ForeignWatch({
      instance: name,
      log: this.#log,
      macOf: (address) => this.#kernel?.neighbour(device, address) ?? null,
      intervalMs: () => runner.settings.intervalMs,
      onSilent: () => runner.input({ kind: "foreignSilent" }),
    });
    const runner: Runner = new Runner({
      settings: settings.runner,
      writer: kernel.writer,
      routes: kernel.routes,
      announcer: kernel.announcer,
      findLink: (device) => kernel.findLink(device),
      setSysctl: this.#options.setSysctl,
      now: () => performance.now(),
      speak: (runner, priority, intervalMs, health) => {
        // As they are then: by other peers it speaks through another socket.
        const { settings } = member;
        return speaksUdp(settings)
          ? this.#segments.speak(settings.segment, runner, priority, intervalMs, health)
          : this.#wires.speak(settings, runner, priority, intervalMs);
      },
      events: {
        onTransition: (from, to, reason) => this.#onTransition(name, from, to, reason),
        onConflict: (conflict) => foreign.met(conflict),
        onHandled: () => {
          const { syncGroup } = runner.settings;
          if (syncGroup !== null) this.#groups.settle(syncGroup, this.#runners());
        },
        onNote: (reason) => this.#log.info("election", { instance: name, reason }),
        onProblem: (problem) => this.#segments.problem(name, problem),
      },
    });
    const member = new Member(settings, foreign, runner);
    this.#members.set(name, member);
    if (this.#carried.instances[name] === undefined) this.#delay.hold(runner);
    if (kernel.announcer === null) {
      runner.input({ kind: "hardFault", what: "announce", reason: kernel.whyMute });
    }
    if (!this.#linkUp(device)) runner.input({ kind: "linkDown" });
    const voice = speaksUdp(settings) ? this.#segments.of(settings.segment) : this.#wires.of(settings);
    runner.hasVoice(voice?.local ?? null, voice?.whyMute ?? "there is no socket");
    return member;
  }

  #runners(): Runner[] {
    return [...this.#members.values()].map(({ runner }) => runner);
  }

  #runnersOn(settings: SegmentSettings): Runner[] {
    const key = segmentKey(settings);
    const here = [...this.#members.values()].filter((member) => segmentKey(member.settings.segment) === key);
    return here.map(({ runner }) => runner);
  }

  #news(): Omit<Report, "omitted" | "instances"> {
    const { version, balancer } = this.#options;
    return {
      version,
      uptimeMs: performance.now() - this.#startedAt,
      maintenance: this.#maintenance,
      pools: [...balancer().pools].map(([name, { healthy, servers }]) => ({ name, healthy, servers })),
      admin: [],
    };
  }

  #linkUp(device: string): boolean {
    return this.#kernel?.findLink(device)?.running ?? false;
  }

  #tellReport(runner: Runner, { maintenance, instances, pools }: Report, node: string): void {
    const told = instances.find(({ vrid }) => vrid === runner.settings.vrid);
    if (told === undefined) return;
    const { state, reason: why } = told;
    this.#timeline.told(Date.now(), node, { instance: runner.settings.name, state, why });
    const able = !maintenance && told.state !== "fault" && told.state !== "initialize";
    const score = Math.min(100, told.health);
    const standby = told.state === "backup";
    runner.input({ kind: "peerHealth", node, score, able, standby, at: performance.now() });
    const member = this.#members.get(runner.settings.name);
    if (told.state === "active" && member !== undefined) {
      member.elsewhere = new Map(pools.map(({ name, healthy }) => [name, healthy]));
      this.#judge(member);
    }
    // An owner that is unwell may be waiting for just this to hand over.
    if (told.state === "active" && score < runner.status().health) this.#segments.report();
  }

  #onTransition(name: string, from: State, to: State, reason: string): void {
    this.#log[to === "fault" ? "warning" : "info"](`instance ${to}`, { instance: name, from, reason });
    this.#timeline.own(Date.now(), { instance: name, from, to, why: reason });
    const programs = this.#members.get(name)?.settings.onTransition ?? [];
    this.#transitions.tell(programs, { instance: name, from, to, reason });
    if (from === "active") this.#hurryIfAllLeft();
    // The peers are to know at once, as they may be waiting for just this.
    queueMicrotask(() => this.#segments.report());
  }

  /** The last instance that `stop` waits for has left. */
  #hurryIfAllLeft(): void {
    if ([...this.#members.values()].every(({ runner }) => runner.state !== "active")) this.hurry();
  }

  #onLink({ name, running }: LinkChange): void {
    this.#pulse.wake();
    this.#segments.onLink(name, running);
    this.#wires.onLink(name);
    this.#options.onLink();
    for (const { runner } of this.#members.values()) {
      if (runner.settings.device === name) runner.input({ kind: running ? "linkUp" : "linkDown" });
    }
    this.evaluate();
  }

  #judge(member: Member): void {
    const { runner, settings } = member;
    const now = performance.now();
    const tracks = tracksFor(settings, [...this.#members.values()].map(({ settings }) => settings));
    const verdict = verdictOf(tracks, {
      balancer: this.#options.balancer(),
      kernel: this.#options.kernel(),
      elsewhere: runner.state === "active" ? null : member.elsewhere,
      linkUp: (device) => this.#linkUp(device),
      answer: (track) => this.#tracked.answer(track),
      keepsInterval: this.#pulse.keeps(runner.settings.intervalMs),
      timerLagMs: this.#pulse.worstMs,
    }, now);
    if (!member.judge(verdict)) return;
    const { score, reason } = verdict;
    this.#log.info("instance health", { instance: runner.settings.name, health: score, reason });
    this.#segments.of(settings.segment)?.sendReport();
  }
}
