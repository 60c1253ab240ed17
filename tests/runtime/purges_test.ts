import { Purges } from "../../mod/runtime/purges.ts";
import { assertEquals } from "../assert.ts";

Deno.test("Purges.begin() resolves with what all workers have forgotten together", async () => {
  const purges = new Purges();
  const one = purges.begin([0, 1]), other = purges.begin([0, 1]);
  purges.answered(one.id, 0, 3);
  purges.answered(other.id, 0, 1);
  purges.answered(one.id, 0, 100);
  purges.answered(one.id, 1, 4);
  purges.answered(other.id, 1, 0);
  assertEquals([await one.over, await other.over], [7, 1]);
});

Deno.test("Purges.gone() waits no more for a worker that has ended", async () => {
  const purges = new Purges();
  const { id, over } = purges.begin([0, 1]);
  purges.answered(id, 1, 2);
  purges.gone(0);
  assertEquals(await over, 2);
  assertEquals(await purges.begin([]).over, 0);
});
