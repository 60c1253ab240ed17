/**
 * Keeps a message that repeats itself from filling the log: a burst passes, the rest of the window is counted.
 *
 * Windows are fixed, one a key, and begin with the first message; at the end what was held back is told once.
 * Pure: `now` (ms) is a parameter, and whoever holds this asks for `summaries` when `deadline` has come.
 */

/** The kernel's printk_ratelimit lets 10 pass in 5 s. */
const BURST = 10;
const WINDOW_MS = 10_000;
/** More different messages at a time than this are not held back: they are no repetition. */
const MAX_KEYS = 1000;

export interface Summary<Sample> {
  /** The last message that was held back. */
  readonly sample: Sample;
  readonly count: number;
  readonly windowMs: number;
}

export class Repeats<Sample> {
  readonly #windows = new Map<string, { start: number; passed: number; held: number; sample: Sample }>();

  /** True when the message may be written. A false one will be part of a summary. */
  admit(key: string, sample: Sample, now: number): boolean {
    const window = this.#windows.get(key);
    if (window === undefined || (now >= window.start + WINDOW_MS && window.held === 0)) {
      if (this.#windows.size >= MAX_KEYS) this.#forget(now);
      if (this.#windows.size < MAX_KEYS) this.#windows.set(key, { start: now, passed: 1, held: 0, sample });
      return true;
    }
    if (window.passed < BURST) {
      window.passed++;
      return true;
    }
    window.held++;
    window.sample = sample;
    return false;
  }

  /** When `summaries` has something to tell; Infinity: nothing is held back. */
  deadline(): number {
    let first = Infinity;
    for (const { start, held } of this.#windows.values()) {
      if (held > 0 && start + WINDOW_MS < first) first = start + WINDOW_MS;
    }
    return first;
  }

  /** Ends the windows that are over and says what they held back. Calling too often is harmless. */
  summaries(now: number): Summary<Sample>[] {
    const told: Summary<Sample>[] = [];
    for (const [key, { start, held, sample }] of this.#windows) {
      if (held === 0 || now < start + WINDOW_MS) continue;
      told.push({ sample, count: held, windowMs: WINDOW_MS });
      this.#windows.delete(key);
    }
    return told;
  }

  #forget(now: number): void {
    for (const [key, { start, held }] of this.#windows) {
      if (held === 0 && now >= start + WINDOW_MS) this.#windows.delete(key);
    }
  }
}
