import { assert, assertEquals } from "../assert.ts";
import { NO_SERVER, type PoolBalancer, QUEUE_FULL, QUEUED } from "../../mod/balance/pool.ts";
import type { BalanceName } from "../../mod/config/snapshot.ts";
import { Crew, pool, server, Waiting } from "./crew.ts";

const acquire = (balancer: PoolBalancer, tried: readonly number[] = [], waiter: Waiting | null = null) =>
  balancer.acquire(7, tried, 0, waiter);
/** Indices of so many picks, each given back at once. */
const picks = (balancer: PoolBalancer, n: number, tried: readonly number[] = []) =>
  Array.from({ length: n }, () => {
    const index = acquire(balancer, tried);
    if (index >= 0) balancer.release(balancer.pool.servers[index]!.slot);
    return index;
  });
const among = (balancer: PoolBalancer, tried: readonly number[] = []) =>
  [...new Set(picks(balancer, 20, tried))].sort((a, b) => a - b);

Deno.test("acquire() takes a place that counts in all workers, and release() gives it back", () => {
  const crew = new Crew(pool([server(0), server(1)]));
  const index = acquire(crew.pools[0]!);
  const { slot } = crew.snapshot.servers[index]!;
  assertEquals(crew.workers[1]!.slots.active(slot), 1);
  crew.pools[0]!.release(slot);
  assertEquals(crew.active(), [0, 0]);
});

Deno.test("acquire() passes over servers that are down, ejected, in drain or in maint", () => {
  const crew = new Crew(pool([0, 1, 2, 3, 4].map((n) => server(n))));
  const { slots } = crew.control;
  assertEquals(among(crew.pools[0]!), [0, 1, 2, 3, 4]);
  slots.setUp(10, false);
  slots.setEjected(11, true);
  slots.setAdmin(12, "drain");
  slots.setAdmin(13, "maint");
  assertEquals(among(crew.pools[0]!), [4]);
  slots.setUp(14, false);
  assertEquals(among(crew.pools[0]!), [NO_SERVER]);
  slots.setUp(10, true);
  slots.setEjected(11, false);
  slots.setAdmin(12, "ready");
  slots.setAdmin(13, "ready");
  assertEquals(among(crew.pools[0]!), [0, 1, 2, 3]);
});

Deno.test("acquire() uses backup servers when no primary is available, not when all are full", () => {
  const crew = new Crew(pool([server(0, { backup: true }), server(1, { maxConnections: 1 }), server(2)]));
  const { slots } = crew.control;
  assertEquals(among(crew.pools[0]!), [1, 2]);
  slots.setUp(12, false);
  assertEquals(acquire(crew.pools[0]!), 1);
  assertEquals(acquire(crew.pools[0]!), QUEUE_FULL);
  slots.setAdmin(11, "drain");
  assertEquals(among(crew.pools[0]!), [0]);
  slots.setUp(12, true);
  assertEquals(among(crew.pools[0]!), [2]);
});

Deno.test("acquire() uses servers of weight 0 after primaries and backups", () => {
  const crew = new Crew(pool([server(0, { weight: 0 }), server(1), server(2, { backup: true })]));
  const { slots } = crew.control;
  assertEquals(among(crew.pools[0]!), [1]);
  slots.setUp(11, false);
  assertEquals(among(crew.pools[0]!), [2]);
  slots.setUp(12, false);
  assertEquals(among(crew.pools[0]!), [0]);
});

Deno.test("acquire() goes from tried servers to the untried of the next best kind", () => {
  const crew = new Crew(pool([server(0), server(1), server(2, { backup: true }), server(3, { weight: 0 })]));
  assertEquals(among(crew.pools[0]!, [10]), [1]);
  assertEquals(among(crew.pools[0]!, [10, 11]), [2]);
  assertEquals(among(crew.pools[0]!, [11, 12, 10]), [3]);
  assertEquals(among(crew.pools[0]!, [10, 11, 12, 13]), [NO_SERVER]);
  assertEquals(among(crew.pools[0]!, [99]), [0, 1], "a slot of another pool");
});

Deno.test("acquire() answers NO_SERVER, and queues nobody, when only tried servers are available", () => {
  const crew = new Crew(pool([server(0), server(1)]));
  crew.control.slots.setUp(11, false);
  assertEquals(acquire(crew.pools[0]!, [10], new Waiting()), NO_SERVER);
  assertEquals(crew.control.queue.waiting(1), 0);
});

Deno.test("acquire() with whenAllDown `try` uses all but those in maint once none is available", () => {
  const servers = [server(0), server(1), server(2, { backup: true }), server(3)];
  const crew = new Crew(pool(servers, { whenAllDown: "try" }));
  const { slots } = crew.control;
  for (const slot of [10, 11, 12]) slots.setUp(slot, false);
  assertEquals(among(crew.pools[0]!), [3]);
  assertEquals(among(crew.pools[0]!, [13]), [NO_SERVER], "one that is down is no second choice");
  slots.setAdmin(13, "maint");
  assertEquals(among(crew.pools[0]!), [0, 1, 2]);
  assertEquals(among(crew.pools[0]!, [10]), [1, 2]);
  slots.setAdmin(11, "maint");
  assertEquals(among(crew.pools[0]!), [0, 2]);
  slots.setUp(12, true);
  assertEquals(among(crew.pools[0]!), [2]);
});

Deno.test("acquire() follows weights as they change", () => {
  const crew = new Crew(pool([server(0), server(1)]));
  const share = () => picks(crew.pools[0]!, 100).filter((index) => index === 0).length;
  assertEquals(share(), 50);
  crew.control.slots.setWeight(10, 3 * 256);
  assertEquals(share(), 75);
});

for (
  const balance of [
    "roundRobin",
    "leastConnections",
    "random",
    "fastest",
    "first",
    "hash",
    "maglev",
  ] as BalanceName[]
) {
  Deno.test(`acquire() with ${balance} uses every place, never one too many, then queues`, () => {
    const servers = [
      server(0, { maxConnections: 3 }),
      server(1, { maxConnections: 1, weight: 5 }),
      server(2, { maxConnections: 2 }),
    ];
    const crew = new Crew(pool(servers, { balance }));
    for (let n = 0; n < 6; n++) assert(crew.pools[n % 2]!.acquire(n * 0x2545f491, [], n, null) >= 0);
    assertEquals(crew.active(), [3, 1, 2]);
    const waiter = new Waiting();
    assertEquals(acquire(crew.pools[0]!, [], waiter), QUEUED);
    // Held by whichever worker: each gives back one of its own.
    const worker = crew.control.slots.held(11, 0) === 1 ? 0 : 1;
    crew.pools[worker]!.release(11);
    crew.deliver();
    assertEquals(waiter.slots, [11]);
    assertEquals(crew.active(), [3, 1, 2]);
  });
}

Deno.test("acquire() without a waiter or a queue answers QUEUE_FULL", () => {
  const full = new Crew(pool([server(0, { maxConnections: 1 })], { queue: { size: 1, timeoutMs: 1 } }));
  assertEquals(acquire(full.pools[0]!), 0);
  assertEquals(acquire(full.pools[0]!), QUEUE_FULL);
  const [first, second] = [new Waiting(), new Waiting()];
  assertEquals(acquire(full.pools[0]!, [], first), QUEUED);
  assertEquals(acquire(full.pools[1]!, [], second), QUEUE_FULL);
  assertEquals(second.ticket, -1);
  const none = new Crew(pool([server(0, { maxConnections: 1 })], { queue: { size: 0, timeoutMs: 1 } }));
  assertEquals(acquire(none.pools[0]!), 0);
  assertEquals(acquire(none.pools[0]!, [], new Waiting()), QUEUE_FULL);
});

Deno.test("observe() reaches the policy: the fastest server gets the requests", () => {
  const crew = new Crew(pool([server(0), server(1), server(2)], { balance: "fastest" }));
  [50, 5, 20].forEach((latency, index) => crew.pools[0]!.observe(index, latency, 0));
  assertEquals(among(crew.pools[0]!), [1]);
});

Deno.test("constructor() of a reload goes on with the policy's state by server", () => {
  const crew = new Crew(pool([server(0), server(1), server(2)], { balance: "fastest" }), 1);
  [50, 5, 20].forEach((latency, index) => crew.pools[0]!.observe(index, latency, 0));
  crew.reload(pool([server(2), server(1, { maxConnections: 1 })], { balance: "fastest" }));
  assertEquals(among(crew.pools[0]!), [1]);
  assertEquals(acquire(crew.pools[0]!), 1);
  assertEquals(acquire(crew.pools[0]!), 0);
});

Deno.test("acquire() a limit that was set stands in the place of the configured one", () => {
  const crew = new Crew(pool([server(0, { maxConnections: 1 })]));
  const { slots } = crew.control;
  const [balancer] = crew.pools as [PoolBalancer];
  slots.setLimit(10, 2);
  assertEquals([acquire(balancer), acquire(balancer), acquire(balancer)], [0, 0, QUEUE_FULL]);
  balancer.release(10);
  balancer.release(10);
  slots.setLimit(10, 0);
  assertEquals([acquire(balancer), acquire(balancer)], [0, QUEUE_FULL]);
});
