import { HUNG_LOOKS, PulseWatch, STARTUP_LOOKS } from "../../mod/runtime/pulse.ts";
import { assertEquals } from "../assert.ts";

/** How many looks at an unchanging word it takes. */
function looks(watch: PulseWatch, worker: number, beat: number): number {
  for (let count = 1; count < 1000; count++) if (watch.look(worker, beat)) return count;
  return Infinity;
}

Deno.test("PulseWatch() says that a worker hangs after HUNG_LOOKS looks without a beat", () => {
  const watch = new PulseWatch();
  watch.reset(0, 7);
  assertEquals(watch.look(0, 8), false);
  assertEquals(looks(watch, 0, 8), HUNG_LOOKS);
  assertEquals(watch.look(0, 9), false);
});

Deno.test("PulseWatch() gives a starting worker STARTUP_LOOKS until its first beat", () => {
  const watch = new PulseWatch();
  watch.reset(0, 7);
  assertEquals(looks(watch, 0, 7), STARTUP_LOOKS);
  watch.reset(0, 7);
  assertEquals(looks(watch, 0, 7), STARTUP_LOOKS);
});

Deno.test("PulseWatch() watches each worker by itself", () => {
  const watch = new PulseWatch();
  watch.reset(0, 0);
  watch.reset(1, 0);
  watch.look(0, 1);
  for (let look = 1; look < HUNG_LOOKS; look++) {
    assertEquals(watch.look(0, 1), false);
    assertEquals(watch.look(1, look), false);
  }
  assertEquals(watch.look(0, 1), true);
  assertEquals(watch.look(1, HUNG_LOOKS), false);
});
