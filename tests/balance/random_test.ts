import { assert, assertAlmostEquals, assertEquals } from "../assert.ts";
import { random } from "../../mod/balance/random.ts";
import { seededRandom } from "../../mod/base/random.ts";
import { optionsFor, Servers, tally } from "./servers.ts";

Deno.test("random() of two servers always takes the one with less under way for its weight", () => {
  const servers = new Servers([1, 4]);
  servers.actives.splice(0, 2, 2, 7);
  assertEquals(tally(random(optionsFor([1, 4])), servers, 1000), [0, 1000]);
  servers.actives[1] = 9;
  assertEquals(tally(random(optionsFor([1, 4])), servers, 1000), [1000, 0]);
});

Deno.test("random() draws servers that are idle by their weights", () => {
  const counts = tally(random(optionsFor([1, 2, 3, 4])), new Servers([1, 2, 3, 4]), 100_000);
  counts.forEach((count, index) => assertAlmostEquals(count, 10_000 * (index + 1), 600));
});

Deno.test("random() never takes the busiest of three or more, as it draws two different ones", () => {
  const servers = new Servers([1, 1, 100]);
  servers.actives.splice(0, 3, 1, 1, 1000);
  assertEquals(tally(random(optionsFor([1, 1, 100])), servers, 10_000)[2], 0);
});

Deno.test("random() gives servers of weight 0 equal chances when there are no others", () => {
  const servers = new Servers([0, 0, 0, 1]);
  servers.eligibles[3] = false;
  const counts = tally(random(optionsFor([0, 0, 0, 1])), servers, 30_000);
  for (const count of counts.slice(0, 3)) assertAlmostEquals(count, 10_000, 500);
});

Deno.test("random() fills 100 servers with 10000 requests to within 4 of each other's mean, one choice would not", () => {
  const servers = new Servers(new Array(100).fill(1));
  const policy = random(optionsFor(servers.weights));
  for (let n = 0; n < 10_000; n++) servers.actives[policy.pick(servers, 0, n)]! += 1;
  assert(Math.max(...servers.actives) <= 104, String(servers.actives));
  const chance = seededRandom(1);
  const single = new Array<number>(100).fill(0);
  for (let n = 0; n < 10_000; n++) single[Math.floor(chance() * 100)]! += 1;
  assert(Math.max(...single) > 110);
});
