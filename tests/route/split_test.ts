import fc from "fast-check";
import { hashText } from "../../mod/base/hash.ts";
import { pointOf, type Share, Split } from "../../mod/route/split.ts";
import { assert, assertEquals } from "../assert.ts";

const shares = (weights: Readonly<Record<string, number>>): Share<string>[] =>
  Object.entries(weights).map(([item, weight]) => ({ item, weight }));

Deno.test("Split.at() gives each item its part of the line, in order", () => {
  const split = new Split(shares({ app: 95, none: 0, canary: 5 }));
  const points = [0, 0.5, 0.9499, 0.95, 0.999999];
  assertEquals(points.map((point) => split.at(point)), ["app", "app", "app", "canary", "canary"]);
});

Deno.test("Split.at() gives an item to every point, whatever the weights", () => {
  const weights = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 9 })
    .filter((all) => all.some((weight) => weight > 0));
  const point = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(weights, point, (weights, point) => {
    const split = new Split(weights.map((weight, item) => ({ item, weight })));
    assert(weights[split.at(point)]! > 0);
  }));
});

Deno.test("Split.at() whoever has the last item keeps it while its weight grows", () => {
  const [few, more] = [new Split(shares({ app: 95, canary: 5 })), new Split(shares({ app: 60, canary: 40 }))];
  for (let client = 0; client < 5000; client++) {
    const point = pointOf(hashText(`client-${client}`));
    if (few.at(point) === "canary") assertEquals(more.at(point), "canary");
  }
});

Deno.test("pointOf() spreads hashes evenly, and those of one share over all hashes", () => {
  const split = new Split(shares({ app: 95, canary: 5 }));
  const hashes = Array.from(
    { length: 100_000 },
    (_, n) => hashText(`10.${n >> 16}.${n >> 8 & 255}.${n & 255}`),
  );
  const canaries = hashes.filter((hash) => split.at(pointOf(hash)) === "canary");
  assert(Math.abs(canaries.length - 5000) < 300, `${canaries.length} of 100000`);
  const quarters = [0, 0, 0, 0];
  for (const hash of canaries) quarters[hash >>> 30]!++;
  for (const count of quarters) assert(Math.abs(count - canaries.length / 4) < 200, quarters.join(" "));
});
