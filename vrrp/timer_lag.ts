/**
 * How punctual this process is: a pulse that should come every so often, how late it came, and whether the process
 * stood still. Pure: whoever beats the pulse says what time it is.
 *
 * Two uses. A stall must be known before datagrams that queued up meanwhile are read, so every event asks first; and
 * a node that cannot keep its own interval is not well, so lateness counts in its health.
 */

/** Lateness is remembered for so long. */
export const WINDOW_MS = 10_000;
/** One or two late beats are a busy moment, more are a habit. */
export const MAX_LATE_BEATS = 2;
/** One collection of garbage is no trouble of the node's, however short the interval. */
const MIN_LATE_MS = 30;

export class TimerLag {
  readonly #late: { readonly at: number; readonly ms: number }[] = [];
  #awakeAt: number;

  constructor(public pulseMs: number, now: number) {
    this.#awakeAt = now;
  }

  /** Something happens at `now`; the answer is for how long nothing could, beyond the pulse. */
  awake(now: number): number {
    const stoodMs = Math.max(0, now - this.#awakeAt - this.pulseMs);
    this.#awakeAt = now;
    return stoodMs;
  }

  /** A beat came `lateMs` after it was due. */
  beat(lateMs: number, now: number): void {
    while (this.#late.length > 0 && now - this.#late[0]!.at > WINDOW_MS) this.#late.shift();
    this.#late.push({ at: now, ms: Math.max(0, lateMs) });
  }

  /** The worst of the last ten seconds, in ms. */
  worst(now: number): number {
    return this.#recent(now).reduce((worst, { ms }) => Math.max(worst, ms), 0);
  }

  /** False: an interval of this length cannot be kept here. */
  keeps(intervalMs: number, now: number): boolean {
    const limitMs = Math.max(intervalMs, MIN_LATE_MS);
    return this.#recent(now).filter(({ ms }) => ms > limitMs).length <= MAX_LATE_BEATS;
  }

  #recent(now: number): { readonly at: number; readonly ms: number }[] {
    return this.#late.filter(({ at }) => now - at <= WINDOW_MS);
  }
}
