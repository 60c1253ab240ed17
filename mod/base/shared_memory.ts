/**
 * The memory that the threads of a balancer share from start to end, made by the control thread and handed to the
 * workers. What comes and goes with the configuration (the tables of sessions) is handed over with it.
 *
 * The handle is plain data with `SharedArrayBuffer`s, so it crosses to a worker by message. The operating system
 * gives the memory only as it is touched, so generous sizes cost nothing. The control thread counts and acquires
 * like a worker and therefore has a block of its own after theirs. It must not know what the parts are used for.
 */
import { CacheMemory } from "./cache_memory.ts";
import { Breakers } from "./breaker.ts";
import { Counters } from "./counters.ts";
import { SharedQueue, WAITERS_PER_WORKER } from "./shared_queue.ts";
import { ServerSlots } from "./slots.ts";

/** Servers of all pools. */
export const SERVER_CAPACITY = 4096;
export const LISTENER_CAPACITY = 256;
export const POOL_CAPACITY = 1024;
/** Routes that are counted by themselves. */
export const ROUTE_CAPACITY = 256;
/** In place of a worker's number: the control thread. */
export const CONTROL_THREAD = -1;

export interface SharedMemorySize {
  /** Data workers. */
  readonly workers: number;
  readonly servers: number;
  readonly listeners: number;
  readonly pools: number;
  /** Routes that are counted by themselves; absent: none is. */
  readonly routes?: number;
  readonly waitersPerWorker?: number;
}

/** A structured-cloneable handle. */
export interface SharedMemory {
  readonly size: Required<SharedMemorySize>;
  readonly slots: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  readonly queue: SharedArrayBuffer;
  readonly cache: SharedArrayBuffer;
  readonly breakers: SharedArrayBuffer;
}

/** The parts as one thread sees them. */
export interface OpenMemory {
  readonly slots: ServerSlots;
  readonly counters: Counters;
  readonly queue: SharedQueue;
  readonly cache: CacheMemory;
  readonly breakers: Breakers;
}

export function createSharedMemory(size: SharedMemorySize): SharedMemory {
  const full = { waitersPerWorker: WAITERS_PER_WORKER, routes: 0, ...size };
  const threads = size.workers + 1;
  return {
    size: full,
    slots: new SharedArrayBuffer(ServerSlots.byteLength(size.servers, threads)),
    counters: new SharedArrayBuffer(Counters.byteLength(countersSize(full))),
    queue: new SharedArrayBuffer(SharedQueue.byteLength(queueSize(full))),
    cache: new SharedArrayBuffer(CacheMemory.byteLength(threads)),
    breakers: new SharedArrayBuffer(Breakers.byteLength(size.pools)),
  };
}

/** `worker` from 0, or `CONTROL_THREAD`. A worker's successor opens it anew after `reclaimWorker`. */
export function openSharedMemory(memory: SharedMemory, worker: number): OpenMemory {
  const { size } = memory;
  const thread = worker === CONTROL_THREAD ? size.workers : worker;
  const slots = new ServerSlots(memory.slots, size.servers, thread);
  return {
    slots,
    counters: new Counters(memory.counters, countersSize(size), thread),
    breakers: new Breakers(memory.breakers),
    queue: new SharedQueue(memory.queue, queueSize(size), thread, slots),
    cache: new CacheMemory(memory.cache, thread),
  };
}

/**
 * Control thread: gives back all that a worker held that is no more. After the worker has ended, before its successor
 * starts. Answers how many connections it held.
 */
export function reclaimWorker(open: OpenMemory, worker: number): number {
  open.queue.reclaim(worker);
  open.counters.reclaim(worker);
  open.cache.reclaim(worker);
  const held = open.slots.reclaim(worker);
  open.queue.wakeAll();
  return held;
}

/** The rows of pools come first, then those of routes, then the one of all other routes. */
function countersSize({ servers, listeners, pools, routes, workers }: Required<SharedMemorySize>) {
  return { servers, listeners, traffic: pools + routes + 1, workers: workers + 1 };
}

function queueSize(size: Required<SharedMemorySize>) {
  return { pools: size.pools, workers: size.workers + 1, waiters: size.waitersPerWorker };
}
