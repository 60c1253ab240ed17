import { evaluateTracks, type NodeFacts, type Tracked } from "../../vrrp/track.ts";
import { ownerPriorities, priorityWarnings } from "../../vrrp/priorities.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

const fine = { ok: true, reason: "" };

function facts(tracked: readonly Tracked[], rest: Partial<NodeFacts> = {}): NodeFacts {
  return { tracked, balancer: { ...fine, needed: true }, timers: fine, ...rest };
}

function pool(healthy: number | null, minHealthy = 1, weight: number | null = null): Tracked {
  return { kind: "pool", name: "app", healthy, minHealthy, weight };
}

const listener: Tracked = { kind: "listener", name: "web", ok: true, reason: "", weight: null };

Deno.test("evaluateTracks() a node without a complaint has 100 and nothing to say", () => {
  for (const tracked of [[], [pool(1)], [pool(5, 2), listener], [pool(0, 0)]]) {
    assertEquals(evaluateTracks(facts(tracked)), { hard: [], score: 100, priorityChange: 0, reason: "" });
  }
});

Deno.test("evaluateTracks() a pool below minHealthy is a soft fault, the worse the fewer are left", () => {
  const scores = [2, 1, 0].map((healthy) => evaluateTracks(facts([pool(healthy, 2)])).score);
  assert(scores[0] === 100 && scores[1]! < scores[0] && scores[2]! < scores[1]!, scores.join());
  const verdict = evaluateTracks(facts([pool(0)]));
  assertEquals(verdict.hard, []);
  assertEquals(verdict.reason, "pool app: 0 healthy, at least 1 wanted");
});

Deno.test("evaluateTracks() what is not known yet speaks neither for nor against", () => {
  const unknown: Tracked[] = [
    pool(null),
    { ...listener, ok: null },
    { kind: "interface", name: "eth1", up: null, weight: null },
    { kind: "exec", name: "/check", ok: null, reason: "", weight: -30 },
  ];
  assertEquals(evaluateTracks(facts(unknown)), { hard: [], score: 100, priorityChange: 0, reason: "" });
});

Deno.test("evaluateTracks() an interface that is down is a hard fault, with a weight it is not", () => {
  const down: Tracked = { kind: "interface", name: "eth1", up: false, weight: null };
  const verdict = evaluateTracks(facts([down]));
  assertEquals(verdict.hard, [{ what: "interface eth1", reason: "is down" }]);
  assertEquals(verdict.score, 100);
  assertEquals(evaluateTracks(facts([{ ...down, up: true }])).hard, []);
  const weighed = evaluateTracks(facts([{ ...down, weight: -40 }]));
  assertEquals([weighed.hard.length, weighed.score, weighed.priorityChange], [0, 100, -40]);
});

Deno.test("evaluateTracks() negative weights count while bad, positive ones while good", () => {
  const exec = (weight: number, ok: boolean): Tracked => (
    { kind: "exec", name: "/check", ok, reason: "exit 1", weight }
  );
  const change = (...tracked: Tracked[]) => evaluateTracks(facts(tracked)).priorityChange;
  assertEquals(change(exec(-30, false)), -30);
  assertEquals(change(exec(-30, true)), 0);
  assertEquals(change(exec(20, true)), 20);
  assertEquals(change(exec(20, false)), 0);
  assertEquals(change(exec(-30, false), exec(20, true), pool(0, 1, -5)), -15);
});

Deno.test("evaluateTracks() a dead balancer is worse than anything else that is soft", () => {
  const balancer = { ok: false, needed: true, reason: "killed by SIGKILL, starting again" };
  const dead = evaluateTracks(facts([pool(1), listener], { balancer }));
  assertEquals(dead.score, 0);
  assertStringIncludes(dead.reason, "balancer: killed by SIGKILL");
  const tracked: Tracked[] = [pool(0), { ...listener, ok: false, reason: "not bound" }];
  const bad = evaluateTracks(facts(tracked, { timers: { ok: false, reason: "late" } }));
  assert(bad.score > dead.score, "all bad but alive is better than dead");
});

Deno.test("evaluateTracks() a dead balancer means nothing where only the kernel forwards", () => {
  const balancer = { ok: false, needed: false, reason: "killed" };
  assertEquals(evaluateTracks(facts([pool(1)], { balancer })).score, 100);
});

Deno.test("evaluateTracks() a node that cannot keep its interval says so", () => {
  const verdict = evaluateTracks(
    facts([pool(1)], { timers: { ok: false, reason: "adverts are 80 ms late" } }),
  );
  assertEquals(verdict.score, 50);
  assertEquals(verdict.reason, "timers: adverts are 80 ms late");
});

Deno.test("evaluateTracks() 100 is only for nodes without any complaint, however many things are well", () => {
  const many: Tracked[] = Array.from({ length: 500 }, () => pool(1));
  assertEquals(evaluateTracks(facts([...many, pool(999, 1000)])).score, 99);
});

Deno.test("ownerPriorities() gives 200, 150, 100, 50 in order", () => {
  assertEquals([...ownerPriorities(["a"])], [["a", 200]]);
  assertEquals([...ownerPriorities(["a", "b", "c", "d"]).values()], [200, 150, 100, 50]);
});

Deno.test("ownerPriorities() stays in order, apart and at 1 or above for any number of owners", () => {
  for (let count = 2; count <= 100; count++) {
    const values = [...ownerPriorities(Array.from({ length: count }, (_, at) => `n${at}`)).values()];
    assertEquals(values[0], 200);
    assert(values.every((value, at) => value >= 1 && (at === 0 || value < values[at - 1]!)), values.join());
  }
});

const OUTLINE = {
  name: "edge",
  priorities: new Map([["lb1", 200], ["lb2", 150]]),
  preempt: true,
  weights: [],
  pools: [],
};

function codes(outline: Partial<Parameters<typeof priorityWarnings>[0]>): string[] {
  return priorityWarnings({ ...OUTLINE, ...outline }).map(({ code }) => code);
}

Deno.test("priorityWarnings() finds nothing wrong with an ordinary pair", () => {
  assertEquals(codes({}), []);
  assertEquals(codes({ weights: [{ what: "exec /check", weight: -60 }] }), []);
  assertEquals(codes({ pools: [{ pool: "app", minHealthy: 2, servers: 2 }] }), []);
  assertEquals(codes({ pools: [{ pool: "app", minHealthy: 2, servers: null }] }), []);
});

Deno.test("priorityWarnings() finds nodes that are alone, alike, or both owners", () => {
  assertEquals(codes({ priorities: new Map([["lb1", 200]]) }), ["alone"]);
  assertEquals(codes({ priorities: new Map([["lb1", 100], ["lb2", 100]]) }), ["equalPriorities"]);
  assertEquals(codes({ priorities: new Map([["lb1", 255], ["lb2", 255]]) }), ["severalOwners"]);
});

Deno.test("priorityWarnings() finds weights that can never move the address", () => {
  const weights = [{ what: "exec /check", weight: -30 }];
  const [warning] = priorityWarnings({ ...OUTLINE, weights });
  assertEquals(warning?.code, "idleWeights");
  assertStringIncludes(warning?.message ?? "", "priority 200 less 30 is not below 150 of lb2");
  assertEquals(codes({ weights: [...weights, { what: "file /x", weight: -25 }] }), []);
  assertEquals(codes({ weights, preempt: false }), ["idleWeights"]);
  assertEquals(codes({ weights, priorities: new Map([["lb1", 255], ["lb2", 254]]) }), ["idleWeights"]);
});

Deno.test("priorityWarnings() finds a pool that can never be healthy enough", () => {
  assertEquals(codes({ pools: [{ pool: "app", minHealthy: 3, servers: 2 }] }), ["neverHealthy"]);
});

Deno.test("evaluateTracks() what is called a fault is one, and what is inverted is good when it is bad", () => {
  const exec: Tracked = {
    kind: "exec",
    name: "/check",
    ok: false,
    reason: "exit 1",
    weight: null,
    fault: true,
  };
  const bad = evaluateTracks(facts([exec]));
  assertEquals([bad.hard, bad.score], [[{ what: "exec /check", reason: "exit 1" }], 100]);
  assertEquals(evaluateTracks(facts([{ ...exec, ok: null }])).hard, []);
  assertEquals(evaluateTracks(facts([{ ...exec, invert: true }])).hard, []);
  const well = evaluateTracks(facts([{ ...exec, ok: true, invert: true }]));
  assertEquals(well.hard, [{ what: "exec /check", reason: "is well, which is bad here" }]);
  // keepalived's `weight 7 reverse`: 7 less while it is good.
  const reverse: Tracked = { kind: "exec", name: "/check", ok: true, reason: "", weight: -7, invert: true };
  assertEquals(evaluateTracks(facts([reverse])).priorityChange, -7);
  assertEquals(evaluateTracks(facts([{ ...reverse, ok: false }])).priorityChange, 0);
});

Deno.test("evaluateTracks() a number counts so many times its weight, within the priorities there are", () => {
  const change = (value: number | null, weight: number | null) =>
    evaluateTracks(facts([{ kind: "number", name: "/n", value, reason: "", weight }]));
  assertEquals(
    [[7, 2], [7, null], [-7, 2], [null, 2], [300, 1]].map(([value, weight]) =>
      change(value!, weight!).priorityChange
    ),
    [14, 7, -14, 0, 253],
  );
  assertEquals(change(-127, 2).hard, [{ what: "number /n", reason: "is -127" }]);
  assertEquals(change(-126, 2).hard, []);
  const unknown: Tracked = { kind: "number", name: "/n", value: 0, reason: "holds no number", weight: 1 };
  const { score, reason } = evaluateTracks(facts([unknown]));
  assertEquals([score, reason], [100, "number /n: holds no number"]);
});
