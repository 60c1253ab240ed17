import fc from "fast-check";
import { TICK_MS, Timer, Wheel } from "../../mod/net/wheel.ts";
import { assert, assertEquals } from "../assert.ts";

const TURN_MS = 1024 * TICK_MS;

function timer(fired: number[]): Timer {
  return new Timer({ onDeadline: (now) => fired.push(now) });
}

Deno.test("Wheel fires once, at its time or up to a tick later", () => {
  const wheel = new Wheel(0);
  const fired: number[] = [];
  wheel.set(timer(fired), 250);
  for (let now = 0; now <= 1000; now += 10) wheel.advance(now);
  assertEquals(fired, [300]);
});

Deno.test("Wheel.set() moves a deadline later and earlier", () => {
  const wheel = new Wheel(0);
  const fired: number[] = [];
  const one = timer(fired);
  wheel.set(one, 500);
  wheel.set(one, 900);
  wheel.set(one, 300);
  wheel.set(one, 700);
  for (let now = 0; now <= 2000; now += TICK_MS) wheel.advance(now);
  assertEquals(fired, [700]);
});

Deno.test("Wheel.clear() keeps a deadline from firing, and it may be set again", () => {
  const wheel = new Wheel(0);
  const fired: number[] = [];
  const one = timer(fired);
  wheel.set(one, 300);
  wheel.clear(one);
  wheel.advance(1000);
  wheel.set(one, 1500);
  wheel.advance(2000);
  assertEquals(fired, [2000]);
});

Deno.test("Wheel keeps deadlines that are further ahead than it is long", () => {
  const wheel = new Wheel(0);
  const fired: number[] = [];
  const at = 3 * TURN_MS + 50;
  wheel.set(timer(fired), at);
  for (let now = 0; now < 4 * TURN_MS; now += TICK_MS) wheel.advance(now);
  assertEquals(fired, [at + 50]);
});

Deno.test("Wheel fires a deadline that is set from within one at the next tick at the earliest", () => {
  const wheel = new Wheel(0);
  const fired: number[] = [];
  const again = new Timer({
    onDeadline: (now) => {
      fired.push(now);
      if (fired.length < 3) wheel.set(again, now);
    },
  });
  wheel.set(again, 100);
  for (let now = 0; now <= 1000; now += TICK_MS) wheel.advance(now);
  assertEquals(fired, [100, 200, 300]);
});

Deno.test("Wheel agrees with a plain list of deadlines, whatever is set and cleared", () => {
  const step = fc.record({
    timer: fc.nat(4),
    what: fc.constantFrom("set", "clear", "pass"),
    ms: fc.oneof(fc.nat(400), fc.nat(3 * TURN_MS)),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const wheel = new Wheel(0);
    const due = new Array<number>(5).fill(Infinity);
    let now = 0;
    const timers = due.map((_, index) =>
      new Timer({
        onDeadline: () => {
          assert(due[index]! <= now, "never early");
          assert(now - due[index]! < 2 * TICK_MS, "at most a tick late");
          due[index] = Infinity;
        },
      })
    );
    for (const { timer, what, ms } of steps) {
      if (what === "set") wheel.set(timers[timer]!, due[timer] = now + ms);
      else if (what === "clear") {
        wheel.clear(timers[timer]!);
        due[timer] = Infinity;
      } else {
        for (const until = now + ms; now < until; wheel.advance(now)) now += TICK_MS;
        for (const at of due) assert(at > now - TICK_MS, "none is forgotten");
      }
    }
  }));
});
