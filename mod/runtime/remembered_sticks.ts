/**
 * Sessions of stick tables for the balancer that goes on after this one: in another process, maybe of another version, so
 * that nothing of it is believed unseen. Pure.
 *
 * As many as cross in a moment, those that were used last: seven numbers each, as they lie in the table.
 */
import { z } from "zod";
import type { SharedTable } from "../base/shared_table.ts";

/** About 9 MB of text, which crosses three pipes within a second. */
export const MAX_REMEMBERED = 100_000;
/** Four words of key, the number of the server, when it expires, when it was last used. */
const NUMBERS = 7;
const LAST_USED = 6;

/** Of one pool. The keys are hashes made with the seed. */
export interface RememberedSticks {
  readonly pool: string;
  readonly seed: number;
  readonly entries: readonly number[];
}

const POOL = z.object({
  pool: z.string(),
  seed: z.number().int().min(0).max(2 ** 32 - 1),
  entries: z.array(z.number()).refine((numbers) => numbers.length % NUMBERS === 0),
});

/** What can be used of `value`. Throws when it is no list at all. */
export function rememberedSticks(value: unknown): RememberedSticks[] {
  return z.array(z.unknown()).parse(value).flatMap((one) => {
    const checked = POOL.safeParse(one);
    return checked.success ? [checked.data] : [];
  });
}

/** The sessions of these tables, at most so many of all. `now` in milliseconds since 1970. */
export function rememberSticks(
  tables: readonly { readonly pool: string; readonly seed: number; readonly table: SharedTable }[],
  most: number,
  now: number,
): RememberedSticks[] {
  const found = tables.map(({ pool, seed, table }) => {
    const sessions: number[][] = [];
    const set = (key: Uint32Array, value: number, expiry: number, used: number) =>
      sessions.push([...key, value, expiry, used]);
    table.copyTo({ set }, now);
    return { pool, seed, sessions };
  });
  const uses = found.flatMap(({ sessions }) => sessions.map((one) => one[LAST_USED]!));
  const least = uses.length <= most ? -Infinity : uses.sort((a, b) => b - a)[most - 1]!;
  let room = most;
  return found.map(({ pool, seed, sessions }) => {
    const kept = sessions.filter((one) => one[LAST_USED]! >= least).slice(0, room);
    room -= kept.length;
    return { pool, seed, entries: kept.flat() };
  });
}

/** Puts remembered sessions into a table, as they were. */
export function recallSticks({ entries }: RememberedSticks, table: SharedTable): void {
  const key = new Uint32Array(4);
  for (let at = 0; at < entries.length; at += NUMBERS) {
    for (let word = 0; word < key.length; word++) key[word] = entries[at + word]!;
    table.set(key, entries[at + 4]!, entries[at + 5]!, entries[at + LAST_USED]!);
  }
}
