/** Counters of several threads. */
import { assertEquals } from "../assert.ts";
import { Tally } from "../../mod/base/tally.ts";

Deno.test("Tally sums over all workers, each in its own row", () => {
  const names = ["a", "b"] as const;
  const memory = new SharedArrayBuffer(Tally.byteLength(2));
  const [one, two] = [0, 1].map((worker) => new Tally(names, memory, worker));
  one!.add("a");
  two!.add("a", 3);
  two!.add("b");
  assertEquals([one!.sum("a"), two!.sum("a"), one!.sum("b")], [4, 4, 1]);
});
