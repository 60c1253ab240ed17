import { decodeDate, encodeDate, expired } from "../../mod/proxy/sticky_dates.ts";
import { assertEquals } from "../assert.ts";

Deno.test("encodeDate() is five letters, and decodeDate() the same time rounded up to four seconds", () => {
  assertEquals([encodeDate(0), encodeDate(1), encodeDate(4 * 64_000)], ["AAAAA", "AAAAB", "AAABA"]);
  for (const ms of [1, 3999, 4000, 1_790_000_000_123]) {
    assertEquals(decodeDate(encodeDate(ms)), Math.ceil(ms / 4000) * 4000);
  }
  assertEquals(["", "AAAA", "AAAAAA", "AAA-A", "AAA A"].map(decodeDate), [0, 0, 0, 0, 0]);
});

Deno.test("expired() without a limit or a date nothing is; a date more than a day ahead is no date", () => {
  const now = 1_790_000_000_000;
  assertEquals(expired(now - 1001, 1000, now), true);
  assertEquals([expired(now - 1000, 1000, now), expired(now - 5000, 0, now), expired(0, 1000, now)], [
    false,
    false,
    false,
  ]);
  assertEquals([expired(now + 86_400_000, 1000, now), expired(now + 86_400_001, 1000, now)], [false, true]);
});
