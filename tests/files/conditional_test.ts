import { judgeConditions, rangeHolds } from "../../mod/files/conditional.ts";
import { formatHttpDate, parseHttpDate } from "../../mod/files/http_date.ts";
import { assertEquals } from "../assert.ts";
import { factsOf } from "./facts.ts";

const MODIFIED = Date.UTC(2024, 1, 29, 12, 0, 0);
const KNOWN = { etag: '"1-a"', modified: MODIFIED };
const NOW = MODIFIED + 1_000_000;
const [BEFORE, SAME, AFTER] = [-1000, 0, 1000].map((ms) => formatHttpDate(MODIFIED + ms)) as [
  string,
  string,
  string,
];

const judge = (headers: Record<string, string>) => judgeConditions(factsOf("GET", "/", headers), KNOWN, NOW);

Deno.test("RFC 9110 section 13.1.1: If-Match compares strongly and fails with 412", () => {
  for (const list of ['"1-a"', "*", '"x", "1-a"', '"x","1-a" , "y"']) {
    assertEquals(judge({ "if-match": list }), "send", list);
  }
  for (const list of ['"x"', 'W/"1-a"', "1-a", "", '"1-a', '"x" "1-a"']) {
    assertEquals(judge({ "if-match": list }), "failed", list);
  }
});

Deno.test("RFC 9110 section 13.1.2: If-None-Match compares weakly", () => {
  for (const list of ['"1-a"', "*", 'W/"1-a"', '"x", W/"1-a"', '"a,b", "1-a"']) {
    assertEquals(judge({ "if-none-match": list }), "notModified", list);
  }
  for (const list of ['"x"', "1-a", "", 'w/"1-a"']) {
    assertEquals(judge({ "if-none-match": list }), "send", list);
  }
});

Deno.test("RFC 9110 section 13.1.3: If-Modified-Since", () => {
  assertEquals([BEFORE, SAME, AFTER, "yesterday"].map((date) => judge({ "if-modified-since": date })), [
    "send",
    "notModified",
    "notModified",
    "send",
  ]);
});

Deno.test("RFC 9110 section 13.1.4: If-Unmodified-Since", () => {
  assertEquals([BEFORE, SAME, AFTER, "yesterday"].map((date) => judge({ "if-unmodified-since": date })), [
    "failed",
    "send",
    "send",
    "send",
  ]);
});

Deno.test("RFC 9110 section 13.2.2: tags go before dates, preconditions before validations", () => {
  assertEquals(judge({ "if-match": '"1-a"', "if-unmodified-since": BEFORE }), "send");
  assertEquals(judge({ "if-none-match": '"x"', "if-modified-since": AFTER }), "send");
  assertEquals(judge({ "if-match": '"x"', "if-none-match": '"1-a"' }), "failed");
  assertEquals(judge({ "if-match": '"1-a"', "if-none-match": '"1-a"' }), "notModified");
  assertEquals(judge({ "if-unmodified-since": BEFORE, "if-modified-since": AFTER }), "failed");
});

Deno.test("RFC 9110 section 13.1.5: If-Range wants a strong tag, or exactly the date once that is strong", () => {
  assertEquals(
    [null, '"1-a"', 'W/"1-a"', '"x"', SAME, BEFORE, AFTER, ""].map((text) => rangeHolds(text, KNOWN, NOW)),
    [
      true,
      true,
      false,
      false,
      true,
      false,
      false,
      false,
    ],
  );
  assertEquals(rangeHolds(SAME, KNOWN, MODIFIED + 500), false);
});

Deno.test("RFC 9110 section 5.6.7: three forms of a date", () => {
  const ms = Date.UTC(1994, 10, 6, 8, 49, 37);
  const now = Date.UTC(2026, 0, 1);
  assertEquals(formatHttpDate(ms), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (
    const text of [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    ]
  ) {
    assertEquals(parseHttpDate(text, now), ms, text);
  }
  assertEquals(parseHttpDate("Sunday, 06-Nov-70 08:49:37 GMT", now), Date.UTC(2070, 10, 6, 8, 49, 37));
  for (
    const text of [
      "",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 06 Xxx 1994 08:49:37 GMT",
      "1994-11-06",
      "Sun, 06 anF 1994 08:49:37 GMT",
    ]
  ) {
    assertEquals(parseHttpDate(text, now), null, text);
  }
});
