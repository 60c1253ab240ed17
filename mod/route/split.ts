/**
 * Shares requests out by weight: a canary of five in a hundred, and the same ones of them where a hash says who asks.
 *
 * Each item has its part of the line from 0 to 1, in the order of the configuration, and a request is a point on it.
 * So whoever is in the last part stays there when it grows at the cost of the one before. Pure.
 */

export interface Share<T> {
  readonly item: T;
  /** 0 and more; 0: nothing. */
  readonly weight: number;
}

export class Split<T> {
  readonly #items: readonly T[];
  /** Where the part of each item ends; the last ends at 1. */
  readonly #ends: readonly number[];

  /** One weight at least must be above 0. */
  constructor(shares: readonly Share<T>[]) {
    const used = shares.filter(({ weight }) => weight > 0);
    const total = used.reduce((sum, { weight }) => sum + weight, 0);
    let sum = 0;
    this.#items = used.map(({ item }) => item);
    this.#ends = used.map(({ weight }) => (sum += weight) / total);
  }

  /** The item that has the point, from 0 to below 1. */
  at(point: number): T {
    const index = this.#ends.findIndex((end) => point < end);
    return this.#items[index]!;
  }
}

/**
 * The point of a hash of 32 bits. It is mixed once more (MurmurHash3's finalizer): a pool that chooses its server by
 * the same hash must not find that all of its requests belong to a few servers.
 */
export function pointOf(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  mixed ^= mixed >>> 16;
  return (mixed >>> 0) / 2 ** 32;
}
