import fc from "fast-check";
import { assert, assertAlmostEquals, assertEquals, assertLess } from "../assert.ts";
import { maglev, TABLE_SIZE } from "../../mod/balance/maglev.ts";
import { maglevTable } from "../../mod/balance/maglev_table.ts";
import { hashText } from "../../mod/base/hash.ts";
import { optionsFor, ready, Servers, tally } from "./servers.ts";

const names = (n: number) => Array.from({ length: n }, (_, index) => `s${index} 10.0.0.${index} 80`);

/** How many positions each server has. */
function shares(table: Uint16Array, servers: number): number[] {
  const counts = new Array<number>(servers).fill(0);
  for (const index of table) counts[index]! += 1;
  return counts;
}

/** The names in a table. */
const named = (table: Uint16Array, keys: readonly string[]) => Array.from(table, (index) => keys[index]!);

Deno.test("maglevTable() fills every position, each of equal servers with the same number but one", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), fc.constantFrom(101, 1009, 10_007), (n, size) => {
    const counts = shares(maglevTable(names(n), new Array(n).fill(256), size), n);
    assertEquals(counts.reduce((sum, count) => sum + count, 0), size);
    assert(Math.max(...counts) - Math.min(...counts) <= 1, String(counts));
  }));
});

Deno.test("maglevTable() gives positions in proportion to weights, but for one and what the rounding of others leaves", () => {
  fc.assert(fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }), (weights) => {
    const sum = weights.reduce((all, weight) => all + weight, 0);
    const counts = shares(maglevTable(names(weights.length), weights, 10_007), weights.length);
    weights.forEach((weight, index) => {
      const share = sum === 0 ? 0 : weight / sum;
      assertAlmostEquals(counts[index]!, 10_007 * share, 1 + weights.length * share);
    });
  }));
});

Deno.test("maglevTable() is the same whatever the order of the servers", () => {
  const all = names(12);
  const weight = (key: string) => 1 + all.indexOf(key) % 3;
  const table = named(maglevTable(all, all.map(weight), 1009), all);
  fc.assert(fc.property(fc.shuffledSubarray(all, { minLength: 12 }), (keys) => {
    assertEquals(named(maglevTable(keys, keys.map(weight), 1009), keys), table);
  }));
});

Deno.test("maglevTable() without one of ten servers moves less than 2 % of the keys of the others", () => {
  const all = names(10);
  const before = named(maglevTable(all, all.map(() => 1), TABLE_SIZE), all);
  for (const lost of all) {
    const rest = all.filter((key) => key !== lost);
    const after = named(maglevTable(rest, rest.map(() => 1), TABLE_SIZE), rest);
    const moved = after.filter((key, at) => before[at] !== lost && before[at] !== key).length;
    assertLess(moved / TABLE_SIZE, 0.02);
  }
});

Deno.test("maglevTable() is what it always was, as nodes of two versions and the kernel plane must agree", () => {
  assertEquals(maglevTable(["a", "b", "c"], [1, 1, 2], 31).join(""), "1022122201221022211020102002221");
  const table = maglevTable(names(7), [1, 2, 3, 4, 5, 6, 7], TABLE_SIZE);
  assertEquals(hashText(table.join(",")), 364045120);
});

Deno.test("maglevTable() of servers without weight is empty", () => {
  assertEquals(maglevTable(names(2), [0, 0], 31).length, 0);
  assertEquals(maglevTable([], [], 31).length, 0);
});

Deno.test("maglev() moves only the keys of a server that may not be used, evenly to the others, and back", () => {
  const servers = new Servers([1, 1, 1, 1, 1]);
  const policy = ready(maglev(optionsFor([1, 1, 1, 1, 1])), servers);
  const picks = () => Array.from({ length: TABLE_SIZE }, (_, hash) => policy.pick(servers, hash, 0));
  const before = picks();
  servers.eligibles[2] = false;
  const taken = [0, 0, 0, 0, 0];
  picks().forEach((index, hash) => {
    if (before[hash] === 2) taken[index]! += 1;
    else assertEquals(index, before[hash]);
  });
  [0, 1, 3, 4].forEach((index) => assertAlmostEquals(taken[index]!, TABLE_SIZE / 20, TABLE_SIZE / 300));
  servers.eligibles[2] = true;
  assertEquals(picks(), before);
});

Deno.test("maglev() gives each of 50 servers a share within 5 % of its own, twice as much for twice the weight", () => {
  const weights = Array.from({ length: 50 }, (_, index) => 1 + index % 2);
  const servers = new Servers(weights);
  const counts = tally(ready(maglev(optionsFor(weights)), servers), servers, 750_000);
  weights.forEach((weight, index) => assertAlmostEquals(counts[index]!, 10_000 * weight, 500 * weight));
});
