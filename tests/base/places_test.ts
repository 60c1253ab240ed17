import { Places } from "../../mod/base/places.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("Places.take() gives so many of each kind, and again what was left", () => {
  const places = new Places();
  const first = places.take("a", 2), second = places.take("a", 2);
  assert(first !== null && second !== null);
  assertEquals(places.take("a", 2), null);
  assert(places.take("b", 1) !== null);
  first();
  assert(places.take("a", 2) !== null);
  assertEquals(places.take("a", 2), null);
});
