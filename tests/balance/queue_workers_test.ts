/** Waiting for places in real threads, which race as they like: everyone is served, no limit is broken. */
import { assert, assertEquals, assertRejects } from "../assert.ts";
import {
  CONTROL_THREAD,
  createSharedMemory,
  openSharedMemory,
  reclaimWorker,
} from "../../mod/base/shared_memory.ts";
import { pool, server } from "./crew.ts";
import type { LoadJob, LoadResult } from "./queue_load.ts";

const WORKER = new URL("./queue_worker.ts", import.meta.url).href;

function start(job: LoadJob): { worker: Worker; result: Promise<LoadResult> } {
  const worker = new Worker(WORKER, { type: "module" });
  const result = new Promise<LoadResult>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
  worker.postMessage(job);
  return { worker, result };
}

/** Three servers of few places, far fewer than requests at a time. */
function setting(size: number) {
  const snapshot = pool([
    server(0, { maxConnections: 1 }),
    server(1, { maxConnections: 2 }),
    server(2, { maxConnections: 1, weight: 3 }),
  ], { balance: "leastConnections", queue: { size, timeoutMs: 0 } });
  const memory = createSharedMemory({
    workers: 3,
    servers: 16,
    listeners: 1,
    pools: 2,
    waitersPerWorker: 64,
  });
  const control = openSharedMemory(memory, CONTROL_THREAD);
  for (const { slot, weight } of snapshot.servers) control.slots.assign(slot, weight * 256, true);
  const holders = new SharedArrayBuffer(4 * 16);
  const job = (worker: number, requests: number): LoadJob => {
    return { memory, worker, pool: snapshot, requests, atOnce: 20, holders, dieAfter: Infinity };
  };
  const idle = () => snapshot.servers.map(({ slot }) => control.slots.active(slot));
  return { control, job, idle };
}

Deno.test("acquire() in three workers at once: every request is served or cancelled, no limit broken, no place lost", async () => {
  const { control, job, idle } = setting(100);
  const requests = 5000;
  const crew = [0, 1, 2].map((worker) => start(job(worker, requests)));
  for (const { result } of crew) {
    const { served, cancelled, tooMany, refused } = await result;
    assertEquals([served + cancelled, tooMany, refused], [requests, 0, 0]);
    assert(cancelled > 0);
  }
  for (const { worker } of crew) worker.terminate();
  assertEquals(idle(), [0, 0, 0]);
  assertEquals(control.queue.waiting(1), 0);
});

Deno.test("acquire() in three workers with a short queue: who is refused gets through later", async () => {
  const { job, idle } = setting(3);
  const crew = [0, 1, 2].map((worker) => start(job(worker, 1000)));
  const results = await Promise.all(crew.map(({ result }) => result));
  for (const { worker } of crew) worker.terminate();
  for (const { served, cancelled, tooMany, refused } of results) {
    assertEquals([served + cancelled + refused, tooMany], [1000, 0]);
  }
  assert(results.some(({ refused }) => refused > 0));
  assertEquals(idle(), [0, 0, 0]);
});

Deno.test("reclaim() of a worker that dies under load: what it held and waited for goes to the others", async () => {
  const { control, job, idle } = setting(100);
  const requests = 5000;
  const crew = [0, 1].map((worker) => start(job(worker, requests)));
  let reclaimed = 0;
  for (let round = 0; round < 3; round++) {
    // What it holds when it dies must not count against the others: it counts apart.
    const holders = new SharedArrayBuffer(4 * 16);
    const { result } = start({ ...job(2, Infinity), holders, dieAfter: 100 });
    await assertRejects(() => result, Error, "a bug");
    reclaimed += reclaimWorker(control, 2);
  }
  for (const { result } of crew) {
    const { served, cancelled, tooMany, refused } = await result;
    assertEquals([served + cancelled, tooMany, refused], [requests, 0, 0]);
  }
  for (const { worker } of crew) worker.terminate();
  assert(reclaimed >= 3, "each held at least the place with which it died");
  assertEquals(idle(), [0, 0, 0]);
  assertEquals(control.queue.waiting(1), 0);
});
