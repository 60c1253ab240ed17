import { HUNG_LOOKS, PulseWatch } from "../../mod/runtime/pulse.ts";
import { assertEquals } from "../assert.ts";

Deno.test("PulseWatch() says that a worker hangs after HUNG_LOOKS looks without a beat", () => {
  const watch = new PulseWatch();
  watch.reset(0);
  assertEquals(watch.look(0, 1), false);
  for (let look = 1; look < HUNG_LOOKS; look++) assertEquals(watch.look(0, 1), false);
  assertEquals(watch.look(0, 1), true);
  assertEquals(watch.look(0, 2), false);
});

Deno.test("PulseWatch() watches each worker by itself and starts over after a reset", () => {
  const watch = new PulseWatch();
  watch.reset(0);
  watch.reset(1);
  for (let look = 0; look < HUNG_LOOKS * 2; look++) {
    watch.look(0, 5);
    assertEquals(watch.look(1, look), false);
  }
  assertEquals(watch.look(0, 5), true);
  watch.reset(0);
  assertEquals(watch.look(0, 5), false);
});
