import fc from "fast-check";
import { filePath } from "../../mod/files/request_path.ts";
import { canonicalPath } from "../../mod/route/path.ts";
import { assert, assertEquals } from "../assert.ts";

const PLAIN = { stripPrefix: "", hidden: false };

function paths(raw: readonly string[], rules = PLAIN): (string | null)[] {
  return raw.map((path) => filePath(path, rules)?.path ?? null);
}

Deno.test("filePath() decodes names, once", () => {
  assertEquals(
    paths(["/", "/a", "/a/b/", "/a%20b", "/%e4%bd%a0", "/a%25b", "/%2541", "/a+b", "/a.b.", "/%61"]),
    [
      "/",
      "/a",
      "/a/b/",
      "/a b",
      "/你",
      "/a%b",
      "/%41",
      "/a+b",
      "/a.b.",
      "/a",
    ],
  );
});

Deno.test("filePath() gives a file one path: no encoded slash, no empty segment", () => {
  assertEquals(
    paths(["/a%2Fb", "/a%2fb", "//a", "/a//b", "/a//", "/%2e%2e%2fa", "/a/%2F"]),
    Array(7).fill(null),
  );
});

Deno.test("filePath() never leads up: dot segments are gone before the prefix is", () => {
  assertEquals(paths(["/../a", "/a/../../b", "/%2e%2e/a", "/.%2E/a", "/a/./b", "/a/b/.."]), [
    "/a",
    "/b",
    "/a",
    "/a",
    "/a/b",
    "/a/",
  ]);
  const rules = { stripPrefix: "/static", hidden: false };
  assertEquals(paths(["/static/../secret", "/static/%2e%2e/secret", "/x/../static/a"], rules), [
    null,
    null,
    "/a",
  ]);
});

Deno.test("filePath() refuses NUL, broken escapes and what is no UTF-8", () => {
  assertEquals(
    paths(["/a%00.txt", "/a\0", "/a%", "/a%4", "/a%zz", "/%ff", "/%c0%ae%c0%ae/x", "/\xff", "*", ""]),
    [
      ...Array(10).fill(null),
    ],
  );
});

Deno.test("filePath() names that begin with a dot are nobody's business, but for .well-known", () => {
  const raw = [
    "/.git/config",
    "/a/.htpasswd",
    "/%2egit",
    "/.well-known/x",
    "/a/.well-known/x",
    "/.well-known2",
    "/...",
  ];
  assertEquals(paths(raw), [null, null, null, "/.well-known/x", null, null, null]);
  assertEquals(paths(raw, { stripPrefix: "", hidden: true }), [
    "/.git/config",
    "/a/.htpasswd",
    "/.git",
    "/.well-known/x",
    "/a/.well-known/x",
    "/.well-known2",
    "/...",
  ]);
});

Deno.test("filePath() takes a prefix off at a slash only", () => {
  const rules = { stripPrefix: "/static", hidden: false };
  assertEquals(paths(["/static/a", "/static/", "/static", "/staticfoo", "/other", "/"], rules), [
    "/a",
    "/",
    "",
    null,
    null,
    null,
  ]);
});

Deno.test("filePath() whatever comes, the path stays below the root and is reached by its own name", () => {
  const piece = fc.constantFrom(
    ..."/.%aA2eEfF05cC\\\0~ \xff".split(""),
    "..",
    "%2e",
    "%2F",
    "%5c",
    "//",
    "%00",
    "%c0%ae",
  );
  const any = fc.array(piece, { maxLength: 24 }).map((pieces) => `/${pieces.join("")}`);
  fc.assert(
    fc.property(any, fc.boolean(), (raw, hidden) => {
      const found = filePath(raw, { stripPrefix: "", hidden });
      if (found === null) return;
      const segments = found.path.split("/").slice(1);
      assertEquals(found.path[0], "/");
      for (const [at, segment] of segments.entries()) {
        assert(segment !== "." && segment !== "..", found.path);
        assert(segment !== "" || at === segments.length - 1, found.path);
        assert(hidden || !segment.startsWith(".") || (at === 0 && segment === ".well-known"), found.path);
        assert(!segment.includes("\0"), found.path);
      }
      const again = filePath("/" + segments.map(encodeURIComponent).join("/"), { stripPrefix: "", hidden });
      assertEquals(again?.path, found.path);
      assertEquals(found.encoded, canonicalPath(raw));
    }),
    { numRuns: 20_000 },
  );
});
