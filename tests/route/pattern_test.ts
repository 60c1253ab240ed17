import { parsePattern, patternProblem } from "../../mod/route/pattern.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

function captured(pattern: string, path: string): Record<string, string> | null {
  const parsed = parsePattern(pattern);
  assert(typeof parsed !== "string", `${pattern}: ${parsed}`);
  const values = parsed.capture(path);
  return values === null ? null : Object.fromEntries(values);
}

Deno.test("capture() gives parameters by name and the rest behind the last star", () => {
  assertEquals(captured("/users/:id", "/users/42"), { id: "42" });
  assertEquals(captured("/users/:id", "/users/"), null);
  assertEquals(captured("/users/:id", "/users/1/2"), null);
  assertEquals(captured("/old/*", "/old/a/b"), { "*": "a/b" });
  assertEquals(captured("/old/*", "/old"), { "*": "" });
  assertEquals(captured("/old/*", "/older"), null);
  assertEquals(captured("/*", "/"), { "*": "" });
  assertEquals(captured("/a/*/b", "/a/x/b"), {});
  assertEquals(captured("/pre*", "/prefix/x"), { "*": "fix/x" });
  assertEquals(captured("/.*", "/.git/config"), { "*": "git/config" });
  assertEquals(captured("/a/:id?", "/a"), { id: "" });
  assertEquals(captured("/:id?", "/"), { id: "" });
  assertEquals(captured("/a.c", "/abc"), null);
});

Deno.test("capture() holds a constraint to the whole of one segment", () => {
  assertEquals(captured("/n/:id{[0-9]+}", "/n/12"), { id: "12" });
  assertEquals(captured("/n/:id{[0-9]+}", "/n/12x"), null);
  assertEquals(captured("/n/:id{a|b}", "/n/ab"), null);
  assertEquals(captured("/n/:id{.+}", "/n/a/b"), null);
  assertEquals(captured("/n/:id{[a-z]{2}}/x", "/n/ab/x"), { id: "ab" });
});

Deno.test("parsePattern() reads escapes and letters beyond ASCII as they come in a request", () => {
  assertEquals(captured("/käse/:x", "/k%C3%A4se/1"), { x: "1" });
  assertEquals(captured("/%61/%2f", "/a/%2F"), {});
});

Deno.test("parsePattern() shows expressions a readable path, and encodes what they took as it came", () => {
  assertEquals(captured("~^/(?<a>é b)/x$", "/%C3%A9%20b/x"), { a: "%C3%A9%20b" });
  assertEquals(captured("~^/(?<a>[à-ü]+)$", "/%C3%A9%C3%A8"), { a: "%C3%A9%C3%A8" });
  assertEquals(captured("/:a{[à-ü]+}", "/%C3%A9"), { a: "%C3%A9" });
  // What a path can hold as it is stays apart from what stands for it, and no line ends.
  assertEquals(captured("~^/(?<a>.*)$", "/a%2Fb%3Bc;%25%0A%FF"), { a: "a%2Fb%3Bc;%25%0A%FF" });
  assertEquals(captured("~^/a/b$", "/a%2Fb"), null);
});

Deno.test("patternProblem() says what a path must not be", () => {
  const wrong: [path: string, says: string][] = [
    ["users", "begin with `/`"],
    ["/a?b=1", "under `query`"],
    ["/a*b", "`*` must be"],
    ["/a*/b", "`*` must be"],
    ["/a b", "percent-encode"],
    ["/a|b", "percent-encode"],
    ["/a%zz", "percent-encode"],
    ["/\ud800", "percent-encode"],
    ["/a/../b", "dot"],
    ["/.", "removed"],
    ["/:a/:a", "twice"],
    ["/:", "not a parameter"],
    ["/:a:b", "not a parameter"],
    ["/:id{[}", "in the constraint of `:id` the expression is not one of RE2"],
    ["/:id{a/b}", "one segment"],
    ["/:id?/x", "last segment"],
    ["/@1/:x", "`@`"],
    ["/a:b/*", "`:`"],
  ];
  for (const [path, says] of wrong) {
    const problem = patternProblem(path);
    assert(problem !== null, `${path} was taken`);
    if (says !== "dot") assertStringIncludes(problem, says);
  }
  for (const path of ["/", "/*", "/a:b", "/@1", "/a//b", "/a/", "/~u/:x{[0-9]{1,3}}/*"]) {
    assertEquals(patternProblem(path), null, path);
  }
});
