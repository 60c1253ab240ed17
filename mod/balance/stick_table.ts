/**
 * Which key's session is on which server, of one pool, in memory that all workers share; and what came of it.
 *
 * An entry is the number of a server (`server_ids.ts`) under the hash of a key, good for `ttl` after it was last
 * used. It is changed only by whoever has seen what it was before, so that workers agree. Counts are plain additions
 * in a row of the thread that counts. Times are of the wall clock, which all threads share.
 */
import { SharedTable } from "../base/shared_table.ts";
import { Tally } from "../base/tally.ts";
import { stickKey } from "./stick_key.ts";

/** What is counted of the sessions of a pool. */
export const STICK_COUNTERS = ["hits", "misses", "moved", "evictions"] as const;
export type StickCounter = (typeof STICK_COUNTERS)[number];

/** A structured-cloneable handle. */
export interface StickMemory {
  /** Of the hashes of keys, so that nobody outside knows which keys meet. */
  readonly seed: number;
  readonly counts: SharedArrayBuffer;
  /** Null: sessions are told by cookies alone. */
  readonly entries: SharedArrayBuffer | null;
}

/** Memory for `entries` sessions at most (0: no table), counted by so many workers. */
export function createStickMemory(entries: number, workers: number, seed: number): StickMemory {
  return {
    seed,
    counts: new SharedArrayBuffer(Tally.byteLength(workers)),
    entries: entries === 0 ? null : new SharedArrayBuffer(SharedTable.byteLength(entries)),
  };
}

export class StickCounts extends Tally<StickCounter> {
  /** `worker`: who counts, from 0. */
  constructor(memory: StickMemory, worker: number) {
    super(STICK_COUNTERS, memory.counts, worker);
  }
}

export class StickTable {
  readonly #table: SharedTable;
  readonly #ttlMs: number;
  readonly #seed: number;
  readonly #counts: StickCounts;

  constructor(memory: StickMemory, worker: number, ttlMs: number, counts: StickCounts) {
    this.#table = new SharedTable(memory.entries!, worker);
    this.#ttlMs = ttlMs;
    this.#seed = memory.seed;
    this.#counts = counts;
  }

  /** The key of bytes. Those of addresses and those of texts never meet. */
  key(bytes: Uint8Array, end: number, kind: "address" | "text"): Uint32Array {
    return stickKey(this.#seed, bytes, end, kind);
  }

  /** The server under a key, which thereby counts as used; undefined: there is none. */
  find(key: Uint32Array, now: number): number | undefined {
    return this.#table.touch(key, now + this.#ttlMs, now);
  }

  /** Puts a session that was on `seen` on another server, unless somebody was first: answers where it is then. */
  claim(key: Uint32Array, seen: number | undefined, server: number, now: number): number {
    const table = this.#table;
    const expiry = now + this.#ttlMs;
    const before = table.evictions;
    const claimed = table.replace(key, seen, server, expiry, now) ||
      // What was seen may have been given up since.
      seen !== undefined && table.replace(key, undefined, server, expiry, now);
    if (table.evictions !== before) this.#counts.add("evictions", table.evictions - before);
    return claimed ? server : table.get(key, now) ?? server;
  }

  /** Puts a session on a server, wherever it was. */
  set(key: Uint32Array, server: number, now: number): void {
    const before = this.#table.evictions;
    this.#table.set(key, server, now + this.#ttlMs, now);
    if (this.#table.evictions !== before) this.#counts.add("evictions", this.#table.evictions - before);
  }
}
