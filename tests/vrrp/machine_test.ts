/** What the machine does beyond RFC 9568: announcements, two Actives, stalls, faults, configuration, its table. */
import fc from "fast-check";
import type { Action, AnnounceConfig, Input, Phase } from "../../vrrp/events.ts";
import { ANNOUNCE, ANNOUNCE_APART_MS } from "../../vrrp/instance.ts";
import { Machine } from "../../vrrp/machine.ts";
import { TABLE } from "../../vrrp/table.ts";
import { activeDownMs, MIN_INTERVAL_MS, skewMs } from "../../vrrp/timing.ts";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "../assert.ts";
import {
  active,
  advert,
  CONFIG,
  Driver,
  health,
  INTERVAL_MS,
  LOWER,
  reasonOf,
  short,
  started,
} from "./machine_driver.ts";

const DOWN_MS = activeDownMs(3, 100, INTERVAL_MS);

const { againMs: SECOND_ROUND_MS, refreshMs: REFRESH_MS } = ANNOUNCE;

Deno.test("Machine() announces 5 times at once, 5 times after 5 s, then once every 60 s", () => {
  const holder = started();
  const times: [number, number][] = [];
  holder.pass(DOWN_MS);
  const since = holder.now;
  for (let at = 0; at < 200; at++) {
    for (const action of holder.pass(INTERVAL_MS)) {
      if (action.kind === "announce") times.push([holder.now - since, action.times]);
    }
  }
  assertEquals(times, [
    [SECOND_ROUND_MS, 5],
    [SECOND_ROUND_MS + REFRESH_MS, 1],
    [SECOND_ROUND_MS + 2 * REFRESH_MS, 1],
    [SECOND_ROUND_MS + 3 * REFRESH_MS, 1],
  ]);
});

Deno.test("Machine() announces with every advert while the silent one may live, and not after a resignation", () => {
  const single = (leader: number) => {
    const node = started();
    node.give(advert(leader));
    if (leader > 0) node.pass(DOWN_MS);
    while (node.machine.phase !== "active") node.pass(1);
    const contested = short(node.pass(2 * DOWN_MS));
    assert(!short(node.pass(4 * INTERVAL_MS)).includes("announce 1"), "it ends");
    const count = (name: string) => contested.filter((other) => other === name).length;
    return [count("announce 1"), count("advert 100")];
  };
  const [announced, sent] = single(200);
  assert(sent! > 5 && announced === sent, `${announced} announcements with ${sent} adverts`);
  assertEquals(single(0)[0], 0);
});

Deno.test("Machine() announces again on every lower advert, but a deaf rival causes no storm", () => {
  const holder = active();
  holder.pass(1000);
  const first = short(holder.give(advert(50)));
  assertEquals(first, ["won", "advert 100", "add", "announce 5"]);
  let announced = 0;
  holder.pass(MIN_INTERVAL_MS);
  for (let at = 0; at < 50; at++) {
    const names = short([...holder.give(advert(50)), ...holder.pass(MIN_INTERVAL_MS)]);
    assert(names.includes("advert 100"), "every one is answered");
    announced += names.filter((name) => name === "announce 5").length;
  }
  assert(announced >= 4 && announced <= 500 / ANNOUNCE_APART_MS, `${announced} rounds in 500 ms`);
});

Deno.test("Machine() goes on announcing after a lower advert: the loser may, and its last word may be lost", () => {
  const holder = active();
  holder.pass(DOWN_MS * 4);
  holder.give(advert(50));
  const after = short(holder.pass(DOWN_MS));
  const count = (name: string) => after.filter((other) => other === name).length;
  assert(count("announce 1") >= 3 && count("announce 1") === count("advert 100"), after.join());
  holder.pass(DOWN_MS + SECOND_ROUND_MS);
  assert(!short(holder.pass(4 * INTERVAL_MS)).includes("announce 1"), "it ends");
});

Deno.test("Machine() announces after the last of many lower adverts, too", () => {
  const holder = active();
  holder.pass(1000);
  holder.give(advert(50));
  holder.pass(10);
  assert(!short(holder.give(advert(50))).includes("announce 5"));
  assert(short(holder.pass(ANNOUNCE_APART_MS)).includes("announce 5"));
});

Deno.test("Machine() two Actives meet: the loser sends one last advert, after its address is gone", () => {
  const loser = active();
  assertEquals(short(loser.give(advert(200))), ["lost", "remove", "advert 100", "active->backup"]);
});

Deno.test("Machine() two Actives meet: the winner answers that advert, puts its address back and announces", () => {
  const winner = active({ priority: 200 });
  winner.pass(1000);
  assertEquals(short(winner.give(advert(100))), ["won", "advert 200", "add", "announce 5"]);
});

Deno.test("Machine() a loser that stays is deaf: after its ActiveDown the address is left to it, for a while", () => {
  const holder = active();
  const patienceMs = activeDownMs(3, 50, INTERVAL_MS);
  const since = holder.now;
  let last: string[] = [], before: string[] = [];
  while (holder.machine.state === "active") {
    before = last;
    last = short(holder.give(advert(50)));
    assert(holder.now - since <= patienceMs + 2 * INTERVAL_MS);
    if (holder.machine.state === "active") holder.pass(INTERVAL_MS);
  }
  assertEquals(before, ["lost", "advert 0"]);
  assertEquals(last, ["remove", "advert 1", "active->backup"]);
  assertStringIncludes(holder.machine.status(holder.now).reason, "does not hear us");
  assertEquals(holder.hear(advert(50), 9000), [], "held down");
  assert(short(holder.hear(advert(50), 9000)).includes("backup->active"), "then it tries again");
});

Deno.test("Machine() a loser whose last word came too late is not deaf: the address is with one of the two", () => {
  const holder = active();
  for (let round = 0; round < 5; round++) {
    holder.give(advert(50));
    holder.pass(INTERVAL_MS);
  }
  assertEquals(holder.machine.phase, "yielding");
  assert(short(holder.pass(DOWN_MS)).includes("advert 100"), "nobody has it, so we go on");
});

Deno.test("Machine() losers that come and go are not deaf", () => {
  const holder = active();
  for (let round = 0; round < 20; round++) {
    holder.give(advert(50), advert(50, { sender: LOWER }));
    holder.pass(4 * INTERVAL_MS);
    assertEquals(holder.machine.state, "active");
  }
});

Deno.test("Machine() tells of a second Active with its address, priority and health", () => {
  const [conflict] = active().give(advert(200, { sender: LOWER, node: "lb2", health: 80 }));
  assert(conflict?.kind === "conflict" && !conflict.won && !conflict.counts);
  assertEquals(conflict.sender, LOWER);
  assertStringIncludes(conflict.reason, "lb2 (10.0.0.1, priority 200, health 80) is active too and wins");
});

Deno.test("Machine() a second Active counts once for as long as it stays, and not while a take-over explains it", () => {
  const counted = (actions: Action[]) =>
    actions.filter((action) => action.kind === "conflict" && action.counts).length;
  const holder = active();
  const explainedMs = INTERVAL_MS + skewMs(3, 50, INTERVAL_MS);
  assertEquals(counted(holder.give(advert(50))), 0, "it has not heard us yet");
  holder.now += explainedMs;
  assertEquals(counted(holder.give(advert(50))), 0, "its last word");
  holder.now += 1;
  assertEquals(counted(holder.give(advert(50))), 1);
  assertEquals(counted(holder.give(advert(50), advert(40, { sender: LOWER }))), 0, "the same conflict");
  assertEquals(holder.machine.state, "active");
  holder.pass(10 * INTERVAL_MS);
  assertEquals(counted(holder.give(advert(50))), 1, "another one");
  assertEquals(counted(active().give(advert(200))), 0, "who loses cannot tell");
});

Deno.test("Machine() steps back silently when it is told of a stall longer than ActiveDown", () => {
  const holder = active();
  assertEquals(holder.give({ kind: "stalled", ms: DOWN_MS }), [], "others have not taken over yet");
  assertEquals(short(holder.give({ kind: "stalled", ms: DOWN_MS + 1 })), ["remove", "active->backup"]);
  assertAlmostEquals(holder.leftMs, DOWN_MS);
});

Deno.test("Machine() notices a stall by itself, whatever comes first after it", () => {
  for (
    const input of [
      { kind: "tick" },
      advert(50),
      health(50),
      { kind: "addressLost" },
      { kind: "foreignSilent" },
      { kind: "peerHealth", node: "lb2", score: 100, able: true, at: 0 },
      { kind: "reconfigure", config: { ...CONFIG, priority: 120 } },
    ] satisfies Input[]
  ) {
    const holder = active();
    holder.now += DOWN_MS + 1;
    assertEquals(short(holder.give(input)), ["remove", "active->backup"], input.kind);
  }
});

Deno.test("Machine() a stall gives a backup time to read what queued up, and no more than an interval", () => {
  const backup = started();
  backup.give(advert(200));
  backup.now += 60_000;
  backup.give({ kind: "stalled", ms: 60_000 });
  assertEquals(backup.give({ kind: "tick" }), []);
  assertEquals(backup.leftMs, INTERVAL_MS);
});

Deno.test("Machine() a hard fault steps down at once with priority 0 and says what is wrong", () => {
  const holder = active();
  const actions = holder.give({ kind: "hardFault", what: "interface eth1", reason: "is down" });
  assertEquals(short(actions), ["advert 0", "remove", "active->fault"]);
  assertEquals(reasonOf(actions), "interface eth1: is down");
  assertEquals(holder.pass(100_000), [], "no timer is left");
});

Deno.test("Machine() without a link it sends nothing that a queue could deliver later", () => {
  const holder = active();
  assertEquals(short(holder.give({ kind: "linkDown" })), ["remove", "active->fault"]);
  assertEquals(short(holder.give({ kind: "linkUp" })), ["fault->backup"]);
  assertAlmostEquals(holder.leftMs, DOWN_MS);
});

Deno.test("Machine() leaves fault when the last of several faults is gone", () => {
  const node = started();
  node.give({ kind: "hardFault", what: "a", reason: "broken" }, { kind: "linkDown" });
  node.give({ kind: "faultCleared", what: "a" });
  assertEquals(node.machine.state, "fault");
  node.give({ kind: "maintenance", on: true }, { kind: "linkUp" });
  assertEquals(node.machine.state, "fault");
  node.give({ kind: "maintenance", on: false });
  assertEquals(node.machine.state, "backup");
});

Deno.test("Machine() starts in fault when a fault was known before, and drops what a crash left behind", () => {
  const node = new Driver();
  node.give({ kind: "linkDown" });
  assertEquals(short(node.give({ kind: "start" })), ["remove", "initialize->fault"]);
});

Deno.test("Machine() puts an address back that someone removed by hand, and tells of it", () => {
  const holder = active();
  holder.pass(1000);
  const actions = holder.give({ kind: "addressLost" });
  assertEquals(short(actions), ["add", "announce 5"]);
  assertStringIncludes(reasonOf(actions), "removed by someone else");
});

Deno.test("Machine() tells the LAN again when one that was active besides it went silent; a backup does not", () => {
  const holder = active();
  holder.pass(1000);
  assertEquals(short(holder.give({ kind: "foreignSilent" })), ["announce 5"]);
  assertEquals(started().give({ kind: "foreignSilent" }), []);
});

Deno.test("Machine() counts the preempt delay from when it could first preempt", () => {
  const backup = started({ preempt: 30_000 });
  backup.hear(advert(200), 60_000);
  const since = backup.now;
  while (backup.machine.state === "backup") backup.hear(advert(50), INTERVAL_MS);
  const tookMs = backup.now - since;
  assert(tookMs >= 30_000 && tookMs <= 30_000 + DOWN_MS + INTERVAL_MS, `after ${tookMs} ms`);
});

Deno.test("Machine() starts the preempt delay anew when an equal Active was there meanwhile", () => {
  const backup = started({ preempt: 30_000 });
  backup.hear(advert(50), 29_000);
  assertStringIncludes(backup.machine.status(backup.now).waiting ?? "", "preempts in");
  backup.hear(advert(100), 2000);
  backup.hear(advert(50), 29_000);
  assertEquals(backup.machine.state, "backup");
});

Deno.test("Machine() a preempt delay never delays taking over from a dead Active", () => {
  const backup = started({ preempt: 600_000 });
  backup.give(advert(50));
  assert(short(backup.pass(DOWN_MS)).includes("backup->active"));
});

Deno.test("Machine() says why: silence, resignation, preemption, with priority and health of the peer", () => {
  const silent = started();
  silent.give(advert(200, { node: "lb2", health: 90 }));
  const who = "lb2 (10.0.0.3, priority 200, health 90)";
  assertEquals(reasonOf(silent.pass(DOWN_MS)), `${who} was silent for ${Math.round(DOWN_MS)} ms`);

  const resigned = started();
  resigned.give(advert(200), advert(0));
  assertEquals(reasonOf(resigned.pass(DOWN_MS)), "10.0.0.3 (priority 0) gave the address up");

  const preempting = started();
  preempting.tell("lb2", 70);
  assertEquals(
    reasonOf(preempting.hear(advert(50, { node: "lb2" }), 4000)),
    "own priority 100 preempts lb2 (10.0.0.3, priority 50, health 70)",
  );
  assertEquals(reasonOf(started().pass(DOWN_MS)), `no Active was heard for ${Math.round(DOWN_MS)} ms`);
});

Deno.test("Machine() version 2 ignores adverts of another interval, and its skew is one of seconds", () => {
  const backup = started({ version: 2, priority: 128 });
  assertEquals(backup.leftMs, 3000 + 500);
  backup.pass(1000);
  assertStringIncludes(reasonOf(backup.give(advert(200, { intervalMs: 2000 }))), "version 2");
  assertEquals(backup.leftMs, 2500);
  backup.give(advert(200));
  assertEquals(backup.leftMs, 3500);
});

Deno.test("Machine.reconfigure() disturbs nothing when nothing changed", () => {
  for (const driver of [new Driver(), started(), active()]) {
    driver.pass(123);
    const before = driver.machine.deadline();
    const config = { ...CONFIG, localAddress: CONFIG.localAddress.slice(), addresses: [...CONFIG.addresses] };
    assertEquals(driver.give({ kind: "reconfigure", config }), []);
    assertEquals(driver.machine.deadline(), before);
  }
});

Deno.test("Machine.reconfigure() keeps the old pace for a while when the interval grows", () => {
  const holder = active({ intervalMs: 100 });
  const actions = holder.give({ kind: "reconfigure", config: CONFIG });
  assertEquals(actions, [{ kind: "sendAdvert", priority: 100, intervalMs: INTERVAL_MS }]);
  // A backup that still counts 100 ms intervals would take over after 3 of them.
  assertEquals(short(holder.pass(200)), ["advert 100", "advert 100"]);
  holder.pass(100);
  assert(holder.leftMs > 100 && holder.leftMs <= INTERVAL_MS);
});

Deno.test("Machine.reconfigure() tells a new priority at once, and puts new addresses up", () => {
  const holder = active();
  holder.pass(1000);
  assertEquals(short(holder.give({ kind: "reconfigure", config: { ...CONFIG, priority: 120 } })), [
    "advert 120",
  ]);
  const addresses = [...CONFIG.addresses, "10.0.0.51/24"];
  const config = { ...CONFIG, priority: 120, addresses };
  assertEquals(short(holder.give({ kind: "reconfigure", config })), ["advert 120", "add", "announce 5"]);
  assertEquals(holder.machine.state, "active");
});

Deno.test("Machine.reconfigure() shortens a backup's wait, and never lengthens it", () => {
  const backup = started();
  backup.give(advert(200));
  backup.give({ kind: "reconfigure", config: { ...CONFIG, priority: 180 } });
  assertAlmostEquals(backup.leftMs, activeDownMs(3, 180, INTERVAL_MS));
  const before = backup.machine.deadline();
  backup.give({ kind: "reconfigure", config: { ...CONFIG, priority: 1, intervalMs: 5000 } });
  assertEquals(backup.machine.deadline(), before);
});

Deno.test("Machine.handle() refuses an input that its phase does not know", () => {
  assertThrows(() => active().give({ kind: "start" }), Error, "Cannot handle start while in active");
  assertThrows(() => started().give({ kind: "start" }), Error, "Cannot handle start while in backup");
});

Deno.test("Machine.status() says who is active, in what health we are and what we wait for", () => {
  const backup = started({ preempt: false });
  backup.give(advert(50, { node: "lb2", health: 100 }), health(40));
  const status = backup.machine.status(backup.now);
  assertEquals(status.state, "backup");
  assertEquals(status.active, "lb2 (10.0.0.3, priority 50, health 100)");
  assertEquals(status.waiting, "preempt is false");
  assertEquals(status.health, 40);
  assertEquals(status.heldUntil, null);
  assertEquals(active().machine.status(0).active, null);
});

const inputs: fc.Arbitrary<Input> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Input>({ kind: "tick" }) },
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom(0, 1, 50, 100, 200, 255), fc.boolean())
      .map(([priority, low]) => advert(priority, low ? { sender: LOWER } : {})),
  },
  fc.constantFrom<Input>(
    { kind: "stop" },
    { kind: "linkDown" },
    { kind: "linkUp" },
    { kind: "hardFault", what: "a", reason: "broken" },
    { kind: "faultCleared", what: "a" },
    { kind: "maintenance", on: true },
    { kind: "maintenance", on: false },
    { kind: "handOver", reason: "moved" },
    { kind: "stalled", ms: 20_000 },
    { kind: "addressLost" },
    { kind: "foreignSilent" },
    health(100),
    health(50),
    health(100, -60),
    { kind: "reconfigure", config: { ...CONFIG, priority: 255 } },
    { kind: "reconfigure", config: { ...CONFIG, preempt: 5000, intervalMs: 100 } },
  ),
  fc.nat(100).map((score): Input => ({ kind: "peerHealth", node: "lb2", score, able: true, at: 1e12 })),
);

Deno.test("Machine() under any inputs: addresses follow the state, no deadline stays behind, every edge is known", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(fc.tuple(inputs, fc.nat(3000)), { maxLength: 150, size: "max" }), (steps) => {
      const machine = new Machine(CONFIG);
      let now = 0, held = false;
      const give = (input: Input) => {
        const from = machine.phase;
        for (const action of machine.handle(input, now)) {
          if (action.kind === "addAddresses") held = true;
          if (action.kind === "removeAddresses") held = false;
          if (action.kind === "announce") assert(held, "nothing is announced that is not held");
        }
        if (machine.phase !== from) seen.add(`${from}->${machine.phase}`);
        assertEquals(held, machine.state === "active");
        if (input.kind === "tick") assert(machine.deadline() > now);
        if (machine.phase === "initialize") give({ kind: "start" });
      };
      give({ kind: "start" });
      for (const [input, ms] of steps) {
        now += ms;
        give(input);
        if (machine.deadline() <= now) give({ kind: "tick" });
      }
    }),
    { numRuns: 400, seed: 9568 },
  );
  const edges = (Object.keys(TABLE) as Phase[]).flatMap((from) =>
    Object.values(TABLE[from]).flatMap((entry) => entry.edges.map(({ to }) => `${from}->${to}`))
  );
  assertEquals([...seen].filter((edge) => !edges.includes(edge)), []);
  const never = new Set(edges.filter((edge) => !seen.has(edge) && edge !== "initialize->fault"));
  assertEquals([...never], [], "every edge of the table is taken");
});

Deno.test("Machine() announces as often as it is told to, and no more", () => {
  const announced = (announce: Partial<AnnounceConfig>) => {
    const holder = started({ announce: { ...ANNOUNCE, ...announce } });
    const from = holder.now;
    const told: [ms: number, times: number][] = [];
    const note = (actions: readonly Action[]) => {
      for (const action of actions) if (action.kind === "announce") told.push([holder.now, action.times]);
    };
    while (holder.now < from + 200_000) note(holder.pass(100));
    const [[first]] = told as [[number, number]];
    return told.map(([at, times]) => [Math.round((at - first) / 1000), times]);
  };
  assertEquals(announced({}), [[0, 5], [5, 5], [65, 1], [125, 1], [185, 1]]);
  assertEquals(announced({ times: 2, againMs: 0, refreshMs: 90_000, refreshTimes: 3 }), [[0, 2], [90, 3], [
    180,
    3,
  ]]);
  assertEquals(announced({ refreshMs: 0 }), [[0, 5], [5, 5]]);
  assertEquals(announced({ againMs: 0, refreshMs: 0 }), [[0, 5]]);
});

Deno.test("Machine() answers no flood of adverts that lose, or that resign, at their rate", () => {
  for (const priority of [50, 0]) {
    const holder = active();
    holder.pass(1000);
    const before = holder.now;
    const told = Array.from({ length: 1000 }, () => [...holder.give(advert(priority)), ...holder.pass(1)])
      .flat();
    const count = (name: string) => short(told).filter((other) => other === name).length;
    // One more for the conflict that counts, and the regular ones.
    const most = 1 + Math.ceil((holder.now - before) / MIN_INTERVAL_MS) + (holder.now - before) / INTERVAL_MS;
    assert(count("advert 100") > most / 2 && count("advert 100") <= most, `${count("advert 100")} adverts`);
    assert(count("add") <= most, `addresses set ${count("add")} times`);
  }
});

Deno.test("Machine() after a stall hears the Active out, whatever it learns of itself before", () => {
  const backup = started();
  backup.hear(advert(50), DOWN_MS - INTERVAL_MS);
  backup.now += 60_000;
  backup.give({ kind: "stalled", ms: 60_000 }, health(0));
  assertEquals(short(backup.pass(INTERVAL_MS / 2)), []);
  backup.give(advert(50));
  assertEquals(short(backup.pass(INTERVAL_MS)), [], "an unwell node does not preempt");
});
