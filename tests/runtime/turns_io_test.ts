import { Turns } from "../../mod/runtime/turns_io.ts";
import { assertEquals } from "../assert.ts";

Deno.test("Turns lets so many at a time begin, in order, and who gives up is passed over", () => {
  const turns = new Turns(2, 60_000);
  const begun: number[] = [];
  const over = [0, 1, 2, 3, 4].map((number) => turns.take(() => begun.push(number)));
  assertEquals(begun, [0, 1]);
  over[3]!();
  over[1]!();
  over[1]!();
  assertEquals(begun, [0, 1, 2]);
  over[0]!();
  assertEquals(begun, [0, 1, 2, 4]);
  over.forEach((end) => end());
  turns.take((over) => (begun.push(5), over()));
  turns.take((over) => (begun.push(6), over()));
  turns.take((over) => (begun.push(7), over()));
  assertEquals(begun, [0, 1, 2, 4, 5, 6, 7]);
});

Deno.test("Turns does not let one wait forever for another", async () => {
  const turns = new Turns(1, 1);
  turns.take(() => {});
  const over = await new Promise<() => void>((begin) => turns.take(begin));
  over();
});
