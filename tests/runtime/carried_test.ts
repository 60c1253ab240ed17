import { carry, receive, type Section } from "../../mod/runtime/carried.ts";
import { readCarriedKeeper } from "../../mod/runtime/upgrade_link.ts";
import { assertEquals, assertThrows } from "../assert.ts";

function section(name: string, value: unknown, given: unknown[], refuse = false): Section {
  return {
    name,
    take: () => value,
    give(one) {
      if (refuse) throw new Error("not understood");
      given.push([name, one]);
    },
  };
}

Deno.test("receive() gives each section its own, and passes over what one version only knows", () => {
  const given: unknown[] = [];
  const text = carry([
    section("health", [1], given),
    section("gone", 2, given),
    section("sticks", { a: 1 }, given),
  ]);
  const problems = receive([
    section("sticks", null, given),
    section("new", null, given),
    section("health", null, given, true),
  ], text);
  assertEquals(given, [["sticks", { a: 1 }]]);
  assertEquals(problems, ["health: not understood"]);
});

Deno.test("receive() says so when nothing can be read", () => {
  assertEquals(receive([], "{"), ["it is no JSON"]);
  assertEquals(receive([], "null"), ["it is no object"]);
});

const ACTIVE = { state: "active", reason: "r", forMs: 5, followMs: 100 };

Deno.test("readCarriedKeeper() takes what a later version has more, and does without what an earlier one has less", () => {
  const read = readCarriedKeeper(JSON.stringify({
    election: { maintenance: true, instances: { edge: { ...ACTIVE, mood: "good" } }, later: 1 },
    weather: "fine",
  }));
  assertEquals(read.election.instances.edge, {
    ...ACTIVE,
    state: "active",
    wasWell: false,
    movedAway: null,
    moves: { level: 0, agoMs: 0 },
  });
  assertEquals([read.election.maintenance, read.sysctls, read.service], [true, {}, null]);
});

Deno.test("readCarriedKeeper() refuses an election that it does not understand, as the addresses would be lost", () => {
  for (const state of ["levitating", undefined]) {
    const text = JSON.stringify({
      election: { maintenance: false, instances: { edge: { ...ACTIVE, state } } },
    });
    assertThrows(() => readCarriedKeeper(text), Error, "/election/instances/edge/state");
  }
});
