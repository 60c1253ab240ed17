import { daysUntil, ExpiryReminder } from "../../mod/observe/expiry.ts";
import { assertEquals } from "../assert.ts";

const DAY_MS = 24 * 3600 * 1000;

Deno.test("ExpiryReminder.due() tells of each once a day, from 21 days ahead and beyond the end", () => {
  const reminder = new ExpiryReminder();
  const soon = { fingerprint: "a", expiresAt: 30 * DAY_MS };
  const later = { fingerprint: "b", expiresAt: 100 * DAY_MS };
  const told: number[] = [];
  for (let hour = 0; hour < 24 * 32; hour++) {
    const now = hour * 3600 * 1000;
    // Two listeners may show the same certificate.
    for (const { fingerprint } of reminder.due([soon, later, soon], now)) {
      assertEquals(fingerprint, "a");
      told.push(now);
    }
  }
  assertEquals(told[0]! > 9 * DAY_MS, true);
  assertEquals(told.length, 23);
  assertEquals(told.slice(1).every((at, index) => at - told[index]! === DAY_MS), true);
});

Deno.test("ExpiryReminder.due() tells again of one that was away", () => {
  const reminder = new ExpiryReminder();
  const one = { fingerprint: "a", expiresAt: DAY_MS };
  assertEquals(reminder.due([one], 0).length, 1);
  assertEquals(reminder.due([], 1).length, 0);
  assertEquals(reminder.due([one], 2).length, 1);
});

Deno.test("daysUntil() counts whole days, negative ones behind it", () => {
  assertEquals([daysUntil(2.5 * DAY_MS, 0), daysUntil(0, DAY_MS / 2), daysUntil(0, 2 * DAY_MS)], [2, -1, -2]);
});
