/** Invariant of the property: never too many out, never the last one that is up, and everyone comes back. */
import fc from "fast-check";
import { assert, assertEquals, assertLessOrEqual } from "../assert.ts";
import { MAX_EJECT_MS, PassiveChecks, type PassiveCounts } from "../../mod/health/passive.ts";
import type { PassiveSnapshot } from "../../mod/config/snapshot.ts";

const OPTIONS: PassiveSnapshot = {
  failures: 3,
  errorsInRow: 0,
  serverErrors: 0.5,
  minRequests: 10,
  windowMs: 10_000,
  ejectForMs: 1000,
  latencyFactor: 0,
  latencyMarginMs: 0,
  maxEjected: 0.5,
};
const allUp = () => true;

function delta(some: Partial<PassiveCounts>): PassiveCounts {
  return {
    answers: 0,
    connectErrors: 0,
    emptyReplies: 0,
    responseTimeouts: 0,
    badResponses: 0,
    responses5xx: 0,
    firstByteMs: 0,
    ...some,
  };
}

function pool(slots: number[], options: Partial<PassiveSnapshot> = {}): PassiveChecks {
  const checks = new PassiveChecks({ ...OPTIONS, ...options });
  checks.configure({ ...OPTIONS, ...options }, slots);
  return checks;
}

Deno.test("observe() failures in a row eject, and the reason says how many of what", () => {
  const checks = pool([1, 2]);
  assertEquals(checks.observe(1, delta({ connectErrors: 2 }), allUp, 0), null);
  assertEquals(checks.observe(1, delta({ connectErrors: 1 }), allUp, 100), {
    slot: 1,
    ejected: true,
    reason: "ejected for 1000 ms: 3 failures in a row (failed connections)",
  });
  assert(checks.ejected(1));
});

Deno.test("observe() whatever leaves a request without an answer is a failure", () => {
  const checks = pool([1, 2, 3]);
  checks.observe(1, delta({ connectErrors: 1, emptyReplies: 1 }), allUp, 0);
  assertEquals(
    checks.observe(1, delta({ responseTimeouts: 1 }), allUp, 100)?.reason,
    "ejected for 1000 ms: 3 failures in a row (time-outs)",
  );
  checks.release(allUp, 2000);
  assertEquals(
    checks.observe(1, delta({ badResponses: 3 }), allUp, 9000)?.reason,
    "ejected for 1000 ms: 3 failures in a row (malformed answers)",
  );
});

Deno.test("observe() 5xx answers in a row eject where that is wanted, and any other ends the row", () => {
  const checks = pool([1, 2], { errorsInRow: 5, serverErrors: 0 });
  assertEquals(checks.observe(1, delta({ answers: 4, responses5xx: 4 }), allUp, 0), null);
  assertEquals(checks.observe(1, delta({ answers: 9, responses5xx: 8 }), allUp, 100), null);
  assertEquals(checks.observe(1, delta({ answers: 4, responses5xx: 4 }), allUp, 200), null);
  assertEquals(checks.observe(1, delta({}), allUp, 300), null);
  assertEquals(
    checks.observe(1, delta({ answers: 1, responses5xx: 1 }), allUp, 400)?.reason,
    "ejected for 1000 ms: 5 answers in a row were 5xx",
  );
  const off = pool([1, 2], { serverErrors: 0 });
  assertEquals(off.observe(1, delta({ answers: 99, responses5xx: 99 }), allUp, 0), null);
});

Deno.test("observe() an answer ends the row of failures", () => {
  const checks = pool([1, 2]);
  checks.observe(1, delta({ emptyReplies: 2 }), allUp, 0);
  checks.observe(1, delta({ answers: 1 }), allUp, 100);
  assertEquals(checks.observe(1, delta({ emptyReplies: 2 }), allUp, 200), null);
  assertEquals(checks.observe(1, delta({ emptyReplies: 1 }), allUp, 300)?.ejected, true);
});

Deno.test("observe() the share of 5xx counts only from the fewest answers on", () => {
  const checks = pool([1, 2]);
  assertEquals(checks.observe(1, delta({ answers: 9, responses5xx: 9 }), allUp, 0), null);
  assertEquals(
    checks.observe(1, delta({ answers: 3, responses5xx: 1 }), allUp, 100)?.reason,
    "ejected for 1000 ms: 10 of 12 answers within 10000 ms were 5xx",
  );
});

Deno.test("observe() answers older than the window do not count", () => {
  const checks = pool([1, 2]);
  checks.observe(1, delta({ answers: 9, responses5xx: 9 }), allUp, 0);
  assertEquals(checks.observe(1, delta({ answers: 9, responses5xx: 9 }), allUp, 20_000), null);
});

Deno.test("observe() settings of 0 turn each kind off", () => {
  const checks = pool([1, 2], { failures: 0, serverErrors: 0 });
  assertEquals(checks.observe(1, delta({ connectErrors: 1000 }), allUp, 0), null);
  assertEquals(checks.observe(1, delta({ answers: 1000, responses5xx: 1000 }), allUp, 100), null);
});

Deno.test("observe() the last server that is up is never ejected", () => {
  const checks = pool([1, 2], { maxEjected: 1 });
  assertEquals(checks.observe(1, delta({ connectErrors: 9 }), (slot) => slot !== 2, 0), null);
  assertEquals(checks.observe(1, delta({ connectErrors: 1 }), allUp, 100)?.ejected, true);
  assertEquals(checks.observe(2, delta({ connectErrors: 9 }), allUp, 200), null);
  const alone = pool([1], { maxEjected: 1 });
  assertEquals(alone.observe(1, delta({ connectErrors: 9 }), allUp, 0), null);
});

Deno.test("observe() one may go even if the share would round to none, and nobody if it is 0", () => {
  assertEquals(
    pool([1, 2, 3], { maxEjected: 0.1 }).observe(1, delta({ connectErrors: 3 }), allUp, 0)?.slot,
    1,
  );
  assertEquals(pool([1, 2, 3], { maxEjected: 0 }).observe(1, delta({ connectErrors: 3 }), allUp, 0), null);
});

Deno.test("release() each ejection in close succession lasts twice as long, up to a bound", () => {
  const checks = pool([1, 2]);
  let now = 0;
  const lasted: number[] = [];
  for (let round = 0; round < 12; round++) {
    checks.observe(1, delta({ connectErrors: 3 }), allUp, now);
    const began = now;
    while (checks.release(allUp, now).length === 0) now += 500;
    lasted.push(now - began);
  }
  assertEquals(lasted.slice(0, 4), [1000, 2000, 4000, 8000]);
  assertEquals(lasted.at(-1), MAX_EJECT_MS);
});

Deno.test("release() a server that behaved long enough starts again with the shortest ejection", () => {
  const checks = pool([1, 2]);
  checks.observe(1, delta({ connectErrors: 3 }), allUp, 0);
  checks.release(allUp, 1000);
  const again = checks.observe(1, delta({ connectErrors: 3 }), allUp, 2500);
  assertEquals(again?.reason.startsWith("ejected for 1000 ms"), true);
});

Deno.test("release() ejected servers come back early when no other is up", () => {
  const checks = pool([1, 2]);
  checks.observe(1, delta({ connectErrors: 3 }), allUp, 0);
  assertEquals(checks.release(allUp, 10), []);
  assertEquals(checks.release((slot) => slot === 1, 20), [
    { slot: 1, ejected: false, reason: "back: no other server of the pool is up" },
  ]);
});

Deno.test("configure() keeps the servers that stay and forgets the others", () => {
  const checks = pool([1, 2, 3]);
  checks.observe(1, delta({ connectErrors: 3 }), allUp, 0);
  checks.configure(OPTIONS, [1, 4]);
  assertEquals([checks.ejected(1), checks.ejected(2)], [true, false]);
  assertEquals(checks.observe(2, delta({ connectErrors: 3 }), allUp, 10), null);
});

/** Tells of `answers` answers that began after `ms` each, by slot. */
function timed(
  checks: PassiveChecks,
  times: Readonly<Record<number, number>>,
  now: number,
  answers = 10,
): void {
  for (const [slot, ms] of Object.entries(times)) {
    checks.observe(Number(slot), delta({ answers, firstByteMs: ms * answers }), allUp, now);
  }
}

const SLOW = { latencyFactor: 3, latencyMarginMs: 50 };

Deno.test("ejectSlow() who is far above the pool's median, and the reason says how far", () => {
  const checks = pool([1, 2, 3, 4], SLOW);
  timed(checks, { 1: 20, 2: 30, 3: 40, 4: 400 }, 0);
  assertEquals(checks.ejectSlow(allUp, 0), [{
    slot: 4,
    ejected: true,
    reason: "ejected for 1000 ms: answers took 400 ms on average, those of the pool 30 ms",
  }]);
  assertEquals(checks.ejectSlow(allUp, 100), [], "it is out already, and the median is of the others");
  checks.release(allUp, 1000);
  assertEquals(checks.ejectSlow(allUp, 1000), [], "it begins anew");
  timed(checks, { 4: 400 }, 1100);
  assertEquals(checks.ejectSlow(allUp, 1100)[0]?.reason.startsWith("ejected for 2000 ms"), true);
});

Deno.test("ejectSlow() needs the factor, the margin, enough answers of both, and to be wanted", () => {
  const times = (one: number, other: number, options = {}, answers = 10) => {
    const checks = pool([1, 2], { ...SLOW, ...options });
    timed(checks, { 1: one, 2: other }, 0, answers);
    return checks.ejectSlow(allUp, 0).map(({ slot }) => slot);
  };
  assertEquals(times(40, 121), [2]);
  assertEquals(times(40, 119), [], "less than three times");
  assertEquals(times(2, 51), [], "less than 50 ms more");
  assertEquals(times(2, 53), [2]);
  assertEquals(times(40, 400, {}, 9), [], "too few answers");
  assertEquals(times(40, 400, { latencyFactor: 0 }), [], "off");
  assertEquals(times(40, 400, { maxEjected: 0 }), []);
  const alone = pool([1, 2], SLOW);
  timed(alone, { 2: 400 }, 0);
  assertEquals(alone.ejectSlow(allUp, 0), [], "nobody to be compared with");
});

Deno.test("ejectSlow() goes by what is in the window, and ejects the slowest first", () => {
  const checks = pool([1, 2, 3, 4, 5], SLOW);
  timed(checks, { 1: 10, 2: 10, 3: 10, 4: 500, 5: 600 }, 0);
  timed(checks, { 1: 10, 2: 10, 3: 10, 4: 20, 5: 600 }, 10_000);
  assertEquals(checks.ejectSlow(allUp, 10_000).map(({ slot }) => slot), [5]);
  const bounded = pool([1, 2, 3, 4, 5], { ...SLOW, maxEjected: 0.2 });
  timed(bounded, { 1: 10, 2: 10, 3: 10, 4: 500, 5: 600 }, 0);
  assertEquals(bounded.ejectSlow(allUp, 0).map(({ slot }) => slot), [5]);
});

Deno.test("observe() and release() keep the bounds whatever the traffic does", () => {
  const event = fc.record({
    slot: fc.nat(5),
    answers: fc.nat(30),
    connectErrors: fc.nat(4),
    emptyReplies: fc.nat(4),
    firstByteMs: fc.nat(9000),
    down: fc.option(fc.nat(5), { nil: null }),
    waitMs: fc.nat(1500),
  });
  const share = fc.constantFrom(0.1, 0.34, 0.5, 1);
  fc.assert(fc.property(fc.array(event, { maxLength: 80 }), share, (events, maxEjected) => {
    const slots = [0, 1, 2, 3, 4, 5];
    const checks = pool(slots, { maxEjected, latencyFactor: 2 });
    const down = new Set<number>();
    const isUp = (slot: number) => !down.has(slot);
    let now = 0;
    for (const { slot, answers, connectErrors, emptyReplies, firstByteMs, down: turned, waitMs } of events) {
      if (turned !== null) down.has(turned) ? down.delete(turned) : down.add(turned);
      const responses5xx = Math.floor(answers / 2);
      const change = checks.observe(
        slot,
        delta({ answers, connectErrors, emptyReplies, responses5xx, firstByteMs }),
        isUp,
        now,
      );
      const changes = checks.ejectSlow(isUp, now).length + (change === null ? 0 : 1);
      if (changes > 0) assert(slots.some((other) => isUp(other) && !checks.ejected(other)));
      const out = slots.filter((other) => checks.ejected(other)).length;
      assertLessOrEqual(out, Math.max(1, Math.floor(maxEjected * 6)));
      checks.release(isUp, now += waitMs);
      assert(slots.some((other) => isUp(other) && !checks.ejected(other)) || !slots.some(isUp));
    }
    checks.release(isUp, now + MAX_EJECT_MS);
    assertEquals(slots.filter((slot) => checks.ejected(slot)), []);
  }));
});
