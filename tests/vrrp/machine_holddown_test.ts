import {
  FIRST_HOLD_MS,
  FORGIVE_MS,
  FREE_MOVES,
  HoldDown,
  LONGEST_HOLD_MS,
  STEADY_MS,
} from "../../vrrp/holddown.ts";
import { judgePreempt, type PreemptFacts } from "../../vrrp/preempt.ts";
import { Peers } from "../../vrrp/peers.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

Deno.test("HoldDown() lets the first moves go, then doubles the wait up to its bound", () => {
  const hold = new HoldDown();
  let now = 0;
  for (let move = 0; move < FREE_MOVES; move++) {
    assert(!hold.holds(now));
    hold.moved(now);
  }
  const waits: number[] = [];
  for (let move = 0; move < 8; move++) {
    waits.push(hold.until(now) - now);
    assert(hold.holds(hold.until(now) - 1));
    now = hold.until(now);
    assert(!hold.holds(now));
    hold.moved(now);
  }
  assertEquals(waits, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  assertEquals([waits[0], waits[7]], [FIRST_HOLD_MS, LONGEST_HOLD_MS]);
});

Deno.test("HoldDown() forgives one move after the other", () => {
  const hold = new HoldDown();
  for (let move = 0; move < FREE_MOVES + 2; move++) hold.moved(0);
  hold.moved(3 * FORGIVE_MS);
  // Four moves, three forgiven, one more.
  assert(hold.holds(3 * FORGIVE_MS));
  assertEquals(hold.until(3 * FORGIVE_MS), 3 * FORGIVE_MS + FIRST_HOLD_MS);
  assert(!hold.holds(20 * FORGIVE_MS));
});

Deno.test("HoldDown() is well again in a bounded time, however long a node flapped", () => {
  const hold = new HoldDown();
  for (let move = 0; move < 10_000; move++) hold.moved(move);
  assert(!hold.holds(10_000 + 10 * FORGIVE_MS));
  hold.moved(10_000 + 10 * FORGIVE_MS);
  assert(!hold.holds(10_001 + 10 * FORGIVE_MS));
});

const FACTS: PreemptFacts = {
  priority: 100,
  preempt: true,
  score: 100,
  healthReason: "",
  movedAway: null,
  heldUntil: -Infinity,
  ableSince: null,
};

Deno.test("judgePreempt() allows it at once, never, or after the delay", () => {
  assertEquals(judgePreempt(FACTS, 50), { blocked: null, ableSince: 50 });
  assertEquals(judgePreempt({ ...FACTS, preempt: false }, 50).blocked, "preempt is false");
  const delayed = { ...FACTS, preempt: 1000 };
  assertEquals(judgePreempt(delayed, 50), { blocked: "preempts in 1000 ms", ableSince: 50 });
  assertEquals(judgePreempt({ ...delayed, ableSince: 50 }, 1049).blocked, "preempts in 1 ms");
  assertEquals(judgePreempt({ ...delayed, ableSince: 50 }, 1050).blocked, null);
});

Deno.test("judgePreempt() forgets how long it waited when something else gets in the way", () => {
  for (
    const obstacle of [{ score: 99, healthReason: "pool app" }, { movedAway: "asked for" }, {
      heldUntil: 9999,
    }]
  ) {
    const verdict = judgePreempt({ ...FACTS, preempt: 1000, ableSince: 10, ...obstacle }, 5000);
    assertEquals(verdict.ableSince, null);
    assert(verdict.blocked !== null);
  }
  assertStringIncludes(
    judgePreempt({ ...FACTS, heldUntil: 70 }, 50).blocked ?? "",
    "held down for another 20 ms",
  );
});

Deno.test("Peers.better() finds the best able peer, by reports that are fresh and came after our fault", () => {
  const peers = new Peers();
  const peer = { node: "lb2", score: 80, able: true, at: 1000 };
  peers.record(peer);
  peers.record({ ...peer, node: "lb3", score: 90 });
  peers.record({ ...peer, node: "lb4", score: 100, able: false });
  assertEquals(peers.better(50, 0, 1000, 100)?.node, "lb3");
  assertEquals(peers.better(85, 0, 1000, 100)?.node, "lb3");
  assertEquals(peers.better(90, 0, 1000, 100), null);
  assertEquals(peers.better(50, 1000, 1001, 100), null, "reported before we became worse");
  assertEquals(peers.better(50, 0, 1750, 100)?.node, "lb3", "reports come every 250 ms at most");
  assertEquals(peers.better(50, 0, 1751, 100), null, "three of them were missed");
  assertEquals(peers.better(50, 0, 4000, 1000)?.node, "lb3");
  peers.record({ ...peer, node: "lb3", score: 10 });
  assertEquals(peers.better(50, 0, 1000, 100)?.node, "lb2");
});

Deno.test("Peers.better() knows since when a peer has said the same, without a long silence", () => {
  const peers = new Peers();
  const tell = (at: number, score: number) => {
    peers.record({ node: "lb2", score, able: true, at });
    return peers.better(0, -1, at, 100)?.since;
  };
  assertEquals([tell(0, 100), tell(1000, 100), tell(2000, 90), tell(3000, 90)], [0, 0, 2000, 2000]);
  assertEquals([tell(3000 + STEADY_MS, 90), tell(4000 + STEADY_MS, 90)], [
    3000 + STEADY_MS,
    3000 + STEADY_MS,
  ]);
});

Deno.test("Peers() keeps a bounded number of them, the ones heard last", () => {
  const peers = new Peers();
  for (let at = 0; at < 1000; at++) peers.record({ node: `n${at}`, score: 50, able: true, at });
  assertEquals(peers.health("n0"), null);
  assertEquals(peers.health("n999"), 50);
});
