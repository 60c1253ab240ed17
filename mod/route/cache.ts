/**
 * Remembers which route the bytes of a request head led to, so that a repeated request makes no string at all.
 *
 * A direct-mapped table: the FNV-1a hash of method, host and path names one entry, the newest key lives there, and
 * a hit is believed only after every byte is compared. So a collision, chance or malice, costs a miss and never a
 * wrong route. Good only for routes that method, host and path alone decided; one cache belongs to one table and
 * dies with it. Pure.
 *
 * Cost: about a nanosecond a byte of the key; 270 KiB of memory, taken at the first `set`.
 */
import type { FactNeeds } from "./match.ts";

/** What `get` gives for a key that is not there; a route's index is never below -1. */
export const CACHE_MISS = -2;

const ENTRIES = 1024;
/** Longer keys are rare and mostly one of a kind: they would only push others out. */
const KEY_BYTES = 256;

// http://www.isthe.com/chongo/tech/comp/fnv/ : 32 bits
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class RouteCache {
  readonly #method: boolean;
  readonly #host: boolean;
  readonly #path: boolean;
  #keys: Uint8Array | null = null;
  #methodLengths = new Uint16Array(0);
  #hostLengths = new Uint16Array(0);
  #pathLengths = new Uint16Array(0);
  #routes = new Int32Array(0);

  /** Ranges of facts that the table does not need are left out of the key. */
  constructor(needs: FactNeeds) {
    this.#method = needs.method;
    this.#host = needs.host;
    this.#path = needs.path;
  }

  /** The route remembered for these bytes of `head` (ends exclusive): an index, -1 for no route, or `CACHE_MISS`. */
  get(
    head: Uint8Array,
    methodStart: number,
    methodEnd: number,
    hostStart: number,
    hostEnd: number,
    pathStart: number,
    pathEnd: number,
  ): number {
    const keys = this.#keys;
    if (keys === null) return CACHE_MISS;
    if (!this.#method) methodEnd = methodStart;
    if (!this.#host) hostEnd = hostStart;
    if (!this.#path) pathEnd = pathStart;
    const length = methodEnd - methodStart + hostEnd - hostStart + pathEnd - pathStart;
    if (length > KEY_BYTES) return CACHE_MISS;
    const entry = entryOf(head, methodStart, methodEnd, hostStart, hostEnd, pathStart, pathEnd);
    // The lengths of the parts are compared as well: `GET` + `a` is not `GE` + `Ta`.
    if (
      this.#methodLengths[entry] !== methodEnd - methodStart ||
      this.#hostLengths[entry] !== hostEnd - hostStart ||
      this.#pathLengths[entry] !== pathEnd - pathStart
    ) return CACHE_MISS;
    let at = entry * KEY_BYTES;
    for (let from = methodStart; from < methodEnd; from++) if (head[from] !== keys[at++]) return CACHE_MISS;
    for (let from = hostStart; from < hostEnd; from++) if (head[from] !== keys[at++]) return CACHE_MISS;
    for (let from = pathStart; from < pathEnd; from++) if (head[from] !== keys[at++]) return CACHE_MISS;
    return this.#routes[entry]!;
  }

  /** Remembers `route` (an index, or -1) for these bytes, in place of whatever was there. */
  set(
    head: Uint8Array,
    methodStart: number,
    methodEnd: number,
    hostStart: number,
    hostEnd: number,
    pathStart: number,
    pathEnd: number,
    route: number,
  ): void {
    if (!this.#method) methodEnd = methodStart;
    if (!this.#host) hostEnd = hostStart;
    if (!this.#path) pathEnd = pathStart;
    const length = methodEnd - methodStart + hostEnd - hostStart + pathEnd - pathStart;
    if (length > KEY_BYTES) return;
    const keys = this.#keys ?? this.#allocate();
    const entry = entryOf(head, methodStart, methodEnd, hostStart, hostEnd, pathStart, pathEnd);
    this.#methodLengths[entry] = methodEnd - methodStart;
    this.#hostLengths[entry] = hostEnd - hostStart;
    this.#pathLengths[entry] = pathEnd - pathStart;
    this.#routes[entry] = route;
    let at = entry * KEY_BYTES;
    for (let from = methodStart; from < methodEnd; from++) keys[at++] = head[from]!;
    for (let from = hostStart; from < hostEnd; from++) keys[at++] = head[from]!;
    for (let from = pathStart; from < pathEnd; from++) keys[at++] = head[from]!;
  }

  #allocate(): Uint8Array {
    this.#methodLengths = new Uint16Array(ENTRIES);
    this.#hostLengths = new Uint16Array(ENTRIES);
    this.#pathLengths = new Uint16Array(ENTRIES);
    // An empty key has an entry like any other, and finds this until it is set.
    this.#routes = new Int32Array(ENTRIES).fill(CACHE_MISS);
    return this.#keys = new Uint8Array(ENTRIES * KEY_BYTES);
  }
}

function entryOf(
  head: Uint8Array,
  methodStart: number,
  methodEnd: number,
  hostStart: number,
  hostEnd: number,
  pathStart: number,
  pathEnd: number,
): number {
  let hash = FNV_OFFSET;
  for (let at = methodStart; at < methodEnd; at++) hash = Math.imul(hash ^ head[at]!, FNV_PRIME);
  for (let at = hostStart; at < hostEnd; at++) hash = Math.imul(hash ^ head[at]!, FNV_PRIME);
  for (let at = pathStart; at < pathEnd; at++) hash = Math.imul(hash ^ head[at]!, FNV_PRIME);
  // The low bits alone mix badly (FNV's own advice: fold).
  return (hash ^ (hash >>> 16)) & (ENTRIES - 1);
}
