/** One pool balanced by several workers over shared memory, all in this thread, for tests. */
import { PoolBalancer, type Waiter } from "../../mod/balance/pool.ts";
import { seededRandom } from "../../mod/base/random.ts";
import {
  CONTROL_THREAD,
  createSharedMemory,
  type OpenMemory,
  openSharedMemory,
  reclaimWorker,
  type SharedMemory,
} from "../../mod/base/shared_memory.ts";
import type { PoolSnapshot, ServerSnapshot } from "../../mod/config/snapshot.ts";
import { POOL_TIMEOUTS } from "../config/timeouts.ts";

const POOL: PoolSnapshot = {
  name: "app",
  row: 1,
  balance: "roundRobin",
  hashOn: { kind: "sourceIp", name: "" },
  hashMethod: "ring",
  servers: [],
  check: null,
  passive: null,
  retry: { attempts: 2, on: ["connect", "empty"], budget: 0.2 },
  timeouts: POOL_TIMEOUTS,
  queue: { size: 100, timeoutMs: 5000 },
  whenAllDown: "fail",
};

/** A server whose slot is 10 and its number, so that slots and indices are not mistaken for each other. */
export function server(number: number, more: Partial<ServerSnapshot> = {}): ServerSnapshot {
  return {
    name: `s${number}`,
    host: `10.0.0.${number}`,
    port: 80,
    weight: 1,
    maxConnections: 0,
    backup: false,
    slowStartMs: 0,
    slot: 10 + number,
    ...more,
  };
}

export function pool(servers: readonly ServerSnapshot[], more: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return { ...POOL, servers, ...more };
}

/** A waiter that keeps what it was granted. */
export class Waiting implements Waiter {
  ticket = -1;
  readonly slots: number[] = [];

  onGranted(slot: number): void {
    this.slots.push(slot);
  }
}

export class Crew {
  readonly memory: SharedMemory;
  readonly control: OpenMemory;
  readonly workers: OpenMemory[];
  readonly pools: PoolBalancer[];
  snapshot: PoolSnapshot;

  constructor(snapshot: PoolSnapshot, workers = 2, waitersPerWorker = 64) {
    this.snapshot = snapshot;
    this.memory = createSharedMemory({
      workers,
      servers: 32,
      listeners: 1,
      pools: 2,
      waitersPerWorker,
    });
    this.control = openSharedMemory(this.memory, CONTROL_THREAD);
    this.#assign(snapshot.servers);
    this.workers = Array.from({ length: workers }, (_, worker) => openSharedMemory(this.memory, worker));
    this.pools = this.workers.map((_, worker) => this.balancer(worker));
  }

  balancer(worker: number, previous?: PoolBalancer): PoolBalancer {
    const { slots, queue } = this.workers[worker]!;
    const base = { slots, queue, worker, random: seededRandom(worker) };
    return new PoolBalancer(this.snapshot, previous === undefined ? base : { ...base, previous });
  }

  /** Gives every worker this pool, as a reload does. */
  reload(snapshot: PoolSnapshot): void {
    const known = new Set(this.snapshot.servers.map(({ slot }) => slot));
    this.#assign(snapshot.servers.filter(({ slot }) => !known.has(slot)));
    this.snapshot = snapshot;
    this.pools.forEach((previous, worker) => this.pools[worker] = this.balancer(worker, previous));
  }

  /** What each worker's bell would do. */
  deliver(): void {
    // Delivering may make grants to a worker that had its turn.
    for (let round = 0; round < 3; round++) for (const { queue } of this.workers) queue.drain();
  }

  /** The worker ends with all it holds, and a successor starts. */
  crash(worker: number): number {
    const held = reclaimWorker(this.control, worker);
    this.workers[worker] = openSharedMemory(this.memory, worker);
    this.pools[worker] = this.balancer(worker);
    return held;
  }

  active(): number[] {
    return this.snapshot.servers.map(({ slot }) => this.control.slots.active(slot));
  }

  #assign(servers: readonly ServerSnapshot[]): void {
    for (const { slot, weight } of servers) this.control.slots.assign(slot, weight * 256, true);
  }
}
