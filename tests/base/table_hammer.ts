/** Hammers a shared table: adds under few keys, and writes entries that say whether they are whole. */
import { hash128 } from "../../mod/base/hash.ts";
import { SharedTable } from "../../mod/base/shared_table.ts";

export interface TableJob {
  readonly memory: SharedArrayBuffer;
  readonly worker: number;
  readonly rounds: number;
  /** Adds go to these, each round one to each. */
  readonly shared: SharedArrayBuffer;
}

export interface TableResult {
  /** Values found that no one wrote under their key. */
  readonly torn: number;
  readonly replaced: number;
  /** Steps of `advance` that were not beyond `MOST`. */
  readonly advanced: number;
}

export const SHARED_KEYS = 3;
/** Where a time may be moved to, one by one from 1 on. */
export const MOST = 10_001;
export const FOREVER = 1e15;

export function key(n: number): Uint32Array {
  const out = new Uint32Array(4);
  hash128(out, Uint8Array.of(n & 255, n >> 8, n >> 16));
  return out;
}

export function run({ memory, worker, rounds, shared }: TableJob): TableResult {
  const counting = new SharedTable(shared, worker);
  const evicting = new SharedTable(memory, worker);
  const counted = Array.from({ length: SHARED_KEYS }, (_, n) => key(n));
  const many = Array.from({ length: 100 }, (_, n) => key(1000 + n));
  let torn = 0;
  let replaced = 0;
  let advanced = 0;
  for (let round = 0; round < rounds; round++) {
    for (const each of counted) counting.add(each, 1, FOREVER, 1);
    const value = counting.get(key(99), 1);
    if (counting.replace(key(99), value, (value ?? 0) + 1, FOREVER, 1)) replaced++;
    if (counting.advance(key(98), 1, MOST, 1) <= MOST) advanced++;
    const n = Math.imul(round + worker, 0x9e3779b1) >>> 8;
    evicting.set(many[n % 100]!, n % 100, FOREVER, round);
    const found = evicting.get(many[(n >> 4) % 100]!, round);
    if (found !== undefined && found !== (n >> 4) % 100) torn++;
    if (n % 7 === 0) evicting.delete(many[n % 100]!, round);
  }
  return { torn, replaced, advanced };
}
