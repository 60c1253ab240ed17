/**
 * The stored answers of one worker, bounded in bytes: what is found by key and variant, what has to go when there is
 * no room (SIEVE: a hand goes round, from the oldest on, and takes what nobody has asked for since it came by last).
 *
 * Everything counts: heads, keys, bodies that are still coming, and bodies that are out of the store but still being
 * sent. What does not fit is not stored. Pure: time is a parameter.
 */
import type { CacheMemory } from "../base/cache_memory.ts";
import { Lease, type LeaseKeeper } from "../net/buffers.ts";
import type { CacheKey } from "./key.ts";
import type { Terms } from "./storing.ts";
import { selection } from "./vary.ts";

/** What an entry costs besides its bytes. */
export const ENTRY_BYTES = 1024;
/** Answers of one URL for different requests; the oldest goes for one more. */
const MAX_VARIANTS = 32;
/** How long a URL whose answer was not stored is remembered as one that nobody need wait for. Varnish: 2 minutes. */
const UNSTORABLE_MS = 120_000;

/** A stored answer. Its body is good while the entry is in the store, or a share of it is held. */
export interface Entry {
  readonly key: CacheKey;
  /** Of the request's fields that chose it (`vary.ts`). */
  readonly variant: string;
  status: number;
  /** Status line and fields with their line ends, without those of one connection and without the length. */
  head: Uint8Array;
  terms: Terms;
  /** When it came, or was renewed last. */
  storedAt: number;
  readonly body: Lease;
  readonly length: number;
  /** Of its URL, when it was asked for. */
  readonly epoch: number;
}

/** What is put in. */
export type NewEntry = Pick<Entry, "variant" | "status" | "head" | "terms" | "storedAt">;

/** When something was asked for, in invalidations of its URL and in purges: what comes of it is older than those after. */
export interface Moment {
  readonly epoch: number;
  readonly purges: number;
}

interface Node {
  /** Null: its URL is one whose answers are not stored, until `until`. */
  readonly entry: Entry | null;
  readonly until: number;
  readonly place: Place;
  bytes: number;
  asked: boolean;
  older: Node | null;
  newer: Node | null;
}

/** One key. */
interface Place {
  readonly key: CacheKey;
  /** Sorted; what the newest answer says. */
  vary: readonly string[];
  readonly nodes: Node[];
}

/** Which answers an operator wants to be rid of; nothing given: all. */
export interface Purge {
  /** Lower case, without a port. */
  readonly host?: string | undefined;
  /** Path with its query; with `*` at its end the beginning of one. Without a query: with any. */
  readonly path?: string | undefined;
}

/** Bytes of a body on its way into the store. */
export interface Filling {
  readonly key: CacheKey;
  readonly since: Moment;
  bytes: Uint8Array;
  length: number;
}

export class CacheStore implements LeaseKeeper {
  /** Answers that had to go as there was no room. */
  evicted = 0;
  stored = 0;
  #purges = 0;
  #maxBytes: number;
  #maxObject: number;
  #used = 0;
  #entries = 0;
  readonly #places = new Map<string, Place>();
  readonly #fillings = new Set<Filling>();
  #oldest: Node | null = null;
  #newest: Node | null = null;
  #hand: Node | null = null;

  constructor(readonly memory: CacheMemory, maxBytes: number, maxObject: number) {
    this.#maxBytes = maxBytes;
    this.#maxObject = maxObject;
  }

  /** Bytes of all that is here, on its way here, or still being sent. */
  get bytes(): number {
    return this.#used;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Sets other bounds; what is too much goes at once. */
  resize(maxBytes: number, maxObject: number): void {
    this.#maxBytes = maxBytes;
    this.#maxObject = maxObject;
    this.#shrink();
  }

  /** The answer for a request with these fields; null: there is none. */
  find(key: CacheKey, field: (name: string) => string | null): Entry | null {
    const place = this.#places.get(key.text);
    if (place === undefined || place.nodes.length === 0) return null;
    const variant = place.vary.length === 0 ? "" : selection(place.vary, field);
    for (const node of place.nodes) {
      if (node.entry === null || node.entry.variant !== variant || node.entry.terms.vary !== place.vary) {
        continue;
      }
      const { epoch, key: { host, changed } } = node.entry;
      if (epoch !== this.memory.epoch(host, changed)) {
        this.#remove(node);
        return null;
      }
      node.asked = true;
      return node.entry;
    }
    return null;
  }

  /** Tells requests apart that get different answers of one URL, as far as what is stored of it shows. */
  variantOf(key: CacheKey, field: (name: string) => string | null): string {
    const vary = this.#places.get(key.text)?.vary ?? [];
    return vary.length === 0 ? "" : selection(vary, field);
  }

  /** To be taken before a server is asked. */
  moment({ host, changed }: CacheKey): Moment {
    return { epoch: this.memory.epoch(host, changed), purges: this.#purges };
  }

  /** True when there is an answer for this URL, if for other requests. */
  knows(key: CacheKey): boolean {
    return this.#places.get(key.text)?.nodes.some(({ entry }) => entry !== null) ?? false;
  }

  /** True when an answer for this key was not stored lately: it is no use to wait for another's. */
  isUnstorable(key: CacheKey, now: number): boolean {
    const node = this.#places.get(key.text)?.nodes.find(({ entry }) => entry === null);
    return node !== undefined && now < node.until;
  }

  markUnstorable(key: CacheKey, now: number): void {
    this.#unmark(key);
    const bytes = sizeOf(key, 0, "");
    if (!this.#reserve(bytes)) return;
    this.#insert({ entry: null, until: now + UNSTORABLE_MS, place: this.#placeOf(key), bytes });
  }

  /** Begins with a body; -1: its length is not known. Null: it does not fit. */
  begin(key: CacheKey, length: number, since: Moment): Filling | null {
    const size = length < 0 ? Math.min(FIRST_BYTES, this.#maxObject) : length;
    if (size > this.#maxObject || !this.#reserve(size)) return null;
    const filling = { key, since, bytes: new Uint8Array(size), length: 0 };
    this.#fillings.add(filling);
    return filling;
  }

  /** Takes bytes of it; false: it does not fit, and is dropped. */
  append(filling: Filling, bytes: Uint8Array, start: number, end: number): boolean {
    const length = filling.length + end - start;
    if (length > filling.bytes.length && !this.#grow(filling, length)) {
      this.drop(filling);
      return false;
    }
    filling.bytes.set(bytes.subarray(start, end), filling.length);
    filling.length = length;
    return true;
  }

  /** There will be no whole body; harmless when it is stored or dropped already. */
  drop(filling: Filling): void {
    if (!this.#fillings.delete(filling)) return;
    this.#used -= filling.bytes.length;
  }

  /** The body is whole: it is stored in the place of what was there. */
  commit(filling: Filling, what: NewEntry): Entry | null {
    if (!this.#fillings.has(filling)) return null;
    const { key, since } = filling;
    const now = this.moment(key);
    const outdated = now.epoch !== since.epoch || now.purges !== since.purges;
    const { variant } = what;
    const rest = sizeOf(key, what.head.length, variant);
    if (outdated || !this.#trim(filling) || !this.#reserve(rest)) {
      this.drop(filling);
      return null;
    }
    this.#fillings.delete(filling);
    this.#unmark(key);
    const place = this.#placeOf(key, what.terms.vary);
    this.#makeWay(place, variant);
    const { bytes, length } = filling;
    const entry: Entry = {
      ...what,
      key,
      epoch: since.epoch,
      terms: { ...what.terms, vary: place.vary },
      length,
      body: new Lease(bytes.subarray(0, length), this),
    };
    this.#insert({ entry, until: 0, place, bytes: rest });
    this.#entries++;
    this.stored++;
    return entry;
  }

  /** What was stored is good again: fields and terms are new, the body stays. */
  renew(entry: Entry, head: Uint8Array, terms: Terms, now: number): void {
    const more = head.length - entry.head.length;
    const sameVary = terms.vary.join() === entry.terms.vary.join();
    entry.head = head;
    entry.terms = { ...terms, vary: entry.terms.vary };
    entry.storedAt = now;
    const node = this.#nodeOf(entry);
    if (node === null) return;
    // Other requests would choose it now.
    if (!sameVary) return this.#remove(node);
    node.bytes += more;
    this.#used += more;
    this.#shrink();
  }

  remove(entry: Entry): void {
    const node = this.#nodeOf(entry);
    if (node !== null) this.#remove(node);
  }

  /** Forgets what a purge names; what is on its way is not stored. Answers how many answers that were. */
  purge(purge: Purge): number {
    const matches = purgeTest(purge);
    let count = 0;
    this.#purges++;
    for (const place of [...this.#places.values()]) {
      if (!matches(place.key)) continue;
      count += place.nodes.filter(({ entry }) => entry !== null).length;
      for (const node of [...place.nodes]) this.#remove(node);
    }
    return count;
  }

  /** Called by `Lease.release`: nobody sends the body any more. */
  give({ bytes }: Lease): void {
    this.#used -= bytes.buffer.byteLength;
  }

  /** Makes room for so many bytes more and takes it; false: there is none. */
  #reserve(bytes: number): boolean {
    if (bytes > this.#maxBytes) return false;
    while (this.#used + bytes > this.#maxBytes) if (!this.#evict()) return false;
    this.#used += bytes;
    return true;
  }

  #shrink(): void {
    while (this.#used > this.#maxBytes && this.#evict());
  }

  #grow(filling: Filling, length: number): boolean {
    const before = filling.bytes;
    const size = Math.min(this.#maxObject, Math.max(length, 2 * before.length));
    // Both are there for an instant.
    if (length > this.#maxObject || !this.#reserve(size)) return false;
    filling.bytes = new Uint8Array(size);
    filling.bytes.set(before.subarray(0, filling.length));
    this.#used -= before.length;
    return true;
  }

  /** Gives back what a body of unknown length has too much of. */
  #trim(filling: Filling): boolean {
    const { bytes, length } = filling;
    if (bytes.length === length) return true;
    if (!this.#reserve(length)) return false;
    filling.bytes = bytes.slice(0, length);
    this.#used -= bytes.length;
    return true;
  }

  #placeOf(key: CacheKey, vary?: readonly string[]): Place {
    let place = this.#places.get(key.text);
    if (place === undefined) this.#places.set(key.text, place = { key, vary: vary ?? [], nodes: [] });
    // Of answers that were chosen by other fields none is found any more: they go as they grow old.
    else if (vary !== undefined && place.vary.join() !== vary.join()) place.vary = vary;
    return place;
  }

  /** The answer that is replaced goes, and of too many variants the oldest. */
  #makeWay(place: Place, variant: string): void {
    const { nodes } = place;
    const same = nodes.find(({ entry }) => entry?.variant === variant && entry.terms.vary === place.vary);
    const out = same ?? (nodes.length >= MAX_VARIANTS ? nodes[0] : undefined);
    // The place stays, as it is about to be used.
    if (out !== undefined) this.#remove(out, true);
  }

  #unmark(key: CacheKey): void {
    const node = this.#places.get(key.text)?.nodes.find(({ entry }) => entry === null);
    if (node !== undefined) this.#remove(node);
  }

  #nodeOf(entry: Entry): Node | null {
    return this.#places.get(entry.key.text)?.nodes.find((node) => node.entry === entry) ?? null;
  }

  #insert(what: Pick<Node, "entry" | "until" | "place" | "bytes">): void {
    const node: Node = { ...what, asked: false, older: this.#newest, newer: null };
    if (this.#newest === null) this.#oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
    node.place.nodes.push(node);
  }

  #remove(node: Node, keepPlace = false): void {
    const { older, newer, place, entry } = node;
    if (this.#hand === node) this.#hand = newer;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    place.nodes.splice(place.nodes.indexOf(node), 1);
    if (place.nodes.length === 0 && !keepPlace) this.#places.delete(place.key.text);
    this.#used -= node.bytes;
    if (entry === null) return;
    this.#entries--;
    entry.body.release();
  }

  /** Takes out one that nobody has asked for lately; false: there is none at all. */
  #evict(): boolean {
    let node = this.#hand ?? this.#oldest;
    while (node !== null && node.asked) {
      node.asked = false;
      node = node.newer ?? this.#oldest;
    }
    if (node === null) return false;
    this.#hand = node;
    if (node.entry !== null) this.evicted++;
    this.#remove(node);
    return true;
  }
}

/** A body of unknown length begins with so much room. */
const FIRST_BYTES = 16 * 1024;

function sizeOf(key: CacheKey, head: number, variant: string): number {
  return ENTRY_BYTES + key.text.length + key.target.length + head + variant.length;
}

function purgeTest({ host, path }: Purge): (key: CacheKey) => boolean {
  const prefix = path?.endsWith("*") === true ? path.slice(0, -1) : null;
  return (key) => {
    if (host !== undefined && key.host !== "" && key.host !== host) return false;
    if (path === undefined) return true;
    if (prefix !== null) return key.target.startsWith(prefix);
    return key.target === path || !path.includes("?") && key.target.startsWith(`${path}?`);
  };
}
