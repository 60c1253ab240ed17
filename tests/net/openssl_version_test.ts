import { maySafelyFreeBuffers } from "../../mod/net/openssl_version.ts";
import { assertEquals } from "../assert.ts";

Deno.test("maySafelyFreeBuffers() knows the first good version of each branch", () => {
  const of = (major: number, minor: number, patch: number) =>
    maySafelyFreeBuffers((major << 28 | minor << 20 | patch << 4) >>> 0);
  for (const [minor, good] of [[0, 14], [1, 6], [2, 2], [3, 1]] as const) {
    assertEquals([of(3, minor, good - 1), of(3, minor, good), of(3, minor, 30)], [false, true, true]);
  }
  assertEquals([of(3, 4, 0), of(3, 5, 1), of(4, 0, 0)], [true, true, true]);
});
