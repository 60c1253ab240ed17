import { PerSecond } from "../../mod/base/per_second.ts";
import { assertEquals } from "../assert.ts";

Deno.test("PerSecond begins anew with every second", () => {
  const lines = new PerSecond();
  assertEquals([0, 1, 999, 1000, 1500, 5000].map((now) => lines.count(now)), [1, 2, 3, 1, 2, 1]);
});
