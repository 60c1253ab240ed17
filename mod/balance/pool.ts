/**
 * Chooses a server of one pool for the requests of one worker, and takes and gives back places on servers.
 *
 * The view says who may be chosen, the policy chooses, the slots count, and the shared queue holds those who wait
 * because every server is full. Requests do not overtake waiters. Nothing is allocated for a request that need not
 * wait. It must not know sessions, sockets or what a request is.
 */
import type { ServerSlots } from "../base/slots.ts";
import {
  NOT_WAITING,
  type QueueServer,
  type SharedQueue,
  type Waiter,
  type Wish,
} from "../base/shared_queue.ts";
import type { PoolSnapshot, ServerSnapshot } from "../config/snapshot.ts";
import type { Policy } from "./policy.ts";
import { POLICIES } from "./table.ts";
import { PoolView } from "./view.ts";

export type { Waiter };

/** No server is available that was not tried. */
export const NO_SERVER = -1;
/** Every server is full; the waiter is in the queue. */
export const QUEUED = -2;
/** Every server is full and so is the queue. */
export const QUEUE_FULL = -3;
/** Not for callers: nothing was queued. */
const NOT_IN_LINE = -4;
/** Of a place that is for none but those who wait for this one server. */
const NOBODYS_TIER = -1;
const NO_SLOTS: readonly number[] = [];

export interface PoolEnv {
  readonly slots: ServerSlots;
  readonly queue: SharedQueue;
  /** Number of this worker, from 0. */
  readonly worker: number;
  readonly random: () => number;
  /** This pool before a reload: its policy's state goes on. */
  readonly previous?: PoolBalancer;
}

export class PoolBalancer implements QueueServer {
  readonly pool: PoolSnapshot;
  readonly #slots: ServerSlots;
  readonly #queue: SharedQueue;
  readonly #view: PoolView;
  readonly #policy: Policy;
  /** For each server, the fingerprint of the pool before a reload if it was in it. */
  readonly #former: Int32Array;
  /** One for all grants, as they are many and short-lived. */
  readonly #place = { slot: 0, max: 0, tier: 0, open: false, members: 0, former: 0 };

  constructor(pool: PoolSnapshot, env: PoolEnv) {
    this.pool = pool;
    this.#slots = env.slots;
    this.#queue = env.queue;
    this.#view = new PoolView(pool, env.slots);
    this.#former = new Int32Array(pool.servers.length).fill(this.#view.members);
    this.#policy = POLICIES[pool.balance]({
      keys: pool.servers.map(serverKey),
      weights: pool.servers.map((server) => server.weight),
      random: env.random,
      ring: pool.hashMethod === "ring",
      worker: env.worker,
    });
    if (env.previous !== undefined) this.#adopt(env.previous);
    env.queue.servedBy(pool.row, this);
    this.serveAll();
  }

  /**
   * Takes a place on a server: its index in `pool.servers`, or `NO_SERVER`, `QUEUED`, `QUEUE_FULL`. `hash` is 32
   * bits without a sign; `tried` are slots. When queued, the place comes with `waiter.onGranted(slot)`, a
   * slot of this pool. Without a waiter nothing is queued.
   */
  acquire(hash: number, tried: readonly number[], now: number, waiter: Waiter | null): number {
    this.#refresh();
    if (!this.#view.select(tried)) return NO_SERVER;
    if (this.#queue.waiting(this.pool.row) === 0) {
      const index = this.#take(hash, now);
      if (index >= 0) return index;
    }
    return this.#enqueue(hash, tried, now, waiter);
  }

  /**
   * Takes a place on the server at `index` and no other, which may be in drain, for a request of a session that is
   * on it. Answers as `acquire`; `NO_SERVER`: it must not be used.
   */
  acquireAt(index: number, waiter: Waiter | null): number {
    this.#refresh();
    const view = this.#view;
    if (!view.keeps(index)) return NO_SERVER;
    const slot = view.slot(index), max = view.max(index);
    // Who waits for any server waits for one with a limit.
    const first = max === 0 || this.#queue.waiting(this.pool.row) === 0;
    if (first && this.#slots.acquire(slot, max)) return index;
    const queued = this.#line(waiter, {
      tier: view.best,
      tried: NO_SLOTS,
      members: view.members,
      only: slot,
    });
    if (queued !== NOT_IN_LINE) return queued;
    return this.#slots.acquire(slot, max) ? index : QUEUE_FULL;
  }

  /** Gives a place back; the longest waiter of any worker gets it. */
  release(slot: number, _now?: number): void {
    this.#slots.release(slot);
    if (this.#queue.waiting(this.pool.row) === 0) return;
    this.serve(slot);
    // Those who came after a reload know other servers, and their pool may share this slot.
    const newest = this.#queue.server(this.pool.row);
    if (newest !== this) newest?.serve(slot);
  }

  /** Takes a waiter out of the queue; `onGranted` then does not come. False: it was not in the queue. */
  cancel(waiter: Waiter): boolean {
    const slot = this.#queue.cancel(waiter);
    if (slot >= 0) this.release(slot);
    return slot !== NOT_WAITING;
  }

  /** The response (its head) or the connection of the server at `index` came after `latencyMs`. */
  observe(index: number, latencyMs: number, now: number): void {
    this.#policy.observe?.(index, latencyMs, now);
  }

  /** True when the server with this slot may serve what it serves already, which one in drain may. */
  keeps(slot: number): boolean {
    this.#refresh();
    const index = this.#view.indexOf(slot);
    return index >= 0 && this.#view.keeps(index);
  }

  /** Requests or connections under way at all of its servers. */
  get active(): number {
    let active = 0;
    for (let index = 0; index < this.#view.size; index++) active += this.#view.active(index);
    return active;
  }

  /** Index of the server with this slot, or -1. */
  indexOf(slot: number): number {
    return this.#view.indexOf(slot);
  }

  /** Gives what is free on a slot of this pool to those who wait. */
  serve(slot: number): void {
    this.#refresh();
    const index = this.#view.indexOf(slot);
    if (index >= 0) this.#serve(index);
  }

  /** Gives all that is free to those who wait. */
  serveAll(): void {
    if (this.#view.refresh()) this.#policy.reweigh?.(this.#view);
    if (this.#queue.waiting(this.pool.row) === 0) return;
    for (let index = 0; index < this.#view.size; index++) this.#serve(index);
  }

  #refresh(): void {
    if (this.#view.stale()) this.serveAll();
  }

  /** Picks and counts; another worker may take a server's last place in between, then again. */
  #take(hash: number, now: number): number {
    const view = this.#view;
    while (true) {
      const index = this.#policy.pick(view, hash, now);
      if (index < 0 || this.#slots.acquire(view.slot(index), view.max(index))) return index;
    }
  }

  #enqueue(hash: number, tried: readonly number[], now: number, waiter: Waiter | null): number {
    const view = this.#view;
    const queued = this.#line(waiter, { tier: view.current, tried, members: view.members });
    if (queued !== NOT_IN_LINE) return queued;
    const index = this.#take(hash, now);
    return index >= 0 ? index : QUEUE_FULL;
  }

  /** Puts the waiter in line: the index of the server that it got at once, `QUEUED` or `NOT_IN_LINE`. */
  #line(waiter: Waiter | null, wish: Wish): number {
    const { row, queue: { size } } = this.pool;
    const queued = waiter !== null && this.#queue.enqueue(row, waiter, wish, size);
    // A place may have come free before we were in line; and those in line come first.
    this.serveAll();
    if (!queued) return NOT_IN_LINE;
    const slot = this.#queue.granted(waiter);
    if (slot < 0) return QUEUED;
    this.#queue.take(waiter);
    return this.#view.indexOf(slot);
  }

  #serve(index: number): void {
    const view = this.#view;
    const usable = view.usable(index);
    if (!usable && !view.keeps(index)) return;
    const place = this.#place;
    place.slot = view.slot(index);
    place.max = view.max(index);
    // One in drain is for those who wait for it alone.
    place.tier = usable ? view.tier(index) : NOBODYS_TIER;
    place.open = view.open(index);
    place.members = view.members;
    place.former = this.#former[index]!;
    while (this.#queue.grant(this.pool.row, place));
  }

  /** Goes on from the balancer before a reload. */
  #adopt(previous: PoolBalancer): void {
    const from = this.pool.servers.map((server) => previous.indexOf(server.slot));
    from.forEach((old, index) => this.#former[index] = old < 0 ? this.#view.members : previous.#view.members);
    this.#policy.adopt?.(previous.#policy, from);
  }
}

/** What tells a server apart from others on every node. */
function serverKey(server: ServerSnapshot): string {
  return `${server.name} ${server.host} ${server.port}`;
}
