/**
 * Choice by the hash of the request, by remainder or on a ring (`ring.ts`).
 *
 * By remainder the configured weights are laid end to end and the hash says where on them: a few instructions, but
 * most keys move when a server is added or removed. Where the server may not be used the hash is hashed again (as
 * in nginx), so that only the keys of that server move. Slow start is left out (as in HAProxy's map-based hash):
 * every step of it would move most keys. It must not know what was hashed.
 */
import { fraction, GOLDEN, mix32 } from "../base/hash.ts";
import { anyByHash } from "./keyed.ts";
import type { Policy, PolicyOptions, ServerView } from "./policy.ts";
import { Ring } from "./ring.ts";

/** nginx: 20. */
const TRIES = 20;

export function hash(options: PolicyOptions): Policy {
  return options.ring ? new Ring(options) : new Remainder(options);
}

class Remainder implements Policy {
  /** Where the weight of each server ends. */
  readonly #ends: Float64Array;
  readonly #total: number;

  constructor(options: PolicyOptions) {
    let total = 0;
    this.#ends = Float64Array.from(options.weights, (weight) => total += weight);
    this.#total = total;
  }

  pick(servers: ServerView, hash: number): number {
    if (this.#total === 0) return anyByHash(servers, hash);
    let key = hash;
    for (let left = TRIES; left > 0; left--) {
      const index = this.#at(fraction(key) * this.#total);
      if (servers.weight(index) > 0 && servers.eligible(index)) return index;
      key = mix32(key + GOLDEN);
    }
    return anyByHash(servers, hash);
  }

  /** The server on whose weight the point lies. */
  #at(point: number): number {
    let low = 0;
    let high = this.#ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! > point) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
