/**
 * A table of fixed size in shared memory: 128-bit key hash to a number, with an expiry; all threads write it.
 *
 * A key belongs to one bucket of eight entries, under the bucket's spin lock, so a look-up is bounded and threads
 * meet only when their keys do. Nothing is swept: an entry past its expiry is free. A full bucket gives up the
 * entry that was written longest ago, so the table forgets rather than fails. About 0.1 µs an operation. `now` is
 * in ms of one clock that all threads share. It must not know what keys and values mean.
 */
import { lock, seizeLock, unlock } from "./spin_lock.ts";

const ENTRIES = 8;
/** Words of a key. */
const KEY = 4;
/** 64-bit cells of an entry: two of key, then these. An expiry of 0 is an empty entry. */
const VALUE = 2, EXPIRY = 3, WRITTEN = 4;
const ENTRY_CELLS = 5;
/** Cells of a bucket: the first holds the lock. */
const BUCKET_CELLS = 1 + ENTRIES * ENTRY_CELLS;

/** Buckets that are looked at to tell the size: a millisecond, and right to about one in a hundred. */
const MOST_COUNTED = 16 * 1024;

export interface TableEntry {
  readonly key: Uint32Array;
  readonly value: number;
  readonly expiry: number;
}

export class SharedTable {
  readonly #words: Int32Array;
  readonly #cells: Float64Array;
  readonly #buckets: number;
  readonly #worker: number;
  /** Live entries that this thread has given up for new ones. */
  evictions = 0;

  /** Bytes for at least `entries` entries. */
  static byteLength(entries: number): number {
    return 8 * BUCKET_CELLS * Math.max(1, Math.ceil(entries / ENTRIES));
  }

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#words = new Int32Array(memory);
    this.#cells = new Float64Array(memory);
    this.#buckets = Math.floor(this.#cells.length / BUCKET_CELLS);
    this.#worker = worker;
  }

  /** Entries that fit. */
  get capacity(): number {
    return this.#buckets * ENTRIES;
  }

  /** The value under a key (four words), or undefined when there is none or it has expired. */
  get(key: Uint32Array, now: number): number | undefined {
    const bucket = this.#enter(key);
    const cell = this.#find(bucket, key, now);
    const value = cell < 0 ? undefined : this.#cells[cell + VALUE]!;
    this.#leave(bucket);
    return value;
  }

  /** As `get`, and moves the expiry of what is found. */
  touch(key: Uint32Array, expiry: number, now: number): number | undefined {
    const bucket = this.#enter(key);
    const cell = this.#find(bucket, key, now);
    const value = cell < 0 ? undefined : this.#cells[cell + VALUE]!;
    if (value !== undefined) this.#write(cell, value, expiry, now);
    this.#leave(bucket);
    return value;
  }

  /** Sets the value until `expiry`. */
  set(key: Uint32Array, value: number, expiry: number, now: number): void {
    const bucket = this.#enter(key);
    const found = this.#find(bucket, key, now);
    this.#write(found < 0 ? this.#claim(bucket, key, now) : found, value, expiry, now);
    this.#leave(bucket);
  }

  /** Adds to the value, which starts at 0, in one step over all threads; answers the sum and moves the expiry. */
  add(key: Uint32Array, n: number, expiry: number, now: number): number {
    const bucket = this.#enter(key);
    const found = this.#find(bucket, key, now);
    const sum = n + (found < 0 ? 0 : this.#cells[found + VALUE]!);
    this.#write(found < 0 ? this.#claim(bucket, key, now) : found, sum, expiry, now);
    this.#leave(bucket);
    return sum;
  }

  /**
   * Moves a value that is a time `step` on, from where it is or from `now` if that is later, and answers where it comes
   * to be; where that is beyond `most` it stays. One step over all threads. A value that has passed is no more there.
   */
  advance(key: Uint32Array, step: number, most: number, now: number): number {
    const bucket = this.#enter(key);
    const found = this.#find(bucket, key, now);
    // A clock that went back must not hold anybody up for as long as it went.
    const from = found < 0 ? now : Math.min(this.#cells[found + VALUE]!, most);
    const next = from + step;
    const value = next > most ? from : next;
    this.#write(found < 0 ? this.#claim(bucket, key, now) : found, value, value, now);
    this.#leave(bucket);
    return next;
  }

  /** Sets the value if it is still `expected` (undefined: if there is none). False: it is not, nothing changed. */
  replace(
    key: Uint32Array,
    expected: number | undefined,
    value: number,
    expiry: number,
    now: number,
  ): boolean {
    const bucket = this.#enter(key);
    const found = this.#find(bucket, key, now);
    const current = found < 0 ? undefined : this.#cells[found + VALUE]!;
    const same = current === expected;
    if (same) this.#write(found < 0 ? this.#claim(bucket, key, now) : found, value, expiry, now);
    this.#leave(bucket);
    return same;
  }

  /** True when there was a value. */
  delete(key: Uint32Array, now: number): boolean {
    const bucket = this.#enter(key);
    const found = this.#find(bucket, key, now);
    if (found >= 0) this.#cells[found + EXPIRY] = 0;
    this.#leave(bucket);
    return found >= 0;
  }

  /** Live entries, by looking without locks: for metrics. Of a large table a part is looked at. */
  size(now: number): number {
    const step = Math.ceil(this.#buckets / MOST_COUNTED);
    let size = 0;
    for (let bucket = 0; bucket < this.#buckets; bucket += step) {
      for (let at = 0; at < ENTRIES; at++) {
        if (this.#cells[bucket * BUCKET_CELLS + 1 + at * ENTRY_CELLS + EXPIRY]! > now) size++;
      }
    }
    return Math.round(size * this.#buckets / Math.ceil(this.#buckets / step));
  }

  /** Sets every live entry elsewhere too: in a table of another size, or whatever takes them. */
  copyTo(other: Pick<SharedTable, "set">, now: number): void {
    this.#walk(now, (cell) => {
      const { key, value, expiry } = this.#entryAt(cell);
      other.set(key, value, expiry, this.#cells[cell + WRITTEN]!);
      return true;
    });
  }

  /**
   * Live entries, `limit` of them at most, from a place on: 0, or `next` of the call before; null: those were all. What is
   * neither set nor deleted between the calls is told once.
   */
  entries(
    limit: number,
    now: number,
    from = 0,
  ): { readonly entries: TableEntry[]; readonly next: number | null } {
    const entries: TableEntry[] = [];
    let next: number | null = null;
    this.#walk(now, (cell, place) => {
      if (place < from) return true;
      if (entries.length === limit) next = place;
      else entries.push(this.#entryAt(cell));
      return next === null;
    }, Math.floor(from / ENTRIES));
    return { entries, next };
  }

  /** The live entry under a key, whose expiry stays. */
  entry(key: Uint32Array, now: number): TableEntry | null {
    const bucket = this.#enter(key);
    const cell = this.#find(bucket, key, now);
    const entry = cell < 0 ? null : this.#entryAt(cell);
    this.#leave(bucket);
    return entry;
  }

  /** Deletes the live entries whose value is `wanted`; answers how many they were. */
  deleteWhere(wanted: (value: number) => boolean, now: number): number {
    let deleted = 0;
    this.#walk(now, (cell) => {
      if (!wanted(this.#cells[cell + VALUE]!)) return true;
      this.#cells[cell + EXPIRY] = 0;
      deleted++;
      return true;
    });
    return deleted;
  }

  /** Forgets everything. */
  clear(): void {
    for (let bucket = 0; bucket < this.#cells.length; bucket += BUCKET_CELLS) {
      lock(this.#words, bucket * 2, this.#worker);
      this.#cells.fill(0, bucket + 1, bucket + BUCKET_CELLS);
      unlock(this.#words, bucket * 2);
    }
  }

  /** Visits the cell of every live entry, and its place, under its bucket's lock, until `visit` says false. */
  #walk(now: number, visit: (cell: number, place: number) => boolean, first = 0): void {
    let goOn = true;
    for (let bucket = first * BUCKET_CELLS; goOn && bucket < this.#cells.length; bucket += BUCKET_CELLS) {
      lock(this.#words, bucket * 2, this.#worker);
      for (let at = 0; goOn && at < ENTRIES; at++) {
        const cell = bucket + 1 + at * ENTRY_CELLS;
        if (this.#cells[cell + EXPIRY]! > now) goOn = visit(cell, bucket / BUCKET_CELLS * ENTRIES + at);
      }
      unlock(this.#words, bucket * 2);
    }
  }

  #entryAt(cell: number): TableEntry {
    const key = Uint32Array.from({ length: KEY }, (_, at) => this.#words[cell * 2 + at]!);
    return { key, value: this.#cells[cell + VALUE]!, expiry: this.#cells[cell + EXPIRY]! };
  }

  /** Control thread: a worker is no more; buckets that it was changing are emptied, as they may be half written. */
  reclaim(worker: number): void {
    for (let bucket = 0; bucket < this.#cells.length; bucket += BUCKET_CELLS) {
      if (!seizeLock(this.#words, bucket * 2, worker, this.#worker)) continue;
      this.#cells.fill(0, bucket + 1, bucket + BUCKET_CELLS);
      unlock(this.#words, bucket * 2);
    }
  }

  /** Locks the key's bucket; answers its first cell. */
  #enter(key: Uint32Array): number {
    // The upper bits of a product, not a remainder: as good and cheaper.
    const bucket = Math.floor(key[0]! / 2 ** 32 * this.#buckets) * BUCKET_CELLS;
    lock(this.#words, bucket * 2, this.#worker);
    return bucket;
  }

  #leave(bucket: number): void {
    unlock(this.#words, bucket * 2);
  }

  /** First cell of the key's live entry, or -1. */
  #find(bucket: number, key: Uint32Array, now: number): number {
    for (let at = 0; at < ENTRIES; at++) {
      const cell = bucket + 1 + at * ENTRY_CELLS;
      if (this.#cells[cell + EXPIRY]! > now && this.#holds(cell, key)) return cell;
    }
    return -1;
  }

  #holds(cell: number, key: Uint32Array): boolean {
    const word = cell * 2;
    for (let i = 0; i < KEY; i++) if (this.#words[word + i] !== (key[i]! | 0)) return false;
    return true;
  }

  /** Makes an entry for the key: a free or expired one, else the one written longest ago. */
  #claim(bucket: number, key: Uint32Array, now: number): number {
    let best = bucket + 1;
    let oldest = Infinity;
    for (let at = 0; at < ENTRIES; at++) {
      const cell = bucket + 1 + at * ENTRY_CELLS;
      const written = this.#cells[cell + EXPIRY]! > now ? this.#cells[cell + WRITTEN]! : -Infinity;
      if (written >= oldest) continue;
      best = cell;
      oldest = written;
    }
    if (oldest > -Infinity) this.evictions++;
    for (let i = 0; i < KEY; i++) this.#words[best * 2 + i] = key[i]!;
    return best;
  }

  #write(cell: number, value: number, expiry: number, now: number): void {
    this.#cells[cell + VALUE] = value;
    this.#cells[cell + EXPIRY] = expiry;
    this.#cells[cell + WRITTEN] = now;
  }
}
