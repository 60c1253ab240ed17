/**
 * What policies share that take the server with the lowest score: one pass over the servers, then turns by weight
 * among those that are equal. The scores of a pass are kept, as another thread may change what they are made of
 * while it runs. O(servers) a pick; scores are written, not returned, as a returned fraction would be allocated.
 * It must not know what a score is.
 */
import type { Policy, PolicyOptions, ServerView } from "./policy.ts";
import { Rotation } from "./rotate.ts";

export abstract class LowestScore implements Policy {
  readonly #turns: Rotation;
  readonly #equal: EqualServers;

  constructor(options: PolicyOptions) {
    this.#turns = new Rotation(options);
    this.#equal = new EqualServers(options.keys.length);
  }

  /** Sets `scores[index]` to how bad a choice the server is; `weight` is never 0. */
  protected abstract score(
    scores: Float64Array,
    servers: ServerView,
    index: number,
    weight: number,
    now: number,
  ): void;

  pick(servers: ServerView, _hash: number, now: number): number {
    let found = this.#weigh(servers, now, false);
    if (found === 0) found = this.#weigh(servers, now, true);
    return found <= 1 ? this.#equal.first : this.#turns.pick(this.#equal);
  }

  reweigh(servers: ServerView): void {
    this.#turns.reweigh(servers);
  }

  adopt(previous: Policy, from: readonly number[]): void {
    if (previous instanceof LowestScore) this.#turns.adopt(previous.#turns, from);
  }

  /** Finds the lowest score among the servers with a weight, or (as `last` resort) among those without; how many have it. */
  #weigh(servers: ServerView, now: number, last: boolean): number {
    const equal = this.#equal.over(servers);
    for (let index = 0; index < servers.size; index++) {
      const weight = servers.weight(index);
      if ((weight === 0) !== last || !servers.eligible(index)) continue;
      this.score(equal.scores, servers, index, last ? 1 : weight, now);
      equal.add(index);
    }
    return equal.count;
  }
}

/** The servers with the lowest score so far, as a view of them alone. */
class EqualServers implements ServerView {
  size = 0;
  count = 0;
  /** Index of the first of them, or -1. */
  first = -1;
  #servers: ServerView | null = null;
  /** Infinity: not eligible. */
  readonly scores: Float64Array;

  constructor(size: number) {
    this.scores = new Float64Array(size);
  }

  over(servers: ServerView): this {
    this.#servers = servers;
    this.size = servers.size;
    this.count = 0;
    this.first = -1;
    this.scores.fill(Infinity);
    return this;
  }

  /** Compares the score just set with the lowest so far. */
  add(index: number): void {
    const { first, scores } = this;
    if (first >= 0 && scores[index]! > scores[first]!) return;
    if (first < 0 || scores[index]! < scores[first]!) {
      this.first = index;
      this.count = 0;
    }
    this.count++;
  }

  eligible(index: number): boolean {
    return this.scores[index] === this.scores[this.first];
  }

  weight(index: number): number {
    return this.#servers!.weight(index);
  }

  active(index: number): number {
    return this.#servers!.active(index);
  }
}
