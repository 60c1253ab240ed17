import { assertEquals } from "../assert.ts";
import {
  CONTROL_THREAD,
  createSharedMemory,
  openSharedMemory,
  reclaimWorker,
} from "../../mod/base/shared_memory.ts";
import { LISTENER_COLUMN, SERVER_COLUMN } from "../../mod/base/counters.ts";

const SIZE = { workers: 2, servers: 4, listeners: 2, pools: 2, waitersPerWorker: 4 };

Deno.test("createSharedMemory() crosses to a worker by message and stays the same memory", () => {
  const memory = createSharedMemory(SIZE);
  const { port1, port2 } = new MessageChannel();
  const arrived = new Promise<typeof memory>((resolve) => port2.onmessage = ({ data }) => resolve(data));
  port1.postMessage(memory);
  return arrived.then((theirs) => {
    const [own, other] = [openSharedMemory(memory, CONTROL_THREAD), openSharedMemory(theirs, 1)];
    other.slots.acquire(3, 0);
    other.counters.addServer(3, SERVER_COLUMN.requests, 5);
    assertEquals(own.slots.held(3, 1), 1);
    assertEquals(own.counters.server(3, SERVER_COLUMN.requests), 5);
    port1.close();
    port2.close();
  });
});

Deno.test("openSharedMemory() gives workers and the control thread blocks of their own", () => {
  const memory = createSharedMemory(SIZE);
  const threads = [0, 1, CONTROL_THREAD].map((worker) => openSharedMemory(memory, worker));
  threads.forEach(({ slots, counters }, at) => {
    for (let n = 0; n <= at; n++) slots.acquire(0, 0);
    counters.addListener(1, LISTENER_COLUMN.active, at + 1);
  });
  assertEquals([0, 1, 2].map((thread) => threads[0]!.slots.held(0, thread)), [1, 2, 3]);
  assertEquals(threads[0]!.counters.listener(1, LISTENER_COLUMN.active), 6);
});

Deno.test("reclaimWorker() gives back what the worker held in every part and leaves the others' alone", () => {
  const memory = createSharedMemory(SIZE);
  const control = openSharedMemory(memory, CONTROL_THREAD);
  const [dead, alive] = [openSharedMemory(memory, 0), openSharedMemory(memory, 1)];
  const wish = { tier: 0, tried: [], members: 7 };
  const waiter = () => ({ ticket: -1, onGranted: () => {} });
  for (const { slots, counters, queue } of [dead, alive]) {
    for (const slot of [1, 3]) slots.acquire(slot, 0);
    counters.addListener(0, LISTENER_COLUMN.active, 2);
    counters.addListener(0, LISTENER_COLUMN.requests, 9);
    queue.enqueue(1, waiter(), wish, 10);
  }
  assertEquals(reclaimWorker(control, 0), 2);
  assertEquals([control.slots.active(1), control.slots.active(3)], [1, 1]);
  assertEquals(control.counters.listener(0, LISTENER_COLUMN.active), 2);
  assertEquals(control.counters.listener(0, LISTENER_COLUMN.requests), 18);
  assertEquals(control.queue.waiting(1), 1);
});
