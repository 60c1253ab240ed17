/**
 * A seeded random number generator, for workers (seeded from the system once) and for tests and simulations.
 *
 * xoshiro128** (Blackman and Vigna, public domain), seeded through a counter and a mixer so that near seeds give
 * unlike sequences. Not for secrets.
 */
import { GOLDEN, mix32 } from "./hash.ts";

/** A function that answers numbers of at least 0 and below 1, the same ones for the same seed (32 bits). */
export function seededRandom(seed: number): () => number {
  let a = mix32(seed + GOLDEN), b = mix32(seed + 2 * GOLDEN);
  // The lowest bit set keeps the state from being all zero, the only one that never moves.
  let c = mix32(seed + 3 * GOLDEN), d = mix32(seed + 4 * GOLDEN) | 1;
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul(product << 7 | product >>> 25, 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = d << 11 | d >>> 21;
    return result / 2 ** 32;
  };
}
