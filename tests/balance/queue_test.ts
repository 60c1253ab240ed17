/** Waiting for a place: order over workers, nothing lost, nothing given twice. */
import fc from "fast-check";
import { assert, assertEquals } from "../assert.ts";
import { NO_SERVER, QUEUED } from "../../mod/balance/pool.ts";
import { Crew, pool, server, Waiting } from "./crew.ts";

/** A pool of one server with one place, which worker 0 holds. */
function busy(workers = 2, waitersPerWorker = 64): Crew {
  const crew = new Crew(pool([server(0, { maxConnections: 1 })]), workers, waitersPerWorker);
  assertEquals(crew.pools[0]!.acquire(0, [], 0, null), 0);
  return crew;
}

function wait(crew: Crew, worker: number, tried: readonly number[] = []): Waiting {
  const waiter = new Waiting();
  assertEquals(crew.pools[worker]!.acquire(0, tried, 0, waiter), QUEUED);
  return waiter;
}

Deno.test("release() hands the place to the longest waiter, in whichever worker", () => {
  const crew = busy(3);
  const waiters = [2, 1, 0, 1, 2].map((worker) => ({ worker, waiter: wait(crew, worker) }));
  let holder = 0;
  for (const { worker, waiter } of waiters) {
    crew.pools[holder]!.release(10);
    crew.deliver();
    assertEquals(waiter.slots, [10]);
    assertEquals(crew.control.slots.held(10, worker), 1);
    holder = worker;
  }
  assertEquals(waiters.map(({ waiter }) => waiter.slots.length), [1, 1, 1, 1, 1]);
  crew.pools[holder]!.release(10);
  assertEquals(crew.active(), [0]);
});

Deno.test("acquire() does not overtake those who wait, even when a place is free", () => {
  const crew = new Crew(pool([server(0, { maxConnections: 1 }), server(1)]));
  crew.control.slots.setUp(11, false);
  assertEquals(crew.pools[0]!.acquire(0, [], 0, null), 0);
  const first = wait(crew, 0);
  // A server comes up and nobody has been told yet.
  crew.control.slots.setUp(11, true);
  const second = new Waiting();
  assertEquals(crew.pools[1]!.acquire(0, [], 0, second), 1, "both get a place at once: there is no limit");
  crew.deliver();
  assertEquals(first.slots, [11]);
  assertEquals(second.slots, []);
});

Deno.test("acquire() takes a place that came free between `all full` and `in line`", () => {
  const crew = busy();
  const slots = crew.workers[1]!.slots;
  const enqueue = crew.workers[1]!.queue.enqueue.bind(crew.workers[1]!.queue);
  crew.workers[1]!.queue.enqueue = (...args) => {
    crew.pools[0]!.release(10);
    return enqueue(...args);
  };
  const waiter = new Waiting();
  assertEquals(crew.pools[1]!.acquire(0, [], 0, waiter), 0);
  assertEquals(slots.held(10, 1), 1);
  crew.deliver();
  assertEquals(waiter.slots, []);
  assertEquals(waiter.ticket, -1);
});

Deno.test("cancel() takes a waiter out, and the next one gets the place", () => {
  const crew = busy();
  const [first, second] = [wait(crew, 0), wait(crew, 1)];
  assertEquals(crew.pools[0]!.cancel(first), true);
  assertEquals(crew.pools[0]!.cancel(first), false);
  crew.pools[0]!.release(10);
  crew.deliver();
  assertEquals([first.slots, second.slots], [[], [10]]);
});

Deno.test("cancel() of a waiter whose grant is on its way passes the place on", () => {
  const crew = busy();
  const [first, second] = [wait(crew, 1), wait(crew, 0)];
  crew.pools[0]!.release(10);
  assertEquals(crew.pools[1]!.cancel(first), true);
  crew.deliver();
  assertEquals([first.slots, second.slots], [[], [10]]);
  assertEquals(crew.active(), [1]);
  crew.pools[0]!.release(10);
  assertEquals(crew.active(), [0]);
});

Deno.test("cancel() with nobody else in line gives the place back", () => {
  const crew = busy();
  const waiter = wait(crew, 1);
  crew.pools[0]!.release(10);
  assertEquals(crew.active(), [1]);
  crew.pools[1]!.cancel(waiter);
  assertEquals(crew.active(), [0]);
});

Deno.test("release() passes over waiters that have tried the server, without losing their place in line", () => {
  const crew = new Crew(pool([server(0, { maxConnections: 1 }), server(1, { maxConnections: 1 })]));
  for (let n = 0; n < 2; n++) assert(crew.pools[0]!.acquire(0, [], 0, null) >= 0);
  const [tried, fresh] = [wait(crew, 0, [10]), wait(crew, 1)];
  crew.pools[0]!.release(10);
  crew.deliver();
  assertEquals([tried.slots, fresh.slots], [[], [10]]);
  crew.pools[0]!.release(11);
  crew.deliver();
  assertEquals(tried.slots, [11]);
});

Deno.test("wakeAll() gives places on a server that came back to those who wait", () => {
  const crew = new Crew(pool([server(0, { maxConnections: 1 }), server(1, { maxConnections: 2 })]));
  crew.control.slots.setUp(11, false);
  assertEquals(crew.pools[0]!.acquire(0, [], 0, null), 0);
  const waiters = [wait(crew, 1), wait(crew, 0), wait(crew, 1)];
  crew.control.slots.setUp(11, true);
  crew.control.queue.wakeAll();
  crew.deliver();
  assertEquals(waiters.map(({ slots }) => slots), [[11], [11], []]);
});

Deno.test("reclaim() gives what a crashed worker held to those who wait, and nothing to its own waiters", () => {
  const crew = busy(3);
  const [dead, alive] = [wait(crew, 0), wait(crew, 1)];
  assertEquals(crew.crash(0), 1);
  crew.deliver();
  assertEquals([dead.slots, alive.slots], [[], [10]]);
  crew.pools[1]!.release(10);
  assertEquals(crew.active(), [0]);
  assertEquals(crew.control.queue.waiting(1), 0);
});

Deno.test("reclaim() gives back a place that was on its way to a worker when it crashed", () => {
  const crew = busy(3);
  const [dead, alive] = [wait(crew, 1), wait(crew, 2)];
  crew.pools[0]!.release(10);
  assertEquals(crew.crash(1), 1);
  crew.deliver();
  assertEquals([dead.slots, alive.slots], [[], [10]]);
});

Deno.test("enqueue() refuses when the worker has no entry left, and entries come back", () => {
  const crew = busy(2, 2);
  for (let round = 0; round < 5; round++) {
    const waiters = [wait(crew, 1), wait(crew, 1)];
    const third = new Waiting();
    assert(crew.pools[1]!.acquire(0, [], 0, third) < QUEUED);
    crew.pools[1]!.cancel(waiters[0]!);
    crew.pools[0]!.release(10);
    crew.deliver();
    assertEquals(waiters[1]!.slots, [10]);
    crew.pools[1]!.release(10);
    assertEquals(crew.pools[0]!.acquire(0, [], 0, null), 0);
  }
});

Deno.test("reload() keeps those who wait in line, for servers they know", () => {
  const crew = new Crew(pool([server(0, { maxConnections: 1 })]));
  assertEquals(crew.pools[0]!.acquire(0, [], 0, null), 0);
  const before = crew.pools[0]!;
  const old = wait(crew, 1);
  const oldPool = crew.pools[1]!;
  crew.reload(pool([server(1, { maxConnections: 1 }), server(0, { maxConnections: 1 })]));
  crew.deliver();
  assertEquals(old.slots, [], "it does not know the new server");
  const fresh = new Waiting();
  assertEquals(crew.pools[0]!.acquire(0, [], 0, fresh), 0);
  before.release(10);
  crew.deliver();
  assertEquals(old.slots, [10]);
  oldPool.release(10);
  assertEquals(crew.active(), [1, 0]);
});

Deno.test("release() of a request from before a reload gives its place to those who came after it", () => {
  const crew = busy();
  const before = crew.pools[0]!;
  crew.reload(pool([server(0, { maxConnections: 1 }), server(1, { maxConnections: 1 })]));
  assertEquals(crew.pools[1]!.acquire(0, [], 0, null), 1);
  const fresh = wait(crew, 1);
  before.release(10);
  crew.deliver();
  assertEquals(fresh.slots, [10]);
});

Deno.test("reload() that raises a limit gives the new places to those who wait", () => {
  const crew = busy();
  const waiters = [wait(crew, 1), wait(crew, 0), wait(crew, 1)];
  crew.reload(pool([server(0, { maxConnections: 3 })]));
  crew.deliver();
  assertEquals(waiters.map(({ slots }) => slots.length), [1, 1, 0]);
});

/** What may happen; numbers are taken modulo what there is. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("acquire" as const), worker: fc.nat(2), n: fc.nat(3) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("release" as const), worker: fc.nat(2), n: fc.nat(99) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("cancel" as const), worker: fc.nat(2), n: fc.nat(99) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("deliver" as const), worker: fc.nat(2), n: fc.nat(0) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("health" as const), worker: fc.nat(2), n: fc.nat(7) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const), worker: fc.nat(2), n: fc.nat(0) }) },
);

class Request extends Waiting {
  readonly worker: number;
  readonly tried: readonly number[];
  /** Position in line; requests without history are served in this order. */
  readonly order: number;

  constructor(worker: number, tried: readonly number[], order: number) {
    super();
    this.worker = worker;
    this.tried = tried;
    this.order = order;
  }
}

/** Three workers, four servers with limits, requests that come, wait, leave and end. */
class Model {
  readonly crew = new Crew(
    pool([
      server(0, { maxConnections: 1 }),
      server(1, { maxConnections: 2 }),
      server(2, { maxConnections: 1, backup: true }),
      server(3, { maxConnections: 1 }),
    ], { queue: { size: 12, timeoutMs: 0 } }),
    3,
    8,
  );
  readonly held: { worker: number; slot: number }[] = [];
  waiting: Request[] = [];
  #order = 0;

  do({ do: what, worker, n }: { do: string; worker: number; n: number }): void {
    const balancer = this.crew.pools[worker]!;
    if (what === "acquire") this.#acquire(worker, n === 0 ? [10] : []);
    if (what === "release") {
      const own = this.held.filter((each) => each.worker === worker);
      const place = own[n % Math.max(1, own.length)];
      if (place === undefined) return;
      this.held.splice(this.held.indexOf(place), 1);
      balancer.release(place.slot);
    }
    if (what === "cancel") {
      const request = this.waiting[n % Math.max(1, this.waiting.length)];
      if (request === undefined) return;
      assertEquals(this.crew.pools[request.worker]!.cancel(request), true);
      this.waiting = this.waiting.filter((each) => each !== request);
    }
    if (what === "deliver") this.#deliver(worker);
    if (what === "health") {
      this.crew.control.slots.setUp(10 + n % 4, n < 4);
      // Also when one goes down: then it may be the turn of the backups.
      this.crew.control.queue.wakeAll();
    }
    if (what !== "crash") return;
    this.crew.crash(worker);
    this.held.splice(0, this.held.length, ...this.held.filter((each) => each.worker !== worker));
    this.waiting = this.waiting.filter((each) => each.worker !== worker);
  }

  #acquire(worker: number, tried: readonly number[]): void {
    const request = new Request(worker, tried, this.#order++);
    const index = this.crew.pools[worker]!.acquire(0, tried, 0, request);
    if (index === QUEUED) this.waiting.push(request);
    if (index < 0) return;
    const { slot } = this.crew.snapshot.servers[index]!;
    assert(!tried.includes(slot));
    this.held.push({ worker, slot });
  }

  #deliver(worker: number): void {
    this.crew.workers[worker]!.queue.drain();
    for (const request of this.waiting.filter(({ slots }) => slots.length > 0)) {
      assertEquals(request.worker, worker);
      assertEquals(request.slots.length, 1);
      assert(!request.tried.includes(request.slots[0]!));
      this.held.push({ worker, slot: request.slots[0]! });
    }
    this.waiting = this.waiting.filter(({ slots }) => slots.length === 0);
  }

  /** Delivers everything, until nothing changes. */
  settle(): void {
    for (let round = 0; round < 4; round++) for (const worker of [0, 1, 2]) this.#deliver(worker);
  }

  /** No server has more than its limit, and every place that counts is somebody's. */
  checkLimits(): void {
    this.crew.snapshot.servers.forEach(({ maxConnections }, index) =>
      assert(this.crew.active()[index]! <= maxConnections, String(this.crew.active()))
    );
  }

  /** Once all is delivered: the counts are right, and nobody waits who need not. */
  checkSettled(): void {
    const { slots, queue } = this.crew.control;
    this.crew.snapshot.servers.forEach(({ slot }, index) =>
      assertEquals(this.crew.active()[index], this.held.filter((each) => each.slot === slot).length)
    );
    assertEquals(queue.waiting(1), this.waiting.length);
    const free = this.crew.snapshot.servers.filter((each, index) =>
      slots.available(each.slot) && this.crew.active()[index]! < each.maxConnections
    );
    const primaries = this.crew.snapshot.servers.some((each) => !each.backup && slots.available(each.slot));
    for (const { tried } of this.waiting) {
      if (tried.length > 0) continue;
      assertEquals(free.filter((each) => each.backup !== primaries).map(({ slot }) => slot), []);
    }
  }
}

Deno.test("acquire(), release(), cancel() and crashes in any order lose no place and give none twice", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
      const model = new Model();
      for (const each of steps) {
        model.do(each);
        model.checkLimits();
      }
      model.settle();
      model.checkLimits();
      model.checkSettled();
    }),
    { numRuns: 500 },
  );
});

Deno.test("release() serves requests without history in the order they came, over all workers", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2), { minLength: 2, maxLength: 20 }), (workers) => {
      const crew = busy(3);
      const waiters = workers.map((worker) => ({ worker, waiter: wait(crew, worker) }));
      let holder = 0;
      for (const { worker, waiter } of waiters) {
        crew.pools[holder]!.release(10);
        crew.deliver();
        assertEquals(waiters.filter((each) => each.waiter.slots.length > 0).at(-1)!.waiter, waiter);
        holder = worker;
      }
      crew.control.slots.setUp(10, false);
      assertEquals(crew.pools[0]!.acquire(0, [], 0, new Waiting()), NO_SERVER);
    }),
    { numRuns: 50 },
  );
});
