/** Going on purpose: soft faults, hand-over, maintenance, and the hold-down that keeps the address from wandering. */
import { GRACE_MS } from "../../vrrp/instance.ts";
import { FIRST_HOLD_MS, STEADY_MS } from "../../vrrp/holddown.ts";
import { activeDownMs, skewMs } from "../../vrrp/timing.ts";
import { assert, assertAlmostEquals, assertEquals, assertLess, assertStringIncludes } from "../assert.ts";
import { active, advert, Driver, health, INTERVAL_MS, reasonOf, short, started } from "./machine_driver.ts";

const DOWN_MS = activeDownMs(3, 100, INTERVAL_MS);

Deno.test("Machine() soft fault: yields to a peer that reports better, and keeps the address until it has it", () => {
  const node = active();
  assertEquals(node.give(health(40)), [], "nobody is known to be better");
  node.pass(1);
  const actions = node.tell("lb2", 100);
  assertEquals(short(actions), ["advert 0"]);
  assertStringIncludes(
    reasonOf(actions),
    "own health is 40 (pool app: 0 healthy), that of lb2 is 100",
  );
  assertEquals(node.machine.state, "active");
  assertEquals(short(node.give(advert(50, { node: "lb2" }))), ["remove", "advert 1", "active->backup"]);
});

Deno.test("Machine() soft fault: stays when the peer is no better, unable, stale, or reported before the fault", () => {
  const same = active();
  same.give(health(40));
  assertEquals(same.tell("lb2", 40), []);
  assertEquals(same.tell("lb2", 100, false), []);

  const before = active();
  before.tell("lb2", 100);
  before.pass(1);
  assertEquals(before.give(health(40)), [], "lb2 may not know yet what we know");

  const stale = active();
  stale.give(health(40));
  const at = stale.now;
  stale.pass(3 * INTERVAL_MS + 1);
  assertEquals(stale.give({ kind: "peerHealth", node: "lb2", score: 100, able: true, at }), []);
});

Deno.test("Machine() soft fault: a node in full health never yields", () => {
  const node = active();
  node.give(health(40), health(100));
  assertEquals(node.tell("lb2", 100), []);
});

Deno.test("Machine() soft fault: a sick backup does not preempt, but takes over from a dead Active", () => {
  const node = started();
  node.give(health(40));
  assertEquals(node.hear(advert(50), 20 * INTERVAL_MS), []);
  assertStringIncludes(node.machine.status(node.now).waiting ?? "", "own health is 40");
  assert(short(node.pass(DOWN_MS)).includes("backup->active"));
});

Deno.test("Machine() soft fault: on a resignation a sick backup lets a healthier peer go first", () => {
  const node = started();
  node.give(advert(200), health(40));
  node.pass(10);
  node.tell("lb3", 100);
  node.give(advert(0));
  assertAlmostEquals(node.leftMs, skewMs(3, 100, INTERVAL_MS) + INTERVAL_MS);
  // The one that resigns says so every interval: its successor must not be put off each time.
  node.pass(INTERVAL_MS);
  node.give(advert(0));
  assert(node.leftMs < INTERVAL_MS);
});

Deno.test("Machine() what a node that is still starting gives away is not counted against it", () => {
  const moves = (starting: boolean) => {
    const node = new Driver();
    if (starting) node.give(health(0));
    node.give({ kind: "start" });
    node.pass(DOWN_MS);
    if (!starting) node.give(health(0));
    node.pass(10);
    node.tell("lb1", 100);
    node.give(advert(50));
    node.give(health(100));
    // It fetches the address back, and then is really unwell.
    while (node.machine.state !== "active") node.hear(advert(50), INTERVAL_MS);
    node.give(health(50));
    node.pass(10);
    return short(node.tell("lb1", 100));
  };
  assertEquals(moves(true), ["advert 0"]);
  assertEquals(moves(false), []);
});

Deno.test("Machine() yielding: repeats priority 0, and stays when nobody takes over", () => {
  const node = active();
  node.give({ kind: "handOver", reason: "asked for by the operator" });
  assertEquals(short(node.pass(3 * INTERVAL_MS)), ["advert 0", "advert 0", "advert 0"]);
  const rest = node.pass(INTERVAL_MS);
  assertEquals(short(rest).slice(0, 3), ["advert 100", "add", "announce 5"]);
  assertStringIncludes(reasonOf(rest), "nobody took the address over");
  assertEquals(node.machine.status(node.now).yielding, false);
});

Deno.test("Machine() hand-over lasts: a greater priority does not fetch the address back", () => {
  const node = active();
  node.give({ kind: "handOver", reason: "asked for by the operator" });
  node.give(advert(50));
  node.pass(GRACE_MS);
  assertEquals(node.hear(advert(50), 100 * INTERVAL_MS), []);
  assertStringIncludes(node.machine.status(node.now).waiting ?? "", "moved away");
  assert(short(node.pass(DOWN_MS)).includes("backup->active"), "until the other is gone");
  node.give(advert(200));
  assert(short(node.hear(advert(50), 5 * INTERVAL_MS)).includes("backup->active"), "then all is as before");
});

Deno.test("Machine() hand-over of what is not here changes nothing but says so", () => {
  assertStringIncludes(reasonOf(started().give({ kind: "handOver", reason: "x" })), "nothing to hand over");
});

Deno.test("Machine() maintenance: hands over, stays out of the election, and comes back when it ends", () => {
  const node = active();
  assertEquals(short(node.give({ kind: "maintenance", on: true })), ["advert 0"]);
  assertEquals(node.give(advert(50)), []);
  assertEquals(short(node.pass(GRACE_MS)), ["remove", "advert 1", "active->fault"]);
  assertEquals(node.pass(100 * INTERVAL_MS), []);
  assertEquals(short(node.give({ kind: "maintenance", on: false })), ["fault->backup"]);
});

Deno.test("Machine() maintenance: drops the address after ActiveDown when nobody took it, unless it ended", () => {
  const alone = active();
  alone.give({ kind: "maintenance", on: true });
  assertEquals(short(alone.pass(DOWN_MS)).slice(-2), ["remove", "active->fault"]);
  const ended = active();
  ended.give({ kind: "maintenance", on: true });
  assertEquals(short(ended.give({ kind: "maintenance", on: false })), ["advert 100", "add", "announce 5"]);
});

Deno.test("Machine() a hard fault, a stop and a stall do not wait for a successor while yielding", () => {
  const yielding = () => {
    const node = active();
    node.give({ kind: "handOver", reason: "x" });
    return node;
  };
  assert(short(yielding().give({ kind: "hardFault", what: "a", reason: "b" })).includes("active->fault"));
  assert(short(yielding().give({ kind: "stop" })).includes("active->initialize"));
  assert(short(yielding().give({ kind: "stalled", ms: 60_000 })).includes("active->backup"));
});

Deno.test("Machine() hold-down: after moving there and back the next move waits, and longer each time", () => {
  const node = active();
  const waits: number[] = [];
  for (let round = 0; round < 4; round++) {
    const since = node.now;
    node.give(health(40));
    for (let at = 0; node.machine.status(node.now).yielding === false; at++) {
      node.pass(100);
      // It flaps too: whoever is better off now may not be so in a moment.
      node.tell("lb2", at % 2 === 0 ? 100 : 90);
    }
    waits.push(node.now - since);
    node.give(advert(50, { node: "lb2" }), health(100));
    const back = node.now;
    while (node.machine.state !== "active") node.hear(advert(50), INTERVAL_MS);
    waits.push(node.now - back);
  }
  assert(waits[0]! < 1000 && waits[1]! < 5000, `one incident costs no wait: ${waits.join()}`);
  for (let at = 2; at < 7; at++) {
    const leastMs = FIRST_HOLD_MS * 2 ** (at - 2) - 2 * DOWN_MS;
    assert(waits[at]! >= leastMs, `move ${at} after ${waits[at]} ms`);
  }
});

Deno.test("Machine() hold-down never keeps the address long from a peer that is steadily better off", () => {
  const node = active();
  for (let round = 0; round < 6; round++) {
    const since = node.now;
    node.give(health(40));
    while (node.machine.status(node.now).yielding === false) {
      node.pass(100);
      node.tell("lb2", 100);
    }
    assertLess(node.now - since, STEADY_MS + 1000);
    node.give(advert(50, { node: "lb2" }), health(100));
    // Fetching it back by choice waits longer each time.
    while (node.machine.state !== "active") node.hear(advert(50), INTERVAL_MS);
  }
  assert(node.now > FIRST_HOLD_MS * 8, `${node.now} ms for six times`);
});

Deno.test("Machine() hold-down never keeps a node from an address that nobody has", () => {
  const node = active();
  for (let round = 0; round < 6; round++) {
    node.give({ kind: "linkDown" });
    node.pass(100);
    node.give({ kind: "linkUp" });
    assert(short(node.pass(DOWN_MS)).includes("backup->active"));
  }
  assert(node.machine.status(node.now).heldUntil !== null);
  node.give(advert(200), advert(0));
  assert(short(node.pass(INTERVAL_MS)).includes("backup->active"));
});

Deno.test("Machine() weights change the priority at once, in adverts and in the election", () => {
  const node = active();
  assertEquals(short(node.give(health(100, -30))), ["advert 70"]);
  assertEquals(node.give(health(100, -30)), [], "and not again when nothing changed");
  assert(short(node.give(advert(71))).includes("active->backup"));
});
