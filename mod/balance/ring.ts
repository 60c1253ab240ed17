/**
 * A consistent ring: every server has points on a circle in proportion to its weight, and a key belongs to the next
 * point. A server that comes or goes takes or leaves its own keys only. Bounded in memory: where the weights ask
 * for more points, all servers get half as many, and so on. A look-up is a binary search. It must not know load.
 */
import { GOLDEN, hashText, mix32 } from "../base/hash.ts";
import { WEIGHT_UNIT } from "../base/slots.ts";
import { KeyedPolicy, type Layout } from "./keyed.ts";
import type { PolicyOptions } from "./policy.ts";

/** Points for a configured weight of 1. nginx and ketama: 160. */
const POINTS = 160;
/** Most points of a ring unless there are more servers; 6 bytes each. */
const MAX_POINTS = 32 * 1024;
/** A point's place and its server's rank share a number: 32 bits and these many ranks, within 2^53. */
const RANKS = 2 ** 20;

interface RingLayout extends Layout {
  /** Places of the points, ascending, beside their servers. */
  readonly points: Uint32Array;
}

export class Ring extends KeyedPolicy<RingLayout> {
  readonly #configured: readonly number[];

  constructor(options: PolicyOptions) {
    super(options);
    this.#configured = options.weights;
  }

  protected override place(weights: Int32Array): RingLayout {
    const byRank = ranked(this.keys);
    const scale = POINTS / WEIGHT_UNIT / crowding(this.#configured, weights);
    const placed: number[] = [];
    byRank.forEach((index, rank) => {
      if (weights[index] === 0) return;
      const seed = hashText(this.keys[index]!);
      const points = Math.max(1, Math.round(weights[index]! * scale));
      for (let n = 1; n <= points; n++) placed.push(mix32(seed + n * GOLDEN) * RANKS + rank);
    });
    const sorted = Float64Array.from(placed).sort();
    return {
      points: Uint32Array.from(sorted, (point) => Math.floor(point / RANKS)),
      servers: Uint16Array.from(sorted, (point) => byRank[point % RANKS]!),
    };
  }

  protected override position({ points }: RingLayout, hash: number): number {
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }

  /** On to the next point, where the key would belong without the server. */
  protected override stride(): number {
    return 1;
  }
}

/** Indices of the servers in the order of their keys, which is the same on every node and in every configuration. */
function ranked(keys: readonly string[]): number[] {
  return keys.map((_, index) => index).sort((a, b) => keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : 0);
}

/**
 * The power of two by which points must be divided to stay within bounds. Weights below the configured ones count in
 * full, as a change of the divisor moves many keys: slow start must not bring one about.
 */
function crowding(configured: readonly number[], effective: Int32Array): number {
  const weight = (index: number) => Math.max(configured[index]!, effective[index]! / WEIGHT_UNIT);
  const wanted = configured.reduce((sum, _, index) => sum + weight(index) * POINTS, 0);
  let divisor = 1;
  while (wanted / divisor > MAX_POINTS) divisor *= 2;
  return divisor;
}
