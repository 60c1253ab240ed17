import { damageOf } from "../../mod/acme/damage_io.ts";
import { Key } from "../../mod/acme/keys_io.ts";
import {
  dueAt,
  NEW_RECORD,
  readAccount,
  readRecord,
  recordFile,
  STORED_NAME,
} from "../../mod/acme/record.ts";
import { ASK_MS, askAgainAfter, pauseAfter, renewalOf, withinWindow } from "../../mod/acme/renewal.ts";
import { refusalOf, retryAfter } from "../../mod/acme/refusal.ts";
import { assert, assertEquals } from "../assert.ts";

const DAY = 24 * 3600_000;
const HOUR = 3600_000;
const CA = "https://ca.test/dir";

Deno.test("renewalOf() is at a third of the life that is left, or a little before", () => {
  const life = { from: 0, until: 90 * DAY };
  assertEquals(renewalOf(life, 0), 60 * DAY);
  assertEquals(renewalOf(life, 1), 58.2 * DAY);
  assertEquals(renewalOf({ from: 0, until: 6 * DAY }, 0), 4 * DAY, "of a short one too");
});

Deno.test("withinWindow() is any moment that the authority proposes", () => {
  const window = { start: 10 * DAY, end: 12 * DAY };
  assertEquals([0, 0.5, 1].map((random) => withinWindow(window, random) / DAY), [10, 11, 12]);
});

Deno.test("pauseAfter() grows to a day, and heeds what the authority says", () => {
  assertEquals([1, 2, 3, 9, 50].map((failures) => pauseAfter(failures, 0, 0) / 60_000), [
    1,
    5,
    15,
    1440,
    1440,
  ]);
  assertEquals(pauseAfter(1, 3 * HOUR, 0), 3 * HOUR);
  assertEquals(pauseAfter(9, HOUR, 0), DAY, "the longer of both");
  assertEquals(pauseAfter(1, 0, 1), 72_000, "up to a fifth longer, by chance");
  let [at, failures] = [0, 0];
  while (at < HOUR) at += pauseAfter(++failures, 0, 0);
  assert(failures <= 5, "Let's Encrypt takes five failures an hour");
});

Deno.test("askAgainAfter() is what the authority says, within a minute and a day", () => {
  assertEquals([null, 0, 2 * HOUR, 9 * DAY].map(askAgainAfter), [6 * HOUR, 60_000, 2 * HOUR, DAY]);
  assertEquals(ASK_MS.usual, 6 * HOUR);
});

Deno.test("dueAt() is at once for a name that has none, or one of another authority, but not during a pause", () => {
  const issued = { ...NEW_RECORD, directory: CA, renewAt: 60 * DAY };
  assertEquals(dueAt(NEW_RECORD, null, CA), 0);
  assertEquals(dueAt(issued, 90 * DAY, CA), 60 * DAY);
  assertEquals(dueAt(issued, null, CA), 0, "the file is gone");
  assertEquals(dueAt(issued, 90 * DAY, "https://other.test/dir"), 0);
  const failed = { ...issued, failures: 2, nextAt: 61 * DAY };
  assertEquals(dueAt(failed, 90 * DAY, CA), 61 * DAY);
  assertEquals(dueAt({ ...failed, renewAt: null }, null, CA), 61 * DAY);
  assertEquals(dueAt(failed, 90 * DAY, "https://other.test/dir"), 0, "the pause is the other authority's");
});

Deno.test("readRecord() and readAccount() take what cannot be read for nothing", () => {
  const record = { ...NEW_RECORD, directory: CA, failures: 3, nextAt: 7 };
  assertEquals(readRecord(JSON.stringify(record)), record);
  for (const text of [null, "", "{", "[]", JSON.stringify({ ...record, failures: -1 })]) {
    assertEquals(readRecord(text), NEW_RECORD, String(text));
  }
  const account = { directory: CA, url: "https://ca.test/a/1", email: null, key: "k" };
  assertEquals(readAccount(JSON.stringify(account), CA), account);
  assertEquals(readAccount(JSON.stringify(account), "https://other.test/dir"), null);
});

Deno.test("damageOf() says what a stored file lacks, and nothing of one that was forgotten", () => {
  const account = { directory: CA, url: CA, email: null, key: "no key" };
  const damage = ([file, text]: [string, string]) => damageOf(file, text);
  assertEquals(
    ([
      ["_account.json", "{"],
      ["_account.json", JSON.stringify(account)],
      ["_account.json", JSON.stringify({ ...account, key: Key.make().pem })],
      ["a.test.json", "[]"],
      ["a.test.json", JSON.stringify(NEW_RECORD)],
      ["a.test.pem", "garbage"],
      ["a.test.pem", ""],
    ] as [string, string][]).map(damage),
    [
      "it is no account",
      "the account's key cannot be read",
      null,
      "it is no record of a name",
      null,
      "it has no certificate that can be read",
      null,
    ],
  );
});

Deno.test("STORED_NAME takes the files of a name, and nothing that leads elsewhere", () => {
  assert(STORED_NAME.test(recordFile("shop.example.com")) && STORED_NAME.test("_account.json"));
  for (
    const name of ["../a.pem", "a/b.pem", ".pem", ".a.pem", "a.sh", "A.pem", "a.pem\n", "", "a.pem.next"]
  ) {
    assertEquals(STORED_NAME.test(name), false, name);
  }
});

Deno.test("retryAfter() reads seconds and dates, and nothing above a week", () => {
  const now = Date.parse("2030-01-01T00:00:00Z");
  assertEquals(retryAfter("120", now), 120_000);
  assertEquals(retryAfter("Tue, 01 Jan 2030 00:01:00 GMT", now), 60_000);
  assertEquals(retryAfter("Mon, 31 Dec 2029 00:01:00 GMT", now), 0);
  assertEquals(retryAfter("999999999", now), 7 * DAY);
  assertEquals([retryAfter(null, now), retryAfter("soon", now)], [null, null]);
});

Deno.test("refusalOf() says what the authority said, without what a terminal would obey", () => {
  const type = "urn:ietf:params:acme:error:rateLimited";
  const refusal = refusalOf(
    "the order",
    { type, detail: "too many\u001b[31m", subproblems: [{ detail: "b" }] },
    429,
    5,
  );
  assertEquals(refusal.message, "the order: rateLimited: too many [31m; b");
  assertEquals([refusal.type, refusal.retryAfterMs], ["rateLimited", 5]);
  assertEquals(refusalOf("the order", "<html>", 503, null).message, "the order: status 503");
  assert(refusalOf("a", { detail: "x".repeat(5000) }, 400, null).message.length <= 300);
});
