import { millisecondsOf, namesOf, parseDirectives } from "../../mod/cache/directives.ts";
import { assertEquals } from "../assert.ts";

const read = (text: string | null) => [...parseDirectives(text)];

Deno.test("RFC 9111 section 5.2: names are lower-cased, arguments are tokens or quoted", () => {
  assertEquals(read("Max-Age=60, PUBLIC"), [["max-age", "60"], ["public", ""]]);
  assertEquals(read('private="Set-Cookie, X-A" , max-age="5"'), [["private", "Set-Cookie, X-A"], [
    "max-age",
    "5",
  ]]);
  assertEquals(read('ext="a\\"b"'), [["ext", 'a"b']]);
  assertEquals(read(" , ,no-store,"), [["no-store", ""]]);
  assertEquals(read(null), []);
});

Deno.test("RFC 9111 section 4.2.1: of several directives of one name the first counts", () => {
  assertEquals(read("max-age=1, max-age=2"), [["max-age", "1"]]);
});

Deno.test("RFC 9111 sections 5.2.2.4 and 5.2.2.7: what forbids all counts before what forbids a part", () => {
  for (const name of ["private", "no-cache"]) {
    assertEquals(read(`${name}="x-a", ${name}`), [[name, ""]]);
    assertEquals(read(`${name}, ${name}="x-a"`), [[name, ""]]);
    assertEquals(read(`${name}="x-a", ${name}="x-b"`), [[name, "x-a,x-b"]]);
    assertEquals(read(`${name}=x-a`), [[name, ""]]);
  }
});

Deno.test("parseDirectives() of more than it reads takes that nothing is allowed", () => {
  const many = (count: number) => Array.from({ length: count }, (_, at) => `x-${at}`).join(", ");
  assertEquals(parseDirectives(many(64)).has("private"), false);
  const found = parseDirectives(`${many(64)}, max-age=60`);
  assertEquals([found.get("private"), found.get("no-store"), found.has("max-age")], ["", "", false]);
});

Deno.test("parseDirectives() takes what forbids from a malformed member, and goes on behind it", () => {
  assertEquals(read("max-age=10 private, public"), [["private", ""], ["public", ""]]);
  assertEquals(read("max-age=1; no-store"), [["no-store", ""]]);
  assertEquals(read('private="x, max-age=5'), [["private", ""], ["max-age", "5"]]);
  assertEquals(read("max-age=1; must-revalidate"), []);
  assertEquals(read("=, @@, no-cache"), [["no-cache", ""]]);
});

Deno.test("RFC 9111 section 1.2.2: seconds have a bound, and what is no number is stale at once", () => {
  const seconds = (text: string) => millisecondsOf(parseDirectives(text), "max-age");
  assertEquals(seconds("max-age=60"), 60_000);
  assertEquals(seconds("max-age=99999999999999"), 2 ** 31 * 1000);
  assertEquals(["max-age=-1", "max-age=x", "max-age", "max-age=1.5"].map(seconds), [0, 0, 0, 0]);
  assertEquals(seconds("public"), null);
});

Deno.test("namesOf() lists the fields of a qualified directive", () => {
  assertEquals(namesOf(parseDirectives('private="Set-Cookie, X-A,"'), "private"), ["set-cookie", "x-a"]);
  assertEquals(namesOf(parseDirectives("private"), "private"), []);
});
