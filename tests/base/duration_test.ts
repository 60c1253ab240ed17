import fc from "fast-check";
import { formatDuration, MAX_DURATION_MS, parseDuration } from "../../mod/base/duration.ts";
import { assertEquals } from "../assert.ts";

Deno.test("parseDuration() reads every unit", () => {
  assertEquals(parseDuration("250ms"), 250);
  assertEquals(parseDuration("2s"), 2000);
  assertEquals(parseDuration("5m"), 300_000);
  assertEquals(parseDuration("1h"), 3_600_000);
  assertEquals(parseDuration("0.1s"), 100);
  assertEquals(parseDuration("0s"), 0);
});

Deno.test("parseDuration() refuses what has no unit, another unit, a sign, spaces or a part of a millisecond", () => {
  for (
    const text of ["", "5", "0", "s", "5 s", "-1s", "+1s", "1d", "1e3s", ".5s", "1.s", "0.5ms", "1S", "1s "]
  ) {
    assertEquals(parseDuration(text), null, text);
  }
});

Deno.test("parseDuration() refuses what a timer cannot wait for", () => {
  assertEquals(parseDuration(`${MAX_DURATION_MS}ms`), MAX_DURATION_MS);
  assertEquals(parseDuration(`${MAX_DURATION_MS + 1}ms`), null);
});

Deno.test("formatDuration() is read back as the same duration", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (ms) => {
    assertEquals(parseDuration(formatDuration(ms)), ms);
  }));
  assertEquals([0, 90_000, 3_600_000, 1500].map(formatDuration), ["0ms", "90s", "1h", "1500ms"]);
});
