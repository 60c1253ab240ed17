import { assertEquals } from "../assert.ts";
import { activeOf, changes, liveLine, type Word } from "./demo_line.ts";

const NODES = { "02:00:00:00:00:01": "lb1", "02:00:00:00:00:02": "lb2" } as const;
const REPORT = {
  answered: { lb1: 9, lb2: 40 },
  failed: 12,
  longestGapMs: 341.6,
  hardware: "02:00:00:00:00:02",
};

function word(state: "active" | "backup", health = 100): Word {
  return { state, why: "of a reason", health, healthReason: health < 100 ? "pool app" : "" };
}

Deno.test("liveLine() says who holds the address, who answers, how the client fared and what the nodes are", () => {
  assertEquals(
    liveLine(REPORT, NODES, { lb1: null, lb2: word("active") }),
    "held by lb2     answers lb1+lb2  49/s   12 failed  gap ≤  342 ms   lb1 silent  lb2 active",
  );
});

Deno.test("liveLine() says when nobody holds it, and when it is nobody's of the two", () => {
  const nodes = { lb1: null, lb2: null };
  const nobody = liveLine({ ...REPORT, answered: {}, hardware: null }, NODES, nodes);
  assertEquals(nobody.startsWith("held by nobody  answers nobody    0/s"), true, nobody);
  const stranger = liveLine({ ...REPORT, hardware: "02:00:00:00:00:03" }, NODES, nodes);
  assertEquals(stranger.startsWith("held by a stranger"), true, stranger);
});

Deno.test("changes() are told with their reasons, and only once", () => {
  const before = { lb1: word("active"), lb2: word("backup") };
  assertEquals(changes(before, { ...before }), []);
  assertEquals(changes(before, { lb1: null, lb2: word("active", 50) }), [
    "  lb1 says nothing",
    "  lb2 is active: of a reason (health 50: pool app)",
  ]);
});

Deno.test("activeOf() is the node that says so", () => {
  assertEquals(activeOf({ lb1: word("backup"), lb2: word("active") }), "lb2");
  assertEquals(activeOf({ lb1: null, lb2: word("backup") }), null);
});
