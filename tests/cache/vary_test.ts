import { selection, varyNames } from "../../mod/cache/vary.ts";
import { assertEquals, assertNotEquals } from "../assert.ts";
import { fields } from "./answers.ts";

Deno.test("varyNames() are lower-case, sorted and without repetition", () => {
  assertEquals(varyNames(" B, a ,,A"), ["a", "b"]);
  assertEquals(varyNames(null), []);
  assertEquals(varyNames(""), []);
  assertEquals([varyNames("*"), varyNames("a, *"), varyNames("a b")], [null, null, null]);
  assertEquals(varyNames(Array.from({ length: 17 }, (_, i) => `x${i}`).join()), null);
});

Deno.test("RFC 9111 section 4.1: values are the same when only spaces between members differ", () => {
  const of = (value: string | null) =>
    selection(["accept-language"], fields(value === null ? {} : { "accept-language": value }));
  assertEquals(of("de, en"), of("de,en"));
  assertNotEquals(of("de, en"), of("en, de"));
  assertNotEquals(of(""), of(null));
});

Deno.test("selection() of encodings is what may be used, whatever the order", () => {
  const of = (value: string) => selection(["accept-encoding"], fields({ "accept-encoding": value }));
  assertEquals(of("gzip, br"), of("br;q=1.0, GZIP"));
  assertNotEquals(of("gzip"), of("gzip, br"));
  assertNotEquals(of("gzip;q=0"), of("gzip"));
  assertNotEquals(of("*"), of(""));
  assertNotEquals(of("gzip, identity;q=0"), of("gzip"));
});

Deno.test("selection() cannot take one field's value for another's", () => {
  const of = (a: string | null, b: string | null) => selection(["a", "b"], (name) => name === "a" ? a : b);
  assertEquals(new Set([of("x", null), of(null, "x"), of("x", ""), of("", "x"), of(null, null)]).size, 5);
});
