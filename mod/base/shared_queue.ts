/**
 * Bounded first-in-first-out queues over all workers, one per pool, of requests that wait for a place on a server.
 *
 * Every worker owns a block of entries in shared memory, which only it takes and frees; an entry is its waiter's
 * ticket. The waiting entries of a pool form a doubly linked list under the pool's spin lock. A grant takes the
 * place on behalf of the waiter's worker, pushes the entry on that worker's mailbox (a stack that is emptied as a
 * whole, so it needs no lock and cannot overflow) and rings its bell. Grants are never lost: what a waiter that
 * gave up was granted comes back to it from `cancel`, and what a dead worker was granted counts as held by it.
 * Threads must do things in this order: enqueue, then look for free places; release, then look for waiters.
 * It must not know policies or which servers are eligible.
 */
import { Bell } from "./bell.ts";
import type { ServerSlots } from "./slots.ts";
import { lock, seizeLock, unlock } from "./spin_lock.ts";

/** One request in the queue; the queue owns `ticket`, which is -1 while the waiter is not in any. */
export interface Waiter {
  ticket: number;
  /** A place on this slot is yours, already counted. Called from the worker's event loop, never from `enqueue`. */
  onGranted(slot: number): void;
}

/** What may be granted: a place on `slot`, of which at most `max` (0: no limit) are given out. */
export interface Place {
  readonly slot: number;
  readonly max: number;
  /** The slot's tier, and whether it is the one that requests without a history get. */
  readonly tier: number;
  readonly open: boolean;
  /** Fingerprints of the pool's servers, and of those before a reload if the slot was among them. */
  readonly members: number;
  readonly former: number;
}

/** What a waiter can use. */
export interface Wish {
  readonly tier: number;
  /** Slots it has tried. */
  readonly tried: readonly number[];
  /** Fingerprint of the servers it knows; a place on any other would be of no use to it. */
  readonly members: number;
  /** The one slot that it waits for, as long as that keeps its sessions; absent: any. */
  readonly only?: number;
}

/** Gives free places of a pool to those who wait for it. */
export interface QueueServer {
  /** Looks at one slot only. */
  serve(slot: number): void;
  serveAll(): void;
}

/** Entries a worker has for all its pools. 512 KiB; HAProxy has no such bound by default. */
export const WAITERS_PER_WORKER = 8192;
/** Servers an entry remembers as tried; of more than that the last ones count. */
export const TRIED_KEPT = 6;

/** `cancel` found nothing to cancel. */
export const NOT_WAITING = -2;
/** `cancel` took the waiter out before it was granted anything. */
export const CANCELLED = -1;

/** Words of a pool's row, a worker's row and an entry: one cache line of 64 bytes. */
const ROW = 16;
const LOCK = 0, FIRST = 1, LAST = 2, COUNT = 3, ORDER = 4;
const MAIL = 0, BELL = 1, WAKE = 2;
const STATE = 0, POOL = 1, PREVIOUS = 2, NEXT = 3, SLOT = 4, NEXT_MAIL = 5, TIER = 6, PLACE_IN_LINE = 7;
const MEMBERS = 8, TRIED_COUNT = 9, TRIED = 10;
/** In place of a number of tried slots: the one that follows is the only one that is wanted. */
const ONLY = -1;
const FREE = 0, WAITING = 1, GRANTED = 2;

export interface QueueSize {
  readonly pools: number;
  /** Threads with a block of entries, a mailbox and a bell. */
  readonly workers: number;
  readonly waiters: number;
}

export class SharedQueue {
  readonly #words: Int32Array;
  readonly #size: QueueSize;
  readonly #worker: number;
  readonly #slots: ServerSlots;
  readonly #bells: readonly Bell[];
  /** Own waiters by number of the entry in the own block; null: gave up or took its grant, still in the mailbox. */
  readonly #waiters: (Waiter | null)[];
  /** Own entries that are free, as a stack. */
  readonly #free: Int32Array;
  #freeCount: number;
  #wakeSeen = 0;
  readonly #servers = new Map<number, QueueServer>();

  static byteLength(size: QueueSize): number {
    return 4 * ROW * (size.pools + size.workers + size.workers * size.waiters);
  }

  /** `worker` is the number of this thread; its block must be fresh or reclaimed. */
  constructor(memory: SharedArrayBuffer, size: QueueSize, worker: number, slots: ServerSlots) {
    this.#words = new Int32Array(memory);
    this.#size = size;
    this.#worker = worker;
    this.#slots = slots;
    this.#bells = Array.from(
      { length: size.workers },
      (_, at) => new Bell(this.#words, this.#mailbox(at) + BELL),
    );
    this.#waiters = new Array<Waiter | null>(size.waiters).fill(null);
    this.#free = Int32Array.from({ length: size.waiters }, (_, at) => size.waiters - 1 - at);
    this.#freeCount = size.waiters;
    this.#wakeSeen = Atomics.load(this.#words, this.#mailbox(worker) + WAKE);
  }

  /** How many wait for this pool, in all workers. */
  waiting(pool: number): number {
    return Atomics.load(this.#words, pool * ROW + COUNT);
  }

  /**
   * Puts the waiter at the end of the pool's queue, of `limit` at most. False: no room.
   * The caller must then look for free places, as one may have come free before it was in line.
   */
  enqueue(pool: number, waiter: Waiter, wish: Wish, limit: number): boolean {
    if (this.#freeCount === 0) return false;
    const words = this.#words;
    const row = pool * ROW;
    lock(words, row + LOCK, this.#worker);
    if (Atomics.load(words, row + COUNT) >= limit) {
      unlock(words, row + LOCK);
      return false;
    }
    const own = this.#free[--this.#freeCount]!;
    const entry = this.#worker * this.#size.waiters + own;
    const at = this.#entry(entry);
    words[at + POOL] = pool;
    words[at + SLOT] = -1;
    words[at + TIER] = wish.tier;
    words[at + MEMBERS] = wish.members;
    words[at + PLACE_IN_LINE] = words[row + ORDER]!;
    words[row + ORDER] = (words[row + ORDER]! + 1) | 0;
    this.#noteTried(at, wish);
    this.#append(row, entry);
    this.#waiters[own] = waiter;
    waiter.ticket = entry;
    Atomics.add(words, row + COUNT, 1);
    unlock(words, row + LOCK);
    return true;
  }

  /** Gives the place to the longest waiter that may have it. False: no such waiter, or no place was free. */
  grant(pool: number, place: Place): boolean {
    const words = this.#words;
    const row = pool * ROW;
    if (place.max !== 0 && this.#slots.active(place.slot) >= place.max) return false;
    if (this.waiting(pool) === 0) return false;
    lock(words, row + LOCK, this.#worker);
    let entry = words[row + FIRST]! - 1;
    while (entry >= 0 && !this.#wants(entry, place)) entry = words[this.#entry(entry) + NEXT]! - 1;
    const worker = Math.floor(entry / this.#size.waiters);
    const granted = entry >= 0 && this.#slots.acquire(place.slot, place.max, worker);
    if (granted) {
      this.#unlink(row, entry);
      words[this.#entry(entry) + SLOT] = place.slot;
      Atomics.store(words, this.#entry(entry) + STATE, GRANTED);
      this.#post(worker, entry);
    }
    unlock(words, row + LOCK);
    if (granted) this.#bells[worker]!.ring();
    return granted;
  }

  /** The slot that a waiter of this thread was granted but has not been told of, or -1. */
  granted(waiter: Waiter): number {
    const at = this.#entry(waiter.ticket);
    return Atomics.load(this.#words, at + STATE) === GRANTED ? this.#words[at + SLOT]! : -1;
  }

  /** Takes what `granted` says: the place is the caller's, and `onGranted` does not come. */
  take(waiter: Waiter): void {
    this.#forget(waiter);
  }

  /**
   * Takes a waiter of this thread out. `CANCELLED`, or `NOT_WAITING` when it is not in a queue, or (≥ 0) the slot
   * that it had just been granted: its place is now the caller's to release. `onGranted` does not come in any case.
   */
  cancel(waiter: Waiter): number {
    if (waiter.ticket < 0) return NOT_WAITING;
    const words = this.#words;
    const at = this.#entry(waiter.ticket);
    const row = words[at + POOL]! * ROW;
    lock(words, row + LOCK, this.#worker);
    const waiting = words[at + STATE] === WAITING;
    if (waiting) this.#unlink(row, waiter.ticket);
    unlock(words, row + LOCK);
    const own = this.#forget(waiter);
    // The entry itself is freed when it comes out of the mailbox.
    if (!waiting) return words[at + SLOT]!;
    words[at + STATE] = FREE;
    this.#free[this.#freeCount++] = own;
    return CANCELLED;
  }

  /** Hands the grants in this thread's mailbox to their waiters, first come first. For tests; see `listen`. */
  drain(): void {
    const words = this.#words;
    const mailbox = this.#mailbox(this.#worker);
    let entry = this.#reverse(Atomics.exchange(words, mailbox + MAIL, 0) - 1);
    while (entry >= 0) {
      const at = this.#entry(entry);
      const next = words[at + NEXT_MAIL]! - 1;
      const own = entry - this.#worker * this.#size.waiters;
      const waiter = this.#waiters[own]!;
      const slot = words[at + SLOT]!;
      this.#waiters[own] = null;
      words[at + STATE] = FREE;
      this.#free[this.#freeCount++] = own;
      if (waiter !== null) {
        waiter.ticket = -1;
        waiter.onGranted(slot);
      }
      entry = next;
    }
    const wake = Atomics.load(words, mailbox + WAKE);
    if (wake === this.#wakeSeen) return;
    this.#wakeSeen = wake;
    for (const [pool, server] of this.#servers) if (this.waiting(pool) > 0) server.serveAll();
  }

  /** Delivers grants as they come, until `stop`. */
  listen(): Promise<void> {
    return this.#bells[this.#worker]!.listen(() => this.drain());
  }

  stop(): void {
    this.#bells[this.#worker]!.stop();
  }

  /** Names who serves a pool in this thread: the newest, as a reload makes a new one while the old still runs. */
  servedBy(pool: number, server: QueueServer): void {
    this.#servers.set(pool, server);
  }

  /** Who serves the pool in this thread now. */
  server(pool: number): QueueServer | undefined {
    return this.#servers.get(pool);
  }

  /** Has every thread look for free places: after a server came back, a limit rose or a worker was reclaimed. */
  wakeAll(): void {
    for (let worker = 0; worker < this.#size.workers; worker++) {
      Atomics.add(this.#words, this.#mailbox(worker) + WAKE, 1);
      this.#bells[worker]!.ring();
    }
  }

  /**
   * Control thread: takes the entries of a worker out that is no more, so that nothing is granted to it any longer.
   * Before `ServerSlots.reclaim`, which then gives back what it had been granted.
   */
  reclaim(worker: number): void {
    const words = this.#words;
    const { pools, waiters } = this.#size;
    for (let pool = 0; pool < pools; pool++) {
      const row = pool * ROW;
      const seized = seizeLock(words, row + LOCK, worker, this.#worker);
      if (!seized) lock(words, row + LOCK, this.#worker);
      // A list whose lock was seized may be torn, so it is built anew like one that has entries of the dead.
      if (seized || this.waiting(pool) > 0) this.#rebuild(pool, worker);
      unlock(words, row + LOCK);
    }
    for (let own = 0; own < waiters; own++) words[this.#entry(worker * waiters + own) + STATE] = FREE;
    Atomics.store(words, this.#mailbox(worker) + MAIL, 0);
  }

  #noteTried(at: number, { tried, only }: Wish): void {
    const words = this.#words;
    const skip = Math.max(0, tried.length - TRIED_KEPT);
    words[at + TRIED_COUNT] = tried.length - skip;
    for (let i = skip; i < tried.length; i++) words[at + TRIED + i - skip] = tried[i]!;
    if (only === undefined) return;
    words[at + TRIED_COUNT] = ONLY;
    words[at + TRIED] = only;
  }

  /** True when this waiter may have this place: of a tier it may use, on a server it knows and has not tried. */
  #wants(entry: number, place: Place): boolean {
    const at = this.#entry(entry);
    if (this.#words[at + TRIED_COUNT] === ONLY) {
      const only = this.#words[at + TRIED]!;
      // Once that server has lost its sessions, any other is as good.
      if (only === place.slot || this.#slots.keeps(only)) return only === place.slot;
    }
    if (!place.open && this.#words[at + TIER] !== place.tier) return false;
    const members = this.#words[at + MEMBERS]!;
    if (members !== place.members && members !== place.former) return false;
    const tried = this.#words[at + TRIED_COUNT]!;
    for (let i = 0; i < tried; i++) if (this.#words[at + TRIED + i] === place.slot) return false;
    return true;
  }

  #append(row: number, entry: number): void {
    const words = this.#words;
    const at = this.#entry(entry);
    const last = words[row + LAST]!;
    words[at + PREVIOUS] = last;
    words[at + NEXT] = 0;
    if (last === 0) words[row + FIRST] = entry + 1;
    else words[this.#entry(last - 1) + NEXT] = entry + 1;
    words[row + LAST] = entry + 1;
    Atomics.store(words, at + STATE, WAITING);
  }

  #unlink(row: number, entry: number): void {
    const words = this.#words;
    const previous = words[this.#entry(entry) + PREVIOUS]!;
    const next = words[this.#entry(entry) + NEXT]!;
    if (previous === 0) words[row + FIRST] = next;
    else words[this.#entry(previous - 1) + NEXT] = next;
    if (next === 0) words[row + LAST] = previous;
    else words[this.#entry(next - 1) + PREVIOUS] = previous;
    Atomics.sub(words, row + COUNT, 1);
  }

  /** Pushes a granted entry on its worker's mailbox. */
  #post(worker: number, entry: number): void {
    const words = this.#words;
    const mailbox = this.#mailbox(worker) + MAIL;
    let head = Atomics.load(words, mailbox);
    while (true) {
      words[this.#entry(entry) + NEXT_MAIL] = head;
      const found = Atomics.compareExchange(words, mailbox, head, entry + 1);
      if (found === head) return;
      head = found;
    }
  }

  /** Turns a mailbox, last come first, round; answers its new head. */
  #reverse(entry: number): number {
    let reversed = -1;
    while (entry >= 0) {
      const at = this.#entry(entry) + NEXT_MAIL;
      const next = this.#words[at]! - 1;
      this.#words[at] = reversed + 1;
      reversed = entry;
      entry = next;
    }
    return reversed;
  }

  #forget(waiter: Waiter): number {
    const own = waiter.ticket - this.#worker * this.#size.waiters;
    this.#waiters[own] = null;
    waiter.ticket = -1;
    return own;
  }

  /** Links all waiting entries of a pool anew, in their order, without those of `dead`. */
  #rebuild(pool: number, dead: number): void {
    const words = this.#words;
    const row = pool * ROW;
    const { workers, waiters } = this.#size;
    const entries: number[] = [];
    for (let entry = 0; entry < workers * waiters; entry++) {
      if (entry >= dead * waiters && entry < (dead + 1) * waiters) continue;
      const at = this.#entry(entry);
      if (words[at + STATE] === WAITING && words[at + POOL] === pool) entries.push(entry);
    }
    const order = (entry: number) => words[this.#entry(entry) + PLACE_IN_LINE]!;
    const now = words[row + ORDER]!;
    // Counted back from the newest, so that the wrap of the 32-bit order does not matter.
    entries.sort((a, b) => ((now - order(b)) >>> 0) - ((now - order(a)) >>> 0));
    words[row + FIRST] = 0;
    words[row + LAST] = 0;
    for (const entry of entries) this.#append(row, entry);
    Atomics.store(words, row + COUNT, entries.length);
  }

  #mailbox(worker: number): number {
    return (this.#size.pools + worker) * ROW;
  }

  #entry(entry: number): number {
    return (this.#size.pools + this.#size.workers + entry) * ROW;
  }
}
