import { parseDirectives } from "../../mod/cache/directives.ts";
import { ageSeconds, FRESH, RENEWING, STALE, ttlSeconds, usableOnError, useOf } from "../../mod/cache/use.ts";
import { assertEquals } from "../assert.ts";
import { stored } from "./answers.ts";

const NAMES = ["fresh", "renewing", "stale"];
const terms = (value: string) => stored({ "cache-control": value, etag: '"a"' })!;
const use = (value: string, heldS: number, asked: string | null = null) =>
  NAMES[useOf(terms(value), heldS * 1000, asked === null ? null : parseDirectives(asked))]!;

Deno.test("RFC 9111 section 4.2: fresh as long as the age is below the lifetime", () => {
  assertEquals([0, 9.999, 10, 11].map((held) => use("max-age=10", held)), [
    "fresh",
    "fresh",
    "stale",
    "stale",
  ]);
  assertEquals(NAMES[FRESH]! + NAMES[RENEWING] + NAMES[STALE], "freshrenewingstale");
});

Deno.test("RFC 5861 section 3: stale for a while, it is used while it is renewed", () => {
  const value = "max-age=10, stale-while-revalidate=5";
  assertEquals([9, 10, 14.9, 15].map((held) => use(value, held)), ["fresh", "renewing", "renewing", "stale"]);
});

Deno.test("RFC 5861 section 4: stale for a while, it is used when the origin fails", () => {
  const usable = (heldS: number) => usableOnError(terms("max-age=10, stale-if-error=5"), heldS * 1000);
  assertEquals([5, 14.9, 15].map(usable), [true, true, false]);
  assertEquals(usableOnError(terms("max-age=10"), 11_000), false);
});

Deno.test("RFC 9111 section 5.2.1: what a request says of ages", () => {
  for (
    const [asked, heldS, wanted] of [
      ["no-cache", 0, "stale"],
      ["max-age=0", 1, "stale"],
      ["max-age=5", 4, "fresh"],
      ["max-age=5", 6, "stale"],
      ["min-fresh=3", 6, "fresh"],
      ["min-fresh=3", 8, "stale"],
      ["max-stale", 1000, "fresh"],
      ["max-stale=5", 14, "fresh"],
      ["max-stale=5", 16, "stale"],
      ["max-stale=5, max-age=3", 12, "stale"],
      ["x", 9, "fresh"],
    ] as const
  ) {
    assertEquals(use("max-age=10", heldS, asked), wanted, `${asked} after ${heldS} s`);
  }
});

Deno.test("RFC 9111 section 5.2.2.2: max-stale does not help against must-revalidate", () => {
  for (const strict of ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=10"]) {
    assertEquals(use(`max-age=10, ${strict}`, 12, "max-stale"), "stale", strict);
  }
});

Deno.test("ageSeconds() and ttlSeconds() count whole seconds", () => {
  const ten = stored({ "cache-control": "max-age=10", age: "3" })!;
  assertEquals([ageSeconds(ten, 1900), ttlSeconds(ten, 1900), ttlSeconds(ten, 8000)], [4, 5, -1]);
});
