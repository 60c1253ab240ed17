import { chooseByName } from "../../mod/net/server_names.ts";
import { assertEquals } from "../assert.ts";

const NAMES = [["a.test"], ["*.b.test", "b.test"], ["x.b.test"], ["a.test", "*.c.test"]];

Deno.test("chooseByName() takes exact names before wildcards, and the first for all others", () => {
  const choose = chooseByName(NAMES, false);
  const names = ["a.test", "b.test", "y.b.test", "x.b.test", "z.y.b.test", "d.c.test", "c.test", "other", ""];
  assertEquals(names.map(choose), [0, 1, 1, 2, 0, 3, 0, 0, 0]);
});

Deno.test("chooseByName() strictly refuses names that are in no certificate, but not clients without one", () => {
  const choose = chooseByName(NAMES, true);
  const names = ["a.test", "y.b.test", "z.y.b.test", "c.test", "other", "", ".b.test", "*.b.test"];
  assertEquals(names.map(choose), [0, 1, -1, -1, -1, 0, -1, 1]);
});
