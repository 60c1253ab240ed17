/**
 * What the hash policies with a table share: who takes over the keys of a server that may not be used.
 *
 * A key is looked up and, where its server is down, full or already tried, goes on through the table to the first
 * server that may be used. So only the keys of that server move, they spread over the others by weight, and they
 * come back when it does. The table is built from names and weights alone, anew only when a weight has changed, at
 * the next pick. It must not know what was hashed.
 */
import type { Policy, PolicyOptions, ServerView } from "./policy.ts";

/** The servers laid out for look-ups, by their index in the pool. */
export interface Layout {
  readonly servers: Uint16Array;
}

export abstract class KeyedPolicy<L extends Layout> implements Policy {
  protected readonly keys: readonly string[];
  readonly #weights: Int32Array;
  #layout: L | null = null;
  /** How many servers have a place in the layout. */
  #placed = 0;
  /** For each server, the walk that last found that it may not be used. */
  readonly #refused: Uint32Array;
  #walks = 0;

  constructor(options: PolicyOptions) {
    this.keys = options.keys;
    this.#weights = new Int32Array(options.keys.length);
    this.#refused = new Uint32Array(options.keys.length);
  }

  /** Lays out the servers with a weight. */
  protected abstract place(weights: Int32Array): L;
  /** Where in `layout.servers`, which is not empty, a hash belongs. */
  protected abstract position(layout: L, hash: number): number;
  /** How far to go, again and again, from a position whose server may not be used; it must lead to every position. */
  protected abstract stride(layout: L, hash: number): number;

  pick(servers: ServerView, hash: number): number {
    const layout = this.#layout ??= this.#place();
    if (this.#placed === 0) return anyByHash(servers, hash);
    const at = this.position(layout, hash);
    const index = layout.servers[at]!;
    return servers.eligible(index) ? index : this.#walk(servers, layout, at, hash);
  }

  reweigh(servers: ServerView): void {
    for (let index = 0; index < servers.size; index++) {
      const weight = servers.weight(index);
      if (weight === this.#weights[index]) continue;
      this.#weights[index] = weight;
      this.#layout = null;
    }
  }

  /** The layout goes on when the servers are the same. */
  adopt(previous: Policy, _from: readonly number[]): void {
    if (previous.constructor !== this.constructor) return;
    const former = previous as this;
    if (former.keys.length !== this.keys.length) return;
    if (this.keys.some((key, index) => key !== former.keys[index])) return;
    this.#weights.set(former.#weights);
    this.#layout = former.#layout;
    this.#placed = former.#placed;
  }

  #place(): L {
    const layout = this.place(this.#weights);
    this.#placed = new Set(layout.servers).size;
    return layout;
  }

  /** The next server from `start` on that is eligible. Each is asked once, so few steps tell that none is. */
  #walk(servers: ServerView, layout: L, start: number, hash: number): number {
    const walk = this.#nextWalk();
    const stride = this.stride(layout, hash);
    const positions = layout.servers.length;
    let unasked = this.#placed;
    for (let at = start; unasked > 0; at = (at + stride) % positions) {
      const index = layout.servers[at]!;
      if (this.#refused[index] === walk) continue;
      if (servers.eligible(index)) return index;
      this.#refused[index] = walk;
      unasked--;
    }
    return anyByHash(servers, hash);
  }

  #nextWalk(): number {
    this.#walks = (this.#walks + 1) >>> 0;
    // After 2³² walks an old mark would be taken for a new one.
    if (this.#walks === 0) this.#refused.fill(this.#walks++);
    return this.#walks;
  }
}

/** One of the eligible servers by the hash, those with a weight first; -1: there is none. */
export function anyByHash(servers: ServerView, hash: number): number {
  const weighted = countEligible(servers, 1);
  const least = weighted > 0 ? 1 : 0;
  const candidates = weighted > 0 ? weighted : countEligible(servers, 0);
  let nth = candidates === 0 ? 0 : hash % candidates;
  let last = -1;
  for (let index = 0; index < servers.size; index++) {
    if (servers.weight(index) < least || !servers.eligible(index)) continue;
    last = index;
    if (nth-- === 0) break;
  }
  return last;
}

/** How many eligible servers weigh at least so much. */
function countEligible(servers: ServerView, least: number): number {
  let count = 0;
  for (let index = 0; index < servers.size; index++) {
    if (servers.weight(index) >= least && servers.eligible(index)) count++;
  }
  return count;
}
