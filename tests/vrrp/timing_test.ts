import fc from "fast-check";
import {
  activeDownMs,
  fromCentiseconds,
  MAX_INTERVAL_MS,
  MIN_INTERVAL_MS,
  skewMs,
  toCentiseconds,
} from "../../vrrp/timing.ts";
import { assert, assertAlmostEquals, assertEquals } from "../assert.ts";

const priorities = fc.integer({ min: 1, max: 255 });
const intervals = fc.integer({ min: MIN_INTERVAL_MS, max: MAX_INTERVAL_MS });

Deno.test("RFC 9568 6.1 + skewMs() is (256 − priority) × interval / 256", () => {
  assertEquals(skewMs(3, 100, 1000), 609.375);
  assertEquals(skewMs(3, 1, 1000), 996.09375);
  assertEquals(skewMs(3, 255, 40_950), 159.9609375);
  assertAlmostEquals(skewMs(3, 200, 100), 21.875);
});

Deno.test("RFC 9568 6.1 − skewMs() is never cut to 0 or to whole centiseconds", () => {
  assertEquals(skewMs(3, 255, 10), 0.0390625);
  fc.assert(fc.property(priorities, intervals, (priority, intervalMs) => {
    const skew = skewMs(3, priority, intervalMs);
    assert(skew > 0 && skew < intervalMs);
  }));
});

Deno.test("RFC 3768 6.1 + skewMs() of version 2 is (256 − priority) / 256 seconds, whatever the interval", () => {
  assertEquals(skewMs(2, 128, 1000), 500);
  assertEquals(skewMs(2, 128, 5000), 500);
  assertEquals(skewMs(2, 255, 1000), 3.90625);
});

Deno.test("RFC 9568 6.1 + activeDownMs() is three intervals and the skew", () => {
  assertEquals(activeDownMs(3, 100, 1000), 3609.375);
  assertEquals(activeDownMs(3, 200, 100), 321.875);
  assertEquals(activeDownMs(2, 100, 1000), 3609.375);
});

Deno.test("activeDownMs() is shorter for every greater priority, at every interval", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 254 }), intervals, (priority, intervalMs) => {
    assert(activeDownMs(3, priority + 1, intervalMs) < activeDownMs(3, priority, intervalMs));
  }));
});

Deno.test("RFC 9568 5.2.7 + toCentiseconds() fills 12 bits, from 10 ms to 40.95 s", () => {
  assertEquals(toCentiseconds(10), 1);
  assertEquals(toCentiseconds(1000), 100);
  assertEquals(toCentiseconds(40_950), 4095);
  assertEquals(fromCentiseconds(4095), MAX_INTERVAL_MS);
});

Deno.test("RFC 9568 5.2.7 − toCentiseconds() neither is 0 nor overflows", () => {
  for (const [ms, centiseconds] of [[0, 1], [4, 1], [14, 1], [15, 2], [99_999, 4095]] as const) {
    assertEquals(toCentiseconds(ms), centiseconds);
  }
});
