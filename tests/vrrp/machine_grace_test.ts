/** The moment for which a node keeps an address that another has taken as planned, and when there is none. */
import type { Input } from "../../vrrp/events.ts";
import { GRACE_MS } from "../../vrrp/instance.ts";
import { activeDownMs } from "../../vrrp/timing.ts";
import { assertAlmostEquals, assertEquals, assertStringIncludes } from "../assert.ts";
import { active, advert, Driver, INTERVAL_MS, short } from "./machine_driver.ts";

const TAKEN = advert(200, { node: "lb1" });
const DOWN_MS = activeDownMs(3, 100, INTERVAL_MS);

/** An Active of some age that lb1 has just told that it is backup. */
function heard(standby = true, intervalMs = INTERVAL_MS): Driver {
  const node = active({ intervalMs });
  node.pass(3 * intervalMs);
  node.give({ kind: "peerHealth", node: "lb1", score: 100, able: true, standby, at: node.now });
  return node;
}

function handingOver(): Driver {
  const node = heard();
  node.give({ kind: "handOver", reason: "asked for" });
  return node;
}

Deno.test("Machine() who is preempted keeps the address for the grace without a word, and then leaves", () => {
  const node = heard();
  assertEquals(short(node.give(TAKEN)), ["lost"]);
  assertEquals([node.machine.phase, node.leftMs], ["yielding", GRACE_MS]);
  assertEquals(node.give(TAKEN), [], "its next advert does not prolong it");
  node.now += GRACE_MS / 2;
  assertEquals(node.give(TAKEN, { kind: "tick" }), []);
  assertEquals(short(node.pass(GRACE_MS / 2)), ["remove", "advert 1", "active->backup"]);
  // It follows what it heard last, not its own leaving.
  assertAlmostEquals(node.leftMs, DOWN_MS - GRACE_MS / 2);
  assertStringIncludes(node.machine.status(node.now).active ?? "", "lb1");
});

Deno.test("Machine() the grace is never longer than an interval", () => {
  const node = heard(true, 50);
  node.give(TAKEN);
  assertEquals(node.leftMs, 50);
});

Deno.test("Machine() no grace for an Active that may have been one all along, or when both have just begun", () => {
  const gone = ["lost", "remove", "advert 100", "active->backup"];
  assertEquals(short(heard(false).give(TAKEN)), gone, "it did not say that it is backup");
  const late = heard();
  late.pass(3 * INTERVAL_MS + 1);
  assertEquals(short(late.give(TAKEN)), gone, "it said so too long ago");
  const other = heard();
  assertEquals(short(other.give(advert(200, { node: "lb3" }))), gone, "another said so");
  const race = active();
  race.give({ kind: "peerHealth", node: "lb1", score: 100, able: true, standby: true, at: race.now });
  assertEquals(short(race.give(TAKEN)), gone, "it cannot have waited for our silence");
});

Deno.test("Machine() a hand-over ends with the grace, and the address is taken back from one that resigns in it", () => {
  const node = handingOver();
  assertEquals(node.give(advert(50)), []);
  assertEquals(short(node.pass(GRACE_MS)), ["remove", "advert 1", "active->backup"]);
  assertStringIncludes(node.machine.status(node.now).reason, "asked for; 10.0.0.3 (priority 50) took over");

  const back = handingOver();
  back.give(advert(50));
  assertEquals(short(back.give(advert(0))), ["advert 100", "add", "announce 5"]);
  assertEquals(back.machine.phase, "active");
});

Deno.test("Machine() what does not wait for a successor does not wait for the grace either", () => {
  const cases: [Input, string[]][] = [
    [{ kind: "linkDown" }, ["remove", "active->fault"]],
    [{ kind: "stop" }, ["advert 0", "remove", "active->initialize"]],
    [{ kind: "stalled", ms: DOWN_MS + 1 }, ["remove", "active->backup"]],
  ];
  for (const [input, actions] of cases) {
    const node = handingOver();
    node.give(advert(50));
    assertEquals(short(node.give(input)), actions, input.kind);
  }
});

Deno.test("Machine() maintenance that ends within the grace leaves the address to the one that took it", () => {
  const node = heard();
  node.give({ kind: "maintenance", on: true }, advert(50));
  assertEquals(node.give({ kind: "maintenance", on: false }), []);
  assertEquals(short(node.pass(GRACE_MS)), ["remove", "advert 1", "active->backup"]);
});
