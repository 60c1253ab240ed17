/**
 * Others that are active with one of our virtual router ids and should not be: not signed as we want it, or a second
 * Active that does not go. Pure: what was heard goes in, who is worth a line in the log comes out.
 *
 * Whoever is on the LAN can make entries by the thousand, with any sender address; so there are few, the longest
 * silent one goes first, and lines are rare. None of this has a say in the election.
 */
import { formatIp, type IpBytes } from "../mod/base/address.ts";
import { type DropReason, DROPS } from "./drops.ts";
import type { Mac } from "./announce.ts";
import { type Advert, decodeAdvert } from "./packet.ts";

/** Entries kept of one instance. */
export const MAX_FOREIGN = 8;
/** One that was not heard for so long is gone. */
export const FORGET_MS = 60_000;
/** Adverts of ours in whose time one that was active should have been heard again. */
const SILENT_INTERVALS = 3;
const MIN_SILENT_MS = 1000;
/** The same one is told of no more often, and different ones not in quick succession. */
const TELL_SAME_MS = 60_000;
const TELL_ANY_MS = 1000;

/** Reasons to drop a datagram of one that may well be active; others are noise, or are answered and pass. */
const CLAIMS: readonly DropReason[] = ["unsigned", "signed", "key", "signature", "extension", "twin"];

const WIRE_CLAIMS: readonly DropReason[] = [
  "version",
  "auth",
  "checksum",
  "ttl",
  "interval",
  "linkLocal",
  "destination",
  "foreign",
];
/** Of both versions of VRRP: what stands before the addresses. */
const HEADER_BYTES = 8;
const ADVERTISEMENT = 1;

export interface Claim {
  readonly sender: IpBytes;
  /** As it says itself. */
  readonly priority: number;
  /** Why it is not heard; null: it is, and is a second Active. */
  readonly refused: DropReason | null;
}

export interface Foreign {
  readonly sender: IpBytes;
  readonly priority: number;
  /** In words. */
  readonly why: string;
  readonly heardAt: number;
  readonly adverts: number;
}

export class ForeignActives {
  #known = new Map<string, Foreign & { readonly toldAt: number }>();
  #toldAt = -Infinity;
  /** Adverts of all of them, ever. */
  adverts = 0;

  /** Takes one advert in. True: it is time to tell of its sender. */
  heard({ sender, priority, refused }: Claim, now: number): boolean {
    this.adverts++;
    const key = formatIp(sender);
    const before = this.#known.get(key);
    const due = now - (before?.toldAt ?? -Infinity) >= TELL_SAME_MS && now - this.#toldAt >= TELL_ANY_MS;
    if (due) this.#toldAt = now;
    const why = refused === null ? "it is active besides this node" : DROPS[refused];
    // Entries stand in the order in which they were last heard.
    this.#known.delete(key);
    this.#known.set(key, {
      sender,
      priority,
      why,
      heardAt: now,
      adverts: (before?.adverts ?? 0) + 1,
      toldAt: due ? now : before?.toldAt ?? -Infinity,
    });
    if (this.#known.size > MAX_FOREIGN) this.#known.delete(this.#known.keys().next().value!);
    return due;
  }

  /** True while it is one of them. */
  knows(sender: IpBytes, now: number): boolean {
    const entry = this.#known.get(formatIp(sender));
    return entry !== undefined && now - entry.heardAt < FORGET_MS;
  }

  list(now: number): Foreign[] {
    return [...this.#known.values()].filter(({ heardAt }) => now - heardAt < FORGET_MS);
  }
}

/** The advert in a datagram that was dropped for `reason`, when its sender says that it is active; else null. */
export function claimIn(bytes: Uint8Array, reason: DropReason, family: 4 | 6): Advert | null {
  if (!CLAIMS.includes(reason)) return null;
  // Whatever follows the packet: what its sender signed, or nothing.
  const decoded = decodeAdvert(bytes, { version: 3, family, ends: null, ttl: null });
  return decoded.ok && decoded.advert.priority > 0 ? decoded.advert : null;
}

/** The same for VRRP itself: who agrees with us on the id, and on something else not. */
export function wireClaimIn(bytes: Uint8Array, reason: DropReason): Pick<Advert, "vrid" | "priority"> | null {
  if (!WIRE_CLAIMS.includes(reason) || bytes.length < HEADER_BYTES) return null;
  const [kind, vrid, priority] = bytes as unknown as readonly [number, number, number];
  return (kind & 0xf) === ADVERTISEMENT && priority > 0 ? { vrid, priority } : null;
}

/** After which silence none of them is active any more, for all that is known, in milliseconds. */
export function foreignSilentMs(intervalMs: number): number {
  return Math.max(MIN_SILENT_MS, SILENT_INTERVALS * intervalMs);
}

/** As `ip neighbour` writes it. */
export function formatMac(mac: Mac): string {
  return [...mac].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
