import fc from "fast-check";
import { assert, assertAlmostEquals, assertEquals, assertLess } from "../assert.ts";
import { hash } from "../../mod/balance/hash.ts";
import { Ring } from "../../mod/balance/ring.ts";
import { seededRandom } from "../../mod/base/random.ts";
import type { Policy } from "../../mod/balance/policy.ts";
import { optionsFor, ready, Servers, tally } from "./servers.ts";

/** Ring of servers of weight 1 with these names. */
function ring(keys: readonly string[], weights = keys.map(() => 1)): [Policy, Servers] {
  const servers = new Servers(weights);
  return [ready(hash(optionsFor(weights, { keys, ring: true })), servers), servers];
}

const names = (n: number) => Array.from({ length: n }, (_, index) => `s${index} 10.0.0.${index} 80`);

/** The names of the servers that these hashes get. */
function placement(keys: readonly string[], weights?: number[], hashes = 10_000): string[] {
  const [policy, servers] = ring(keys, weights);
  const random = seededRandom(3);
  return Array.from({ length: hashes }, () => keys[policy.pick(servers, Math.floor(random() * 2 ** 32), 0)]!);
}

Deno.test("Ring adding an eleventh server moves keys to it only, about 1/11 of all", () => {
  const [before, after] = [placement(names(10)), placement(names(11))];
  const moved = after.filter((name, at) => name !== before[at]);
  assertEquals(new Set(moved), new Set([names(11)[10]]));
  assertAlmostEquals(moved.length / after.length, 1 / 11, 0.02);
});

Deno.test("Ring keys of servers that may not be used go where they go without them, those of others stay", () => {
  const all = names(10);
  const before = placement(all);
  for (const down of [[4], [0, 1, 2, 4, 5, 6, 8, 9]]) {
    const without = placement(all.filter((_, index) => !down.includes(index)));
    const [policy, servers] = ring(all);
    for (const index of down) servers.eligibles[index] = false;
    const random = seededRandom(3);
    before.forEach((name, at) => {
      const now = all[policy.pick(servers, Math.floor(random() * 2 ** 32), 0)]!;
      assertEquals(now, without[at]);
      if (!down.includes(all.indexOf(name))) assertEquals(now, name);
    });
  }
});

Deno.test("Ring more weight for one server takes keys from others and moves none between them", () => {
  const before = placement(names(5), [1, 1, 1, 1, 1]);
  const after = placement(names(5), [1, 1, 3, 1, 1]);
  assertEquals(new Set(after.filter((name, at) => name !== before[at])), new Set([names(5)[2]]));
});

Deno.test("Ring places keys the same whatever the order of the servers", () => {
  const all = names(8);
  const before = placement(all, [1, 2, 3, 1, 2, 3, 1, 2]);
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: 8 }), (keys) => {
      assertEquals(placement(keys, keys.map((key) => [1, 2, 3, 1, 2, 3, 1, 2][all.indexOf(key)]!)), before);
    }),
    { numRuns: 10 },
  );
});

Deno.test("Ring places keys as it always has, as nodes of two versions must agree", () => {
  const [policy, servers] = ring(names(5));
  const picks = Array.from(
    { length: 24 },
    (_, n) => policy.pick(servers, Math.imul(n + 1, 0x9e3779b9) >>> 0, 0),
  );
  assertEquals(picks.join(""), "320334012233314144301421");
});

Deno.test("Ring gives each of ten servers a share within 25 % of its own", () => {
  const [policy, servers] = ring(names(10));
  for (const count of tally(policy, servers, 100_000)) assertAlmostEquals(count, 10_000, 2500);
});

/** Counts the points and how often they are laid out. */
class Counted extends Ring {
  layouts = 0;
  points = 0;

  protected override place(weights: Int32Array) {
    const layout = super.place(weights);
    this.layouts++;
    this.points = layout.points.length;
    return layout;
  }
}

Deno.test("Ring stays within 32768 points however great the weights, with a point for every server", () => {
  for (const weights of [[65535, 1, 65535], new Array<number>(2000).fill(256), [1, 256, 256, 256]]) {
    const servers = new Servers(weights);
    const policy = new Counted(optionsFor(weights));
    ready(policy, servers).pick(servers, 0, 0);
    assert(policy.points <= 32768 + weights.length, String(policy.points));
    const found = new Set<number>();
    for (let lost = 0; lost < weights.length; lost++) {
      const index = policy.pick(servers, 0);
      found.add(index);
      servers.eligibles[index] = false;
    }
    assertEquals(found.size, weights.length);
  }
});

Deno.test("Ring slow start below a great weight moves keys to its server only", () => {
  const weights = [100, 100, 100];
  const servers = new Servers(weights);
  const policy = new Ring(optionsFor(weights));
  const hashes = Array.from({ length: 5000 }, seededRandom(9)).map((n) => Math.floor(n * 2 ** 32));
  const at = (weight: number) => {
    servers.weights[1] = weight * 256;
    policy.reweigh(servers);
    return hashes.map((each) => policy.pick(servers, each));
  };
  const [slow, half, full] = [at(5), at(50), at(100)];
  for (const [less, more] of [[slow, half], [half, full]] as const) {
    assertEquals(new Set(more.filter((index, n) => index !== less[n])), new Set([1]));
  }
  assertLess(slow.filter((index) => index === 1).length, full.filter((index) => index === 1).length / 5);
});

Deno.test("reweigh() lays the ring out anew only when a weight has changed, and a reload not at all", () => {
  const weights = [1, 2, 3];
  const servers = new Servers(weights);
  const policy = new Counted(optionsFor(weights));
  for (let n = 0; n < 10; n++) ready(policy, servers).pick(servers, n, 0);
  assertEquals(policy.layouts, 1);
  servers.weights[1] = 100;
  ready(policy, servers).pick(servers, 0, 0);
  assertEquals(policy.layouts, 2);
  const after = new Counted(optionsFor(weights));
  after.adopt(policy, [0, 1, 2]);
  ready(after, servers).pick(servers, 0, 0);
  assertEquals(after.layouts, 0);
  const other = new Counted(optionsFor(weights, { keys: ["a", "b", "c"] }));
  other.adopt(policy, [0, 1, 2]);
  ready(other, servers).pick(servers, 0, 0);
  assertEquals(other.layouts, 1);
});
