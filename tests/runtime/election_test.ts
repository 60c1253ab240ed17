import { formatIp } from "../../mod/base/address.ts";
import { continues, electionSettings, programsOf, sameSettings } from "../../mod/runtime/election.ts";
import { type BalancerFacts, SILENT_MS, type Sources, verdictOf } from "../../mod/runtime/election_facts.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { good, SMALLEST } from "../config/reading.ts";

const EDGE = `{ name: edge, interface: eth0, routerId: 51, addresses: ["203.0.113.10/24"],
  owners: [lb1, lb2], advertInterval: 100ms, keys: [{ id: 1, secret: sixteen characters }],
  track: [{ exec: [/bin/check, x] }], onTransition: [/bin/notify] }`;

async function settings(node: string, edge = EDGE) {
  const config = await good(`${SMALLEST}\nvrrp: { instances: [${edge}] }\nnodes: { lb3: }`, { node });
  return electionSettings(config, node, 7n);
}

Deno.test("electionSettings() gives each owner its priority, and nothing to a node that is none", async () => {
  const [one, two, three] = [await settings("lb1"), await settings("lb2"), await settings("lb3")];
  assertEquals([one.instances[0]?.runner.priority, two.instances[0]?.runner.priority], [200, 150]);
  assertEquals([three.instances.length, one.configHash], [0, 7n]);
  const { runner, segment } = one.instances[0]!;
  assertEquals([formatIp(runner.vips[0]!.address), runner.vips[0]!.prefix, segment.family], [
    "203.0.113.10",
    24,
    4,
  ]);
  assertEquals(programsOf(one), ["/bin/notify", "/bin/check"]);
});

Deno.test("continues() what is another virtual router, and what is the same one changed", async () => {
  const before = (await settings("lb1")).instances[0]!;
  const after = async (from: string, to: string) =>
    (await settings("lb1", EDGE.replace(from, to))).instances[0]!;
  assert(sameSettings(before, await after("", "")));
  const slower = await after("100ms", "200ms");
  assertEquals([sameSettings(before, slower), continues(before, slower)], [false, true]);
  assertEquals(continues(before, await after("51", "52")), false);
  assertEquals(continues(before, await after("eth0", "eth1")), false);
});

const BALANCER: BalancerFacts = {
  serving: true,
  state: "is running",
  heardAt: 1000,
  pools: new Map([["app", { healthy: 1, servers: 2 }]]),
};
const SOURCES: Sources = {
  balancer: BALANCER,
  linkUp: (device) => device === "eth1",
  answer: () => ({ ok: true, reason: "" }),
  keepsInterval: true,
  timerLagMs: 0,
};
const POOL = { kind: "pool", name: "app", minHealthy: 2, weight: null } as const;

Deno.test("verdictOf() all is well", () => {
  const well = verdictOf(
    [{ ...POOL, minHealthy: 1 }, { kind: "listener", name: "web", weight: null }],
    SOURCES,
    1000,
  );
  assertEquals([well.score, well.hard, well.reason], [100, [], ""]);
});

Deno.test("verdictOf() a balancer that is dead, silent or has told nothing yet serves nobody", () => {
  const dead = verdictOf(
    [],
    { ...SOURCES, balancer: { ...BALANCER, serving: false, state: "is waiting" } },
    1000,
  );
  assertEquals([dead.score, dead.reason], [0, "balancer: is waiting"]);
  assertEquals(verdictOf([], SOURCES, 1000 + SILENT_MS).score, 100);
  const silent = verdictOf([], SOURCES, 1001 + SILENT_MS);
  assertEquals([silent.score, silent.reason], [0, "balancer: no heartbeat for 1 s"]);
  const fresh = { ...SOURCES, balancer: { ...BALANCER, pools: new Map() } };
  assertEquals([verdictOf([POOL], fresh, 1000).score, verdictOf([], fresh, 1000).score], [0, 100]);
});

Deno.test("verdictOf() pools, interfaces, programs and late timers count as they should", () => {
  assertStringIncludes(verdictOf([POOL], SOURCES, 1000).reason, "pool app: 1 healthy, at least 2 wanted");
  // Another pool of a reload: nothing is known of it.
  assertEquals(verdictOf([{ ...POOL, name: "new" }], SOURCES, 1000).score, 100);
  const interfaces = ["eth1", "eth2"].map((name) => ({ kind: "interface", name, weight: null }) as const);
  assertEquals(verdictOf(interfaces, SOURCES, 1000).hard, [{ what: "interface eth2", reason: "is down" }]);
  const exec = { kind: "exec", command: ["/bin/check"], intervalMs: 1, timeoutMs: 1, weight: -30 } as const;
  const failed = { ...SOURCES, answer: () => ({ ok: false, reason: "exit 1" }) };
  assertEquals([verdictOf([exec], failed, 1000).priorityChange, verdictOf([exec], failed, 1000).score], [
    -30,
    100,
  ]);
  const late = verdictOf([], { ...SOURCES, keepsInterval: false, timerLagMs: 120 }, 1000);
  assert(late.score < 100);
  assertStringIncludes(late.reason, "up to 120 ms late");
});
