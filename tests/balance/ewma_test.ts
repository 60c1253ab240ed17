import { assert, assertAlmostEquals, assertEquals } from "../assert.ts";
import { DECAY_MS, ewma } from "../../mod/balance/ewma.ts";
import type { Policy } from "../../mod/balance/policy.ts";
import { optionsFor, ready, Servers } from "./servers.ts";

/** Servers of weight 1 with these latencies measured at time 0; undefined: not measured. */
function measured(latencies: readonly (number | undefined)[]): [Policy, Servers] {
  const weights = latencies.map(() => 1);
  const servers = new Servers(weights);
  const policy = ready(ewma(optionsFor(weights)), servers);
  latencies.forEach((latency, index) => latency !== undefined && policy.observe?.(index, latency, 0));
  return [policy, servers];
}

Deno.test("ewma() takes the fastest server while all are idle", () => {
  const [policy, servers] = measured([30, 10, 20]);
  for (let n = 0; n < 10; n++) assertEquals(policy.pick(servers, 0, n), 1);
});

Deno.test("ewma() takes a slower server once the fast one has more under way than it is faster", () => {
  const [policy, servers] = measured([30, 10]);
  servers.actives[1] = 1;
  assertEquals(policy.pick(servers, 0, 0), 1);
  servers.actives[1] = 3;
  assertEquals(policy.pick(servers, 0, 0), 0);
});

Deno.test("ewma() lets weights make up for latency", () => {
  const servers = new Servers([1, 4]);
  const policy = ready(ewma(optionsFor([1, 4])), servers);
  policy.observe?.(0, 10, 0);
  policy.observe?.(1, 39, 0);
  assertEquals(policy.pick(servers, 0, 0), 1);
  policy.observe?.(1, 41, 0);
  assertEquals(policy.pick(servers, 0, 0), 0);
});

Deno.test("observe() takes a peak at once and forgets it slowly", () => {
  const [policy, servers] = measured([10, 12]);
  policy.observe?.(0, 1000, 1);
  assertEquals(policy.pick(servers, 0, 1), 1);
  // One good answer right after it changes next to nothing.
  policy.observe?.(0, 1, 2);
  assertEquals(policy.pick(servers, 0, 2), 1);
});

Deno.test("observe() of lower latencies lowers the estimate by a factor of e in the decay time", () => {
  const [policy, servers] = measured([1000, undefined]);
  for (let now = 10; now <= DECAY_MS; now += 10) policy.observe?.(0, 0, now);
  for (const [latency, taken] of [[1000 / Math.E * 1.02, 0], [1000 / Math.E * 0.98, 1]] as const) {
    const other = ready(ewma(optionsFor([1, 1])), servers);
    other.adopt?.(policy, [0, 1]);
    other.observe?.(1, latency, DECAY_MS);
    assertEquals(other.pick(servers, 0, DECAY_MS), taken);
  }
});

Deno.test("ewma() tries a slow server again after it had nothing for a while", () => {
  const [policy, servers] = measured([10, 100]);
  let tried = -1;
  for (let now = 0; now < 10 * DECAY_MS && tried < 0; now += 10) {
    const index = policy.pick(servers, 0, now);
    if (index === 1) tried = now;
    else policy.observe?.(index, 10, now);
  }
  // The estimate of 100 falls below 10 after the decay time's 2.3 fold.
  assertAlmostEquals(tried, Math.LN10 * DECAY_MS, DECAY_MS / 20);
});

Deno.test("ewma() counts a server not measured yet as average", () => {
  const [policy, servers] = measured([10, 30, undefined]);
  servers.actives[0] = 1;
  servers.actives[1] = 5;
  // Scores: 20 twice, so turns; then the new one is at 40.
  assertEquals(new Set([policy.pick(servers, 0, 0), policy.pick(servers, 0, 0)]), new Set([0, 2]));
  servers.actives[2] = 1;
  assertEquals(policy.pick(servers, 0, 0), 0);
});

Deno.test("ewma() does not pile requests on a new server that never answers", () => {
  const [policy, servers] = measured([10, undefined]);
  for (let n = 0; n < 1000; n++) {
    const index = policy.pick(servers, 0, n);
    servers.actives[index]! += 1;
    if (index === 0 && servers.actives[0]! > 4) {
      servers.actives[0]! -= 1;
      policy.observe?.(0, 10, n);
    }
  }
  assert(servers.actives[1]! <= 6, String(servers.actives));
});

Deno.test("ewma() goes round before anything is measured, and where latencies are too low to tell", () => {
  for (const [policy, servers] of [measured([undefined, undefined, undefined]), measured([0, 0.01, 0.04])]) {
    const picks = Array.from({ length: 6 }, () => policy.pick(servers, 0, 0));
    for (const index of [0, 1, 2]) assertEquals(picks.filter((pick) => pick === index).length, 2);
  }
});

Deno.test("adopt() keeps what was measured before a reload, by server", () => {
  const [before] = measured([30, 10, 20]);
  const servers = new Servers([1, 1]);
  const policy = ready(ewma(optionsFor([1, 1])), servers);
  policy.adopt?.(before, [0, 2]);
  assertEquals(policy.pick(servers, 0, 0), 1);
});
