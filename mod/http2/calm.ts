/**
 * How much a client may do that costs us and brings nothing: a bucket that fills with what it does and runs dry with time.
 * Resets of streams under way, pings, settings, empty frames, updates of windows and priorities are harmless one by one;
 * floods of them are known attacks (CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27316).
 */

/** A browser that leaves a page resets some dozens of streams at once. */
const MOST = 1000;
const PER_MS = 0.1;

export class Calm {
  #level = 0;
  #at = 0;

  /** Something was done that was wanted: as much that brings nothing is forgiven. */
  useful(weight = 1): void {
    if (this.#level > 0) this.#level = Math.max(0, this.#level - weight);
  }

  /** Takes note of one; true: that was too much (ENHANCE_YOUR_CALM). */
  disturbed(now: number, weight = 1): boolean {
    this.#level = Math.max(0, this.#level - (now - this.#at) * PER_MS) + weight;
    this.#at = now;
    return this.#level > MOST;
  }
}
