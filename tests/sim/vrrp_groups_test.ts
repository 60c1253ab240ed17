/**
 * Properties of sync groups among 2–4 nodes and 2–3 virtual routers: a node has all addresses of its group or none, but
 * for a grace; and once the networks are whole one node has all of them within a bound.
 */
import fc from "fast-check";
import { activeDownMs } from "../../vrrp/timing.ts";
import { assertEquals, assertLessOrEqual } from "../assert.ts";
import { GroupedLans } from "./vrrp_groups.ts";
import type { Lan, LanOptions } from "./vrrp_lan.ts";

const SLACK_MS = 0.01;
const HARMS = [
  "crash",
  "start",
  "stop",
  "freeze",
  "thaw",
  "part",
  "loss",
  "mute",
  "link",
  "handOver",
  "health",
];

const groups = fc.record({
  seed: fc.nat(1_000_000),
  priorities: fc.uniqueArray(fc.integer({ min: 1, max: 254 }), { minLength: 2, maxLength: 4 }),
  intervalMs: fc.constantFrom(10, 100, 1000),
  preempt: fc.constantFrom<boolean | number>(true, false, 2500),
  drift: fc.constantFrom(0, 0.001),
  duplicates: fc.constantFrom(0, 0.2),
  members: fc.integer({ min: 2, max: 3 }),
}).map(({ members, ...options }): LanOptions[] =>
  Array.from({ length: members }, () => ({ ...options, delayMs: options.intervalMs / 20 }))
);

function startAll(grouped: GroupedLans): void {
  for (let at = 0; at < grouped.size; at++) grouped.each(at, (lan, node) => lan.start(node));
}

/** Of one node all machines crash and freeze together; a cable, a partition or loss is of one LAN. */
function harm(grouped: GroupedLans): void {
  const { random } = grouped.lans[0]!;
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)]!;
  const at = Math.floor(random() * grouped.size);
  const lan: Lan = pick(grouped.lans);
  const node = lan.nodes[at]!;
  switch (pick(HARMS)) {
    case "crash":
      return grouped.each(at, (lan, node) => lan.crash(node));
    case "start":
      return grouped.each(at, (lan, node) => lan.start(node));
    case "stop":
      return grouped.each(at, (lan, node) => lan.stop(node));
    case "freeze":
      return grouped.each(at, (lan, node) => lan.freeze(node));
    case "thaw":
      return grouped.each(at, (lan, node) => lan.thaw(node));
    case "part":
      for (const one of lan.nodes) one.group = Math.floor(random() * 2);
      return;
    case "loss":
      lan.loss = random();
      return;
    case "mute":
      node.mute = random() < 0.5;
      return;
    case "link":
      return lan.give(node, { kind: random() < 0.5 ? "linkDown" : "linkUp" });
    case "handOver":
      return lan.give(node, { kind: "handOver", reason: "asked for" });
    case "health": {
      const score = random() < 0.5 ? 50 : 100;
      return grouped.each(at, (lan, node) => lan.setHealth(node, score));
    }
  }
}

function makeWhole(grouped: GroupedLans): void {
  for (const lan of grouped.lans) {
    lan.loss = 0;
    for (const node of lan.nodes) {
      node.group = 0;
      node.mute = false;
    }
  }
  for (let at = 0; at < grouped.size; at++) {
    grouped.each(at, (lan, node) => {
      lan.thaw(node);
      lan.start(node);
    });
    grouped.each(at, (lan, node) => lan.give(node, { kind: "linkUp" }));
    grouped.each(at, (lan, node) => lan.setHealth(node, 100));
  }
}

Deno.test("SyncGroup() whatever happens, a node has all addresses of its group or none, but for a grace; and one gets all", () => {
  fc.assert(
    fc.property(groups, fc.nat(25), (options, harms) => {
      const grouped = new GroupedLans(options);
      const [{ intervalMs, delayMs, priorities }] = options as [LanOptions];
      const [lan] = grouped.lans as [Lan];
      const trace = () => grouped.lans.flatMap(({ trace }) => trace.slice(-12)).join("\n");
      startAll(grouped);
      for (let at = 0; at < harms; at++) {
        grouped.run(lan.random() * 5 * intervalMs);
        harm(grouped);
      }
      makeWhole(grouped);
      grouped.run(3 * activeDownMs(3, Math.min(...priorities), intervalMs) + delayMs! + SLACK_MS);
      const last = Math.max(...grouped.lans.map((one) => one.swaps.at(-1)?.at ?? 0));
      // A planned move may be under way at this very moment.
      grouped.run(Math.max(0, last + 4 * delayMs! + 2 * lan.graceMs - grouped.schedule.now));
      assertEquals([grouped.whole.length, grouped.some.length], [1, 1], trace());
      assertLessOrEqual(grouped.longestSplitMs, 2 * lan.graceMs + SLACK_MS, trace());
    }),
    { numRuns: 150, seed: 2338 },
  );
});

/** Two nodes of two virtual routers each, the first of which has them. */
function pair(): GroupedLans {
  const one = { seed: 7, priorities: [200, 100], intervalMs: 100, delayMs: 2 };
  const grouped = new GroupedLans([one, one]);
  startAll(grouped);
  grouped.run(1000);
  assertEquals(grouped.whole, [0]);
  return grouped;
}

const swaps = (grouped: GroupedLans) => grouped.lans.map(({ swaps }) => swaps.length);

Deno.test("SyncGroup() a node that misses the other on one LAN only takes nothing: that one has both", () => {
  const grouped = pair();
  grouped.lans[1]!.nodes[1]!.group = 1;
  grouped.run(60_000);
  assertEquals([grouped.whole, grouped.some, swaps(grouped)], [[0], [0], [1, 1]]);
  const waiting = grouped.members(1).map(({ machine }) => machine!.status(grouped.schedule.now).waiting);
  assertEquals(waiting, [null, "could take over, and waits for the others of its sync group"]);
});

Deno.test("SyncGroup() a link that is lost takes both addresses along at once, and back when it is there again", () => {
  const grouped = pair();
  grouped.lans[1]!.give(grouped.members(0)[1]!, { kind: "linkDown" });
  assertEquals(grouped.some, []);
  assertEquals(grouped.members(0).map(({ machine }) => machine!.state), ["fault", "fault"]);
  const reason = grouped.members(0)[0]!.machine!.status(grouped.schedule.now).reason;
  assertEquals(reason, "sync group: 1: link: the interface has no link");
  // The first resigned; of the second nothing was heard any more.
  grouped.run(500);
  assertEquals(grouped.whole, [1]);
  grouped.lans[1]!.give(grouped.members(0)[1]!, { kind: "linkUp" });
  grouped.run(1000);
  assertEquals([grouped.whole, grouped.some], [[0], [0]]);
});

Deno.test("SyncGroup() a hand-over of one is one of all, without a moment in which nobody has an address", () => {
  const grouped = pair();
  for (const lan of grouped.lans) lan.resetTimes();
  grouped.lans[0]!.give(grouped.members(0)[0]!, { kind: "handOver", reason: "asked for" });
  let without = 0;
  for (let step = 0; step < 1000; step++) {
    grouped.run(1);
    if (grouped.lans.some(({ holders }) => holders.length === 0)) without++;
  }
  assertEquals([grouped.whole, grouped.some, without], [[1], [1], 0]);
  // By the operator's will, so that they are not fetched back.
  grouped.run(10_000);
  assertEquals([grouped.whole, swaps(grouped)], [[1], [2, 2]]);
});

Deno.test("SyncGroup() when nobody takes over, all stay", () => {
  const grouped = pair();
  grouped.each(1, (lan, node) => lan.stop(node));
  grouped.lans[0]!.give(grouped.members(0)[0]!, { kind: "handOver", reason: "asked for" });
  grouped.run(1000);
  assertEquals([grouped.whole, grouped.some], [[0], [0]]);
  assertEquals(grouped.lans.map(({ holders }) => holders), [["n1"], ["n1"]]);
});

Deno.test("SyncGroup() nodes of opposite priorities: one has both, and there is rest", () => {
  const one = { seed: 3, intervalMs: 100, delayMs: 2, drift: 0.001 };
  const grouped = new GroupedLans([{ ...one, priorities: [200, 100] }, { ...one, priorities: [100, 200] }]);
  startAll(grouped);
  grouped.run(5000);
  assertEquals([grouped.whole.length, grouped.some.length], [1, 1]);
  const before = swaps(grouped);
  grouped.run(60_000);
  assertEquals(swaps(grouped), before);
});
