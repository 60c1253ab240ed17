import { assertEquals } from "../assert.ts";
import { dateIn, stored } from "./answers.ts";

const CACHE = "cache-control";
const isStored = (...given: Parameters<typeof stored>) => stored(...given) !== null;
const TTL = { ttl: [{ first: 200, last: 299, ttlMs: 5000 }] };

Deno.test("RFC 9111 section 3: what says how long it is fresh is stored, whatever its status", () => {
  for (const status of [200, 203, 301, 404, 410, 503, 299]) {
    assertEquals(stored({ [CACHE]: "max-age=60" }, { status })?.freshMs, 60_000, String(status));
  }
});

Deno.test("RFC 9111 section 3: parts, renewals and interim answers are never stored", () => {
  for (const status of [100, 103, 206, 304, 401, 407, 416]) {
    assertEquals(isStored({ [CACHE]: "max-age=60, public" }, { status }), false, String(status));
  }
});

Deno.test("RFC 9111 section 3: what says nothing is stored only where the configuration has a time for it", () => {
  assertEquals(isStored({ "content-type": "text/plain" }), false);
  assertEquals(stored({}, {}, TTL)?.freshMs, 5000);
  assertEquals(isStored({}, { status: 404 }, TTL), false);
  assertEquals(isStored({ [CACHE]: "public" }), false);
  assertEquals(stored({ [CACHE]: "max-age=1" }, {}, TTL)?.freshMs, 1000);
});

Deno.test("RFC 9111 section 5.2.2: no-store and private are not stored, nor what a request forbids", () => {
  for (const value of ["no-store", "private", "private, max-age=60", "max-age=60 private"]) {
    assertEquals(isStored({ [CACHE]: value }, {}, TTL), false, value);
  }
  assertEquals(isStored({ [CACHE]: "max-age=60" }, { cacheControl: "no-store" }), false);
});

Deno.test("RFC 9111 section 5.2.2.3: must-understand lets known statuses past no-store, and past nothing else", () => {
  const answer = { [CACHE]: "max-age=60, must-understand, no-store" };
  assertEquals(isStored(answer), true);
  assertEquals(isStored(answer, { status: 299 }), false);
  assertEquals(isStored({ [CACHE]: "must-understand, private, max-age=60" }), false);
});

Deno.test("RFC 9111 section 3.5: with Authorization only what is said to be for all", () => {
  const authorized = (value: string) => isStored({ [CACHE]: value }, { authorized: true });
  assertEquals(["public, max-age=9", "s-maxage=9", "max-age=9, must-revalidate"].map(authorized), [
    true,
    true,
    true,
  ]);
  assertEquals(["max-age=9", "max-age=9, proxy-revalidate"].map(authorized), [false, false]);
});

Deno.test("RFC 9111 section 7.3: an answer with a cookie is not stored, unless the cookie is left out of it", () => {
  const cookie = { "set-cookie": "sid=1" };
  assertEquals(isStored({ ...cookie, [CACHE]: "public, max-age=60" }), false);
  assertEquals(stored({ ...cookie, [CACHE]: 'max-age=60, private="Set-Cookie"' })?.leftOut, ["set-cookie"]);
  assertEquals(stored({ ...cookie, [CACHE]: 'max-age=60, no-cache="set-cookie"' })?.leftOut, ["set-cookie"]);
  assertEquals(isStored({ ...cookie, [CACHE]: 'max-age=60, private="x-a"' }), false);
});

Deno.test("RFC 9111 section 4.1: an answer that varies by everything is not stored", () => {
  assertEquals(isStored({ [CACHE]: "max-age=60", vary: "*" }), false);
  assertEquals(isStored({ [CACHE]: "max-age=60", vary: "Accept, *" }), false);
  assertEquals(stored({ [CACHE]: "max-age=60", vary: "Accept-Language , accept" })?.vary, [
    "accept",
    "accept-language",
  ]);
});

Deno.test("RFC 9111 section 4.2.1: s-maxage before max-age before Expires", () => {
  const expires = dateIn(30);
  assertEquals(stored({ [CACHE]: "max-age=10, s-maxage=20", expires })?.freshMs, 20_000);
  assertEquals(stored({ [CACHE]: "max-age=10", expires })?.freshMs, 10_000);
  assertEquals(stored({ expires })?.freshMs, 30_000);
  assertEquals(stored({ expires, date: dateIn(-5) })?.freshMs, 35_000);
});

Deno.test("RFC 9111 section 5.3: an Expires that is no date has passed", () => {
  for (const expires of ["0", "-1", "tomorrow"]) {
    assertEquals(isStored({ expires }, {}, TTL), false, expires);
    assertEquals(stored({ expires, etag: '"a"' })?.freshMs, 0, expires);
  }
});

Deno.test("RFC 9111 section 4.2.3: the age is what is told and the way, or what the date shows", () => {
  const age = (answer: Record<string, string>, delayMs = 0) =>
    stored({ [CACHE]: "max-age=60", ...answer }, { delayMs })?.ageMs;
  assertEquals(age({ date: dateIn(0) }), 0);
  assertEquals(age({ date: dateIn(-7) }), 7000);
  assertEquals(age({ date: dateIn(7) }), 0);
  assertEquals(age({ age: "20", date: dateIn(-7) }, 500), 20_500);
  assertEquals(age({ age: "x" }), 0);
});

Deno.test("storing() keeps what is stale already only where it can be renewed or used", () => {
  assertEquals(isStored({ [CACHE]: "max-age=0" }), false);
  assertEquals(isStored({ [CACHE]: "max-age=10", age: "20" }), false);
  assertEquals(isStored({ [CACHE]: "max-age=0", "last-modified": dateIn(-100) }), true);
  assertEquals(isStored({ [CACHE]: "max-age=0, stale-while-revalidate=5" }), true);
  const asking = stored({ [CACHE]: "no-cache, max-age=60", etag: '"a"' });
  assertEquals([asking?.freshMs, asking?.etag], [0, '"a"']);
});

Deno.test("storing() does not take a tag that is none", () => {
  for (const etag of ["a", '"a', 'w/"a"', `"${"x".repeat(300)}"`]) {
    assertEquals(stored({ [CACHE]: "max-age=1", etag })?.etag, "", etag);
  }
});

Deno.test("storing() bounds what an answer says by the configuration's maxTtl", () => {
  assertEquals(stored({ [CACHE]: "max-age=600" }, {}, { maxTtlMs: 5000 })?.freshMs, 5000);
  assertEquals(stored({ [CACHE]: "max-age=1" }, {}, { maxTtlMs: 5000 })?.freshMs, 1000);
});

Deno.test("RFC 5861: the answer's own times stand before the configuration's, and must-revalidate before both", () => {
  const preset = { staleWhileRevalidateMs: 1000, staleIfErrorMs: 2000 };
  const grace = (value: string) => {
    const terms = stored({ [CACHE]: value, etag: '"a"' }, {}, preset)!;
    return [terms.staleWhileRevalidateMs, terms.staleIfErrorMs];
  };
  assertEquals(grace("max-age=1"), [1000, 2000]);
  assertEquals(grace("max-age=1, stale-while-revalidate=9, stale-if-error=8"), [9000, 8000]);
  assertEquals(grace("s-maxage=1"), [0, 0]);
  assertEquals(grace("s-maxage=1, stale-while-revalidate=9"), [9000, 0]);
  for (const strict of ["must-revalidate", "proxy-revalidate", "no-cache"]) {
    assertEquals(grace(`max-age=1, stale-while-revalidate=9, stale-if-error=8, ${strict}`), [0, 0], strict);
  }
});
