/**
 * Smooth weighted round robin (nginx' algorithm): every pick adds each server's weight to its credit, takes the
 * server with the most, and takes the sum of the weights off it. Shares are exact over a cycle and spread evenly
 * within it, and weights may change at any time. O(servers) a pick. It must not know load or latency.
 */
import { WEIGHT_UNIT } from "../base/slots.ts";
import type { Policy, PolicyOptions, ServerView } from "./policy.ts";

export function rotate(options: PolicyOptions): Policy {
  return new Rotation(options);
}

/** The state of a rotation; `least.ts` uses one to go round among equals. */
export class Rotation implements Policy {
  readonly #credit: Float64Array;

  constructor(options: PolicyOptions) {
    this.#credit = new Float64Array(options.keys.length);
    for (let ahead = options.worker ?? 0; ahead > 0; ahead--) this.pick(atRest(options.weights));
  }

  pick(servers: ServerView): number {
    let best = -1;
    let total = 0;
    for (let index = 0; index < servers.size; index++) {
      if (!servers.eligible(index)) continue;
      const weight = servers.weight(index);
      if (weight === 0) continue;
      total += weight;
      this.#credit[index]! += weight;
      if (best < 0 || this.#credit[index]! > this.#credit[best]!) best = index;
    }
    if (best < 0) return this.#lastResort(servers);
    this.#credit[best]! -= total;
    return best;
  }

  /** Credit saved up under larger weights must not outweigh the present ones for long. */
  reweigh(servers: ServerView): void {
    let total = 0;
    for (let index = 0; index < servers.size; index++) total += servers.weight(index);
    for (let index = 0; index < servers.size; index++) {
      this.#credit[index] = Math.max(-total, Math.min(total, this.#credit[index]!));
    }
  }

  adopt(previous: Policy, from: readonly number[]): void {
    if (!(previous instanceof Rotation)) return;
    for (let index = 0; index < from.length; index++) {
      this.#credit[index] = previous.#credit[from[index]!] ?? 0;
    }
  }

  /** Servers of weight 0 take turns as if theirs were 1. */
  #lastResort(servers: ServerView): number {
    let best = -1;
    let total = 0;
    for (let index = 0; index < servers.size; index++) {
      if (!servers.eligible(index)) continue;
      total++;
      this.#credit[index]! += 1;
      if (best < 0 || this.#credit[index]! > this.#credit[best]!) best = index;
    }
    if (best >= 0) this.#credit[best]! -= total;
    return best;
  }
}

/** All servers eligible and idle, at their configured weights. */
function atRest(weights: readonly number[]): ServerView {
  return {
    size: weights.length,
    eligible: () => true,
    weight: (index) => weights[index]! * WEIGHT_UNIT,
    active: () => 0,
  };
}
