/** Invariant of the property: the weight only grows with time, is never 0 for a weighted server, and ends full. */
import fc from "fast-check";
import { assertEquals, assertGreater, assertLessOrEqual } from "../assert.ts";
import { SLOW_START_STEPS, slowStartWeight } from "../../mod/health/slow_start.ts";

Deno.test("slowStartWeight() without a slow start the weight is full at once", () => {
  assertEquals(slowStartWeight(3, 0, 0), 768);
});

Deno.test("slowStartWeight() starts at a twentieth and is at half after half the time", () => {
  assertEquals(slowStartWeight(10, 20_000, 0), 128);
  assertEquals(slowStartWeight(10, 20_000, 9_999), 1280);
  assertEquals(slowStartWeight(10, 20_000, 20_000), 2560);
});

Deno.test("slowStartWeight() a weight of 0 stays 0", () => {
  assertEquals(slowStartWeight(0, 1000, 10), 0);
});

Deno.test("slowStartWeight() grows in few steps from more than nothing to the full weight", () => {
  const inputs = [fc.integer({ min: 1, max: 256 }), fc.integer({ min: 1, max: 600_000 })] as const;
  fc.assert(fc.property(...inputs, (weight, slowStartMs) => {
    const seen = new Set<number>();
    let previous = 0;
    for (let part = 0; part <= 200; part++) {
      const now = slowStartWeight(weight, slowStartMs, slowStartMs * part / 200);
      assertGreater(now, 0);
      assertLessOrEqual(previous, now);
      seen.add(previous = now);
    }
    assertEquals(previous, weight * 256);
    assertLessOrEqual(seen.size, SLOW_START_STEPS + 1);
  }));
});
