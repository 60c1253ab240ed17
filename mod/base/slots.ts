/**
 * The servers in shared memory: state, effective weight and what is under way, one row per server slot.
 *
 * The control thread sets state, weight and limit; every change raises one version word, so that workers may cache what
 * they derive from all rows and look at a single word per request. Workers count connections in and out. Beside
 * the total each worker has a count of its own, so that what a crashed worker held can be given back. A row fills
 * one cache line, as rows are written from all cores. It must not know pools, policies or queues.
 */

/** Effective weights count in 1/256 of a configured weight unit, so that slow start can be fine. */
export const WEIGHT_UNIT = 256;

export type AdminState = "ready" | "drain" | "maint";

const UP = 1;
const EJECTED = 2;
const DRAIN = 4;
const MAINT = 8;
const ADMIN = DRAIN | MAINT;
const ADMIN_BITS: Record<AdminState, number> = { ready: 0, drain: DRAIN, maint: MAINT };

/** Words of a row, and of the head before the rows: one cache line of 64 bytes. */
const ROW = 16;
const VERSION = 0;
const STATE = 0;
const WEIGHT = 1;
const ACTIVE = 2;
const LIMIT = 3;

export class ServerSlots {
  /** Servers that fit. */
  readonly capacity: number;
  readonly #words: Int32Array;
  readonly #worker: number;

  /** Bytes needed for `capacity` servers and `workers` threads that acquire. */
  static byteLength(capacity: number, workers: number): number {
    return 4 * (ROW + capacity * ROW + capacity * workers);
  }

  /** `worker` is the number of this thread, whose count `acquire` and `release` keep. */
  constructor(memory: SharedArrayBuffer, capacity: number, worker: number) {
    this.#words = new Int32Array(memory);
    this.capacity = capacity;
    this.#worker = worker;
  }

  /** Changes whenever the state, weight or limit of any slot does. */
  version(): number {
    return Atomics.load(this.#words, VERSION);
  }

  /** Up, not ejected and not in drain or maint: may get new requests. */
  available(slot: number): boolean {
    return (Atomics.load(this.#words, this.#row(slot) + STATE) & (UP | EJECTED | ADMIN)) === UP;
  }

  /** Up, not ejected and not in maint: may get requests of the sessions that it has. */
  keeps(slot: number): boolean {
    return (Atomics.load(this.#words, this.#row(slot) + STATE) & (UP | EJECTED | MAINT)) === UP;
  }

  /** The health check's answer. */
  up(slot: number): boolean {
    return (Atomics.load(this.#words, this.#row(slot) + STATE) & UP) !== 0;
  }

  /** Taken out by the passive check. */
  ejected(slot: number): boolean {
    return (Atomics.load(this.#words, this.#row(slot) + STATE) & EJECTED) !== 0;
  }

  admin(slot: number): AdminState {
    const bits = Atomics.load(this.#words, this.#row(slot) + STATE) & ADMIN;
    return bits === 0 ? "ready" : bits === DRAIN ? "drain" : "maint";
  }

  /** Effective weight in 1/256 of a configured weight unit. */
  weight(slot: number): number {
    return Atomics.load(this.#words, this.#row(slot) + WEIGHT);
  }

  /** Most that may be under way, in the place of what is configured; 0: as configured. */
  limit(slot: number): number {
    return Atomics.load(this.#words, this.#row(slot) + LIMIT);
  }

  /** Requests or connections under way, over all workers. */
  active(slot: number): number {
    return Atomics.load(this.#words, this.#row(slot) + ACTIVE);
  }

  /** What `worker` alone has under way. */
  held(slot: number, worker: number): number {
    return Atomics.load(this.#words, this.#held(slot, worker));
  }

  /** Control thread: gives the slot to a server that is new; it is ready and not ejected. `weight` in 1/256. */
  assign(slot: number, weight: number, up: boolean): void {
    Atomics.store(this.#words, this.#row(slot) + WEIGHT, weight);
    Atomics.store(this.#words, this.#row(slot) + STATE, up ? UP : 0);
    this.#changed();
  }

  /** Control thread. */
  setUp(slot: number, up: boolean): void {
    this.#setState(slot, UP, up ? UP : 0);
  }

  /** Control thread. */
  setEjected(slot: number, ejected: boolean): void {
    this.#setState(slot, EJECTED, ejected ? EJECTED : 0);
  }

  /** Control thread. */
  setAdmin(slot: number, admin: AdminState): void {
    this.#setState(slot, ADMIN, ADMIN_BITS[admin]);
  }

  /** Control thread; in 1/256 of a configured weight unit. */
  setWeight(slot: number, weight: number): void {
    if (Atomics.exchange(this.#words, this.#row(slot) + WEIGHT, weight) !== weight) this.#changed();
  }

  /** Control thread; 0: as configured. */
  setLimit(slot: number, limit: number): void {
    if (Atomics.exchange(this.#words, this.#row(slot) + LIMIT, limit) !== limit) this.#changed();
  }

  /**
   * Counts one more under way. False: `max` (0: no limit) are already, nothing was counted. `worker` is who will
   * release it, another thread when a place is handed over.
   */
  acquire(slot: number, max: number, worker: number = this.#worker): boolean {
    const at = this.#row(slot) + ACTIVE;
    if (max === 0) Atomics.add(this.#words, at, 1);
    else {
      let active = Atomics.load(this.#words, at);
      while (true) {
        if (active >= max) return false;
        const found = Atomics.compareExchange(this.#words, at, active, active + 1);
        if (found === active) break;
        active = found;
      }
    }
    Atomics.add(this.#words, this.#held(slot, worker), 1);
    return true;
  }

  /** Counts one less under way; answers how many remain. Releasing what is not held is an error of ours. */
  release(slot: number): number {
    const held = this.#held(slot, this.#worker);
    if (Atomics.sub(this.#words, held, 1) <= 0) {
      Atomics.add(this.#words, held, 1);
      throw new Error(`Cannot release server slot ${slot} as worker ${this.#worker} holds none of it`);
    }
    return Atomics.sub(this.#words, this.#row(slot) + ACTIVE, 1) - 1;
  }

  /** Control thread: gives back all that a worker held that is no more; answers how many. */
  reclaim(worker: number): number {
    let total = 0;
    for (let slot = 0; slot < this.capacity; slot++) {
      const held = Atomics.exchange(this.#words, this.#held(slot, worker), 0);
      if (held === 0) continue;
      Atomics.sub(this.#words, this.#row(slot) + ACTIVE, held);
      total += held;
    }
    return total;
  }

  #setState(slot: number, mask: number, bits: number): void {
    const at = this.#row(slot) + STATE;
    const before = Atomics.load(this.#words, at);
    const after = before & ~mask | bits;
    if (before === after) return;
    Atomics.store(this.#words, at, after);
    this.#changed();
  }

  #changed(): void {
    Atomics.add(this.#words, VERSION, 1);
  }

  #row(slot: number): number {
    return ROW + slot * ROW;
  }

  #held(slot: number, worker: number): number {
    return ROW + this.capacity * ROW + worker * this.capacity + slot;
  }
}
