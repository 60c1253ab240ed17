/** Invariant of the property: a server has at most one probe under way and never waits longer than its interval allows. */
import fc from "fast-check";
import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertLessOrEqual } from "../assert.ts";
import { FIRST_SPREAD_MS, JITTER, ProbeSchedule } from "../../mod/health/schedule.ts";

/** A fixed sequence (mulberry32), so that a failure can be repeated. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function servers(count: number, intervalMs: number): { slot: number; intervalMs: number }[] {
  return Array.from({ length: count }, (_, slot) => ({ slot, intervalMs }));
}

Deno.test("add() spreads the first probes evenly over the first second", () => {
  const schedule = new ProbeSchedule(sequence(1));
  schedule.add(servers(100, 10_000), 5000);
  for (let slot = 0; slot < 100; slot++) {
    const dueAt = schedule.dueAt(slot) ?? NaN;
    assertGreaterOrEqual(dueAt, 5000 + slot * FIRST_SPREAD_MS / 100);
    assertLessOrEqual(dueAt, 5000 + (slot + 1) * FIRST_SPREAD_MS / 100);
  }
});

Deno.test("finished() the next probe comes an interval after the last one began, give or take a tenth", () => {
  const schedule = new ProbeSchedule(sequence(2));
  schedule.add(servers(1, 1000), 0);
  let previous = schedule.deadline();
  for (let i = 0; i < 200; i++) {
    assertEquals(schedule.due(previous), [0]);
    schedule.finished(0, 1000, previous + 300);
    const next = schedule.deadline();
    assertGreaterOrEqual(next - previous, 1000 * (1 - JITTER));
    assertLessOrEqual(next - previous, 1000 * (1 + JITTER));
    previous = next;
  }
});

Deno.test("finished() a probe longer than its interval is followed at once, not twice", () => {
  const schedule = new ProbeSchedule(sequence(3));
  schedule.add(servers(1, 100), 0);
  schedule.due(100);
  assertEquals(schedule.deadline(), Infinity);
  schedule.finished(0, 100, 950);
  assertEquals(schedule.due(950), [0]);
  assertEquals(schedule.due(2000), []);
});

Deno.test("due() probes of many servers do not run in step, even after an hour", () => {
  const schedule = new ProbeSchedule(sequence(4));
  schedule.add(servers(200, 2000), 0);
  const perTenth = new Map<number, number>();
  while (schedule.deadline() < 3_600_000) {
    const now = schedule.deadline();
    for (const slot of schedule.due(now)) {
      if (now > 3_540_000) {
        perTenth.set(Math.floor(now / 100), (perTenth.get(Math.floor(now / 100)) ?? 0) + 1);
      }
      schedule.finished(slot, 2000, now);
    }
  }
  // 200 servers every 2 s are 10 a tenth of a second; in step they would be 200 at once.
  assertLess(Math.max(...perTenth.values()), 40);
});

Deno.test("configure() a shorter interval takes effect for the probe that waits", () => {
  const schedule = new ProbeSchedule(sequence(5));
  schedule.add(servers(1, 60_000), 0);
  schedule.due(1000);
  schedule.finished(0, 60_000, 1000);
  schedule.configure(0, 1000, 2000);
  assertLessOrEqual(schedule.deadline(), 2000 + 1000 * (1 + JITTER));
});

Deno.test("remove() the end of a removed server's probe changes nothing", () => {
  const schedule = new ProbeSchedule(sequence(6));
  schedule.add(servers(1, 1000), 0);
  schedule.due(1000);
  schedule.remove(0);
  schedule.finished(0, 1000, 1100);
  assertEquals([schedule.deadline(), schedule.dueAt(0), schedule.due(1e9)], [Infinity, null, []]);
});

Deno.test("deadline() is never later than a probe that waits, under any order of calls", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), slot: fc.nat(5) }),
    fc.record({ kind: fc.constant("remove" as const), slot: fc.nat(5) }),
    fc.record({ kind: fc.constant("finish" as const), slot: fc.nat(5) }),
    fc.record({ kind: fc.constant("configure" as const), slot: fc.nat(5) }),
    fc.record({ kind: fc.constant("wait" as const), slot: fc.nat(3000) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), fc.integer(), (steps, seed) => {
    const schedule = new ProbeSchedule(sequence(seed));
    const running = new Set<number>();
    let now = 0;
    for (const { kind, slot } of steps) {
      if (kind === "add") {
        schedule.add([{ slot, intervalMs: 1000 }], now);
        running.delete(slot);
      } else if (kind === "remove") {
        schedule.remove(slot);
        running.delete(slot);
      } else if (kind === "configure") schedule.configure(slot, 300, now);
      else if (kind === "finish") {
        schedule.finished(slot, 1000, now);
        running.delete(slot);
      } else now += slot;
      for (const due of schedule.due(now)) {
        assert(!running.has(due), "a second probe of one server");
        running.add(due);
      }
      for (let known = 0; known < 6; known++) {
        const dueAt = schedule.dueAt(known);
        if (dueAt === null) continue;
        assertLess(now, dueAt);
        assertLessOrEqual(schedule.deadline(), dueAt);
      }
    }
  }));
});
