import { maglevSize, spread } from "../../mod/kernel/spread.ts";
import { assert, assertEquals } from "../assert.ts";

const KEYS = ["10.0.0.1 80", "10.0.0.2 80", "10.0.0.3 80", "10.0.0.4 80", "10.0.0.5 80"];

function counts(table: readonly number[]): number[] {
  return KEYS.map((_, index) => table.filter((one) => one === index).length);
}

Deno.test("spread() round robin takes turns by weight, as evenly as they can be", () => {
  assertEquals(spread("roundRobin", KEYS.slice(0, 3), [5 * 256, 256, 256]), [0, 0, 1, 0, 2, 0, 0]);
  assertEquals(spread("roundRobin", KEYS.slice(0, 2), [256, 256]), [0, 1]);
});

Deno.test("spread() random and hash have a position for each unit of weight", () => {
  for (const policy of ["random", "hash"] as const) {
    assertEquals(spread(policy, KEYS.slice(0, 3), [512, 0, 256]), [0, 0, 2]);
  }
});

Deno.test("spread() keeps the proportions of the largest weights in a table of bounded size", () => {
  const table = spread("random", KEYS, [65_536, 65_535, 1, 0, 32_768]);
  assert(table.length <= 4100, String(table.length));
  const [one, two, least, none, half] = counts(table);
  assertEquals([none, least], [0, 1]);
  assert(Math.abs(one! - two!) <= 1 && Math.abs(one! - 2 * half!) <= 2, String(counts(table)));
});

Deno.test("spread() nobody who takes traffic is an empty table", () => {
  for (const policy of ["roundRobin", "random", "hash", "maglev"] as const) {
    assertEquals(spread(policy, KEYS, [0, 0, 0, 0, 0]), []);
  }
});

Deno.test("spread() a Maglev table is fair within 2 % and the same in any order of servers", () => {
  const table = spread("maglev", KEYS, [1, 1, 1, 1, 1]);
  assertEquals(table.length, 4093);
  for (const count of counts(table)) assert(Math.abs(count * 5 / 4093 - 1) < 0.02, String(count));
  const turned = spread("maglev", KEYS.toReversed(), [1, 1, 1, 1, 1]);
  assertEquals(turned.map((index) => 4 - index), table);
});

Deno.test("spread() removing one of five servers moves at most 1.15 times its share in a Maglev table", () => {
  const before = spread("maglev", KEYS, [1, 1, 1, 1, 1]);
  for (let gone = 0; gone < 5; gone++) {
    const after = spread("maglev", KEYS, [1, 1, 1, 1, 1].map((share, index) => index === gone ? 0 : share));
    assertEquals(after.length, before.length, "the size does not follow health");
    const moved = after.filter((index, at) => index !== before[at]).length / before.length;
    assert(moved <= 1.15 / 5, `${gone}: ${moved}`);
  }
});

Deno.test("maglevSize() has a hundred positions a server while it can", () => {
  assertEquals([1, 40, 41, 200, 5000].map(maglevSize), [4093, 4093, 16_381, 65_521, 65_521]);
});
