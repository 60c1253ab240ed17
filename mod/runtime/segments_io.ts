/**
 * The sockets of the election: one for every interface and family that an instance is on, with what this node reports
 * there and what it says of what was dropped.
 *
 * It knows which virtual router an advert is for, and hands it over; what becomes of it is the election's affair.
 */
import type { IpBytes } from "../base/address.ts";
import type { Log } from "../observe/log.ts";
import { Seldom } from "../observe/seldom.ts";
import type { CarriedVoice } from "../../vrrp/carried.ts";
import { type DropReason, DROPS } from "../../vrrp/drops.ts";
import type { Advert } from "../../vrrp/events.ts";
import type { Claim } from "../../vrrp/foreign.ts";
import { type Report, reportIntervalMs } from "../../vrrp/report.ts";
import type { Runner } from "../../vrrp/runner_io.ts";
import { Segment, type SegmentHandler } from "../../vrrp/segment_io.ts";
import type { RunnerSettings, SegmentSettings } from "../../vrrp/settings.ts";
import { reasonOf } from "../observe/election_status.ts";
import { type InstanceSettings, reports, sameSettings, segmentKey } from "./election.ts";

export interface SegmentsOptions {
  readonly node: string;
  readonly log: Log;
  readonly configHash: () => bigint;
  readonly linkUp: (device: string) => boolean;
  /** The instances at work on a segment. */
  readonly runners: (settings: SegmentSettings) => readonly Runner[];
  /** What a report says besides its instances. */
  readonly news: () => Omit<Report, "omitted" | "instances">;
  readonly onWake: () => void;
  /** Somebody whom this node does not hear says that it is active with the instance's id. */
  readonly onClaim: (runner: Runner, claim: Claim) => void;
  readonly onReport: (runner: Runner, report: Report, node: string) => void;
  /** The voices to begin with, of the keeper before, by segment. */
  readonly carried: Readonly<Record<string, CarriedVoice>>;
}

/** The same problem, and the same reason to drop what the same node sends, is told once in so long. */
const TELL_SAME_MS = 60_000;

export class Segments {
  readonly #options: SegmentsOptions;
  readonly #segments = new Map<string, Segment>();
  readonly #told = new Seldom(TELL_SAME_MS);
  readonly #carried: Map<string, CarriedVoice>;
  #vips: readonly IpBytes[] = [];

  constructor(options: SegmentsOptions) {
    this.#options = options;
    this.#carried = new Map(Object.entries(options.carried));
  }

  /** The socket for these settings; null: there is none. */
  of(settings: SegmentSettings): Segment | null {
    return this.#segments.get(segmentKey(settings)) ?? null;
  }

  /** Opens and closes sockets so that every instance has one. One that may stay is not disturbed. */
  async update(all: readonly InstanceSettings[]): Promise<void> {
    this.#vips = all.flatMap(({ runner }) => runner.vips.map(({ address }) => address));
    const instances = all.filter(reports);
    for (const [key, segment] of this.#segments) {
      const next = instances.find((one) => segmentKey(one.segment) === key)?.segment;
      if (next !== undefined && (sameSettings(next, segment.settings) || segment.adapt(next))) continue;
      this.#segments.delete(key);
      await segment.close();
    }
    for (const { segment } of instances) if (this.of(segment) === null) await this.#open(segment);
    for (const [key, segment] of this.#segments) {
      const here = instances.filter((one) => segmentKey(one.segment) === key);
      segment.reportEvery(reportIntervalMs(Math.min(...here.map(({ runner }) => runner.intervalMs))));
    }
  }

  /** Sends an advert of an instance; false: there is no way to. */
  speak(
    segment: SegmentSettings,
    { vrid, advertised: addresses }: RunnerSettings,
    priority: number,
    intervalMs: number,
    health: number,
  ): boolean {
    return this.of(segment)?.sendAdvert({ version: 3, vrid, priority, intervalMs, addresses }, health) ??
      false;
  }

  /** Reports everywhere, now. */
  report(): void {
    for (const segment of this.#segments.values()) segment.sendReport();
  }

  /** The voices for a keeper that takes over. */
  carried(): Record<string, CarriedVoice> {
    const voices = [...this.#segments].map(([key, segment]) => [key, segment.carried()] as const);
    return Object.fromEntries(voices.filter((pair): pair is [string, CarriedVoice] => pair[1] !== null));
  }

  onLink(device: string, running: boolean): void {
    for (const segment of this.#segments.values()) {
      if (segment.settings.device === device) segment.linked = running;
    }
  }

  /** Reports no more by itself. */
  hush(): void {
    for (const segment of this.#segments.values()) segment.hush();
  }

  /** For the log, at a limited rate. */
  problem(where: string, problem: string): void {
    if (!this.#told.admit(`${where} ${problem}`, performance.now())) return;
    this.#options.log.warning("election problem", { where, problem });
  }

  /** For the log, at a limited rate. */
  dropped(device: string, reason: DropReason, source: string): void {
    if (reason === "own" || !this.#told.admit(`${device} ${reason} ${source}`, performance.now())) return;
    // Every new peer begins unproved.
    this.#options.log[reason === "unproved" ? "debug" : "warning"]("a datagram was dropped", {
      interface: device,
      source,
      reason: DROPS[reason],
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#segments.values()].map((segment) => segment.close()));
    this.#segments.clear();
  }

  async #open(settings: SegmentSettings): Promise<void> {
    const { node, configHash, linkUp, runners, news, onWake, onReport, onClaim } = this.#options;
    const here = () => runners(settings);
    // The others have a socket of their own to speak through.
    const speakers = () => here().filter(({ settings }) => settings.transport === "udp");
    const handler: SegmentHandler = {
      onVoice: (local, reason) => {
        if (local === null) this.problem(settings.device, reason);
        for (const runner of speakers()) runner.hasVoice(local, reason);
      },
      onWake,
      onAdvert: ({ vrid, ...advert }, sender) => {
        const runner = speakers().find(({ settings }) => settings.vrid === vrid);
        if (runner === undefined) segment.dropped.vrid++;
        else runner.advert(advertOf(advert, sender));
      },
      onReport: (report, { node }) => {
        for (const runner of here()) onReport(runner, report, node);
      },
      onClaim: ({ vrid, priority }, sender, refused) => {
        const runner = here().find(({ settings }) => settings.vrid === vrid);
        if (runner !== undefined) onClaim(runner, { sender, priority, refused });
      },
      onDropped: (reason, source) => this.dropped(settings.device, reason, source),
      onProblem: (problem) => this.problem(settings.device, problem),
    };
    const key = segmentKey(settings);
    // Once: a socket that is opened again later is another voice.
    const carried = this.#carried.get(key);
    this.#carried.delete(key);
    const segment: Segment = new Segment({
      ...carried === undefined ? {} : { carried },
      node,
      settings,
      vips: () => this.#vips,
      configHash,
      now: () => performance.now(),
      handler,
    });
    segment.linked = linkUp(settings.device);
    this.#segments.set(key, segment);
    const report = () => ({
      ...news(),
      instances: here().map((runner) => {
        const { state, priority, health, reason, healthReason, waiting } = runner.status();
        const why = reasonOf({ why: reason, healthReason, waiting });
        return { vrid: runner.settings.vrid, state, priority, health, reason: why };
      }),
    });
    await segment.start(report, () => Math.min(100, ...here().map((runner) => runner.status().health)));
  }
}

/** What the machine wants to know of an advert that was heard. */
function advertOf(
  { priority, intervalMs, addresses }: {
    readonly priority: number;
    readonly intervalMs: number;
    readonly addresses: readonly IpBytes[];
  },
  { node, source, health }: { readonly node: string; readonly source: IpBytes; readonly health: number },
): Omit<Advert, "kind"> {
  return { priority, intervalMs, sender: source, count: addresses.length, node, health };
}
