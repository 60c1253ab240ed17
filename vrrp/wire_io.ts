/**
 * One interface and family on which this node speaks VRRP itself (IP protocol 112): the socket, opened when there is an
 * address to speak from and anew when that or the interface changes, and which packets are good ones.
 *
 * A packet is judged by the settings of the virtual router it is for, as several of one interface may differ in version
 * and password. It decides nothing of the election, and is told nothing of health: VRRP carries none.
 */
import { formatIp, type IpBytes } from "../mod/base/address.ts";
import { reasonOf } from "../mod/base/reason.ts";
import { DROP_REASONS, type DropReason } from "./drops.ts";
import { wireClaimIn } from "./foreign.ts";
import { type LocalAddress, localAddress } from "./interfaces.ts";
import type { RawPacket } from "./ip_header.ts";
import type { Link } from "./netlink.ts";
import { judgePacket, type WireRouter } from "./judge.ts";
import { type Advert, type ChecksumKind, encodeAdvert, passwordBytes } from "./packet.ts";
import type { RawOptions, RawTransport } from "./raw_io.ts";
import type { SegmentSettings } from "./settings.ts";
import { sameAddress } from "./vip.ts";

export interface WireHandler {
  /** The address that this node speaks from; null: it is mute, for this reason. */
  onVoice(local: IpBytes | null, reason: string): void;
  /** Before anything that arrived is looked at. */
  onWake(): void;
  onAdvert(advert: Advert, source: IpBytes): void;
  onDropped(reason: DropReason, source: string): void;
  /** What was dropped is of one that says it is active with an id of ours. */
  onClaim(claim: Pick<Advert, "vrid" | "priority">, source: IpBytes, reason: DropReason): void;
  onProblem(problem: string): void;
}

export interface WireOptions {
  readonly settings: SegmentSettings;
  /** The virtual addresses of this node, none of which is its own. */
  readonly vips: () => readonly IpBytes[];
  /** The virtual router of this id here; null: there is none. */
  readonly router: (vrid: number) => WireRouter | null;
  readonly findLink: (device: string) => Link | null;
  /** The interface with the virtual MAC, to speak through instead of the one given. Throws what the kernel refuses. */
  readonly through?: (link: Link) => Link;
  /** Throws what the kernel refuses. */
  readonly open: (options: RawOptions) => Pick<RawTransport, "destinations" | "send" | "close">;
  readonly handler: WireHandler;
}

/** How often the interface is asked for its own address. */
const LOOK_MS = 1000;

interface Voice {
  readonly local: LocalAddress;
  readonly link: Link;
  readonly lower: Link;
  readonly transport: Pick<RawTransport, "destinations" | "send" | "close">;
}

export class Wire {
  readonly dropped: Record<DropReason, number>;
  /** Packets of version 3 over IPv4 by what their checksum covered. */
  readonly checksums: Record<ChecksumKind, number> = { message: 0, pseudoHeader: 0 };
  readonly #options: WireOptions;
  #voice: Voice | null = null;
  #looking: ReturnType<typeof setInterval> | undefined;
  #closed = false;
  /** Why it last could not speak. */
  whyMute = "the socket is being opened";

  constructor(options: WireOptions) {
    this.#options = options;
    this.dropped = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<
      DropReason,
      number
    >;
  }

  /** Begins to speak and hear as soon as there is an address. */
  start(): void {
    this.#looking = setInterval(() => this.look(), LOOK_MS);
    this.look();
  }

  get settings(): SegmentSettings {
    return this.#options.settings;
  }

  /** The address that is spoken from; null: none. */
  get local(): IpBytes | null {
    return this.#voice?.local.address ?? null;
  }

  /** Looks whether the interface, and its address that is spoken from, are still the same. */
  look(): void {
    if (this.#closed) return;
    const { settings: { device, family, peers }, vips, findLink } = this.#options;
    const lower = findLink(device);
    const local = localAddress(Deno.networkInterfaces(), device, family, vips(), peers);
    if (lower === null) return this.#mute(`there is no interface ${device}`);
    if (local === null) return this.#mute(`${device} has no IPv${family} address of its own`);
    try {
      const link = this.#options.through?.(lower) ?? lower;
      const voice = this.#voice;
      const same = voice?.link.index === link.index && voice.lower.index === lower.index;
      if (same && sameAddress(voice.local.address, local.address)) return;
      this.#hush();
      this.#open(link, lower, local);
    } catch (error) {
      this.#mute(`cannot speak on ${device}: ${reasonOf(error)}`);
    }
  }

  /** Sends to all at once; false: there is no socket, or no one was reached. */
  send(advert: Advert, password: string | null): boolean {
    const voice = this.#voice;
    if (voice === null) return false;
    const { local, transport } = voice;
    const secret = password === null ? null : passwordBytes(password);
    let reached = false;
    for (const destination of transport.destinations) {
      const ends = { source: local.address, destination };
      const problem = transport.send(encodeAdvert(advert, ends, secret), destination);
      if (problem === null) reached = true;
      else this.#options.handler.onProblem(problem);
    }
    return reached;
  }

  /** Nothing is called after it has returned. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#looking);
    this.#hush();
  }

  #hush(): void {
    this.#voice?.transport.close();
    this.#voice = null;
  }

  #mute(reason: string): void {
    this.#hush();
    if (reason !== this.whyMute) this.#options.handler.onVoice(null, reason);
    this.whyMute = reason;
  }

  #open(link: Link, lower: Link, local: LocalAddress): void {
    const { handler, settings: { peers } } = this.#options;
    const transport = this.#options.open({
      link,
      lower,
      local,
      peers,
      onPacket: (packet) => this.#take(packet, local),
      onDropped: (reason, source) => this.#drop(reason, source),
      onProblem: (problem) => handler.onProblem(problem),
    });
    this.#voice = { local, link, lower, transport };
    this.whyMute = "";
    handler.onVoice(local.address, "");
  }

  #take(packet: RawPacket, local: LocalAddress): void {
    const { handler } = this.#options;
    handler.onWake();
    const verdict = judgePacket(packet, local.address, this.#options.settings, this.#options.router);
    if (!verdict.ok) {
      const { reason } = verdict;
      this.#drop(reason, formatIp(packet.source));
      const claim = wireClaimIn(packet.bytes, reason);
      if (claim !== null) handler.onClaim(claim, packet.source, reason);
      return;
    }
    const { advert, checksum } = verdict;
    if (advert.version === 3 && packet.source.length === 4) this.checksums[checksum]++;
    handler.onAdvert(advert, packet.source);
  }

  #drop(reason: DropReason, source: string): void {
    this.dropped[reason]++;
    this.#options.handler.onDropped(reason, source);
  }
}
