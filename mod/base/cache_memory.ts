/**
 * What the caches of all workers share: which URLs' answers have become wrong (RFC 9111 section 4.4), and how much each
 * cache holds. Pure.
 *
 * A URL has a counter, which is hashed to: URLs that fall on one only cost each other a fetch. Answers that are for all
 * hosts, or for several queries, have a counter of their own, which each of their URLs changes. A worker writes its
 * own amounts alone, so that a reader may miss the last of them and nothing else.
 */
import { hashText } from "./hash.ts";

/** Counters of URLs. */
const CELLS = 64 * 1024;
const CELL_BYTES = CELLS * Int32Array.BYTES_PER_ELEMENT;

/** What the cache of a worker holds, and what became of what it held, since the worker's start. */
export const CACHE_AMOUNTS = ["entries", "bytes", "stored", "evicted"] as const;
export type CacheAmounts = Readonly<Record<(typeof CACHE_AMOUNTS)[number], number>>;

export class CacheMemory {
  readonly #epochs: Int32Array;
  readonly #amounts: Float64Array;
  readonly #thread: number;

  static byteLength(threads: number): number {
    return CELL_BYTES + threads * CACHE_AMOUNTS.length * Float64Array.BYTES_PER_ELEMENT;
  }

  /** `thread`: whose amounts are told. */
  constructor(memory: SharedArrayBuffer, thread: number) {
    this.#epochs = new Int32Array(memory, 0, CELLS);
    this.#amounts = new Float64Array(memory, CELL_BYTES);
    this.#thread = thread;
  }

  /** How often something there has become wrong. `host`: empty for all; `target`: path and query, or `anyQuery`. */
  epoch(host: string, target: string): number {
    return Atomics.load(this.#epochs, cellOf(host, target));
  }

  /** What is stored of this URL, anywhere, is wrong from now on. `target`: path with its query. */
  invalidate(host: string, target: string): void {
    const path = anyQuery(target.split("?", 1)[0]!);
    for (const one of new Set([host, ""])) {
      Atomics.add(this.#epochs, cellOf(one, target), 1);
      Atomics.add(this.#epochs, cellOf(one, path), 1);
    }
  }

  /** This thread's cache is so large now. */
  tell(amounts: CacheAmounts): void {
    const at = this.#thread * CACHE_AMOUNTS.length;
    for (const [index, name] of CACHE_AMOUNTS.entries()) this.#amounts[at + index] = amounts[name];
  }

  /** Control thread: a worker is no more, and its cache with it. */
  reclaim(worker: number): void {
    const at = worker * CACHE_AMOUNTS.length;
    this.#amounts.fill(0, at, at + CACHE_AMOUNTS.length);
  }

  /** Of all threads together. */
  sum(): CacheAmounts {
    const sums = { entries: 0, bytes: 0, stored: 0, evicted: 0 };
    for (let at = 0; at < this.#amounts.length; at++) {
      sums[CACHE_AMOUNTS[at % CACHE_AMOUNTS.length]!] += this.#amounts[at]!;
    }
    return sums;
  }
}

/** The target of answers that are for several queries of a path. */
export function anyQuery(path: string): string {
  return `${path}\n`;
}

function cellOf(host: string, target: string): number {
  return hashText(`${host}\n${target}`) % CELLS;
}
