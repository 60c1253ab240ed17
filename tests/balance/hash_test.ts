import { assertAlmostEquals, assertEquals, assertGreater } from "../assert.ts";
import { hash } from "../../mod/balance/hash.ts";
import { anyByHash } from "../../mod/balance/keyed.ts";
import { seededRandom } from "../../mod/base/random.ts";
import type { Policy } from "../../mod/balance/policy.ts";
import { optionsFor, ready, Servers, tally } from "./servers.ts";

const HASHES = Array.from({ length: 10_000 }, seededRandom(2)).map((n) => Math.floor(n * 2 ** 32));

function made(weights: readonly number[]): [Policy, Servers] {
  const servers = new Servers(weights);
  return [ready(hash(optionsFor(weights, { ring: false })), servers), servers];
}

Deno.test("hash() by remainder gives each hash one server, in shares of the weights", () => {
  const [policy, servers] = made([1, 0, 3, 2]);
  for (const each of HASHES.slice(0, 100)) {
    assertEquals(policy.pick(servers, each, 0), policy.pick(servers, each, 99));
  }
  const counts = tally(policy, servers, 60_000);
  [10_000, 0, 30_000, 20_000].forEach((expected, index) => assertAlmostEquals(counts[index]!, expected, 500));
});

Deno.test("hash() by remainder moves only the keys of a server that may not be used, to all others by weight", () => {
  const [policy, servers] = made([2, 1, 1, 2]);
  const before = HASHES.map((each) => policy.pick(servers, each, 0));
  servers.eligibles[0] = false;
  const counts = [0, 0, 0, 0];
  HASHES.forEach((each, at) => {
    const index = policy.pick(servers, each, 0);
    if (before[at] === 0) counts[index]! += 1;
    else assertEquals(index, before[at]);
  });
  const moved = before.filter((index) => index === 0).length;
  [0, 1, 1, 2].forEach((weight, index) => assertAlmostEquals(counts[index]!, moved * weight / 4, moved / 20));
});

Deno.test("hash() by remainder moves most keys when a server is added: that is what the ring is for", () => {
  const [[four, servers4], [five, servers5]] = [made([1, 1, 1, 1]), made([1, 1, 1, 1, 1])];
  const moved = HASHES.filter((each) => four.pick(servers4, each, 0) !== five.pick(servers5, each, 0));
  assertGreater(moved.length / HASHES.length, 0.4);
});

Deno.test("hash() by remainder moves no keys when effective weights change", () => {
  const [policy, servers] = made([4, 4, 4]);
  const before = HASHES.map((each) => policy.pick(servers, each, 0));
  servers.weights.splice(0, 3, 13, 1024, 500);
  ready(policy, servers);
  assertEquals(HASHES.map((each) => policy.pick(servers, each, 0)), before);
});

Deno.test("hash() by remainder finds the one server of a thousand that may be used", () => {
  const [policy, servers] = made(new Array(1000).fill(1));
  servers.eligibles.fill(false);
  servers.eligibles[617] = true;
  for (const each of HASHES.slice(0, 100)) assertEquals(policy.pick(servers, each, 0), 617);
});

Deno.test("anyByHash() spreads hashes over the eligible servers, those of weight 0 last", () => {
  const servers = new Servers([1, 0, 5, 0, 2]);
  servers.eligibles[2] = false;
  const among = () => new Set(HASHES.slice(0, 100).map((each) => anyByHash(servers, each)));
  assertEquals(among(), new Set([0, 4]));
  servers.eligibles[0] = servers.eligibles[4] = false;
  assertEquals(among(), new Set([1, 3]));
  servers.eligibles.fill(false);
  assertEquals(among(), new Set([-1]));
});
