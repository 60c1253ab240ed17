import { maglevSize, type Place, spread as spreadPlaces } from "../../mod/kernel/spread.ts";
import type { Policy } from "../../mod/kernel/plan.ts";
import { assert, assertEquals } from "../assert.ts";

const KEYS = ["10.0.0.1 80", "10.0.0.2 80", "10.0.0.3 80", "10.0.0.4 80", "10.0.0.5 80"];

/** By default servers weigh what they take. */
function spread(
  policy: Policy,
  keys: readonly string[],
  shares: readonly number[],
  weights = shares,
): number[] {
  return spreadPlaces(
    policy,
    keys.map((key, at): Place => ({ key, share: shares[at]!, weight: weights[at]! })),
  );
}

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

Deno.test("spread() a server that goes moves its share of a Maglev table and nothing else", () => {
  const all = [1, 1, 1, 1, 1];
  const before = spread("maglev", KEYS, all);
  for (let gone = 0; gone < 5; gone++) {
    const after = spread("maglev", KEYS, all.map((share, index) => index === gone ? 0 : share), all);
    assertEquals(after.filter((index, at) => before[at] !== gone && index !== before[at]), []);
    assert(!after.includes(gone));
    const moved = counts(after.filter((_, at) => before[at] === gone));
    assert(moved.every((count, index) => index === gone || count > 4093 / 5 / 4 * 0.8), `evenly: ${moved}`);
  }
});

Deno.test("spread() backups take the whole Maglev table when nobody else is left, and nothing of it before", () => {
  const weights = [1, 1, 1, 0, 0];
  assertEquals(counts(spread("maglev", KEYS, [1, 1, 1, 0, 0], weights)).slice(3), [0, 0]);
  const backups = counts(spread("maglev", KEYS, [0, 0, 0, 1, 1], weights));
  assertEquals(backups.slice(0, 3), [0, 0, 0]);
  assert(backups[3]! > 2000 && backups[4]! > 2000);
});

Deno.test("spread() removing one of five servers from the file moves at most 1.15 times its share", () => {
  const before = spread("maglev", KEYS, [1, 1, 1, 1, 1]).map((index) => KEYS[index]);
  for (const gone of KEYS) {
    const keys = KEYS.filter((key) => key !== gone);
    const after = spread("maglev", keys, [1, 1, 1, 1]).map((index) => keys[index]);
    const moved = after.filter((key, at) => key !== before[at]).length / before.length;
    assert(moved <= 1.15 / 5, `${gone}: ${moved}`);
  }
});

Deno.test("maglevSize() has twenty positions a server while it can", () => {
  assertEquals([1, 204, 205, 819, 5000].map(maglevSize), [4093, 4093, 16_381, 16_381, 65_521]);
});
