import { Repeats } from "../../mod/observe/repeats.ts";
import { assertEquals } from "../assert.ts";

Deno.test("admit() lets a burst pass, and summaries() tells the rest once the window is over", () => {
  const repeats = new Repeats<number>();
  const admitted = Array.from({ length: 51 }, (_, n) => repeats.admit("down", n, n)).filter(Boolean).length;
  assertEquals([admitted, repeats.deadline(), repeats.summaries(9_999)], [10, 10_000, []]);
  assertEquals(repeats.summaries(10_000), [{ sample: 50, count: 41, windowMs: 10_000 }]);
  assertEquals([repeats.deadline(), repeats.summaries(10_000)], [Infinity, []]);
  assertEquals(repeats.admit("down", 52, 10_001), true);
});

Deno.test("admit() keeps what is held back until it is told, however late", () => {
  const repeats = new Repeats<number>();
  for (let n = 0; n < 12; n++) repeats.admit("down", n, 0);
  assertEquals(repeats.admit("down", 12, 99_000), false);
  assertEquals(repeats.summaries(99_000), [{ sample: 12, count: 3, windowMs: 10_000 }]);
});

Deno.test("admit() holds back nothing that is rare, different, or one of very many", () => {
  const repeats = new Repeats<number>();
  for (let n = 0; n < 30; n++) assertEquals(repeats.admit("rare", n, n * 1000), true);
  for (let n = 0; n < 5000; n++) assertEquals(repeats.admit(`key ${n}`, n, 0), true);
  assertEquals(repeats.admit("new", 1, 60_000), true);
});
