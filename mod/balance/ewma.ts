/**
 * The fastest server: peak EWMA of latency (as in Finagle), times what is under way, over the weight.
 *
 * A latency above the estimate replaces it at once, a lower one moves it by how long ago the last one was. Without
 * answers an estimate fades, so that a server that was slow gets a request again after a while and is measured
 * anew. A server not measured yet counts as average, so that it is neither flooded nor left out. Each worker
 * measures for itself, what is under way counts over all. It must not know what was measured: a connection or an
 * answer.
 */
import { LowestScore } from "./lowest.ts";
import type { Policy, PolicyOptions, ServerView } from "./policy.ts";

/** Time in which an estimate fades to 1/e. Finagle: 10 s. */
export const DECAY_MS = 10_000;
/** Estimates fade in steps of this, to save the exponential: off by 1 % at most. */
const FADE_STEP_MS = DECAY_MS / 100;
/** Lowest estimate: faded ones become equal, and then what is under way decides. */
const MIN_LATENCY_MS = 0.05;
const UNMEASURED = -1;

export function ewma(options: PolicyOptions): Policy {
  return new PeakEwma(options);
}

class PeakEwma extends LowestScore {
  /** Estimate of each server in ms as of its time in `#at`, or `UNMEASURED`. */
  readonly #latency: Float64Array;
  readonly #at: Float64Array;
  #unmeasured: number;
  /** What a server not measured yet counts as, in this pick. */
  #average = MIN_LATENCY_MS;

  constructor(options: PolicyOptions) {
    super(options);
    this.#unmeasured = options.keys.length;
    this.#latency = new Float64Array(this.#unmeasured).fill(UNMEASURED);
    this.#at = new Float64Array(this.#unmeasured);
  }

  override pick(servers: ServerView, hash: number, now: number): number {
    if (this.#unmeasured > 0) this.#average = this.#averageOf(now);
    return super.pick(servers, hash, now);
  }

  observe(index: number, latencyMs: number, now: number): void {
    const measured = Math.max(MIN_LATENCY_MS, latencyMs);
    const latency = this.#latency[index]!;
    if (latency === UNMEASURED) this.#unmeasured--;
    const kept = measured >= latency ? 0 : Math.exp(-Math.max(0, now - this.#at[index]!) / DECAY_MS);
    this.#latency[index] = measured + (latency - measured) * kept;
    this.#at[index] = now;
  }

  override adopt(previous: Policy, from: readonly number[]): void {
    super.adopt(previous, from);
    if (!(previous instanceof PeakEwma)) return;
    for (let index = 0; index < from.length; index++) {
      this.#latency[index] = previous.#latency[from[index]!] ?? UNMEASURED;
      this.#at[index] = previous.#at[from[index]!] ?? 0;
    }
    this.#unmeasured = this.#latency.filter((latency) => latency === UNMEASURED).length;
  }

  protected override score(
    scores: Float64Array,
    servers: ServerView,
    index: number,
    weight: number,
    now: number,
  ): void {
    this.#fade(index, now);
    const latency = this.#latency[index] === UNMEASURED ? this.#average : this.#latency[index]!;
    scores[index] = latency * (servers.active(index) + 1) / weight;
  }

  /** Brings the estimate, if there is one, to `now`. */
  #fade(index: number, now: number): void {
    const elapsed = now - this.#at[index]!;
    if (elapsed < FADE_STEP_MS || this.#latency[index] === UNMEASURED) return;
    this.#at[index] = now;
    this.#latency[index] = Math.max(MIN_LATENCY_MS, this.#latency[index]! * Math.exp(-elapsed / DECAY_MS));
  }

  /** Average of the estimates there are. */
  #averageOf(now: number): number {
    let sum = 0;
    for (let index = 0; index < this.#latency.length; index++) {
      this.#fade(index, now);
      if (this.#latency[index] !== UNMEASURED) sum += this.#latency[index]!;
    }
    return sum === 0 ? MIN_LATENCY_MS : sum / (this.#latency.length - this.#unmeasured);
  }
}
