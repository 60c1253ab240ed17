/** `Warm` keeps buffers bounded: however many are used, no more than its number have theirs. */
import { Warm, type Warmable } from "../../mod/net/warm.ts";
import { assertEquals } from "../assert.ts";

class Fake implements Warmable {
  place = -1;
  cooled = 0;

  constructor(readonly warm: Warm) {}

  use(): void {
    if (this.place < 0) this.warm.add(this);
  }

  cool(): void {
    this.cooled++;
  }
}

function fakes(warm: Warm, count: number): Fake[] {
  return Array.from({ length: count }, () => new Fake(warm));
}

Deno.test("Warm.add() cools whoever has had its place the longest, and lets it in again", () => {
  const all = fakes(new Warm(2), 3);
  for (const one of all) one.use();
  assertEquals(all.map(({ cooled }) => cooled), [1, 0, 0]);
  assertEquals(all.map(({ place }) => place >= 0), [false, true, true]);
  all[2]!.use();
  all[0]!.use();
  assertEquals(all.map(({ cooled }) => cooled), [1, 1, 0]);
  assertEquals(all.map(({ place }) => place >= 0), [true, false, true]);
});

Deno.test("Warm.remove() forgets one that is gone, which is never cooled", () => {
  const warm = new Warm(2);
  const [gone, other, third, fourth] = fakes(warm, 4);
  gone!.use();
  other!.use();
  warm.remove(gone!);
  warm.remove(gone!);
  third!.use();
  fourth!.use();
  assertEquals([gone!.cooled, other!.cooled, third!.cooled], [0, 1, 0]);
});
