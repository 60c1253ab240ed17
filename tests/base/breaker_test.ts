/** The breaker of a pool by itself: when it opens, what it lets through, and when it closes. */
import { Breaker, Breakers, type BreakerState } from "../../mod/base/breaker.ts";
import { assertEquals } from "../assert.ts";

const TERMS = { failures: 0.5, minRequests: 4, windowMs: 1000, openForMs: 500, trials: 2 };
/** As of a clock: more than a word of the memory holds. */
const START = 1_800_000_000_000;

class Bench {
  readonly states: BreakerState[] = [];
  readonly memory = new Breakers(new SharedArrayBuffer(Breakers.byteLength(3)));
  now = START;

  make(terms = TERMS): Breaker {
    return new Breaker(this.memory, 1, terms, (state) => this.states.push(state));
  }

  /** Lets so many attempts end one way or the other. */
  outcomes(breaker: Breaker, good: number, bad: number): void {
    for (let n = 0; n < good; n++) breaker.onSuccess(this.now);
    for (let n = 0; n < bad; n++) breaker.onFailure(this.now);
  }

  /** How many of five requests get through. */
  admitted(breaker: Breaker): number {
    return [1, 2, 3, 4, 5].filter(() => breaker.admits(this.now)).length;
  }
}

Deno.test("Breaker opens at the share of failures, once there are enough attempts", () => {
  const bench = new Bench();
  const breaker = bench.make();
  bench.outcomes(breaker, 0, 3);
  assertEquals([bench.admitted(breaker), bench.states], [5, []], "too few");
  bench.outcomes(breaker, 4, 0);
  bench.outcomes(breaker, 0, 1);
  assertEquals(bench.admitted(breaker), 0, "4 of 8");
  assertEquals([bench.memory.state(1), bench.memory.opened(1), bench.states], ["open", 1, ["open"]]);
  assertEquals([bench.memory.state(0), bench.memory.state(2)], ["closed", "closed"], "no other pool's");
});

Deno.test("Breaker forgets at the end of a window", () => {
  const bench = new Bench();
  const breaker = bench.make();
  bench.outcomes(breaker, 0, 3);
  bench.now += 1000;
  bench.outcomes(breaker, 0, 3);
  assertEquals(bench.admitted(breaker), 5);
  bench.outcomes(breaker, 0, 1);
  assertEquals(bench.admitted(breaker), 0);
});

Deno.test("Breaker lets a few through after a while, and closes when they are answered", () => {
  const bench = new Bench();
  const breaker = bench.make();
  bench.outcomes(breaker, 0, 4);
  bench.now += 499;
  assertEquals(bench.admitted(breaker), 0);
  bench.now += 1;
  assertEquals([bench.admitted(breaker), bench.memory.state(1)], [2, "halfOpen"]);
  breaker.onSuccess(bench.now);
  assertEquals([bench.admitted(breaker), breaker.closed], [0, false]);
  breaker.onSuccess(bench.now);
  assertEquals([bench.admitted(breaker), breaker.closed], [5, true]);
  assertEquals(bench.states, ["open", "halfOpen", "closed"]);
  bench.outcomes(breaker, 0, 3);
  assertEquals(bench.admitted(breaker), 5, "what was before does not count any more");
});

Deno.test("Breaker opens again for one failure of those few", () => {
  const bench = new Bench();
  const breaker = bench.make();
  bench.outcomes(breaker, 0, 4);
  bench.now += 500;
  bench.admitted(breaker);
  bench.outcomes(breaker, 1, 1);
  assertEquals([bench.admitted(breaker), bench.memory.opened(1)], [0, 2]);
  bench.now += 500;
  assertEquals(bench.admitted(breaker), 2);
});

Deno.test("Breaker lets others through when nobody knows what became of the few", () => {
  const bench = new Bench();
  const breaker = bench.make();
  bench.outcomes(breaker, 0, 4);
  bench.now += 500;
  assertEquals(bench.admitted(breaker), 2);
  bench.now += 499;
  assertEquals(bench.admitted(breaker), 0);
  bench.now += 1;
  assertEquals(bench.admitted(breaker), 2);
});

Deno.test("Breaker is one for all that open it, and goes on with other terms", () => {
  const bench = new Bench();
  const [one, other] = [bench.make(), bench.make()];
  bench.outcomes(one, 0, 2);
  bench.outcomes(other, 0, 2);
  assertEquals([one.admits(bench.now), other.admits(bench.now), bench.states], [false, false, ["open"]]);
  const reloaded = bench.make({ ...TERMS, openForMs: 60_000 });
  bench.now += 500;
  assertEquals(reloaded.admits(bench.now), false);
  bench.memory.clear(1);
  assertEquals([reloaded.admits(bench.now), bench.memory.opened(1)], [true, 0]);
});

Deno.test("Breaker without a share never opens, and a clock that is put back keeps none open", () => {
  const bench = new Bench();
  const never = bench.make({ ...TERMS, failures: 0 });
  bench.outcomes(never, 0, 100);
  assertEquals(bench.admitted(never), 5);
  const breaker = bench.make();
  bench.outcomes(breaker, 0, 4);
  bench.now -= 3_600_000;
  assertEquals(bench.admitted(breaker), 2);
});
