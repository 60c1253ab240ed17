/** A data worker that does nothing but take places, hold them a moment, and sometimes lose patience. */
import { NO_SERVER, PoolBalancer, QUEUE_FULL, QUEUED } from "../../mod/balance/pool.ts";
import { seededRandom } from "../../mod/base/random.ts";
import { type OpenMemory, openSharedMemory, type SharedMemory } from "../../mod/base/shared_memory.ts";
import type { PoolSnapshot } from "../../mod/config/snapshot.ts";

export interface LoadJob {
  readonly memory: SharedMemory;
  readonly worker: number;
  readonly pool: PoolSnapshot;
  /** Requests to make, and how many of them at a time. */
  readonly requests: number;
  readonly atOnce: number;
  /** A word for each slot: how many hold a place, counted apart from what is tested. */
  readonly holders: SharedArrayBuffer;
  /** Throws after so many requests, with places in its hands. */
  readonly dieAfter: number;
}

export interface LoadResult {
  readonly served: number;
  readonly cancelled: number;
  /** Times that more held a place than the limit allows. */
  readonly tooMany: number;
  /** Times that there was no server or no room in the queue. */
  readonly refused: number;
}

export class Load {
  readonly done = Promise.withResolvers<LoadResult>();
  readonly #job: LoadJob;
  readonly #open: OpenMemory;
  readonly #balancer: PoolBalancer;
  readonly #random: () => number;
  readonly #holders: Int32Array;
  #left: number;
  #running: number;
  #result = { served: 0, cancelled: 0, tooMany: 0, refused: 0 };

  constructor(job: LoadJob) {
    const { memory, worker, pool, requests, atOnce, holders } = job;
    this.#job = job;
    this.#open = openSharedMemory(memory, worker);
    this.#random = seededRandom(worker);
    const { slots, queue } = this.#open;
    this.#balancer = new PoolBalancer(pool, { slots, queue, worker, random: this.#random });
    this.#holders = new Int32Array(holders);
    this.#left = requests;
    this.#running = atOnce;
  }

  run(): Promise<LoadResult> {
    this.#open.queue.listen();
    for (let n = this.#running; n > 0; n--) this.#next();
    return this.done.promise;
  }

  #next(): void {
    if (this.#left-- <= 0) {
      if (--this.#running === 0) this.done.resolve(this.#result);
      return;
    }
    const waiter = { ticket: -1, onGranted: (slot: number) => this.#hold(slot) };
    const index = this.#balancer.acquire(this.#random() * 2 ** 32 >>> 0, [], 0, waiter);
    if (index === NO_SERVER || index === QUEUE_FULL) {
      this.#result.refused++;
      setTimeout(() => this.#next());
    } else if (index >= 0) this.#hold(this.#job.pool.servers[index]!.slot);
    else if (index === QUEUED && this.#random() < 0.2) {
      setTimeout(() => {
        if (!this.#balancer.cancel(waiter)) return;
        this.#result.cancelled++;
        this.#next();
      });
    }
  }

  #hold(slot: number): void {
    if (this.#result.served >= this.#job.dieAfter) throw new Error("a bug");
    const { maxConnections } = this.#job.pool.servers[this.#balancer.indexOf(slot)]!;
    if (Atomics.add(this.#holders, slot, 1) >= maxConnections) this.#result.tooMany++;
    const release = () => {
      Atomics.sub(this.#holders, slot, 1);
      this.#result.served++;
      this.#balancer.release(slot);
      this.#next();
    };
    if (this.#random() < 0.5) queueMicrotask(release);
    else setTimeout(release);
  }
}
