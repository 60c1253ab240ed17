import { StickCounts, StickTable } from "../../mod/balance/stick_table.ts";
import { rememberedSticks } from "../../mod/runtime/remembered_sticks.ts";
import { Sticks } from "../../mod/runtime/stick_memory.ts";
import type { PoolSnapshot, Snapshot } from "../../mod/config/snapshot.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const TTL = 1_000_000;

function snapshot(...pools: [name: string, size: number][]): Snapshot {
  const sticky = (size: number) => ({ kind: "table", size, ttlMs: TTL });
  return { pools: pools.map(([name, size]) => ({ name, sticky: sticky(size) })) } as unknown as Snapshot;
}

/** Sessions with memory for these pools. */
function running(seed: number, recalled: unknown, ...pools: [name: string, size: number][]) {
  const sticks = new Sticks(1, () => seed);
  if (recalled !== null) sticks.recall(recalled);
  const memories = sticks.prepare(snapshot(...pools), 0);
  sticks.keep(memories);
  const table = (name: string) => {
    const memory = memories.get(name)!;
    return new StickTable(memory, 0, TTL, new StickCounts(memory, 0));
  };
  return { sticks, table };
}

const text = (session: number) => new TextEncoder().encode(`session ${session}`);

function keyOf(table: StickTable, session: number): Uint32Array {
  const bytes = text(session);
  return table.key(bytes, bytes.length, "text");
}

Deno.test("Sticks what one remembers another goes on with, under other seeds and in other sizes", () => {
  const before = running(0.25, null, ["a", 1000], ["b", 1000], ["gone", 10]);
  for (let session = 0; session < 100; session++) {
    const table = before.table("a");
    table.set(keyOf(table, session), session * 2 ** 40, 1000 + session);
  }
  const told = JSON.parse(JSON.stringify(before.sticks.remember(2000)));
  const after = running(0.75, told, ["a", 5000], ["b", 1000], ["new", 10]).table("a");
  for (let session = 0; session < 100; session++) {
    assertEquals(after.find(keyOf(after, session), 2000), session * 2 ** 40);
  }
  const last = running(0.5, told, ["a", 1000]).table("a");
  assertEquals(last.find(keyOf(last, 99), 1000 + 99 + TTL), undefined, "it expires when it did");
});

Deno.test("Sticks of more than can cross, those that were used last do", () => {
  const { sticks, table } = running(0.5, null, ["a", 4000], ["b", 4000]);
  const [a, b] = [table("a"), table("b")];
  for (let session = 0; session < 100; session++) {
    a.set(keyOf(a, session), 1, 2 * session);
    b.set(keyOf(b, session), 2, 2 * session + 1);
  }
  const told = sticks.remember(0, 100);
  assertEquals(told.map(({ entries }) => entries.length / 7), [50, 50]);
  const after = running(0.5, told, ["a", 1000], ["b", 1000]);
  for (const [table, value] of [[after.table("a"), 1], [after.table("b"), 2]] as const) {
    const found = [0, 49, 50, 99].map((session) => table.find(keyOf(table, session), 0));
    assertEquals(found, [undefined, undefined, value, value]);
  }
});

Deno.test("rememberedSticks() believes nothing of another version's word", () => {
  assertThrows(() => rememberedSticks({}));
  const good = { pool: "a", seed: 1, entries: [1, 2, 3, 4, 5, 6, 7] };
  const bad = [{}, null, { ...good, entries: [1] }, { ...good, entries: ["a"] }, { ...good, seed: -1 }];
  assertEquals(rememberedSticks([...bad, good]), [good]);
});

Deno.test("Sticks.forget() forgets the one of a key as it is listed, and no other", () => {
  const { sticks, table } = running(0.5, null, ["a", 100]);
  const a = table("a");
  for (let session = 0; session < 3; session++) a.set(keyOf(a, session), 1, 0);
  const pool = { name: "a", servers: [] } as unknown as PoolSnapshot;
  const keys = () => sticks.list(pool, { limit: 10, after: 0 }, 0)!.sessions.map(({ key }) => key);
  const [first = "", ...others] = keys();
  assertEquals(first.length, 32);
  assertEquals([sticks.forget(pool, { key: first }, 0), sticks.forget(pool, { key: first }, 0)], [1, 0]);
  assertEquals(keys(), others);
  assertEquals(sticks.forget(pool, {}, 0), 2);
});
