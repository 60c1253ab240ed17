import fc from "fast-check";
import { capturesOf } from "../../mod/route/captures.ts";
import { redirectFaults, redirectOf, redirectTarget } from "../../mod/route/redirect.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { source } from "./source.ts";

function redirected(to: string, pattern: string | undefined, target: string): string {
  return redirectTarget(redirectOf(to), source({ target, ...(pattern && { path: pattern }) }));
}

function problemOf(to: string, path: string | undefined): string | null {
  const match = { hosts: [], methods: [], headers: [], query: [] };
  return redirectFaults(to, capturesOf(path === undefined ? match : { ...match, path }).names)[0]?.message ??
    null;
}

Deno.test("redirectTarget() fills in the rest of the path and its parameters", () => {
  assertEquals(redirected("https://n.example/*", "/old/*", "/old/a/b"), "https://n.example/a/b");
  assertEquals(redirected("https://n.example/*", "/old/*", "/old"), "https://n.example/");
  assertEquals(redirected("https://n.example:8443/*", undefined, "/a/b"), "https://n.example:8443/a/b");
  assertEquals(redirected("/u/:id?tab=:tab", "/users/:id/:tab", "/users/7/x"), "/u/7?tab=x");
  assertEquals(redirected("/u/:id", "/users/:id", "/users/:id"), "/u/:id");
  assertEquals(redirected("/*", "/old/*", "/old/*"), "/*");
});

Deno.test("redirectTarget() passes the query on as nginx does", () => {
  assertEquals(redirected("/new", "/old", "/old?a=1&b"), "/new?a=1&b");
  assertEquals(redirected("/new?x=1", "/old", "/old?a=1"), "/new?x=1&a=1");
  assertEquals(redirected("/new?", "/old", "/old?a=1"), "/new");
  assertEquals(redirected("/new#part", "/old", "/old?a=1"), "/new?a=1#part");
  assertEquals(redirected("/new", "/old", "/old"), "/new");
  assertEquals(redirected("/\u00e9\u20ac", "/old", "/old?%E9"), "/%C3%A9%E2%82%AC?%E9");
});

Deno.test("redirectTarget() never makes a redirect within the site leave it", () => {
  assertEquals(redirected("/*", "/old/*", "/old//evil.example/x"), "/evil.example/x");
  assertEquals(redirected("/*", "/old/*", "/old///evil.example"), "/evil.example");
  assertEquals(redirected("/*", "/old/*", "/old/\\evil.example"), "/%5Cevil.example");
});

Deno.test("redirectTarget() is printable ASCII without spaces or quotes, whatever the request is", () => {
  const bytes = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  });
  fc.assert(fc.property(bytes, bytes, (path, query) => {
    const target = redirected("/n/*", "/o/*", `/o/${path.replaceAll("?", "")}?${query}`);
    assertMatch(target, /^[!-~]*$/);
    assert(!/["<>\\^`{|}]/.test(target));
  }));
  assertEquals(redirected("/n/*", "/o/*", "/o/a%0d%0aSet-Cookie:x"), "/n/a%0D%0ASet-Cookie:x");
  assertEquals(redirected("/n/*", "/o/*", "/o/a\r\nb \xe4"), "/n/a%0D%0Ab%20%E4");
});

Deno.test("redirectFaults() refuses what a request could bend, and what cannot be filled in", () => {
  const wrong: [to: string, path: string | undefined, says: string][] = [
    ["https://*/x", "/a/*", "behind the host"],
    ["https://:id.example.com/", "/a/:id", "behind the host"],
    ["https://n.example*", "/a/*", "behind the host"],
    ["//*", "/a/*", "must be an http"],
    ["/\\x", "/a", "must be an http"],
    ["ftp://a.test/", "/a", "must be an http"],
    ["/x/*", "/a", "does not end in one"],
    ["/x/:name", "/a/:id", "`:name`"],
    ["/x/:name", undefined, "`:name`"],
    ["/x y", "/a", "spaces"],
    ["/x\r\ny", "/a", "control"],
    ["x", "/a", "must be an http"],
    ["https:///x", "/a", "must be an http"],
  ];
  for (const [to, path, says] of wrong) {
    const problem = problemOf(to, path);
    assert(problem !== null, `${to} was taken`);
    assertStringIncludes(problem, says);
  }
  for (const to of ["https://n.example:8443/*", "/*", "/x?r=:id"]) {
    assertEquals(problemOf(to, "/a/:id/*"), null, to);
  }
});
