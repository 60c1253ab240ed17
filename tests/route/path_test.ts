import fc from "fast-check";
import { canonicalPath, escapedPath, readablePath } from "../../mod/route/path.ts";
import { assert, assertEquals } from "../assert.ts";

Deno.test("canonicalPath() decodes escapes of unreserved characters and nothing else", () => {
  assertEquals(canonicalPath("/%61dmin/%7euser"), "/admin/~user");
  assertEquals(canonicalPath("/a%2fb"), "/a%2Fb");
  assertEquals(canonicalPath("/a%2541"), "/a%2541");
  assertEquals(canonicalPath("/a%0d%0a%20"), "/a%0D%0A%20");
  assertEquals(canonicalPath("/100%/%z"), "/100%/%z");
});

Deno.test("canonicalPath() removes dot segments as RFC 3986, section 5.2.4", () => {
  assertEquals(canonicalPath("/a/b/c/./../../g"), "/a/g");
  assertEquals(canonicalPath("/static/%2e%2E/admin"), "/admin");
  assertEquals(canonicalPath("/../../x"), "/x");
  assertEquals(canonicalPath("/a/.."), "/");
  assertEquals(canonicalPath("/a/."), "/a/");
  assertEquals(canonicalPath("/.well-known/...x"), "/.well-known/...x");
});

Deno.test("canonicalPath() keeps empty segments and what is no path", () => {
  assertEquals(canonicalPath("//a//b/"), "//a//b/");
  assertEquals(canonicalPath("*"), "*");
});

const WELL_FORMED = ["/", ".", "..", "%2e", "%2F", "%61", "%25", "a", "\u00ff"] as const;
const MALFORMED = ["%", "%2", "%z"] as const;

Deno.test("canonicalPath() leaves no dot segment, whatever comes", () => {
  const piece = fc.constantFrom(...WELL_FORMED, ...MALFORMED);
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    const path = canonicalPath("/" + pieces.join(""));
    assert(path.startsWith("/"));
    assert(!path.split("/").some((segment) => segment === "." || segment === ".."));
  }));
});

Deno.test("canonicalPath() changes a canonical path no further", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom(...WELL_FORMED), { maxLength: 12 }), (pieces) => {
    const once = canonicalPath("/" + pieces.join(""));
    assertEquals(canonicalPath(once), once);
  }));
});

Deno.test("escapedPath() gives back what readablePath() was given", () => {
  const byte = fc.integer({ min: 0, max: 255 }).map((code) =>
    `%${code.toString(16).toUpperCase().padStart(2, "0")}`
  );
  const piece = fc.oneof(byte, fc.constantFrom(..."az09-._~!$&'()*+,;=:@/[]%"));
  fc.assert(fc.property(fc.array(piece), (pieces) => {
    const path = canonicalPath(`/${pieces.join("")}`);
    assertEquals(escapedPath(readablePath(path)), path);
  }));
  assertEquals(readablePath("/%C3%A9%20%2F%25%0A%7F%C3"), "/é %2F%25%0A%7F%C3");
});
