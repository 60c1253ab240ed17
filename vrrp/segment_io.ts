/**
 * One interface's share of the LAN: the socket that this node's virtual routers there speak and hear through, who else
 * speaks, and what was dropped.
 *
 * One socket and one voice an interface and family, as a peer judges freshness by it. The socket is opened when the
 * interface has an address of its own and anew when that changes; what is heard is handed on with its sender. It
 * decides nothing of the election.
 */
import { formatIp, type IpBytes } from "../mod/base/address.ts";
import { reasonOf } from "../mod/base/reason.ts";
import type { CarriedVoice } from "./carried.ts";
import { Channel, type Moment, type Sender } from "./channel.ts";
import { DROP_REASONS, type DropReason } from "./drops.ts";
import { claimIn } from "./foreign.ts";
import { type HeardPeer, stateTimes } from "./heard.ts";
import { hmacSha256 } from "./hmac_io.ts";
import { type LocalAddress, localAddress } from "./interfaces.ts";
import type { Advert } from "./packet.ts";
import type { Report } from "./report.ts";
import type { SegmentSettings } from "./settings.ts";
import { UdpTransport } from "./udp_io.ts";
import { sameAddress } from "./vip.ts";

export interface SegmentHandler {
  /** The address that this node speaks from; null: it is mute, for this reason. */
  onVoice(local: IpBytes | null, reason: string): void;
  /** Before anything that arrived is looked at. */
  onWake(): void;
  onAdvert(advert: Advert, sender: Sender): void;
  onReport(report: Report, sender: Sender): void;
  onDropped(reason: DropReason, source: string): void;
  /** What was dropped is an advert of one that says it is active. */
  onClaim(advert: Advert, source: IpBytes, reason: DropReason): void;
  onProblem(problem: string): void;
}

export interface SegmentOptions {
  readonly node: string;
  readonly settings: SegmentSettings;
  /** The virtual addresses of this node, none of which is its own. */
  readonly vips: () => readonly IpBytes[];
  readonly configHash: () => bigint;
  readonly now: () => number;
  readonly handler: SegmentHandler;
  /** The voice to begin with, of the keeper before. */
  readonly carried?: CarriedVoice;
}

/** How often the interface is asked for its own address. */
const LOOK_MS = 1000;
/** Answers to senders that have to prove themselves are no more frequent than this. */
const PROOF_APART_MS = 50;
/** More nodes than this share no address. */
const MAX_HEARD = 64;

interface Voice {
  readonly local: LocalAddress;
  readonly transport: UdpTransport;
  readonly channel: Channel;
}

export class Segment {
  readonly peers = new Map<string, HeardPeer>();
  readonly dropped: Record<DropReason, number>;
  readonly #options: SegmentOptions;
  #settings: SegmentSettings;
  #voice: Voice | null = null;
  #opening = false;
  #closed = false;
  #carried: CarriedVoice | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;
  #reporting: ReturnType<typeof setInterval> | undefined;
  #everyMs = 0;
  #report: (() => Omit<Report, "omitted">) | null = null;
  #reportHealth: () => number = () => 0;
  #provedAt = -Infinity;
  /** False: the cable is out, and what is sent would wait in a queue and tell of old times. */
  linked = true;
  /** Why it last could not speak. */
  whyMute = "the socket is being opened";

  constructor(options: SegmentOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#carried = options.carried;
    this.dropped = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<
      DropReason,
      number
    >;
  }

  /** Begins to speak and hear as soon as there is an address. `report` is asked for whenever one is sent. */
  async start(report: () => Omit<Report, "omitted">, health: () => number): Promise<void> {
    this.#report = report;
    this.#reportHealth = health;
    this.#looking = setInterval(() => this.look(), LOOK_MS);
    await this.look();
  }

  get settings(): SegmentSettings {
    return this.#settings;
  }

  /** Takes other keys while it speaks; false: the settings need another socket. */
  adapt(settings: SegmentSettings): boolean {
    const signs = settings.keys.length > 0 && this.#settings.keys.length > 0;
    if (!signs || settings.peers.join(";") !== this.#settings.peers.join(";")) return false;
    this.#settings = settings;
    this.#voice?.channel.rekey(settings.keys);
    return true;
  }

  /** The voice, for a keeper that takes over; null: this node is mute. */
  carried(): CarriedVoice | null {
    return this.#voice?.channel.carried() ?? null;
  }

  /** Reports every so often from now on. */
  reportEvery(ms: number): void {
    if (ms === this.#everyMs) return;
    this.#everyMs = ms;
    clearInterval(this.#reporting);
    this.#reporting = setInterval(() => this.sendReport(), ms);
  }

  /** Reports no more by itself. */
  hush(): void {
    clearInterval(this.#reporting);
  }

  /** The address that is spoken from; null: none. */
  get local(): IpBytes | null {
    return this.#voice?.local.address ?? null;
  }

  /** Looks whether the interface still has the address that is spoken from. */
  async look(): Promise<void> {
    const { vips } = this.#options;
    const { device, family, peers } = this.#settings;
    if (this.#opening || this.#closed) return;
    const local = localAddress(Deno.networkInterfaces(), device, family, vips(), peers);
    const voice = this.#voice;
    if (voice !== null && local !== null && sameAddress(voice.local.address, local.address)) return;
    this.#opening = true;
    try {
      this.#voice = null;
      await voice?.transport.close();
      if (local === null) this.#mute(`${device} has no IPv${family} address of its own`);
      else await this.#open(local);
    } catch (error) {
      this.#mute(`cannot speak on ${device}: ${reasonOf(error)}`);
    } finally {
      this.#opening = false;
    }
  }

  /** Sends at once; false: there is no socket. */
  sendAdvert(advert: Advert, health: number): boolean {
    const voice = this.#voice;
    if (voice === null) return false;
    const { configHash } = this.#options;
    this.#send(voice, voice.channel.advert(advert, { health, configHash: configHash() }, this.#moment()));
    return true;
  }

  sendReport(): void {
    const voice = this.#voice;
    if (voice === null || this.#report === null || !this.linked) return;
    const standing = { health: this.#reportHealth(), configHash: this.#options.configHash() };
    this.#send(voice, voice.channel.report(this.#report(), standing, this.#moment()));
  }

  /** Nothing is called after it has resolved. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#looking);
    clearInterval(this.#reporting);
    await this.#voice?.transport.close();
    this.#voice = null;
  }

  #mute(reason: string): void {
    this.whyMute = reason;
    this.#options.handler.onVoice(null, reason);
  }

  async #open(local: LocalAddress): Promise<void> {
    const { node, now, handler } = this.#options;
    const { keys, peers } = this.#settings;
    const carried = this.#carried;
    this.#carried = undefined;
    const channel = new Channel({
      ...{ node, keys, local: local.address, hmac: hmacSha256, random64 },
      ...carried === undefined ? {} : { carried },
    }, now());
    const transport = await UdpTransport.open({
      local,
      peers,
      onDatagram: (bytes, source) => this.#take(channel, bytes, source),
      onDropped: (reason, source) => this.#drop(reason, source),
      onProblem: (problem) => handler.onProblem(problem),
    });
    if (this.#closed) return await transport.close();
    // They may have changed while the socket was being opened.
    if (this.#settings.keys.length > 0) channel.rekey(this.#settings.keys);
    this.#voice = { local, transport, channel };
    handler.onVoice(local.address, "");
    this.sendReport();
  }

  #take(channel: Channel, bytes: Uint8Array, source: IpBytes): void {
    const { handler } = this.#options;
    handler.onWake();
    const heard = channel.hear(bytes, source, this.#moment());
    if (!heard.ok) {
      this.#drop(heard.reason, formatIp(source));
      const claim = claimIn(bytes, heard.reason, this.#settings.family);
      if (claim !== null) handler.onClaim(claim, source, heard.reason);
      if (heard.reason === "unproved") this.#prove();
      return;
    }
    this.#remember(heard.sender, heard.kind === "report" ? heard.report : null);
    if (heard.kind === "advert") handler.onAdvert(heard.advert, heard.sender);
    else handler.onReport(heard.report, heard.sender);
  }

  #remember(sender: Sender, report: Report | null): void {
    const { node, clockOffsetMs } = sender;
    const before = this.peers.get(node);
    if (before === undefined && this.peers.size >= MAX_HEARD) {
      this.peers.delete(this.peers.keys().next().value!);
    }
    this.peers.set(node, {
      node,
      address: formatIp(sender.source),
      seenAt: this.#options.now(),
      clockOffsetMs,
      sameConfiguration: sender.configHash === this.#options.configHash(),
      report: report ?? before?.report ?? null,
      stateSince: report === null
        ? before?.stateSince ?? new Map()
        : stateTimes(before, report, this.#options.now()),
    });
  }

  #drop(reason: DropReason, source: string): void {
    this.dropped[reason]++;
    this.#options.handler.onDropped(reason, source);
  }

  /** Our echo lets a new peer prove itself, and it proves itself with its next datagram. */
  #prove(): void {
    const now = this.#options.now();
    if (now - this.#provedAt < PROOF_APART_MS) return;
    this.#provedAt = now;
    this.sendReport();
  }

  #send({ transport }: Voice, bytes: Uint8Array): void {
    transport.send(bytes).then((problem) => {
      if (problem !== null && !this.#closed) this.#options.handler.onProblem(problem);
    });
  }

  #moment(): Moment {
    return { nowMs: this.#options.now(), clockMs: Date.now() };
  }
}

function random64(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0]!;
}
