/**
 * Adverts and reports of one socket of the udp transport: sealed on the way out; opened, checked and judged on the way
 * in. Pure: it joins packet, report, extension and freshness, and is handed clocks, randomness and the HMAC.
 *
 * The packet's own checksum covers the message only, for UDP's covers the addresses. A datagram is decoded to its end
 * before its freshness is judged, so that a malformed one leaves no trace.
 */
import type { IpBytes } from "../mod/base/address.ts";
import { type CarriedVoice, fromHex, hex } from "./carried.ts";
import { type Dropped, dropped } from "./drops.ts";
import { type Extension, type Hmac, type Key, type Kind, seal, unseal } from "./extension.ts";
import { Freshness, type Proof } from "./freshness.ts";
import { type Advert, decodeAdvert, encodeAdvert } from "./packet.ts";
import { decodeReport, encodeReport, type Report } from "./report.ts";

export interface ChannelOptions {
  readonly node: string;
  /** Empty: unsigned, hears only unsigned nodes. */
  readonly keys: readonly Key[];
  /** The address that the socket speaks from. */
  readonly local: IpBytes;
  readonly hmac: Hmac;
  /** 64 unpredictable bits. */
  readonly random64: () => bigint;
  /** The voice to go on with, of the process before. */
  readonly carried?: CarriedVoice;
}

/** More than the process before sends until this one is heard. */
const SEQUENCE_LEAP = 1 << 20;

/** Two clocks: one that never jumps, and the wall's. Milliseconds. */
export interface Moment {
  readonly nowMs: number;
  readonly clockMs: number;
}

/** What goes with every datagram. */
export interface Standing {
  /** 0-65535, more is better. */
  readonly health: number;
  readonly configHash: bigint;
}

export interface Sender extends Standing {
  readonly node: string;
  readonly source: IpBytes;
  readonly keyId: number;
  /** Why its incarnation is believed; anything but "known" means that it has (re)started. */
  readonly proof: Proof;
  /** Its clock minus ours. */
  readonly clockOffsetMs: number;
}

export type Heard =
  | { readonly ok: true; readonly kind: "advert"; readonly sender: Sender; readonly advert: Advert }
  | { readonly ok: true; readonly kind: "report"; readonly sender: Sender; readonly report: Report }
  | Dropped;

export class Channel {
  readonly #options: ChannelOptions;
  readonly #incarnation: bigint;
  readonly #freshness: Freshness;
  #sequence: number;
  #leaps = 0;
  #keys: readonly Key[];

  constructor(options: ChannelOptions, nowMs: number) {
    this.#options = options;
    const { node, keys, random64, carried } = options;
    this.#incarnation = carried === undefined ? random64() : fromHex(carried.incarnation);
    this.#sequence = carried?.sequence ?? 0;
    this.#keys = keys;
    const signed = keys.length > 0;
    this.#freshness = new Freshness({ node, incarnation: this.#incarnation, signed, random64 }, nowMs);
    if (carried !== undefined) this.#freshness.resume(carried, nowMs);
  }

  /** For another process on this machine. Each call leaps on, so that one that takes back is not stale. */
  carried(): CarriedVoice {
    const sequence = this.#sequence + ++this.#leaps * SEQUENCE_LEAP;
    return { incarnation: hex(this.#incarnation), sequence, ...this.#freshness.carried() };
  }

  /** Other keys for the same voice, so that peers need not believe it anew. Signed stays signed. */
  rekey(keys: readonly Key[]): void {
    if (keys.length === 0 || this.#keys.length === 0) throw new Error("Cannot begin or end to sign");
    this.#keys = keys;
  }

  /** Throws a RangeError when the addresses do not fit into one datagram. */
  advert(advert: Advert, standing: Standing, moment: Moment): Uint8Array<ArrayBuffer> {
    return this.#seal("advert", encodeAdvert(advert, null), standing, moment);
  }

  report(report: Omit<Report, "omitted">, standing: Standing, moment: Moment): Uint8Array<ArrayBuffer> {
    return this.#seal("report", encodeReport(report), standing, moment);
  }

  /** Reads a datagram from `source`. After "unproved" a report sent at once lets its sender prove itself soonest. */
  hear(bytes: Uint8Array, source: IpBytes, moment: Moment): Heard {
    const { hmac, local } = this.#options;
    const opened = unseal(bytes, source, this.#keys, hmac);
    if (!opened.ok) return opened;
    const { extension, body, keyId } = opened;
    const content = decodeBody(extension.kind, body, local.length === 4 ? 4 : 6);
    if (!content.ok) return content;
    const verdict = this.#freshness.judge(extension, moment.nowMs, moment.clockMs);
    if (!verdict.fresh) return dropped(verdict.reason);
    const { node, health, configHash } = extension;
    const { proof, clockOffsetMs } = verdict;
    return { ...content, sender: { node, source, health, configHash, keyId, proof, clockOffsetMs } };
  }

  #seal(kind: Kind, body: Uint8Array, standing: Standing, moment: Moment): Uint8Array<ArrayBuffer> {
    const { node, local, hmac } = this.#options;
    const extension: Extension = {
      kind,
      node,
      health: standing.health,
      configHash: standing.configHash,
      incarnation: this.#incarnation,
      sequence: ++this.#sequence,
      timestampMs: Math.max(0, Math.floor(moment.clockMs)),
      nonce: this.#freshness.nonce(moment.nowMs),
      echoes: this.#freshness.echoes(),
    };
    return seal(body, extension, local, this.#keys, hmac);
  }
}

type Content =
  | { readonly ok: true; readonly kind: "advert"; readonly advert: Advert }
  | { readonly ok: true; readonly kind: "report"; readonly report: Report }
  | Dropped;

function decodeBody(kind: Kind, body: Uint8Array, family: 4 | 6): Content {
  if (kind === "report") {
    const decoded = decodeReport(body);
    return decoded.ok ? { ...decoded, kind } : decoded;
  }
  const decoded = decodeAdvert(body, { version: 3, family, ends: null, ttl: null });
  if (!decoded.ok) return decoded;
  // The extension begins where the packet ends.
  return decoded.length === body.length ? { ok: true, kind, advert: decoded.advert } : dropped("length");
}
