/** What holds for every balancing policy, by the names in the configuration. */
import fc from "fast-check";
import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "../assert.ts";
import { seededRandom } from "../../mod/base/random.ts";
import type { Policy, PolicyOptions } from "../../mod/balance/policy.ts";
import { POLICIES } from "../../mod/balance/table.ts";
import { optionsFor, ready, Servers } from "../balance/servers.ts";

interface Subject {
  readonly name: string;
  readonly make: (options: PolicyOptions) => Policy;
  /** Largest deviation from a share that follows weights, relative to it; null: they need not follow. */
  readonly share: number | null;
}

const SUBJECTS: readonly Subject[] = [
  { name: "roundRobin", make: POLICIES.roundRobin, share: 0.001 },
  { name: "leastConnections", make: POLICIES.leastConnections, share: 0.02 },
  { name: "random", make: POLICIES.random, share: 0.1 },
  { name: "fastest", make: POLICIES.fastest, share: 0.05 },
  { name: "first", make: POLICIES.first, share: null },
  { name: "hash (ring)", make: (options) => POLICIES.hash({ ...options, ring: true }), share: 0.25 },
  { name: "hash (mod)", make: (options) => POLICIES.hash({ ...options, ring: false }), share: 0.05 },
  { name: "maglev", make: POLICIES.maglev, share: 0.05 },
];

/** One thing that happens to a policy; the numbers are taken modulo what there is. */
type Step =
  | { readonly do: "pick"; readonly hash: number }
  | { readonly do: "eligible" | "active" | "weight" | "observe"; readonly index: number; readonly n: number };

const weights = fc.array(fc.nat(10), { minLength: 1, maxLength: 12, size: "max" });
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("pick" as const), hash: fc.nat(0xffffffff) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom("eligible" as const, "active" as const, "weight" as const, "observe" as const),
        index: fc.nat(11),
        n: fc.nat(200),
      }),
    },
  ),
  { maxLength: 200, size: "max" },
);

/** Does the steps; calls `picked` after every pick, answers all picks. */
function run(
  policy: Policy,
  servers: Servers,
  todo: readonly Step[],
  picked: (index: number) => void,
): number[] {
  const picks: number[] = [];
  let now = 0;
  for (const step of todo) {
    now += 7;
    if (step.do === "pick") {
      picks.push(policy.pick(servers, step.hash, now));
      picked(picks.at(-1)!);
      continue;
    }
    const index = step.index % servers.size;
    if (step.do === "eligible") servers.eligibles[index] = step.n % 2 === 0;
    if (step.do === "active") servers.actives[index] = step.n;
    if (step.do === "observe") policy.observe?.(index, step.n, now);
    if (step.do !== "weight") continue;
    // A third of the time nothing is left of it.
    servers.weights[index] = step.n % 3 === 0 ? 0 : step.n;
    policy.reweigh?.(servers);
  }
  return picks;
}

/** Throws when the pick is not one that may be. */
function check(servers: Servers, index: number): void {
  const eligible = servers.eligibles.flatMap((may, at) => may ? [at] : []);
  if (eligible.length === 0) return assertEquals(index, -1);
  assert(eligible.includes(index), `picked ${index} of ${eligible}`);
  const weighted = eligible.some((at) => servers.weights[at]! > 0);
  assert(!weighted || servers.weights[index]! > 0, `picked ${index} of weight 0`);
}

for (const { name, make, share } of SUBJECTS) {
  // Building its table takes milliseconds.
  const numRuns = name === "maglev" ? 15 : 100;

  Deno.test(`pick() of ${name} takes an eligible server whenever there is one, and weight 0 only as a last resort`, () => {
    fc.assert(
      fc.property(weights, steps, (each, todo) => {
        const servers = new Servers(each);
        const policy = ready(make(optionsFor(each)), servers);
        run(policy, servers, todo, (index) => check(servers, index));
      }),
      { numRuns },
    );
  });

  Deno.test(`pick() of ${name} answers -1 without servers and with none that is eligible`, () => {
    assertEquals(ready(make(optionsFor([])), new Servers([])).pick(new Servers([]), 7, 0), -1);
    const servers = new Servers([1, 2, 0]);
    servers.eligibles.fill(false);
    assertEquals(ready(make(optionsFor([1, 2, 0])), servers).pick(servers, 7, 0), -1);
  });

  Deno.test(`pick() of ${name} takes the extremes of hash and chance`, () => {
    for (const chance of [0, 1 - 2 ** -32]) {
      for (const hash of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
        const servers = new Servers([3, 1, 2]);
        const policy = ready(make(optionsFor([3, 1, 2], { random: () => chance })), servers);
        check(servers, policy.pick(servers, hash, 0));
        servers.eligibles[policy.pick(servers, hash, 0)] = false;
        check(servers, policy.pick(servers, hash, 0));
      }
    }
  });

  Deno.test(`pick() of ${name} answers the same to the same calls`, () => {
    fc.assert(
      fc.property(weights, steps, (each, todo) => {
        const picks = () => {
          const servers = new Servers(each);
          return run(ready(make(optionsFor(each)), servers), servers, todo, () => {});
        };
        assertEquals(picks(), picks());
      }),
      { numRuns },
    );
  });

  Deno.test(`pick() of ${name} stands servers that fill up while it looks`, () => {
    fc.assert(
      fc.property(weights, fc.nat(), (each, seed) => {
        const random = seededRandom(seed);
        const servers = new Servers(each);
        const policy = ready(make(optionsFor(each)), servers);
        servers.eligible = () => random() < 0.5;
        for (let n = 0; n < 50; n++) {
          const index = policy.pick(servers, Math.floor(random() * 2 ** 32), n);
          assert(Number.isInteger(index) && index >= -1 && index < each.length, `picked ${index}`);
        }
      }),
      { numRuns },
    );
  });

  Deno.test(`adopt() of ${name} takes over from every policy, whatever came, went or moved`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SUBJECTS),
        weights,
        weights,
        fc.array(fc.integer({ min: -1, max: 11 }), { minLength: 12, maxLength: 12 }),
        steps,
        (former, before, after, origins, todo) => {
          const old = new Servers(before);
          const previous = ready(former.make(optionsFor(before)), old);
          run(previous, old, todo, () => {});
          const policy = make(optionsFor(after));
          policy.adopt?.(previous, after.map((_, index) => Math.min(origins[index]!, before.length - 1)));
          const servers = new Servers(after);
          run(ready(policy, servers), servers, todo, (index) => check(servers, index));
        },
      ),
      { numRuns },
    );
  });

  if (share === null) continue;
  Deno.test(`pick() of ${name} gives shares that follow weights within ${share * 100} %, with 100 requests under way`, () => {
    assertShares(make, [5, 1, 3, 1], share);
    assertShares(make, [1, 1, 1, 1, 1, 1, 1], share);
  });

  // By remainder only the configured weights count: the slow start of a server must not move everyone's keys.
  if (name === "hash (mod)") continue;
  Deno.test(`reweigh() of ${name} lets shares follow weights that have changed`, () => {
    assertShares(make, [1, 1, 6, 0.5], share, [4, 4, 1, 1]);
  });
}

/** All requests take the same time; a tenth of them, before the counting starts, at the configured weights. */
function assertShares(
  make: Subject["make"],
  each: readonly number[],
  tolerance: number,
  configured: readonly number[] = each,
): void {
  const servers = new Servers(configured);
  const policy = ready(make(optionsFor(configured)), servers);
  const random = seededRandom(5);
  const under: number[] = [];
  const counts = each.map(() => 0);
  const total = 100_000;
  for (let n = -total / 10; n < total; n++) {
    if (n === 0) {
      each.forEach((weight, index) => servers.weights[index] = weight * 256);
      policy.reweigh?.(servers);
    }
    const index = policy.pick(servers, Math.floor(random() * 2 ** 32), n);
    if (n >= 0) counts[index]! += 1;
    servers.actives[index]! += 1;
    under.push(index);
    if (under.length <= 100) continue;
    const done = under.shift()!;
    servers.actives[done]! -= 1;
    policy.observe?.(done, 100, n);
  }
  const sum = each.reduce((all, weight) => all + weight, 0);
  each.forEach((weight, index) => {
    const expected = total * weight / sum;
    assertAlmostEquals(counts[index]!, expected, expected * tolerance, `${counts} for ${each}`);
  });
}

Deno.test("POLICIES every name is a policy of its own", () => {
  const factories = Object.values(POLICIES);
  assertEquals(new Set(factories).size, factories.length);
  const options = optionsFor([1, 1, 1, 1], { worker: 0 });
  const servers = new Servers([1, 1, 1, 1]);
  const sequence = (policy: Policy) =>
    Array.from(
      { length: 40 },
      (_, n) => ready(policy, servers).pick(servers, Math.imul(n, 0x9e3779b1) >>> 0, n),
    );
  const turns = sequence(POLICIES.roundRobin(options));
  for (const name of ["random", "first", "hash", "maglev"] as const) {
    assertNotEquals(sequence(POLICIES[name](options)), turns, name);
  }
});
