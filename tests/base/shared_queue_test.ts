import { assertEquals } from "../assert.ts";
import {
  CANCELLED,
  NOT_WAITING,
  SharedQueue,
  TRIED_KEPT,
  type Waiter,
  type Wish,
} from "../../mod/base/shared_queue.ts";
import { ServerSlots } from "../../mod/base/slots.ts";
import { lock } from "../../mod/base/spin_lock.ts";

const SIZE = { pools: 2, workers: 3, waiters: 4 };
const PLACE = { slot: 2, max: 0, tier: 0, open: true, members: 7, former: 7 };
const WISH: Wish = { tier: 0, tried: [], members: 7 };

class Waiting implements Waiter {
  ticket = -1;
  slot = -1;

  onGranted(slot: number): void {
    this.slot = slot;
  }
}

function threads() {
  const memory = new SharedArrayBuffer(SharedQueue.byteLength(SIZE));
  const counts = new SharedArrayBuffer(ServerSlots.byteLength(16, SIZE.workers));
  const slots = [0, 1, 2].map((worker) => new ServerSlots(counts, 16, worker));
  const open = (worker: number) => new SharedQueue(memory, SIZE, worker, slots[worker]!);
  return { memory, slots, queues: [0, 1, 2].map(open), open };
}

function enqueue(queue: SharedQueue, wish: Partial<Wish> = {}): Waiting {
  const waiter = new Waiting();
  assertEquals(queue.enqueue(1, waiter, { ...WISH, ...wish }, 10), true);
  return waiter;
}

Deno.test("grant() takes the place for the waiter's worker, before that has heard of it", () => {
  const { queues, slots } = threads();
  const waiter = enqueue(queues[1]!);
  assertEquals(queues[0]!.grant(1, PLACE), true);
  assertEquals([waiter.slot, slots[0]!.held(2, 1)], [-1, 1]);
  queues[1]!.drain();
  assertEquals([waiter.slot, waiter.ticket], [2, -1]);
  assertEquals(queues[0]!.grant(1, PLACE), false);
});

Deno.test("grant() gives nothing beyond the limit, of another pool, or to those who cannot use it", () => {
  const { queues, slots } = threads();
  enqueue(queues[0]!, { tier: 1, tried: [3] });
  slots[2]!.acquire(2, 0);
  assertEquals(queues[0]!.grant(1, { ...PLACE, max: 1 }), false, "full");
  assertEquals(queues[0]!.grant(0, PLACE), false, "another pool");
  assertEquals(queues[0]!.grant(1, { ...PLACE, open: false }), false, "another tier");
  assertEquals(queues[0]!.grant(1, { ...PLACE, slot: 3 }), false, "tried");
  assertEquals(queues[0]!.grant(1, { ...PLACE, members: 8, former: 9 }), false, "a server it does not know");
  assertEquals(queues[0]!.grant(1, { ...PLACE, members: 8 }), true, "one that was there before a reload");
});

Deno.test("enqueue() remembers the last servers that were tried", () => {
  const { queues } = threads();
  const tried = Array.from({ length: TRIED_KEPT + 2 }, (_, slot) => slot);
  enqueue(queues[0]!, { tried });
  for (const slot of tried.slice(2)) assertEquals(queues[0]!.grant(1, { ...PLACE, slot }), false);
  assertEquals(queues[0]!.grant(1, { ...PLACE, slot: 0 }), true);
});

Deno.test("cancel() says whether the waiter was waiting, had been granted a place, or neither", () => {
  const { queues } = threads();
  const [first, second] = [enqueue(queues[0]!), enqueue(queues[0]!)];
  assertEquals(queues[0]!.cancel(first), CANCELLED);
  assertEquals(queues[0]!.cancel(first), NOT_WAITING);
  assertEquals(queues[1]!.grant(1, PLACE), true);
  assertEquals(queues[0]!.cancel(second), 2);
  queues[0]!.drain();
  assertEquals([first.slot, second.slot, queues[0]!.waiting(1)], [-1, -1, 0]);
});

Deno.test("cancel() from the first, the middle and the end leaves the others in their order", () => {
  for (const gone of [0, 1, 2, 3]) {
    const { queues } = threads();
    const waiters = [enqueue(queues[0]!), enqueue(queues[0]!), enqueue(queues[0]!), enqueue(queues[0]!)];
    queues[0]!.cancel(waiters[gone]!);
    const rest = waiters.filter((_, at) => at !== gone);
    rest.forEach((waiter, slot) => {
      assertEquals(queues[1]!.grant(1, { ...PLACE, slot }), true);
      queues[0]!.drain();
      assertEquals(waiter.slot, slot);
    });
    assertEquals(queues[1]!.grant(1, PLACE), false);
  }
});

Deno.test("drain() hands grants out in the order they were made, and a waiter may queue again at once", () => {
  const { queues } = threads();
  const order: string[] = [];
  const again = new Waiting();
  const waiter = (name: string): Waiter => ({
    ticket: -1,
    onGranted() {
      order.push(name);
      if (name === "a") queues[0]!.enqueue(1, again, WISH, 10);
    },
  });
  for (const name of ["a", "b", "c"]) queues[0]!.enqueue(1, waiter(name), WISH, 10);
  for (let n = 0; n < 3; n++) queues[1]!.grant(1, PLACE);
  queues[0]!.drain();
  assertEquals(order, ["a", "b", "c"]);
  assertEquals(queues[0]!.waiting(1), 1);
});

Deno.test("reclaim() repairs a list whose lock a dead worker held, in order and without its waiters", () => {
  const { memory, queues, slots } = threads();
  const alive = [enqueue(queues[1]!), enqueue(queues[2]!)];
  enqueue(queues[0]!);
  alive.push(enqueue(queues[1]!));
  const words = new Int32Array(memory);
  // The second pool's row: the lock, then what it was changing when it ended.
  lock(words, 16, 0);
  words.fill(0, 17, 20);
  queues[2]!.reclaim(0);
  assertEquals(queues[1]!.waiting(1), 3);
  alive.forEach((waiter, slot) => {
    assertEquals(queues[2]!.grant(1, { ...PLACE, slot }), true);
    for (const queue of queues.slice(1)) queue.drain();
    assertEquals(waiter.slot, slot);
  });
  assertEquals(slots[2]!.held(0, 0), 0);
});

Deno.test("listen() of two threads' queues in one event loop hands over without anyone draining", async () => {
  const { queues } = threads();
  const alive = setInterval(() => {}, 1000);
  const listening = queues.map((queue) => queue.listen());
  const granted = Promise.withResolvers<number>();
  queues[1]!.enqueue(1, { ticket: -1, onGranted: granted.resolve }, WISH, 10);
  assertEquals(queues[0]!.grant(1, PLACE), true);
  assertEquals(await granted.promise, 2);
  for (const queue of queues) queue.stop();
  await Promise.all(listening);
  clearInterval(alive);
});
