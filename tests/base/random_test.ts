import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "../assert.ts";
import { seededRandom } from "../../mod/base/random.ts";

const draws = (seed: number, n: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, random);
};

Deno.test("seededRandom() answers the same numbers for the same seed and others for the next", () => {
  assertEquals(draws(7, 100), draws(7, 100));
  assertNotEquals(draws(7, 100), draws(8, 100));
});

Deno.test("seededRandom() fills the range from 0 to 1 evenly, whatever the seed", () => {
  for (const seed of [0, 1, 0x7fffffff, 0xffffffff, -1]) {
    const counts = new Array(10).fill(0);
    for (const n of draws(seed, 100_000)) {
      assert(n >= 0 && n < 1);
      counts[Math.floor(n * 10)]++;
    }
    for (const count of counts) assertAlmostEquals(count, 10_000, 500);
  }
});
