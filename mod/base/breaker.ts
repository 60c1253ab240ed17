/**
 * The breaker of a pool: it refuses requests while the pool as a whole fails, and lets a few through to see whether it
 * still does.
 *
 * One for all workers, in shared memory, a row a pool. Closed, it counts attempts in windows; open, it refuses for a
 * while; half open, it gives tickets, and what becomes of them decides. Two workers may count past each other by a
 * few, which does no harm. Times are of the wall clock, which all threads share, in milliseconds. Pure.
 */

export interface BreakerTerms {
  /** Share of attempts in the window that may not fail; 0: it never opens. */
  readonly failures: number;
  /** Fewest attempts in the window before the share counts. */
  readonly minRequests: number;
  readonly windowMs: number;
  readonly openForMs: number;
  /** Requests that get through, and have to succeed, before all do. */
  readonly trials: number;
}

export type BreakerState = "closed" | "open" | "halfOpen";

const STATES: readonly BreakerState[] = ["closed", "open", "halfOpen"];
const CLOSED = 0, OPEN = 1, HALF_OPEN = 2;

/** Words of a row: one cache line. */
const ROW = 16;
const STATE = 0;
/** When this state, or this window, began; of the clock the lowest 32 bits. */
const SINCE = 1;
/** Attempts in the window; half open: tickets left. */
const ATTEMPTS = 2;
/** Failures in the window; half open: good answers. */
const OUTCOMES = 3;
/** How often it has opened. */
const OPENED = 4;

export class Breakers {
  readonly words: Int32Array;

  static byteLength(pools: number): number {
    return 4 * ROW * pools;
  }

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
  }

  state(row: number): BreakerState {
    return STATES[Atomics.load(this.words, row * ROW + STATE)]!;
  }

  /** Since the start. */
  opened(row: number): number {
    return Atomics.load(this.words, row * ROW + OPENED);
  }

  /** The row goes to another pool. */
  clear(row: number): void {
    this.words.fill(0, row * ROW, (row + 1) * ROW);
  }
}

export class Breaker {
  readonly #words: Int32Array;
  readonly #at: number;

  /** `onChange` is told of what this thread's requests have done to the breaker. */
  constructor(
    { words }: Breakers,
    row: number,
    readonly terms: BreakerTerms,
    readonly onChange: (state: BreakerState) => void = () => {},
  ) {
    this.#words = words;
    this.#at = row * ROW;
  }

  /** True for a pool that is not spared just now, which retries ask too. */
  get closed(): boolean {
    return this.#load(STATE) === CLOSED;
  }

  /** Asked once a request: false: it is refused. */
  admits(now: number): boolean {
    const state = this.#load(STATE);
    if (state === CLOSED) return true;
    if (state === OPEN) {
      if (this.#elapsed(now) < this.terms.openForMs) return false;
      if (this.#moves(OPEN, HALF_OPEN)) this.#begin(now, this.terms.trials);
    }
    if (this.#ticket()) return true;
    // What became of the tickets nobody knows: their clients have left, or they still wait.
    const since = this.#load(SINCE);
    if (this.#elapsed(now) < this.terms.openForMs) return false;
    if (this.#exchange(SINCE, since, now | 0)) {
      Atomics.store(this.#words, this.#at + ATTEMPTS, this.terms.trials);
    }
    return this.#ticket();
  }

  /** A server of the pool has answered. */
  onSuccess(now: number): void {
    const state = this.#load(STATE);
    if (state === CLOSED) this.#count(now, false);
    else if (state === HALF_OPEN && this.#add(OUTCOMES, 1) >= this.terms.trials) {
      if (this.#moves(HALF_OPEN, CLOSED)) this.#begin(now, 0);
    }
  }

  /** An attempt at one has failed. */
  onFailure(now: number): void {
    const state = this.#load(STATE);
    if (state === HALF_OPEN) this.#open(HALF_OPEN, now);
    else if (state === CLOSED && this.#count(now, true)) this.#open(CLOSED, now);
  }

  /** Counts an attempt; true when the window now has more failures than it may. */
  #count(now: number, failed: boolean): boolean {
    const { failures, minRequests, windowMs } = this.terms;
    if (failures === 0) return false;
    const since = this.#load(SINCE);
    if (this.#elapsed(now) >= windowMs && this.#exchange(SINCE, since, now | 0)) {
      Atomics.store(this.#words, this.#at + ATTEMPTS, 0);
      Atomics.store(this.#words, this.#at + OUTCOMES, 0);
    }
    const attempts = this.#add(ATTEMPTS, 1);
    if (!failed) return false;
    return this.#add(OUTCOMES, 1) >= failures * attempts && attempts >= minRequests;
  }

  #open(from: number, now: number): void {
    if (!this.#moves(from, OPEN)) return;
    this.#add(OPENED, 1);
    this.#begin(now, 0);
  }

  #begin(now: number, tickets: number): void {
    Atomics.store(this.#words, this.#at + SINCE, now | 0);
    Atomics.store(this.#words, this.#at + OUTCOMES, 0);
    Atomics.store(this.#words, this.#at + ATTEMPTS, tickets);
  }

  #ticket(): boolean {
    if (this.#load(STATE) === CLOSED) return true;
    if (this.#load(ATTEMPTS) <= 0) return false;
    return this.#add(ATTEMPTS, -1) >= 0;
  }

  #moves(from: number, to: number): boolean {
    const moved = this.#exchange(STATE, from, to);
    if (moved) this.onChange(STATES[to]!);
    return moved;
  }

  /** A clock that was put back counts as one on which everything has elapsed. */
  #elapsed(now: number): number {
    const elapsed = (now | 0) - this.#load(SINCE) | 0;
    return elapsed < 0 ? Infinity : elapsed;
  }

  #load(word: number): number {
    return Atomics.load(this.#words, this.#at + word);
  }

  #add(word: number, n: number): number {
    return Atomics.add(this.#words, this.#at + word, n) + n;
  }

  #exchange(word: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, this.#at + word, from, to) === from;
  }
}
