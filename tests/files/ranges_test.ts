import fc from "fast-check";
import { MAX_RANGES, parseRanges } from "../../mod/files/ranges.ts";
import { assert, assertEquals } from "../assert.ts";

/** As `0-4,9-9` (both ends inclusive), or the word. */
function ranges(header: string, size: number): string {
  const found = parseRanges(header, size);
  return typeof found === "string" ? found : found.map(({ start, end }) => `${start}-${end - 1}`).join(",");
}

Deno.test("RFC 9110 section 14.1.2: first and last byte, open ends, suffixes", () => {
  assertEquals(ranges("bytes=0-499", 10_000), "0-499");
  assertEquals(ranges("bytes=500-999", 10_000), "500-999");
  assertEquals(ranges("bytes=-500", 10_000), "9500-9999");
  assertEquals(ranges("bytes=9500-", 10_000), "9500-9999");
  assertEquals(ranges("bytes=0-0,-1", 10_000), "0-0,9999-9999");
  assertEquals(ranges("bytes= 0-999, 4500-5499, -1000", 10_000), "0-999,4500-5499,9000-9999");
  assertEquals(ranges("Bytes=5-", 10), "5-9");
});

Deno.test("RFC 9110 section 14.1.2: what reaches behind the end is cut, a suffix may be longer than the file", () => {
  assertEquals(ranges("bytes=5-100", 10), "5-9");
  assertEquals(ranges("bytes=-100", 10), "0-9");
  assertEquals(ranges("bytes=999999999999999-", 10), "unsatisfiable");
});

Deno.test("RFC 9110 section 14.1.1: what lies behind the end is left out; none left is 416", () => {
  assertEquals(ranges("bytes=10-", 10), "unsatisfiable");
  assertEquals(ranges("bytes=-0", 10), "unsatisfiable");
  assertEquals(ranges("bytes=20-30,0-1", 10), "0-1");
  assertEquals(ranges("bytes=0-", 0), "whole", "an empty file is sent as it is");
});

Deno.test("parseRanges() ignores what is malformed or another unit", () => {
  for (
    const header of [
      "",
      "bytes",
      "bytes=",
      "bytes=,",
      "bytes=a-b",
      "bytes=5-4",
      "bytes=1",
      "bytes=-",
      "lines=0-1",
    ]
  ) {
    assertEquals(ranges(header, 10), "whole", header);
  }
  for (
    const header of ["bytes=0-1;1-2", "bytes=--1", "bytes=1-2-3", "bytes=0x1-2", "bytes=1-9999999999999999"]
  ) {
    assertEquals(ranges(header, 10), "whole", header);
  }
});

Deno.test("parseRanges() is not made to send more than the file: too many, or too much, is all of it", () => {
  const many = (count: number) => `bytes=${Array.from({ length: count }, (_, at) => `${at}-${at}`)}`;
  assertEquals(ranges(many(MAX_RANGES), 1000).split(",").length, MAX_RANGES);
  assertEquals(ranges(many(MAX_RANGES + 1), 1000), "whole");
  assertEquals(ranges(many(100_000), 1000), "whole");
  assertEquals(ranges("bytes=0-9,0-9", 10), "whole");
  assertEquals(ranges("bytes=0-4,4-8", 10), "0-4,4-8");
});

Deno.test("parseRanges() gives only what is in the file, in order, whatever comes", () => {
  const spec = fc.oneof(
    fc.tuple(fc.nat(30), fc.nat(30)).map(([a, b]) => `${a}-${b}`),
    fc.nat(30).map((a) => `${a}-`),
    fc.nat(30).map((a) => `-${a}`),
    fc.constantFrom("", " ", "-", "x", "1-1,"),
  );
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 20 }), fc.nat(25), (specs, size) => {
      const found = parseRanges(`bytes=${specs.join(",")}`, size);
      if (typeof found === "string") return;
      assert(found.length > 0 && found.length <= MAX_RANGES);
      for (const { start, end } of found) assert(0 <= start && start < end && end <= size);
      const total = found.reduce((sum, { start, end }) => sum + end - start, 0);
      assert(total <= size);
    }),
    { numRuns: 5000 },
  );
});
