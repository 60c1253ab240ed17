import fc from "fast-check";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import * as names from "../../mod/http/names.ts";
import { assert, assertEquals } from "../assert.ts";

const KNOWN: Record<string, number> = {
  "Host": names.HOST,
  "Content-Length": names.CONTENT_LENGTH,
  "Transfer-Encoding": names.TRANSFER_ENCODING,
  "Connection": names.CONNECTION,
  "Keep-Alive": names.KEEP_ALIVE,
  "Proxy-Connection": names.PROXY_CONNECTION,
  "TE": names.TE,
  "Upgrade": names.UPGRADE,
  "Expect": names.EXPECT,
  "Trailer": names.TRAILER,
  "X-Forwarded-For": names.X_FORWARDED_FOR,
  "X-Forwarded-Proto": names.X_FORWARDED_PROTO,
  "X-Forwarded-Host": names.X_FORWARDED_HOST,
  "X-Real-IP": names.X_REAL_IP,
  "Forwarded": names.FORWARDED,
  "X-Request-ID": names.X_REQUEST_ID,
  "User-Agent": names.USER_AGENT,
  "Referer": names.REFERER,
  "Cookie": names.COOKIE,
  "HTTP2-Settings": names.HTTP2_SETTINGS,
  "Date": names.DATE,
};

/** The number of a name that stands in the middle of other bytes. */
function id(name: string): number {
  return names.fieldId(fromLatin1(`x-${name}-x`), 2, 2 + name.length);
}

Deno.test("fieldId() knows every name in any case", () => {
  for (const [name, expected] of Object.entries(KNOWN)) {
    for (const form of [name, name.toLowerCase(), name.toUpperCase()]) assertEquals(id(form), expected, form);
  }
  assertEquals(new Set(Object.values(KNOWN)).size, Object.keys(KNOWN).length);
});

Deno.test("fieldId() calls every name with an underscore for a hyphen a shadow", () => {
  for (const name of Object.keys(KNOWN)) {
    const hyphens = [...name.matchAll(/-/g)].map((found) => found.index);
    for (const at of hyphens) {
      assertEquals(id(`${name.slice(0, at)}_${name.slice(at + 1)}`), names.SHADOW, name);
    }
    if (hyphens.length > 0) assertEquals(id(name.replaceAll("-", "_").toUpperCase()), names.SHADOW, name);
  }
});

Deno.test("fieldId() takes no name for another one", () => {
  for (const name of Object.keys(KNOWN)) {
    const near = [name.slice(1), name.slice(0, -1), `${name}s`, `x${name}`, `${name.slice(0, -1)}~`];
    for (const other of near) assertEquals(id(other), names.OTHER, other);
  }
  assertEquals(id("x_forwarded-custom"), names.OTHER);
  assertEquals(id("x".repeat(500)), names.OTHER);
});

Deno.test("fieldId() agrees with a plain comparison for any token", () => {
  const byLowerName = new Map(Object.entries(KNOWN).map(([name, value]) => [name.toLowerCase(), value]));
  const expected = (name: string) =>
    byLowerName.get(name.toLowerCase()) ??
      (byLowerName.has(name.toLowerCase().replaceAll("_", "-")) ? names.SHADOW : names.OTHER);
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
  const mutated = fc.tuple(fc.constantFrom(...Object.keys(KNOWN)), fc.nat(), fc.constantFrom(..."_-~^Aa0"))
    .map(([name, at, char]) => name.slice(0, at % name.length) + char + name.slice(at % name.length + 1));
  fc.assert(fc.property(fc.oneof(token, mutated), (name) => assertEquals(id(name), expected(name))), {
    numRuns: 2000,
  });
});

Deno.test("HOP_BY_HOP holds the fields of RFC 9110 section 7.6.1, and neither Host nor Content-Length", () => {
  for (
    const name of ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade", "Transfer-Encoding"]
  ) {
    assert(names.HOP_BY_HOP[KNOWN[name]!] === 1, name);
  }
  for (const name of ["Host", "Content-Length", "Cookie", "Date", "X-Forwarded-For"]) {
    assert(names.HOP_BY_HOP[KNOWN[name]!] === 0, name);
  }
  assertEquals(names.HOP_BY_HOP[names.OTHER], 0);
  assertEquals(names.HOP_BY_HOP[names.SHADOW], 1);
});

Deno.test("idSet() holds what it was given", () => {
  const set = names.idSet(names.HOST, names.DATE);
  assertEquals(set.reduce((sum, one) => sum + one, 0), 2);
  assertEquals([set[names.HOST], set[names.DATE]], [1, 1]);
});
