/**
 * How long the servers of a pool take to answer, as one worker sees it: counts by steps that grow by a quarter. What was
 * long ago counts less and less. Pure.
 */

/** From 1 ms in steps of a quarter: the last is about 20 minutes. */
const STEPS = 64;
const GROWTH = Math.log(1.25);
/** With fewer answers nothing is known. */
const LEAST = 100;
/** At so many all counts are halved. */
const MOST = 10_000;

export class Latencies {
  readonly #counts = new Float64Array(STEPS);
  #total = 0;

  add(ms: number): void {
    this.#counts[Math.min(STEPS - 1, Math.max(0, Math.ceil(Math.log(ms) / GROWTH)))]! += 1;
    if (++this.#total < MOST) return;
    this.#total = 0;
    for (let step = 0; step < STEPS; step++) this.#total += this.#counts[step]! /= 2;
  }

  /** So long, at most a quarter more, takes this share of the answers at most; Infinity: too few have come. */
  quantile(share: number): number {
    if (this.#total < LEAST) return Infinity;
    let left = share * this.#total;
    for (let step = 0; step < STEPS; step++) {
      left -= this.#counts[step]!;
      if (left <= 0) return Math.exp(step * GROWTH);
    }
    return Infinity;
  }
}
