import fc from "fast-check";
import { assert, assertEquals } from "../assert.ts";
import { hash128 } from "../../mod/base/hash.ts";
import { SharedTable } from "../../mod/base/shared_table.ts";
import { lock } from "../../mod/base/spin_lock.ts";
import { FOREVER, key, MOST, SHARED_KEYS, type TableJob, type TableResult } from "./table_hammer.ts";

/** One bucket of eight, so that everything meets everything. */
const ONE_BUCKET = SharedTable.byteLength(8);

/** What a plain Map does; full of eight live entries, it gives up the one written longest ago. */
class Model {
  readonly #entries = new Map<number, { value: number; expiry: number; written: number }>();

  get(key: number, now: number): number | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expiry > now ? entry.value : undefined;
  }

  set(key: number, value: number, expiry: number, now: number): void {
    if (this.get(key, now) === undefined) this.#makeRoom(now);
    this.#entries.set(key, { value, expiry, written: now });
  }

  delete(key: number, now: number): boolean {
    const there = this.get(key, now) !== undefined;
    this.#entries.delete(key);
    return there;
  }

  size(now: number): number {
    return [...this.#entries.values()].filter(({ expiry }) => expiry > now).length;
  }

  #makeRoom(now: number): void {
    if (this.size(now) < 8) return;
    const live = [...this.#entries].filter(([, { expiry }]) => expiry > now);
    const [oldest] = live.sort(([, a], [, b]) => a.written - b.written)[0]!;
    this.#entries.delete(oldest);
  }
}

const step = fc.record({
  do: fc.constantFrom("get", "set", "set", "add", "replace", "delete"),
  key: fc.nat(11),
  value: fc.oneof(fc.nat(5), fc.double({ noNaN: true }), fc.maxSafeInteger()),
  ttl: fc.integer({ min: -5, max: 60 }),
  expected: fc.option(fc.nat(5), { nil: undefined }),
});

Deno.test("SharedTable does what a Map with expiry and eight places does", () => {
  fc.assert(fc.property(fc.array(step, { size: "max", maxLength: 150 }), (steps) => {
    const table = new SharedTable(new SharedArrayBuffer(ONE_BUCKET), 0);
    const model = new Model();
    steps.forEach(({ do: what, key: n, value, ttl, expected }, at) => {
      const now = at + 1;
      const expiry = now + ttl;
      const current = model.get(n, now);
      assertEquals(table.get(key(n), now), current);
      if (what === "set") table.set(key(n), value, expiry, now);
      if (what === "add") assertEquals(table.add(key(n), value, expiry, now), (current ?? 0) + value);
      if (what === "replace") {
        assertEquals(table.replace(key(n), expected, value, expiry, now), current === expected);
      }
      if (what === "delete") assertEquals(table.delete(key(n), now), model.delete(n, now));
      if (what === "set" || what === "replace" && current === expected) model.set(n, value, expiry, now);
      if (what === "add") model.set(n, (current ?? 0) + value, expiry, now);
      assertEquals(table.size(now), model.size(now));
    });
  }));
});

Deno.test("SharedTable keeps nearly all of as many keys as half of what fits", () => {
  const table = new SharedTable(new SharedArrayBuffer(SharedTable.byteLength(4096)), 0);
  assertEquals(table.capacity, 4096);
  for (let n = 0; n < 2048; n++) table.set(key(n), n, FOREVER, n);
  let kept = 0;
  for (let n = 0; n < 2048; n++) {
    const value = table.get(key(n), 3000);
    if (value === undefined) continue;
    assertEquals(value, n);
    kept++;
  }
  // Buckets of eight with four on average: 1 % of the entries find theirs full.
  assert(kept > 2048 * 0.97, String(kept));
});

Deno.test("SharedTable tells keys apart by each of their bits", () => {
  const table = new SharedTable(new SharedArrayBuffer(ONE_BUCKET), 0);
  const base = new Uint32Array(4);
  hash128(base, Uint8Array.of(1, 2, 3));
  table.set(base, 1, FOREVER, 0);
  for (let bit = 0; bit < 128; bit++) {
    const other = base.slice();
    other[bit >> 5]! ^= 1 << (bit & 31);
    assertEquals(table.get(other, 0), undefined);
  }
  assertEquals(table.get(base, 0), 1);
});

Deno.test("reclaim() empties the bucket that a dead worker had locked, and no other", () => {
  const memory = new SharedArrayBuffer(SharedTable.byteLength(16));
  const table = new SharedTable(memory, 0);
  for (let n = 0; n < 6; n++) table.set(key(n), n, FOREVER, 0);
  const before = table.size(1);
  // The first word of the first bucket is its lock.
  lock(new Int32Array(memory), 0, 1);
  table.reclaim(1);
  const first = (n: number) => key(n)[0]! < 2 ** 31;
  for (let n = 0; n < 6; n++) assertEquals(table.get(key(n), 1), first(n) ? undefined : n);
  assert(table.size(1) < before);
  table.set(key(0), 7, FOREVER, 1);
  assertEquals(table.get(key(0), 1), 7);
});

Deno.test("size() of a large table is right to two in a hundred", () => {
  const entries = 400_000;
  const table = new SharedTable(new SharedArrayBuffer(SharedTable.byteLength(entries)), 0);
  for (let n = 0; n < entries / 4; n++) table.set(key(n), n, FOREVER, 0);
  const kept = entries / 4 - table.evictions;
  assert(Math.abs(table.size(1) - kept) < kept / 50, `${table.size(1)} of ${kept}`);
});

Deno.test("touch() answers as get() and makes the entry last", () => {
  const table = new SharedTable(new SharedArrayBuffer(ONE_BUCKET), 0);
  assertEquals(table.touch(key(0), 20, 0), undefined);
  assertEquals(table.size(0), 0);
  table.set(key(0), 7, 10, 0);
  assertEquals(table.touch(key(0), 20, 9), 7);
  assertEquals([table.get(key(0), 19), table.touch(key(0), 99, 20)], [7, undefined]);
});

Deno.test("advance() moves a time on from now or from where it is, and never beyond what it may be", () => {
  const table = new SharedTable(new SharedArrayBuffer(ONE_BUCKET), 0);
  const advance = (now: number) => table.advance(key(0), 10, now + 20, now);
  assertEquals([advance(100), advance(100), advance(100), table.get(key(0), 100)], [110, 120, 130, 120]);
  assertEquals([advance(105), advance(110), table.get(key(0), 129)], [130, 130, 130]);
  assertEquals([table.get(key(0), 130), advance(500)], [undefined, 510]);
  // The clock went back.
  assertEquals([advance(200), table.get(key(0), 200), advance(209), advance(210)], [230, 220, 230, 230]);
});

Deno.test("evictions counts the live entries that had to go, and no others", () => {
  const table = new SharedTable(new SharedArrayBuffer(ONE_BUCKET), 0);
  for (let n = 0; n < 8; n++) table.set(key(n), n, n < 4 ? 10 : FOREVER, n);
  for (let n = 8; n < 12; n++) table.set(key(n), n, FOREVER, 10);
  assertEquals(table.evictions, 0);
  table.set(key(12), 12, FOREVER, 11);
  assertEquals([table.evictions, table.get(key(4), 11), table.get(key(5), 11)], [1, undefined, 5]);
});

Deno.test("copyTo() sets what is live in a table of another size, with its expiry", () => {
  const table = new SharedTable(new SharedArrayBuffer(SharedTable.byteLength(64)), 0);
  for (let n = 0; n < 10; n++) table.set(key(n), n, 10 + n, 0);
  const other = new SharedTable(new SharedArrayBuffer(SharedTable.byteLength(1024)), 1);
  table.copyTo(other, 12);
  assertEquals([other.size(12), other.get(key(2), 12), other.get(key(3), 12)], [7, undefined, 3]);
  assertEquals(other.get(key(9), 19), undefined);
});

Deno.test("entries() tells of live entries only, and of no more than wanted", () => {
  const table = new SharedTable(new SharedArrayBuffer(SharedTable.byteLength(64)), 0);
  for (let n = 0; n < 10; n++) table.set(key(n), n, 10 + n, 0);
  const { entries } = table.entries(100, 12);
  assertEquals(
    entries.map(({ value, expiry }) => [value, expiry]).sort(),
    [3, 4, 5, 6, 7, 8, 9].map((n) => [n, 10 + n]),
  );
  assertEquals(entries.find(({ value }) => value === 7)?.key, key(7));
  assertEquals([table.entries(3, 12).entries.length, table.entries(3, 30).entries.length], [3, 0]);
});

Deno.test("deleteWhere() deletes the live entries of that value alone, and counts them", () => {
  const table = new SharedTable(new SharedArrayBuffer(SharedTable.byteLength(64)), 0);
  for (let n = 0; n < 10; n++) table.set(key(n), n % 2, n === 0 ? 10 : FOREVER, 0);
  assertEquals(table.deleteWhere((value) => value === 0, 10), 4);
  assertEquals([table.size(10), table.get(key(2), 10), table.get(key(3), 10)], [5, undefined, 1]);
  table.set(key(2), 7, FOREVER, 11);
  assertEquals(table.get(key(2), 11), 7);
  assertEquals([table.deleteWhere(() => true, 11), table.size(11)], [6, 0]);
});

const WORKER = new URL("./table_worker.ts", import.meta.url).href;

function start(job: TableJob): { worker: Worker; result: Promise<TableResult> } {
  const worker = new Worker(WORKER, { type: "module" });
  const result = new Promise<TableResult>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.postMessage(job);
  return { worker, result };
}

Deno.test("add(), replace() and advance() from three workers at once lose nothing, and no entry is torn", async () => {
  const shared = new SharedArrayBuffer(ONE_BUCKET);
  const memory = new SharedArrayBuffer(SharedTable.byteLength(16));
  const rounds = 20_000;
  const crew = [0, 1, 2].map((worker) => start({ memory, shared, worker, rounds }));
  const results = await Promise.all(crew.map(({ result }) => result));
  for (const { worker } of crew) worker.terminate();
  const table = new SharedTable(shared, 3);
  for (let n = 0; n < SHARED_KEYS; n++) assertEquals(table.get(key(n), 1), 3 * rounds);
  assertEquals(table.get(key(99), 1), results.reduce((sum, { replaced }) => sum + replaced, 0));
  assertEquals(results.reduce((sum, { advanced }) => sum + advanced, 0), MOST - 1);
  assertEquals(results.map(({ torn }) => torn), [0, 0, 0]);
});
