/**
 * The pulse of the election: beats by a timer, shows how punctual this process is, and tells when it stood still.
 *
 * It must not know what follows from a stall.
 */
import { TimerLag } from "../../vrrp/timer_lag.ts";

/** The pulse follows the shortest interval, within these. */
const MIN_PULSE_MS = 20;
const MAX_PULSE_MS = 250;

export interface ElectionPulseEvents {
  /** Nothing could happen for `stoodMs`. */
  readonly onStall: (stoodMs: number) => void;
  readonly onBeat: () => void;
}

export class ElectionPulse {
  readonly #events: ElectionPulseEvents;
  readonly #lag = new TimerLag(MAX_PULSE_MS, performance.now());
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(events: ElectionPulseEvents) {
    this.#events = events;
  }

  /** By how much a beat of the last ten seconds was late at the most, in milliseconds. */
  get worstMs(): number {
    return this.#lag.worst(performance.now());
  }

  /** False: an interval of this length cannot be kept here. */
  keeps(intervalMs: number): boolean {
    return this.#lag.keeps(intervalMs, performance.now());
  }

  /** Beats fast enough for the shortest of these. */
  follow(intervalsMs: readonly number[]): void {
    this.#lag.pulseMs = Math.max(MIN_PULSE_MS, Math.min(MAX_PULSE_MS, ...intervalsMs));
  }

  start(): void {
    this.#beat(performance.now() + this.#lag.pulseMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Before anything else that happens: did this process stand still? */
  wake(): void {
    const stoodMs = this.#lag.awake(performance.now());
    if (stoodMs > 0) this.#events.onStall(stoodMs);
  }

  #beat(dueAt: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      const now = performance.now();
      this.#lag.beat(now - dueAt, now);
      this.wake();
      this.#events.onBeat();
      this.#beat(Math.max(dueAt + this.#lag.pulseMs, now));
    }, Math.max(0, dueAt - performance.now()));
  }
}
