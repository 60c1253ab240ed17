/**
 * Two nodes and an attacker who has recorded every datagram and may send any of them again at any time. Invariants:
 * no datagram is fresh twice; an earlier life of a peer is never fresh again once a later one was; a node whose clock
 * is far off believes no recording made before its own start; and two honest exchanges always suffice to be heard.
 */
import fc from "fast-check";
import { seededRandom } from "../../mod/base/random.ts";
import {
  CLOCK_TOLERANCE_MS,
  Freshness,
  NONCE_LIFE_MS,
  SILENCE_MS,
  type Stamp,
} from "../../vrrp/freshness.ts";
import { assert, assertEquals, assertNotEquals } from "../assert.ts";

const HOUR_MS = 3_600_000;
const EPOCH_MS = 1_700_000_000_000;

/** Numbers that never repeat stand for 64 random bits. */
let drawn = 0n;
const random64 = () => ++drawn;

class Node {
  readonly incarnation = random64();
  readonly freshness: Freshness;
  sequence = 0;

  constructor(readonly name: string, readonly skewMs: number, readonly bornAtMs: number, signed = true) {
    this.freshness = new Freshness(
      { node: name, incarnation: this.incarnation, signed, random64 },
      bornAtMs,
    );
  }

  stamp(nowMs: number): Stamp {
    return {
      node: this.name,
      incarnation: this.incarnation,
      sequence: ++this.sequence,
      timestampMs: EPOCH_MS + nowMs + this.skewMs,
      nonce: this.freshness.nonce(nowMs),
      echoes: this.freshness.echoes(),
    };
  }

  /** "fresh:PROOF" or the reason. */
  hear(stamp: Stamp, nowMs: number): string {
    const verdict = this.freshness.judge(stamp, nowMs, EPOCH_MS + nowMs + this.skewMs);
    return verdict.fresh ? `fresh:${verdict.proof}` : verdict.reason;
  }
}

Deno.test("judge() believes the first datagram of a peer whose clock agrees, then its growing sequence", () => {
  const a = new Node("a", 0, 0);
  const b = new Node("b", CLOCK_TOLERANCE_MS, 0);
  const [one, two, three] = [b.stamp(0), b.stamp(0), b.stamp(0)];
  assertEquals(a.hear(one, 0), "fresh:clock");
  assertEquals(a.hear(three, 0), "fresh:known");
  assertEquals(a.hear(three, 0), "replayed");
  assertEquals(a.hear(two, 0), "stale");
});

Deno.test("judge() tells how far the peer's clock is off", () => {
  const a = new Node("a", 0, 0);
  const b = new Node("b", -20_000, 0);
  const verdict = a.freshness.judge(b.stamp(5), 5, EPOCH_MS + 5);
  assertEquals(verdict, { fresh: true, proof: "clock", clockOffsetMs: -20_000 });
});

Deno.test("judge() of clocks hours apart: one exchange proves both", () => {
  for (const skewMs of [5 * HOUR_MS, -5 * HOUR_MS, CLOCK_TOLERANCE_MS + 1]) {
    const a = new Node("a", 0, 0);
    const b = new Node("b", skewMs, 0);
    assertEquals(a.hear(b.stamp(0), 0), "unproved");
    assertEquals(b.hear(a.stamp(0), 0), "fresh:echo");
    assertEquals(a.hear(b.stamp(0), 0), "fresh:echo");
    assertEquals(a.hear(b.stamp(0), 0), "fresh:known");
  }
});

Deno.test("judge() replaces a known incarnation at once by echo, by clock only after silence", () => {
  const a = new Node("a", 0, 0);
  const b1 = new Node("b", 0, 0);
  assertEquals(a.hear(b1.stamp(0), 0), "fresh:clock");
  const b2 = new Node("b", 0, 100);
  assertEquals(a.hear(b2.stamp(100), 100), "unproved");
  assertEquals(b2.hear(a.stamp(200), 200), "fresh:echo");
  assertEquals(a.hear(b2.stamp(300), 300), "fresh:echo");
  const b3 = new Node("b", 0, 400);
  assertEquals(a.hear(b3.stamp(299 + SILENCE_MS), 299 + SILENCE_MS), "unproved");
  assertEquals(a.hear(b3.stamp(300 + SILENCE_MS), 300 + SILENCE_MS), "fresh:clock");
});

Deno.test("judge() never takes back an earlier life, even one that echoes and has the right time", () => {
  const a = new Node("a", 0, 0);
  const b1 = new Node("b", 0, 0);
  a.hear(b1.stamp(0), 0);
  b1.hear(a.stamp(0), 0);
  const recorded = b1.stamp(0);
  const b2 = new Node("b", 0, 1);
  b2.hear(a.stamp(1), 1);
  assertEquals(a.hear(b2.stamp(1), 1), "fresh:echo");
  assertEquals(a.hear(recorded, 2), "replayed");
  assertEquals(a.hear(recorded, 2 + 2 * SILENCE_MS), "replayed");
});

Deno.test("judge() a nonce that has proved one incarnation proves no other", () => {
  const a = new Node("a", 0, 0);
  const [b1, b2] = [new Node("b", HOUR_MS, 0), new Node("b", HOUR_MS, 0)];
  const announced = a.freshness.nonce(0);
  assertEquals(a.hear({ ...b1.stamp(0), echoes: [announced] }, 0), "fresh:echo");
  assertEquals(a.hear({ ...b2.stamp(0), echoes: [announced] }, 0), "unproved");
  assertEquals(a.hear({ ...b2.stamp(0), echoes: [a.freshness.nonce(0)] }, 0), "fresh:echo");
});

Deno.test("nonce() is drawn anew after its life, the one before is good for as long again, then no longer", () => {
  for (const [atMs, expected] of [[NONCE_LIFE_MS, "fresh:echo"], [2 * NONCE_LIFE_MS, "unproved"]] as const) {
    const a = new Node("a", 0, 0);
    const b = new Node("b", HOUR_MS, 0);
    const early = { ...b.stamp(0), echoes: [a.freshness.nonce(0)] };
    for (let now = NONCE_LIFE_MS; now <= atMs; now += NONCE_LIFE_MS) a.stamp(now);
    assertEquals(a.hear(early, atMs), expected);
  }
});

Deno.test("judge() drops our own datagrams, and those of another node with our name, by their own reasons", () => {
  const a = new Node("a", 0, 0);
  assertEquals(a.hear(a.stamp(0), 0), "own");
  assertEquals(a.hear(new Node("a", 0, 0).stamp(0), 0), "twin");
});

Deno.test("judge() without keys believes every incarnation but no duplicate and no earlier life", () => {
  const a = new Node("a", 0, 0, false);
  const b1 = new Node("b", HOUR_MS, 0, false);
  const b2 = new Node("b", 0, 0, false);
  const first = b1.stamp(0);
  assertEquals(a.hear(first, 0), "fresh:unsigned");
  assertEquals(a.hear(first, 0), "replayed");
  assertEquals(a.hear(b2.stamp(1), 1), "fresh:unsigned");
  assertEquals(a.hear(b1.stamp(2), 2), "replayed");
});

Deno.test("echoes() recordings of many earlier lives do not push out the peer that waits for its proof", () => {
  const old = Array.from({ length: 50 }, (_, at) => new Node("b", 0, at).stamp(at));
  const a = new Node("a", 10 * HOUR_MS, 1000);
  const b = new Node("b", 0, 1000);
  assertEquals(a.hear(b.stamp(1000), 1000), "unproved");
  for (const stamp of old) assertEquals(a.hear(stamp, 1000), "unproved");
  assertEquals(b.hear(a.stamp(1000), 1000), "fresh:echo");
  assertEquals(a.hear(b.stamp(1000), 1000), "fresh:echo");
});

Deno.test("echoes() a recording of the peer's own life does not put back the nonce that it waits for", () => {
  const a = new Node("a", 10 * HOUR_MS, 0);
  const b = new Node("b", 0, 0);
  const recorded = b.stamp(0);
  const now = NONCE_LIFE_MS;
  b.stamp(now);
  const later = b.stamp(2 * now);
  assertEquals(a.hear(later, 2 * now), "unproved");
  assertEquals(a.hear(recorded, 2 * now), "unproved");
  assertEquals(b.hear(a.stamp(2 * now), 2 * now), "fresh:echo");
});

Deno.test("echoes() answers known peers and waiting ones together, and never more than eight", () => {
  const a = new Node("a", 0, 0);
  const known = Array.from({ length: 7 }, (_, at) => new Node(`known${at}`, 0, 0));
  const waiting = Array.from({ length: 6 }, (_, at) => new Node(`waiting${at}`, HOUR_MS, 0));
  for (const node of [...known, ...waiting]) a.hear(node.stamp(0), 0);
  const echoed = a.freshness.echoes();
  const count = (nodes: Node[]) => nodes.filter((node) => echoed.includes(node.freshness.nonce(0))).length;
  assertEquals([echoed.length, count(known), count(waiting)], [8, 4, 4]);
});

interface World {
  nowMs: number;
  readonly nodes: Record<"a" | "b", Node>;
  /** Everything ever sent, by sender: what the attacker has. */
  readonly recorded: { readonly from: "a" | "b"; readonly stamp: Stamp; readonly bornAtMs: number }[];
  /** For each receiver's life: what was fresh, and the latest birth of a peer that was. */
  heard: Record<"a" | "b", { keys: Set<string>; latestBirthMs: number }>;
}

function newWorld(skewMs: number): World {
  const heard = () => ({ keys: new Set<string>(), latestBirthMs: -1 });
  return {
    nowMs: 0,
    nodes: { a: new Node("a", 0, 0), b: new Node("b", skewMs, 0) },
    recorded: [],
    heard: { a: heard(), b: heard() },
  };
}

const other = (name: "a" | "b") => name === "a" ? "b" : "a";

function send(world: World, from: "a" | "b"): World["recorded"][number] {
  const node = world.nodes[from];
  const sent = { from, stamp: node.stamp(world.nowMs), bornAtMs: node.bornAtMs };
  world.recorded.push(sent);
  return sent;
}

/** Delivers and checks the invariants. */
function deliver(world: World, sent: World["recorded"][number], farOff: boolean): string {
  const to = other(sent.from);
  const result = world.nodes[to].hear(sent.stamp, world.nowMs);
  if (!result.startsWith("fresh")) return result;
  const memory = world.heard[to];
  const key = `${sent.stamp.incarnation}/${sent.stamp.sequence}`;
  assert(!memory.keys.has(key), `fresh twice: ${key}`);
  memory.keys.add(key);
  assert(sent.bornAtMs >= memory.latestBirthMs, "an earlier life was believed after a later one");
  memory.latestBirthMs = sent.bornAtMs;
  if (farOff && result === "fresh:echo") {
    assert(sent.stamp.timestampMs - (EPOCH_MS + world.nodes[sent.from].skewMs) >= world.nodes[to].bornAtMs);
  }
  if (farOff) assertNotEquals(result, "fresh:clock");
  return result;
}

function restart(world: World, name: "a" | "b"): void {
  world.nodes[name] = new Node(name, world.nodes[name].skewMs, world.nowMs);
  world.heard[name] = { keys: new Set(), latestBirthMs: -1 };
}

/** One random step: an honest datagram (delivered or lost), a replay, a restart, or time. */
function step(world: World, random: () => number, farOff: boolean): void {
  const name = random() < 0.5 ? "a" : "b";
  const dice = random();
  world.nowMs += 1 + Math.floor(random() * 200);
  if (dice < 0.4) deliver(world, send(world, name), farOff);
  else if (dice < 0.5) send(world, name);
  else if (dice < 0.92) {
    const replay = world.recorded[Math.floor(random() * world.recorded.length)];
    if (replay !== undefined) deliver(world, replay, farOff);
  } else if (dice < 0.97) restart(world, name);
  else world.nowMs += Math.floor(random() * 60_000);
}

/** Honest datagrams both ways, with the attacker replaying between any two. */
function exchange(world: World, random: () => number, farOff: boolean): [string, string] {
  const result: [string, string] = ["", ""];
  for (const [at, name] of (["a", "b"] as const).entries()) {
    for (let replays = 0; replays < 5; replays++) {
      const replay = world.recorded[Math.floor(random() * world.recorded.length)];
      if (replay !== undefined) deliver(world, replay, farOff);
    }
    world.nowMs += 100;
    result[at] = deliver(world, send(world, name), farOff);
  }
  return result;
}

for (const [clocks, skewMs] of [["that agree", 0], ["hours apart", 7 * HOUR_MS]] as const) {
  Deno.test(`judge() with clocks ${clocks} no attacker replays, reorders, duplicates, mixes lives or splits the pair`, () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = seededRandom(seed);
        const world = newWorld(skewMs);
        const farOff = skewMs !== 0;
        for (let at = 0; at < 150; at++) step(world, random, farOff);
        exchange(world, random, farOff);
        exchange(world, random, farOff);
        const [fromA, fromB] = exchange(world, random, farOff);
        assert(fromA.startsWith("fresh") && fromB.startsWith("fresh"), `${fromA} ${fromB}`);
      }),
      { numRuns: 300 },
    );
  });
}
