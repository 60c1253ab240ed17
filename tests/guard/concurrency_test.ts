/** How many are under way at a time, over all workers, and what becomes of those of a worker that is gone. */
import fc from "fast-check";
import { assertEquals } from "../assert.ts";
import { parseIp } from "../../mod/base/address.ts";
import { SharedTable } from "../../mod/base/shared_table.ts";
import type { ConcurrencySnapshot, RateLimitSnapshot } from "../../mod/config/guard_snapshot.ts";
import type { Snapshot } from "../../mod/config/snapshot.ts";
import { Concurrency, type Place } from "../../mod/guard/concurrency.ts";
import { createLimitMemory, LimitCounts } from "../../mod/guard/limit_memory.ts";
import { Limits } from "../../mod/runtime/limit_memory.ts";
import { concurrencyLimit, rateLimit } from "./limits.ts";

function limit(more: Partial<ConcurrencySnapshot>, workers = 1) {
  const settings = concurrencyLimit(more);
  const memory = createLimitMemory(settings.size, true, workers, 7);
  const crew = Array.from({ length: workers }, (_, worker) => new Concurrency(settings, memory, worker));
  const key = (address: string) => crew[0]!.key.ofAddress(parseIp(address));
  return { crew, key, memory, counts: new LimitCounts(memory, 0) };
}

Deno.test("enter() never lets in more than there may be, and as many as there may be", () => {
  const step = fc.record({ worker: fc.nat(2), client: fc.nat(2), leaves: fc.boolean(), which: fc.nat() });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 100, size: "max" }),
      fc.integer({ min: 1, max: 4 }),
      (steps, most) => {
        const { crew, key, memory } = limit({ most }, 3);
        const held: Place[][] = [[], [], []];
        for (const { worker, client, leaves, which } of steps) {
          const mine = held[client]!;
          if (leaves && mine.length > 0) mine.splice(which % mine.length, 1)[0]!.release();
          else {
            const place = crew[worker]!.enter(key(`192.0.2.${client}`), 0);
            assertEquals(place !== null, mine.length < most);
            if (place !== null) mine.push(place);
          }
        }
        for (const place of held.flat()) {
          place.release();
        }
        assertEquals(memory.tables.map((table) => new SharedTable(table, 0).size(0)), [0, 0, 0]);
      },
    ),
  );
});

Deno.test("enter() of a dry run lets all in, and counts them all the same", () => {
  const { crew: [only], key, counts } = limit({ most: 1, dryRun: true });
  const places = [1, 2, 3].map(() => only!.enter(key("192.0.2.1"), 0));
  assertEquals([counts.sum("passed"), counts.sum("dryRun"), counts.sum("refused")], [1, 2, 0]);
  for (const place of places) place!.release();
  only!.enter(key("192.0.2.1"), 0);
  assertEquals(counts.sum("passed"), 2);
});

Deno.test("enter() does not count what has no key", () => {
  const { crew: [only] } = limit({ most: 1 });
  for (let n = 0; n < 5; n++) only!.enter(null, 0)!.release();
});

Deno.test("release() of a key that was forgotten for lack of room takes nothing from others", () => {
  const { crew: [only], key, counts } = limit({ most: 1, size: 8 });
  const places = Array.from({ length: 12 }, (_, n) => only!.enter(key(`192.0.2.${n}`), n)!);
  assertEquals(counts.sum("evictions"), 4);
  for (const place of places.slice(0, 4)) place.release();
  assertEquals(only!.enter(key("192.0.2.11"), 20), null);
});

function snapshotOf(limit: ConcurrencySnapshot | RateLimitSnapshot): Snapshot {
  const guards = limit.kind === "rate" ? { rateLimits: [limit as RateLimitSnapshot] } : {
    concurrencyLimits: [limit as ConcurrencySnapshot],
  };
  return { listeners: [{ guards, routes: [] }] } as unknown as Snapshot;
}

Deno.test("reclaim() gives back what a worker held that is gone, and no rates", () => {
  const limits = new Limits(2, () => 0.5);
  const take = (snapshot: Snapshot) => {
    limits.keep(limits.prepare(snapshot, 0));
    return [...limits.current.values()][0]!;
  };
  const settings = concurrencyLimit({ most: 2 });
  const memory = take(snapshotOf(settings));
  const [one, two] = [0, 1].map((worker) => new Concurrency(settings, memory, worker));
  const key = one!.key.ofAddress(parseIp("192.0.2.1"));
  one!.enter(key, 0);
  const place = two!.enter(key, 0);
  assertEquals(two!.enter(key, 0), null);
  limits.reclaim(0);
  assertEquals(two!.enter(key, 0) !== null, true);
  assertEquals(two!.enter(key, 0), null);
  place!.release();
  assertEquals(limits.status(snapshotOf(settings), 0)[0]!.entries, 1);
  const rate = take(snapshotOf(rateLimit()));
  new SharedTable(rate.tables[0]!, 0).set(key!, 5, 5, 0);
  limits.reclaim(0);
  assertEquals(new SharedTable(rate.tables[0]!, 1).get(key!, 0), 5);
});
