import { ElectionPulse } from "../../mod/runtime/election_pulse_io.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("ElectionPulse() wake() tells once of a time in which nothing could happen", () => {
  const stalls: number[] = [];
  const pulse = new ElectionPulse({ onStall: (stoodMs) => stalls.push(stoodMs), onBeat: () => {} });
  pulse.follow([10, 5000]);
  pulse.wake();
  const until = performance.now() + 100;
  while (performance.now() < until) Math.hypot(1, 2);
  stalls.length = 0;
  pulse.wake();
  assertEquals(stalls.length, 1);
  assert(stalls[0]! >= 70, `${stalls}`);
});

Deno.test("ElectionPulse() beats until it is stopped, also by what a beat does", async () => {
  const beaten = Promise.withResolvers<void>();
  let beats = 0;
  const pulse = new ElectionPulse({
    onStall: () => {},
    onBeat: () => {
      if (++beats < 2) return;
      pulse.stop();
      beaten.resolve();
    },
  });
  pulse.follow([10]);
  pulse.start();
  await beaten.promise;
  assertEquals(beats, 2);
});
