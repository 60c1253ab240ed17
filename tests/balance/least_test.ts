import fc from "fast-check";
import { assert, assertAlmostEquals, assertEquals } from "../assert.ts";
import { least } from "../../mod/balance/least.ts";
import { optionsFor, ready, Servers, tally } from "./servers.ts";

Deno.test("least() takes the server with the fewest under way for its weight", () => {
  const load = fc.record({
    weight: fc.integer({ min: 1, max: 20 }),
    active: fc.nat(50),
    eligible: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(load, { minLength: 1, maxLength: 12 }), (loads) => {
    const servers = new Servers(loads.map(({ weight }) => weight));
    loads.forEach(({ active, eligible }, index) => {
      servers.actives[index] = active;
      servers.eligibles[index] = eligible;
    });
    const policy = ready(least(optionsFor(loads.map(({ weight }) => weight))), servers);
    const candidates = loads.filter(({ eligible }) => eligible).map(({ active, weight }) => active / weight);
    for (let n = 0; n < 5; n++) {
      const index = policy.pick(servers, 0, n);
      if (candidates.length === 0) assertEquals(index, -1);
      else assertEquals(loads[index]!.active / loads[index]!.weight, Math.min(...candidates));
    }
  }));
});

Deno.test("least() goes round by weight among servers that are equal", () => {
  const servers = new Servers([1, 3, 2, 5]);
  servers.actives[3] = 1;
  assertEquals(tally(ready(least(optionsFor([1, 3, 2, 5])), servers), servers, 60), [10, 30, 20, 0]);
});

Deno.test("least() sends less to a server that takes ten times as long", () => {
  const servers = new Servers([1, 1]);
  const policy = ready(least(optionsFor([1, 1])), servers);
  const ends: [at: number, index: number][] = [];
  const counts = [0, 0];
  for (let now = 0; now < 20_000; now++) {
    for (const [at, index] of ends) if (at === now) servers.actives[index]! -= 1;
    const index = policy.pick(servers, 0, now);
    counts[index]! += 1;
    servers.actives[index]! += 1;
    ends.push([now + (index === 0 ? 20 : 200), index]);
    if (ends.length > 400) ends.shift();
  }
  assertAlmostEquals(counts[0]! / counts[1]!, 10, 1);
});

Deno.test("least() chooses among equals by what another worker took meanwhile", () => {
  const servers = new Servers([1, 1, 1]);
  const policy = ready(least(optionsFor([1, 1, 1])), servers);
  servers.actives.splice(0, 3, 4, 4, 3);
  assertEquals(policy.pick(servers, 0, 0), 2);
  servers.actives[2] = 5;
  assert([0, 1].includes(policy.pick(servers, 0, 0)));
});

Deno.test("reweigh() lets equals go round by their new weights at once", () => {
  const servers = new Servers([1000, 1]);
  const policy = ready(least(optionsFor([1000, 1])), servers);
  tally(policy, servers, 700);
  servers.weights[0] = 256;
  assertAlmostEquals(tally(ready(policy, servers), servers, 20)[1]!, 10, 2);
});
