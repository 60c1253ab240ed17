import fc from "fast-check";
import { formatSize, parseSize } from "../../mod/base/size.ts";
import { assertEquals } from "../assert.ts";

Deno.test("parseSize() is 1024-based and takes either case", () => {
  assertEquals(["0", "17", "16k", "16K", "1m", "2g"].map(parseSize), [0, 17, 16384, 16384, 1 << 20, 2 ** 31]);
});

Deno.test("parseSize() refuses other units, signs, fractions and what is not exact", () => {
  for (const text of ["", "k", "1kb", "1 k", "-1", "1.5k", "0x10", "1t", "9007199254740993", "9999999999g"]) {
    assertEquals(parseSize(text), null, text);
  }
});

Deno.test("formatSize() is read back as the same size", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assertEquals(parseSize(formatSize(bytes)), bytes)));
  assertEquals([0, 1000, 16384].map(formatSize), ["0", "1000", "16k"]);
});
