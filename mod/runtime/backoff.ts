/**
 * How long to wait before starting again what died: doubling from the first to the longest wait, from the start
 * again after it has been well for a while. Pure: `now` is a parameter.
 */

/** 100 ms, as nobody should notice one crash; systemd's RestartSec= has the same default. */
export const FIRST_MS = 100;
/** A thing that always dies at once costs one start in ten seconds. */
export const LONGEST_MS = 10_000;
/** As long as this without a death, and the next wait is the first again. */
export const HEALTHY_MS = 30_000;

export class Backoff {
  #nextMs = FIRST_MS;
  #startedAt = 0;

  /** It was started. */
  started(now: number): void {
    this.#startedAt = now;
  }

  /** It died: milliseconds to wait before it may start again. */
  died(now: number): number {
    if (now - this.#startedAt >= HEALTHY_MS) this.#nextMs = FIRST_MS;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(LONGEST_MS, waitMs * 2);
    return waitMs;
  }
}
