/** Sessions and the choice of servers: who comes second follows the first, and no place is lost on the way. */
import { NO_SERVER, QUEUED } from "../../mod/balance/pool.ts";
import { acquireFor, type Stick } from "../../mod/balance/stick.ts";
import { createStickMemory, StickCounts, StickTable } from "../../mod/balance/stick_table.ts";
import { assertEquals } from "../assert.ts";
import { Crew, pool, server, Waiting } from "./crew.ts";
import type { StickJob } from "./stick_worker.ts";

/** A session that is on `at`, and that others put on one server after the other when somebody takes it. */
class Scripted implements Stick {
  readonly home: number;

  constructor(public at: number, readonly others: number[] = []) {
    this.home = at;
  }

  wanted(): number {
    return this.at;
  }

  settle(index: number): number {
    return this.at = this.others.shift() ?? index;
  }
}

const three = () => new Crew(pool([server(0), server(1), server(2)]), 1);

Deno.test("acquireFor() takes a place where the session is, else where the policy says", () => {
  const crew = three();
  const acquire = (stick: Stick, tried: number[] = []) =>
    acquireFor(stick, crew.pools[0]!, 0, tried, 0, null);
  assertEquals([acquire(new Scripted(2)), acquire(new Scripted(2))], [2, 2]);
  assertEquals([acquire(new Scripted(-1)), acquire(new Scripted(-1))], [0, 1]);
  assertEquals(acquire(new Scripted(1), [11]) === 1, false, "not where it was tried");
  crew.control.slots.setUp(12, false);
  assertEquals(acquire(new Scripted(2)) === 2, false, "not where it is down");
});

Deno.test("acquireFor() follows whoever was first and gives back what it had taken", () => {
  const crew = three();
  assertEquals(acquireFor(new Scripted(-1, [2]), crew.pools[0]!, 0, [], 0, null), 2);
  assertEquals(crew.active(), [0, 0, 1]);
  // Were it to change again and again, it would stay somewhere.
  const restless = new Scripted(-1, [1, 2, 0, 1, 2, 0, 1, 2]);
  acquireFor(restless, crew.pools[0]!, 0, [], 0, null);
  assertEquals(crew.active().reduce((sum, active) => sum + active), 2);
});

Deno.test("acquireAt() a drained server has places for its sessions, one in maint or down has none", () => {
  const crew = three();
  const [balancer] = crew.pools;
  const { slots } = crew.control;
  const answers = (["ready", "drain", "maint"] as const).map((admin) => {
    slots.setAdmin(10, admin);
    return balancer!.acquireAt(0, null);
  });
  assertEquals(answers, [0, 0, NO_SERVER]);
  slots.setAdmin(10, "drain");
  slots.setEjected(10, true);
  assertEquals(balancer!.acquireAt(0, null), NO_SERVER);
  slots.setEjected(10, false);
  slots.setUp(10, false);
  assertEquals(balancer!.acquireAt(0, null), NO_SERVER);
});

Deno.test("acquireAt() when all are down: as whenAllDown says", () => {
  for (const [whenAllDown, answer] of [["fail", NO_SERVER], ["try", 1]] as const) {
    const crew = new Crew(pool([server(0), server(1)], { whenAllDown }), 1);
    for (const slot of [10, 11]) crew.control.slots.setUp(slot, false);
    assertEquals(crew.pools[0]!.acquireAt(1, null), answer);
    // While another is up, one that is down is not tried.
    crew.control.slots.setUp(10, true);
    assertEquals(crew.pools[0]!.acquireAt(1, null), NO_SERVER);
  }
});

Deno.test("acquireAt() waits for its server alone, in line with all others and over all workers", () => {
  const crew = new Crew(pool([server(0, { maxConnections: 1 }), server(1, { maxConnections: 1 })]));
  const [one, two] = crew.pools;
  assertEquals([one!.acquireAt(0, null), two!.acquireAt(1, null)], [0, 1]);
  const [any, session, last] = [new Waiting(), new Waiting(), new Waiting()];
  assertEquals(one!.acquireAt(0, session), QUEUED);
  assertEquals([two!.acquire(0, [], 0, any), two!.acquire(0, [], 0, last)], [QUEUED, QUEUED]);
  two!.release(11);
  crew.deliver();
  assertEquals([session, any, last].map(({ slots }) => slots), [[], [11], []], "it does not hold up others");
  one!.release(10);
  crew.deliver();
  assertEquals([session, any, last].map(({ slots }) => slots), [[10], [11], []]);
});

const WORKER = new URL("./stick_worker.ts", import.meta.url).href;

Deno.test("claim() in three threads at once: every key has one server, in all of them", async () => {
  const workers = 3, keys = 40;
  const memory = createStickMemory(65_536, workers, 7);
  const gates = new SharedArrayBuffer(4 * keys);
  const threads = Array.from({ length: workers }, () => new Worker(WORKER, { type: "module" }));
  const results = await Promise.all(
    threads.map((thread, worker) =>
      new Promise<number[]>((resolve, reject) => {
        thread.onmessage = ({ data }) => resolve(data);
        thread.onerror = (event) => reject(new Error(event.message));
        thread.postMessage({ memory, worker, keys, gates, workers } satisfies StickJob);
      })
    ),
  );
  for (const thread of threads) thread.terminate();
  const disputed = results[0]!.filter((server, key) => results.some((other) => other[key] !== server));
  assertEquals(disputed.length, 0);
});

Deno.test("claim() moves a session from where it was seen, and tells where it is when it was not there", () => {
  const memory = createStickMemory(16, 2, 7);
  const [one, two] = [0, 1].map((worker) =>
    new StickTable(memory, worker, 1000, new StickCounts(memory, worker))
  );
  const key = one!.key(Uint8Array.of(1), 1, "text");
  assertEquals(one!.claim(key, undefined, 5, 0), 5);
  assertEquals(two!.claim(key, undefined, 6, 0), 5);
  assertEquals(two!.claim(key, 5, 6, 0), 6);
  assertEquals(one!.claim(key, 5, 7, 0), 6);
  // What was seen has expired since.
  assertEquals(one!.claim(key, 6, 8, 1001), 8);
  assertEquals(two!.find(key, 2000), 8);
});

Deno.test("key() of an address is not that of a text with the same bytes", () => {
  const memory = createStickMemory(16, 1, 7);
  const table = new StickTable(memory, 0, 1000, new StickCounts(memory, 0));
  const bytes = Uint8Array.of(10, 0, 0, 1);
  table.set(table.key(bytes, 4, "address"), 1, 0);
  assertEquals(table.find(table.key(bytes, 4, "text"), 0), undefined);
  assertEquals(table.find(table.key(bytes, 4, "address"), 0), 1);
});
