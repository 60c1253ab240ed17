import fc from "fast-check";
import { assert, assertEquals, assertNotEquals, assertThrows } from "../assert.ts";
import { ServerSlots } from "../../mod/base/slots.ts";

/** The same slots as three threads see them. */
function threads(capacity = 4): ServerSlots[] {
  const memory = new SharedArrayBuffer(ServerSlots.byteLength(capacity, 3));
  return [0, 1, 2].map((worker) => new ServerSlots(memory, capacity, worker));
}

Deno.test("available() is true for a server that is up, not ejected and ready, and for no other", () => {
  const [slots] = threads();
  for (const up of [true, false]) {
    for (const ejected of [true, false]) {
      for (const admin of ["ready", "drain", "maint"] as const) {
        slots!.setUp(2, up);
        slots!.setEjected(2, ejected);
        slots!.setAdmin(2, admin);
        assertEquals(slots!.available(2), up && !ejected && admin === "ready");
        assertEquals([slots!.up(2), slots!.ejected(2), slots!.admin(2)], [up, ejected, admin]);
        assertEquals(slots!.available(1), false, "never assigned");
      }
    }
  }
});

Deno.test("version() changes with every change of state or weight that another thread must see, and only then", () => {
  const [control, worker] = threads();
  const changes: [change: () => void, changed: boolean][] = [
    [() => control!.assign(1, 256, true), true],
    [() => control!.setUp(1, true), false],
    [() => control!.setUp(1, false), true],
    [() => control!.setWeight(1, 256), false],
    [() => control!.setWeight(1, 257), true],
    [() => control!.setAdmin(1, "drain"), true],
    [() => control!.setAdmin(1, "drain"), false],
    [() => control!.setEjected(1, true), true],
    [() => void control!.acquire(1, 0), false],
    [() => void control!.release(1), false],
  ];
  for (const [change, changed] of changes) {
    const before = worker!.version();
    change();
    (changed ? assertNotEquals : assertEquals)(worker!.version(), before, String(change));
  }
});

Deno.test("assign() makes the server ready and not ejected, and keeps what is still under way", () => {
  const [slots] = threads();
  slots!.setEjected(3, true);
  slots!.setAdmin(3, "maint");
  slots!.acquire(3, 0);
  slots!.assign(3, 512, true);
  assertEquals([slots!.available(3), slots!.weight(3), slots!.active(3)], [true, 512, 1]);
  slots!.assign(3, 512, false);
  assertEquals(slots!.available(3), false);
});

Deno.test("acquire() counts over all threads and stops at the limit", () => {
  const [a, b] = threads();
  assertEquals([a!.acquire(0, 2), b!.acquire(0, 2), a!.acquire(0, 2)], [true, true, false]);
  assertEquals([a!.active(0), a!.held(0, 0), a!.held(0, 1)], [2, 1, 1]);
  assertEquals(a!.acquire(0, 0), true, "no limit");
  assertEquals(b!.release(0), 2);
  assertEquals(b!.acquire(0, 2), false);
});

Deno.test("release() refuses what this thread does not hold, and changes nothing", () => {
  const [a, b] = threads();
  a!.acquire(0, 0);
  assertThrows(() => b!.release(0), Error, "Cannot release server slot 0 as worker 1 holds none of it");
  assertEquals([a!.active(0), a!.held(0, 1)], [1, 0]);
});

Deno.test("reclaim() gives back exactly what one thread held, whatever was taken and handed over", () => {
  const step = fc.record({ by: fc.nat(2), to: fc.nat(2), slot: fc.nat(3), take: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { size: "max", maxLength: 100 }), fc.nat(2), (steps, dead) => {
    const each = threads();
    const held = each.map(() => [0, 0, 0, 0]);
    for (const { by, to, slot, take } of steps) {
      if (take) {
        assert(each[by]!.acquire(slot, 0, to));
        held[to]![slot]! += 1;
      } else if (held[by]![slot]! > 0) {
        each[by]!.release(slot);
        held[by]![slot]! -= 1;
      }
    }
    assertEquals(each[0]!.reclaim(dead), held[dead]!.reduce((sum, n) => sum + n, 0));
    held[dead]!.fill(0);
    for (let slot = 0; slot < 4; slot++) {
      assertEquals(each[1]!.active(slot), held.reduce((sum, own) => sum + own[slot]!, 0));
    }
    assertEquals(each[0]!.reclaim(dead), 0);
  }));
});
