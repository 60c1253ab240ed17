/**
 * Builds Maglev look-up tables (Eisenbud et al., NSDI 2016, section 3.4): for each position a server.
 *
 * Servers take turns in choosing the next free position of their own permutation, which comes from their key alone;
 * a server with half the greatest weight has a turn in every second round. The order of turns is that of the keys,
 * so the table is the same on every node, whatever the order of the servers. It must not know policies or pools.
 */
import { hashText } from "../base/hash.ts";

/** Seeds of the two hashes of a key. */
const OFFSET_SEED = 0x6d61676c, SKIP_SEED = 0x65760000;
const EMPTY = 0xffff;

/**
 * For each of `size` positions the index of a server; empty when no server has a weight. `size` is a prime, best a
 * hundred times the number of servers, which is at most 65535. Weights are whole and not negative, in any unit.
 */
export function maglevTable(
  keys: readonly string[],
  weights: ArrayLike<number>,
  size: number,
): Uint16Array {
  const order = keys.map((_, index) => index).filter((index) => weights[index]! > 0)
    .sort((a, b) => keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : 0);
  if (order.length === 0) return new Uint16Array(0);
  const table = new Uint16Array(size).fill(EMPTY);
  const heaviest = order.reduce((most, index) => Math.max(most, weights[index]!), 0);
  const skips = order.map((index) => hashText(keys[index]!, SKIP_SEED) % (size - 1) + 1);
  const next = order.map((index) => hashText(keys[index]!, OFFSET_SEED) % size);
  /** What each has saved up for its next turn, which costs the heaviest weight. */
  const saved = order.map(() => 0);
  let free = size;
  while (free > 0) {
    for (let turn = 0; turn < order.length && free > 0; turn++) {
      saved[turn]! += weights[order[turn]!]!;
      if (saved[turn]! < heaviest) continue;
      saved[turn]! -= heaviest;
      let at = next[turn]!;
      while (table[at] !== EMPTY) at = (at + skips[turn]!) % size;
      table[at] = order[turn]!;
      next[turn] = (at + skips[turn]!) % size;
      free--;
    }
  }
  return table;
}
