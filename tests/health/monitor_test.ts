/** The monitor in simulated time. */
import { assert, assertEquals, assertGreater, assertLessOrEqual, assertStringIncludes } from "../assert.ts";
import type { ServerSnapshot } from "../../mod/config/snapshot.ts";
import { HealthMonitor } from "../../mod/health/monitor_io.ts";
import { checkOf } from "./check_of.ts";
import { allProbes, EPOCH, none, PASSIVE, pool, server, settle, World } from "./world.ts";

Deno.test("update() new servers are up in the sink at once, and unknown in the status", async () => {
  const world = new World();
  world.monitor.update([pool([server(1, { weight: 2 })])]);
  assertEquals(world.words, ["1 weight 512", "1 in", "1 up"]);
  assertEquals(world.state("s1"), "unknown");
  await world.monitor.close();
});

Deno.test("update() a dead server goes down with its first probe, within a second", async () => {
  const world = new World();
  world.dead.add("s2");
  world.monitor.update([pool([server(1), server(2)])]);
  await world.pass(1000);
  assertEquals([world.state("s1"), world.state("s2")], ["up", "down"]);
  assertEquals(
    world.transitions.find((one) => one.server === "s2")?.reason,
    "the first probe failed: connection refused",
  );
  await world.monitor.close();
});

Deno.test("onTransition() a fall takes three probes at the faster interval and says so", async () => {
  const world = new World();
  world.monitor.update([pool([server(1)])]);
  await world.pass(5000);
  world.dead.add("s1");
  const before = world.probed.length;
  await world.pass(2000 + 2 * 500);
  assertEquals(world.state("s1"), "down");
  assertEquals(world.transitions.at(-1), {
    pool: "app",
    server: "s1",
    from: "up",
    to: "down",
    reason: "3 of 3 probes failed: connection refused",
    at: world.monitor.status()[0]?.since ?? 0,
  });
  const falling = world.probed.slice(before).map(({ at }) => at);
  assertEquals(falling.slice(1).map((at, index) => at - (falling[index] ?? 0)).slice(0, 2), [500, 500]);
  world.dead.clear();
  await world.pass(2500);
  assertEquals(world.words.at(-1), "1 up");
  // Nothing else takes traffic, so that one success is enough.
  assertEquals(world.transitions.at(-1)?.reason, "1 of 1 probe succeeded: status 200");
  await world.monitor.close();
});

Deno.test("status() tells the last duration, the next probe and how far a fall has come", async () => {
  const world = new World();
  world.monitor.update([pool([server(1)])]);
  await world.pass(1000);
  world.dead.add("s1");
  await world.pass(1600);
  const [status] = world.monitor.status();
  assertEquals(status?.state, "up");
  assertEquals(status?.reason, "1 of 3 probes failed: connection refused");
  assertEquals(status?.lastProbeMs, 7);
  assertEquals(status?.since, EPOCH + 500);
  assertGreater(status?.nextProbeInMs ?? -1, -1);
  assertLessOrEqual(status?.nextProbeInMs ?? Infinity, 550);
  await world.monitor.close();
});

Deno.test("update() a probe that hangs is never joined by a second one", async () => {
  const world = new World();
  world.silent.add("s1");
  world.monitor.update([pool([server(1)])]);
  await world.pass(60_000);
  assertEquals(world.probed.length, 1);
  await world.monitor.close();
  assertEquals(world.aborted, ["s1"]);
});

Deno.test("update() servers that stay keep their state, removed ones lose their probe", async () => {
  const world = new World();
  world.dead.add("s1");
  world.monitor.update([pool([server(1), server(2)])]);
  await world.pass(1000);
  world.silent.add("s2");
  await world.pass(2500);
  world.words.length = 0;
  world.monitor.update([pool([server(3), server(1)])]);
  await settle();
  assertEquals(world.aborted, ["s2"]);
  assertEquals(world.monitor.status().map(({ server, state }) => `${server} ${state}`), [
    "s3 unknown",
    "s1 down",
  ]);
  assertEquals(world.words, ["3 weight 256", "3 in", "3 up"]);
  await world.monitor.close();
});

Deno.test("update() a slot that now holds another server starts anew", async () => {
  const world = new World();
  world.dead.add("s1");
  world.monitor.update([pool([server(1)])]);
  await world.pass(1000);
  world.monitor.update([pool([server(1, { name: "other", host: "10.0.0.9" })])]);
  assertEquals(world.monitor.status().map(({ server, state }) => [server, state]), [["other", "unknown"]]);
  assertEquals(world.words.at(-1), "1 up");
  await world.monitor.close();
});

Deno.test("update() a check that asks something else keeps the state and probes soon", async () => {
  const world = new World();
  world.monitor.update([pool([server(1)])]);
  await world.pass(1000);
  world.silent.add("s1");
  await world.pass(2500);
  const before = world.probed.length;
  world.silent.clear();
  world.monitor.update([
    pool([server(1)], { check: checkOf({ fastInterval: "500ms", path: "/other", port: 8081 }) }),
  ]);
  assertEquals(world.state("s1"), "up");
  await world.pass(1000);
  assertEquals(world.aborted, ["s1"]);
  assertEquals(world.probed.slice(before).map(({ port }) => port), [8081]);
  await world.monitor.close();
});

Deno.test("update() without its check a server that was down takes traffic again", async () => {
  const world = new World();
  world.dead.add("s1");
  world.monitor.update([pool([server(1)])]);
  await world.pass(1000);
  world.monitor.update([pool([server(1)], { check: null })]);
  assertEquals([world.state("s1"), world.words.at(-1)], ["unchecked", "1 up"]);
  await world.pass(3000);
  assertEquals(world.timers, 0, "nothing is left to wait for");
  world.monitor.update([pool([server(1)])]);
  await world.pass(1000);
  assertEquals(world.state("s1"), "down");
  await world.monitor.close();
});

Deno.test("update() a server in maintenance is not probed, and is as one that is new when it comes back", async () => {
  const world = new World();
  const at = (some: Partial<ServerSnapshot> = {}) =>
    pool([server(1, { slowStartMs: 10_000, ...some }), server(2)]);
  world.monitor.update([at()]);
  await world.pass(3000);
  world.dead.add("s1");
  world.monitor.update([at({ state: "maint" })]);
  world.probed = [];
  await world.pass(20_000);
  assertEquals(world.probed.filter((one) => one.server === "s1"), []);
  const [status] = world.monitor.status();
  assertEquals([status?.state, status?.reason], ["unchecked", "in maintenance: not checked"]);
  world.words = [];
  world.monitor.update([at()]);
  assertEquals(world.words[0], "1 weight 13", "a twentieth of its weight");
  assertEquals(world.state("s1"), "unknown");
  await world.pass(1000);
  assertEquals(world.state("s1"), "down", "the first probe decides alone");
  await world.monitor.close();
});

Deno.test("setEjected() servers that the operator keeps from traffic are not what makes up for an ejected one", async () => {
  const world = new World();
  const two = [server(1), server(2, { state: "drain" })];
  world.monitor.update([pool(two, { passive: { ...PASSIVE, maxEjected: 1 } })]);
  await world.pass(3000);
  world.fail(1, 3);
  await world.pass(1000);
  assertEquals(world.state("s1"), "up", "it is the last that takes traffic");
  await world.monitor.close();
});

Deno.test("setWeight() a server that comes back rises in steps, the first one before it is up", async () => {
  const world = new World();
  const slow = server(1, { weight: 4, slowStartMs: 10_000 });
  world.monitor.update([pool([slow])]);
  assertEquals(world.words[0], "1 weight 1024", "no slow start when Tandem starts");
  world.dead.add("s1");
  await world.pass(1000);
  world.dead.clear();
  world.words.length = 0;
  await world.pass(20_000);
  assertEquals(world.words.slice(0, 3), ["1 weight 51", "1 up", "1 weight 102"]);
  assertEquals(world.words.at(-1), "1 weight 1024");
  assertEquals(world.words.length, 21);
  await world.monitor.close();
});

Deno.test("update() a server that joins a pool at work starts slowly", async () => {
  const world = new World();
  world.monitor.update([pool([server(1)])]);
  world.words.length = 0;
  world.monitor.update([pool([server(1), server(2, { slowStartMs: 1000 })])]);
  assertEquals(world.words[0], "2 weight 13");
  await world.pass(1100);
  assertEquals(world.words.filter((word) => word.startsWith("2 weight")).at(-1), "2 weight 256");
  await world.monitor.close();
});

Deno.test("setEjected() traffic that fails ejects a server and lets it back later", async () => {
  const world = new World();
  world.monitor.update([pool([server(1), server(2)], { check: null, passive: PASSIVE })]);
  world.fail(1, 3);
  await world.pass(200);
  assertEquals([world.state("s1"), world.words.at(-1)], ["ejected", "1 ejected"]);
  const reason = "ejected for 5000 ms: 3 failures in a row (failed connections)";
  assertEquals([world.transitions.at(-1)?.reason, world.monitor.status()[0]?.reason], [reason, reason]);
  await world.pass(5200);
  assertEquals([world.state("s1"), world.words.at(-1)], ["unchecked", "1 in"]);
  assertEquals(world.transitions.at(-1)?.reason, "back: its ejection is over");
  await world.monitor.close();
});

Deno.test("setEjected() a check that passes again does not end an ejection, and the reason says so", async () => {
  const world = new World();
  world.monitor.update([pool([server(1), server(2)], { passive: { ...PASSIVE, ejectForMs: 60_000 } })]);
  await world.pass(1000);
  world.fail(1, 3);
  await world.pass(200);
  world.dead.add("s1");
  await world.pass(4000);
  assertEquals(world.state("s1"), "down");
  world.dead.delete("s1");
  await world.pass(4000);
  assertEquals(world.state("s1"), "ejected");
  assertStringIncludes(world.transitions.at(-1)!.reason, "succeeded");
  assertStringIncludes(world.transitions.at(-1)!.reason, "; still ejected for 60000 ms: 3 failures in a row");
  await world.monitor.close();
});

Deno.test("setEjected() an ejected server comes back when the other goes down", async () => {
  const world = new World();
  world.monitor.update([pool([server(1), server(2)], { passive: { ...PASSIVE, ejectForMs: 60_000 } })]);
  await world.pass(1000);
  world.fail(1, 3);
  await world.pass(200);
  assertEquals(world.state("s1"), "ejected");
  world.dead.add("s2");
  await world.pass(4000);
  assertEquals([world.state("s1"), world.state("s2")], ["up", "down"]);
  await world.monitor.close();
});

Deno.test("update() totals from before a server was watched are not held against it", async () => {
  const world = new World();
  world.fail(1, 100);
  world.monitor.update([pool([server(1), server(2)], { check: null, passive: PASSIVE })]);
  await world.pass(1000);
  assertEquals(world.state("s1"), "unchecked");
  await world.monitor.close();
});

Deno.test("update() without its passive check an ejected server comes back", async () => {
  const world = new World();
  world.monitor.update([pool([server(1), server(2)], { check: null, passive: PASSIVE })]);
  world.fail(1, 3);
  await world.pass(200);
  world.monitor.update([pool([server(1), server(2)], { check: null })]);
  assertEquals([world.state("s1"), world.words.at(-1), world.timers], ["unchecked", "1 in", 0]);
  await world.monitor.close();
});

Deno.test("#run() a probe that throws counts as failed and is run again", async () => {
  const world = new World();
  const broken = new HealthMonitor({
    probes: allProbes(boom),
    sink: {
      ...{ setUp() {}, setEjected() {}, setAdmin() {}, setWeight() {}, setLimit() {}, onAgent() {} },
      onTransition: (one) => world.transitions.push(one),
    },
    readCounters: none,
    now: () => performance.now(),
    wallNow: () => EPOCH,
    random: () => 0,
    after: (ms, call) => {
      const timer = setTimeout(call, ms / 100);
      return () => clearTimeout(timer);
    },
  });
  broken.update([pool([server(1)])]);
  while (world.transitions.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(world.transitions[0]?.reason, "the first probe failed: the probe itself failed: boom");
  assert(broken.status()[0]?.nextProbeInMs !== null);
  await broken.close();
});

function boom(): Promise<never> {
  return Promise.reject(new Error("boom"));
}

Deno.test("close() leaves no timer and starts nothing afterwards", async () => {
  const world = new World();
  world.monitor.update([pool([server(1)], { passive: PASSIVE })]);
  await world.pass(1000);
  const before = world.probed.length;
  await world.monitor.close();
  world.monitor.update([pool([server(1), server(2)])]);
  await world.pass(10_000);
  assertEquals([world.timers, world.probed.length], [0, before]);
});

Deno.test("recall() servers stay down, ejected and on their slow start as another process has left them, in silence", async () => {
  const servers = [server(1), server(2), server(3, { slowStartMs: 10_000 }), server(4)];
  const before = new World();
  before.dead.add("s1");
  before.dead.add("s3");
  before.monitor.update([pool(servers, { passive: PASSIVE })]);
  await before.pass(3000);
  before.dead.delete("s3");
  await before.pass(3000);
  before.fail(2, 3);
  await before.pass(1000);
  assertEquals(["s1", "s2", "s3"].map((name) => before.state(name)), ["down", "ejected", "up"]);
  const remembered = JSON.parse(JSON.stringify(before.monitor.remember()));

  const after = new World();
  // The slots are others, and one of the servers is no more.
  const moved = [
    server(7, { name: "new" }),
    ...servers.slice(0, 3).map((one) => ({ ...one, slot: one.slot + 10 })),
  ];
  after.monitor.update([pool(moved, { passive: PASSIVE })]);
  after.words = [];
  after.monitor.recall([...remembered, { nonsense: 1 }, null]);
  assertEquals(["s1", "s2", "s3", "new"].map((name) => after.state(name)), [
    "down",
    "ejected",
    "up",
    "unknown",
  ]);
  assertEquals(after.transitions, []);
  for (const word of ["11 down", "12 ejected", "13 up"]) {
    assert(after.words.includes(word), after.words.join());
  }
  const { reason, since } = after.monitor.status().find((one) => one.server === "s1")!;
  assertEquals(since, before.monitor.status().find((one) => one.server === "s1")!.since);
  assertStringIncludes(reason, "connection refused");
  const weight = (world: World) => world.monitor.status().find((one) => one.server === "s3")!.weight256;
  assertEquals(weight(after), weight(before));
  assert(weight(after) < 256);
  // And they go on from there.
  await after.pass(6000);
  assertEquals(["s2", "s1"].map((name) => after.state(name)), ["up", "up"]);
});
