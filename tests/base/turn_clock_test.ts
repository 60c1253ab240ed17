import { TurnClock } from "../../mod/base/turn_clock.ts";
import { assertEquals } from "../assert.ts";

/** A clock over two that are set by hand, and how often each was looked at. */
function clockAt(wall: number, steady: number) {
  const at = { wall, steady };
  const looks = { wall: 0, steady: 0 };
  const clock = new TurnClock(() => (looks.wall++, at.wall), () => (looks.steady++, at.steady));
  looks.wall = looks.steady = 0;
  return { at, looks, clock };
}

Deno.test("tick() looks once for all events of a turn, and again in the next", async () => {
  const { at, looks, clock } = clockAt(1000, 5);
  const seen: number[] = [];
  const event = () => {
    clock.tick();
    seen.push(clock.now);
    at.wall++;
    at.steady++;
  };
  // As the runtime does it: what was ready together is settled together.
  const turn = async () => {
    const ready = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const done = ready.map(({ promise }) => promise.then(event));
    for (const { resolve } of ready) resolve();
    await Promise.all(done);
  };
  at.wall++;
  at.steady++;
  await turn();
  assertEquals(seen, [6, 6, 6]);
  await turn();
  assertEquals(seen.slice(3), [9, 9, 9]);
  assertEquals(looks, { wall: 2, steady: 2 });
});

Deno.test("tick() looks at the steady clock only when the wall clock moved, forward or back", async () => {
  const { at, looks, clock } = clockAt(1000, 5);
  const next = async () => {
    clock.tick();
    await null;
  };
  at.steady = 5.5;
  await next();
  assertEquals([clock.now, clock.wall, looks.steady], [5, 1000, 0]);
  at.wall = 900;
  at.steady = 6;
  await next();
  assertEquals([clock.now, clock.wall, looks.steady], [6, 900, 1]);
});
