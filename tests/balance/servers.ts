/** Servers as a policy sees them, for tests: everything can be set at any time. */
import { seededRandom } from "../../mod/base/random.ts";
import type { Policy, PolicyOptions, ServerView } from "../../mod/balance/policy.ts";

export class Servers implements ServerView {
  readonly weights: number[];
  readonly actives: number[];
  readonly eligibles: boolean[];

  /** Weights in whole units. */
  constructor(weights: readonly number[]) {
    this.weights = weights.map((weight) => weight * 256);
    this.actives = weights.map(() => 0);
    this.eligibles = weights.map(() => true);
  }

  get size(): number {
    return this.weights.length;
  }

  eligible(index: number): boolean {
    return this.eligibles[index]!;
  }

  weight(index: number): number {
    return this.weights[index]!;
  }

  active(index: number): number {
    return this.actives[index]!;
  }
}

/** Options for servers named `s0`, `s1` … of these weights in whole units. */
export function optionsFor(weights: readonly number[], more: Partial<PolicyOptions> = {}): PolicyOptions {
  return {
    keys: weights.map((_, index) => `s${index} 10.0.0.${index} 80`),
    weights,
    random: seededRandom(1),
    ring: true,
    ...more,
  };
}

/** Made and told of the weights, as `pool.ts` does before the first pick. */
export function ready(policy: Policy, servers: ServerView): Policy {
  policy.reweigh?.(servers);
  return policy;
}

/** How often each server is picked for so many hashes, with nothing under way. */
export function tally(policy: Policy, servers: ServerView, picks: number, seed = 1): number[] {
  const random = seededRandom(seed);
  const counts = new Array<number>(servers.size).fill(0);
  for (let n = 0; n < picks; n++) counts[policy.pick(servers, Math.floor(random() * 2 ** 32), n)]! += 1;
  return counts;
}
