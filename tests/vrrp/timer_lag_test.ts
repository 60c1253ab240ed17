import { TimerLag, WINDOW_MS } from "../../vrrp/timer_lag.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("TimerLag.awake() tells how long nothing could happen, beyond the pulse, and only once", () => {
  const lag = new TimerLag(100, 0);
  assertEquals([lag.awake(100), lag.awake(150), lag.awake(200)], [0, 0, 0]);
  assertEquals([lag.awake(1000), lag.awake(1000)], [700, 0]);
});

Deno.test("TimerLag.keeps() one or two late beats are forgiven, three are not, until they are ten seconds old", () => {
  const lag = new TimerLag(100, 0);
  for (const at of [1000, 2000]) lag.beat(150, at);
  assert(lag.keeps(100, 2000));
  lag.beat(150, 3000);
  assertEquals([lag.keeps(100, 3000), lag.keeps(200, 3000)], [false, true]);
  assert(lag.keeps(100, 1001 + WINDOW_MS));
});

Deno.test("TimerLag.keeps() short pauses are no fault, however short the interval", () => {
  const lag = new TimerLag(20, 0);
  for (let beat = 1; beat <= 20; beat++) lag.beat(25, beat * 20);
  assert(lag.keeps(10, 400));
});

Deno.test("TimerLag.worst() is the worst of the last ten seconds", () => {
  const lag = new TimerLag(100, 0);
  lag.beat(80, 1000);
  lag.beat(20, 5000);
  assertEquals([lag.worst(5000), lag.worst(1001 + WINDOW_MS), lag.worst(5001 + WINDOW_MS)], [80, 20, 0]);
});
