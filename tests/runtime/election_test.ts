import { formatIp } from "../../mod/base/address.ts";
import {
  continues,
  electionSettings,
  hasVirtualMac,
  programsOf,
  reports,
  sameSettings,
  speaksUdp,
} from "../../mod/runtime/election.ts";
import { instanceStatus, seenOn, type Viewed } from "../../mod/runtime/election_view.ts";
import { DROP_REASONS, type DropReason } from "../../vrrp/drops.ts";
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
  assertEquals(continues(before, await after("interface", "transport: vrrp3, interface")), false);
});

Deno.test("speaksUdp() and reports() VRRP itself goes another way, and reports beside it only what is signed", async () => {
  const told = async (from: string, to: string) => {
    const one = (await settings("lb1", EDGE.replace(from, to))).instances[0]!;
    const { transport, password } = one.runner;
    return [transport, password, speaksUdp(one), reports(one)];
  };
  const without = "keys: [{ id: 1, secret: sixteen characters }],";
  assertEquals(await told("", ""), ["udp", null, true, true]);
  assertEquals(await told(without, ""), ["udp", null, true, true]);
  assertEquals(await told("keys", "transport: vrrp3, keys"), ["vrrp3", null, false, true]);
  assertEquals(await told(without, "transport: vrrp3,"), ["vrrp3", null, false, false]);
  assertEquals(await told("advertInterval: 100ms", "transport: vrrp2, password: x"), [
    "vrrp2",
    "x",
    false,
    true,
  ]);
});

Deno.test("hasVirtualMac() the addresses are on an interface of their own then", async () => {
  const [plain] = (await settings("lb1")).instances;
  const [own] =
    (await settings("lb1", EDGE.replace("keys", "transport: vrrp3, virtualMac: true, keys"))).instances;
  assertEquals([plain!.runner.addressDevice, hasVirtualMac(plain!.runner)], ["eth0", false]);
  assertEquals([own!.runner.device, own!.runner.addressDevice, hasVirtualMac(own!.runner)], [
    "eth0",
    "vrrp.51",
    true,
  ]);
  const [other] = (await settings("lb1", EDGE.replace("keys", "transport: vrrp3, keys"))).instances;
  assertEquals(continues(own!, other!), false);
});

Deno.test("seenOn() joins what both sockets dropped, and speaks from VRRP's own", () => {
  const counts = (of: Partial<Record<DropReason, number>>) =>
    ({ ...Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])), ...of }) as Record<
      DropReason,
      number
    >;
  const local = new Uint8Array([10, 0, 0, 1]);
  const segment = { local: null, peers: new Map(), dropped: counts({ signature: 2, ttl: 1 }) };
  const wire = { local, dropped: counts({ ttl: 3 }), checksums: { message: 4, pseudoHeader: 5 } };
  assertEquals(seenOn(segment, null), segment);
  const seen = seenOn(segment, wire);
  assertEquals([seen?.local, seen?.dropped], [local, counts({ signature: 2, ttl: 4 })]);
  assertEquals(seenOn(null, wire)?.dropped, counts({ ttl: 3 }));
});

const BALANCER: BalancerFacts = {
  serving: true,
  state: "is running",
  heardAt: 1000,
  pools: new Map([["app", { healthy: 1, servers: 2 }]]),
};
const SOURCES: Sources = {
  balancer: BALANCER,
  kernel: { listeners: [], pools: [], problem: null, alone: false },
  elsewhere: new Map(),
  linkUp: (device) => device === "eth1",
  answer: () => ({ ok: true, reason: "" }),
  keepsInterval: true,
  timerLagMs: 0,
};
const POOL = { kind: "pool", name: "app", minHealthy: 2, weight: null } as const;

Deno.test("verdictOf() what the kernel forwards needs its rules, and nobody else a balancer", () => {
  const dead = { ...SOURCES.balancer, serving: false, state: "is waiting" };
  const kernel = { listeners: ["web"], pools: [], problem: null, alone: true };
  const track = { kind: "listener", name: "web", weight: null } as const;
  for (const tracks of [[], [track]]) {
    assertEquals(verdictOf(tracks, { ...SOURCES, balancer: dead, kernel }, 1000).score, 100);
    assertEquals(
      verdictOf(tracks, { ...SOURCES, balancer: dead, kernel: { ...kernel, alone: false } }, 1000).score,
      0,
    );
    const { score, reason } = verdictOf(
      tracks,
      { ...SOURCES, kernel: { ...kernel, problem: "no nft" } },
      1000,
    );
    assertEquals([score, reason], [50, "listener web: no nft"]);
  }
});

Deno.test("verdictOf() who finds fewer servers well than the active node does not take what the kernel forwards from it", () => {
  const kernel = { listeners: ["web"], pools: ["app"], problem: null, alone: true };
  const judged = (healthy: number, elsewhere: Sources["elsewhere"]) => {
    const balancer = { ...BALANCER, pools: new Map([["app", { healthy, servers: 3 }]]) };
    const { score, reason } = verdictOf([], { ...SOURCES, balancer, kernel, elsewhere }, 1000);
    return [score === 100, reason];
  };
  const theirs = new Map([["app", 2]]);
  assertEquals(judged(1, theirs), [false, "pool app: 1 healthy, at least 2 wanted"]);
  assertEquals(judged(2, theirs), [true, ""]);
  assertEquals(judged(0, new Map()), [false, "pool app: 0 healthy, at least 1 wanted"]);
  assertEquals(judged(0, null), [true, ""], "the active node keeps the address");
});

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
  const exec = {
    kind: "exec",
    command: ["/bin/check"],
    intervalMs: 1,
    timeoutMs: 1,
    rise: 1,
    fall: 1,
    initial: "unknown",
    weight: -30,
  } as const;
  const failed = { ...SOURCES, answer: () => ({ ok: false, reason: "exit 1" }) };
  assertEquals([verdictOf([exec], failed, 1000).priorityChange, verdictOf([exec], failed, 1000).score], [
    -30,
    100,
  ]);
  const late = verdictOf([], { ...SOURCES, keepsInterval: false, timerLagMs: 120 }, 1000);
  assert(late.score < 100);
  assertStringIncludes(late.reason, "up to 120 ms late");
});

Deno.test("instanceStatus() calls a peer silent after three reports of its interval, and not before 3 s", async () => {
  const report = { instances: [], maintenance: false, version: "1" };
  const silentAfter = async (ms: number, interval: string) => {
    const one = (await settings("lb1", EDGE.replace("100ms", interval))).instances[0]!;
    const peer = {
      ...{ node: "lb2", address: "203.0.113.3", seenAt: 0, clockOffsetMs: 0, sameConfiguration: true },
      ...{ report, stateSince: new Map() },
    };
    const machine = { state: "active", since: 0, reason: "", active: null, yielding: false } as const;
    const status = () => ({ ...machine, heldUntil: null });
    const member = { settings: one, runner: { settings: one.runner, status } };
    const segment = { local: null, peers: new Map([["lb2", peer]]), dropped: {} };
    const viewed = { node: "lb1", member, segment, foreign: { list: [], adverts: 0 }, now: ms, clock: ms };
    const { peers } = instanceStatus(viewed as unknown as Viewed);
    return peers[0]!.silent;
  };
  assertEquals([await silentAfter(9000, "10s"), await silentAfter(30_001, "10s")], [false, true]);
  assertEquals([await silentAfter(3000, "100ms"), await silentAfter(3001, "100ms")], [false, true]);
});
