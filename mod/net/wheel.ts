/**
 * One coarse timer wheel a worker, for all its deadlines. Pure: someone else turns it with the time.
 *
 * Moving a deadline later only writes a number; the entry is moved when its old bucket comes up. So a deadline
 * that is renewed with every read costs nothing. Deadlines fire up to one tick late, never early.
 */

/** Resolution in milliseconds. */
export const TICK_MS = 100;
const BUCKETS = 1024;

export interface DeadlineHandler {
  onDeadline(now: number): void;
}

/** One deadline of one owner. */
export class Timer {
  /** When to call the owner, in the wheel's milliseconds; Infinity: never. Written by `Wheel.set` and `clear`. */
  at = Infinity;
  /** Tick of the bucket that holds it, or -1. For the wheel only. */
  tick = -1;

  constructor(public owner: DeadlineHandler) {}
}

/** Owner of timers that are dropped. */
const NOBODY: DeadlineHandler = { onDeadline() {} };

export class Wheel {
  readonly #buckets: Timer[][] = Array.from({ length: BUCKETS }, () => []);
  /** Last tick that was worked off. */
  #tick: number;

  /** `onBug`: told of what an owner throws, so that one owner cannot keep the others from their deadlines. */
  constructor(now: number, readonly onBug: (error: unknown) => void = rethrow) {
    this.#tick = Math.floor(now / TICK_MS);
  }

  /** Calls `timer.owner.onDeadline` at `at` or up to a tick later. */
  set(timer: Timer, at: number): void {
    timer.at = at;
    const tick = Math.max(this.#tick + 1, Math.ceil(at / TICK_MS));
    if (timer.tick !== -1 && timer.tick <= tick) return;
    this.#insert(timer, tick);
  }

  clear(timer: Timer): void {
    timer.at = Infinity;
  }

  /** Clears it for good and lets go of its owner, as a bucket may hold the timer until the wheel has gone round. */
  drop(timer: Timer): void {
    timer.at = Infinity;
    timer.owner = NOBODY;
  }

  /** Fires everything due at `now`. A deadline set from within a call fires at the next tick at the earliest. */
  advance(now: number): void {
    const last = Math.floor(now / TICK_MS);
    while (this.#tick < last) {
      const tick = ++this.#tick;
      const bucket = this.#buckets[tick % BUCKETS]!;
      if (bucket.length === 0) continue;
      this.#buckets[tick % BUCKETS] = [];
      for (const timer of bucket) this.#visit(timer, tick, now);
    }
  }

  #visit(timer: Timer, tick: number, now: number): void {
    // An entry that was overtaken by an earlier one lies here as a leftover.
    if (timer.tick !== tick) return;
    timer.tick = -1;
    if (timer.at === Infinity) return;
    if (timer.at > now) this.#insert(timer, Math.max(this.#tick + 1, Math.ceil(timer.at / TICK_MS)));
    else {
      timer.at = Infinity;
      try {
        timer.owner.onDeadline(now);
      } catch (error) {
        this.onBug(error);
      }
    }
  }

  #insert(timer: Timer, tick: number): void {
    // Further ahead than the wheel is long: looked at again, and moved on, after one turn.
    const bounded = Math.min(tick, this.#tick + BUCKETS - 1);
    timer.tick = bounded;
    this.#buckets[bounded % BUCKETS]!.push(timer);
  }
}

function rethrow(error: unknown): never {
  throw error;
}
