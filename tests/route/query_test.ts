import fc from "fast-check";
import { queryFind, queryValue } from "../../mod/route/query.ts";
import { assertEquals } from "../assert.ts";

function queryHas(query: string, name: string, wanted: string): boolean {
  return queryFind(query, name, (value) => value === wanted) === wanted;
}

Deno.test("queryFind() looks at decoded values, any of repeated names", () => {
  assertEquals(queryHas("v=1&v=2", "v", "2"), true);
  assertEquals(queryHas("v=1&v=2", "v", "3"), false);
  assertEquals(queryHas("%76=a%20b", "v", "a b"), true);
  assertEquals(queryHas("v=a+b", "v", "a b"), true);
  assertEquals(queryHas("xv=1&v", "v", "1"), false);
  assertEquals(queryHas("v", "v", ""), true);
  assertEquals(queryHas("", "v", ""), false);
  assertEquals(queryHas("v=%zz", "v", "%zz"), true);
  assertEquals(queryHas("v=a=b", "v", "a=b"), true);
});

Deno.test("queryValue() gives the first of the name, as URLSearchParams does", () => {
  const letter = fc.constantFrom("a", "b", "&", "=", "+", "%41", "%26");
  fc.assert(fc.property(fc.array(letter, { maxLength: 14 }), (letters) => {
    const query = letters.join("");
    const params = new URLSearchParams(query);
    for (const name of ["a", "b", "A", "ab", "&"]) {
      assertEquals(queryValue(query, name), params.get(name));
      for (const value of ["", "a", "b"]) {
        assertEquals(queryHas(query, name, value), params.getAll(name).includes(value));
      }
    }
  }));
});
