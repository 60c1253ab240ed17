import fc from "fast-check";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "../assert.ts";
import { rotate } from "../../mod/balance/rotate.ts";
import type { Policy } from "../../mod/balance/policy.ts";
import { optionsFor, ready, Servers } from "./servers.ts";

const picks = (policy: Policy, servers: Servers, n: number) =>
  Array.from({ length: n }, (_, now) => policy.pick(servers, 0, now));

function made(weights: readonly number[], worker = 0): [Policy, Servers] {
  const servers = new Servers(weights);
  return [ready(rotate(optionsFor(weights, { worker })), servers), servers];
}

Deno.test("rotate() spreads 5, 1, 1 smoothly, as nginx does", () => {
  const [policy, servers] = made([5, 1, 1]);
  assertEquals(picks(policy, servers, 14), [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0]);
});

Deno.test("rotate() gives exact shares over every cycle, wherever it begins", () => {
  fc.assert(fc.property(
    fc.array(fc.nat(9), { minLength: 1, maxLength: 9 }).filter((each) => each.some((weight) => weight > 0)),
    fc.nat(30),
    fc.nat(5),
    (weights, skipped, worker) => {
      const [policy, servers] = made(weights, worker);
      picks(policy, servers, skipped);
      const cycle = picks(policy, servers, weights.reduce((sum, weight) => sum + weight, 0));
      weights.forEach((weight, index) => assertEquals(cycle.filter((each) => each === index).length, weight));
    },
  ));
});

Deno.test("rotate() is never further than the number of servers from a server's fair share", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 8 }), (weights) => {
      const [policy, servers] = made(weights);
      const sum = weights.reduce((all, weight) => all + weight, 0);
      const counts = weights.map(() => 0);
      for (let n = 1; n <= 300; n++) {
        counts[policy.pick(servers, 0, n)]! += 1;
        counts.forEach((count, index) =>
          assert(Math.abs(count - n * weights[index]! / sum) < weights.length)
        );
      }
    }),
  );
});

Deno.test("rotate() begins with another server in each worker", () => {
  const firsts = [0, 1, 2].map((worker) => {
    const [policy, servers] = made([1, 1, 1], worker);
    return policy.pick(servers, 0, 0);
  });
  assertEquals(new Set(firsts).size, 3);
  const [[a, servers], [b]] = [made([4, 3, 2]), made([4, 3, 2], 1)];
  assertNotEquals(picks(a, servers, 9), picks(b, servers, 9));
});

Deno.test("rotate() passes over servers without owing them anything when they come back", () => {
  const [policy, servers] = made([1, 1, 1]);
  servers.eligibles[1] = false;
  assertEquals(new Set(picks(policy, servers, 30)), new Set([0, 2]));
  servers.eligibles[1] = true;
  const back = picks(policy, servers, 9).filter((index) => index === 1).length;
  assertAlmostEquals(back, 3, 1);
});

Deno.test("rotate() lets servers of weight 0 take turns when there are no others", () => {
  const [policy, servers] = made([0, 2, 0]);
  assertEquals(new Set(picks(policy, servers, 6)), new Set([1]));
  servers.eligibles[1] = false;
  const turns = picks(policy, servers, 6);
  assertEquals(turns.filter((index) => index === 0).length, 3);
  assertEquals(turns.filter((index) => index === 2).length, 3);
});

Deno.test("reweigh() lets a server that was heavy fall back at once", () => {
  const [policy, servers] = made([1000, 1]);
  picks(policy, servers, 700);
  servers.weights[0] = 256;
  policy.reweigh?.(servers);
  assertAlmostEquals(picks(policy, servers, 20).filter((index) => index === 1).length, 10, 2);
});

Deno.test("adopt() goes on where the rotation before a reload stopped, with servers moved", () => {
  const [before, servers] = made([5, 1, 1]);
  assertEquals(picks(before, servers, 3), [0, 0, 1]);
  const moved = new Servers([1, 5, 1]);
  const after = rotate(optionsFor([1, 5, 1]));
  const origin = [2, 0, 1];
  after.adopt?.(before, origin);
  assertEquals(picks(ready(after, moved), moved, 4).map((index) => origin[index]), [0, 2, 0, 0]);
});
