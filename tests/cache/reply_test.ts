import {
  type Conditions,
  conditionsOf,
  type Replied,
  replyTo,
  UNCONDITIONAL,
} from "../../mod/cache/reply.ts";
import { factsOf } from "../files/facts.ts";
import { assertEquals } from "../assert.ts";
import { dateIn, stored, WALL } from "./answers.ts";

const answer = (fields: Record<string, string>, more: Partial<Replied> = {}): Replied => ({
  status: 200,
  terms: stored({ "cache-control": "max-age=60", ...fields })!,
  length: 100,
  date: () => dateIn(-10),
  ...more,
});
const TAGGED = answer({ etag: '"a"', "last-modified": dateIn(-100) });
const asked = (headers: Record<string, string>, method = "GET"): Conditions =>
  conditionsOf(factsOf(method, "/", headers));
const kind = (headers: Record<string, string>, to = TAGGED) => replyTo(asked(headers), to, WALL).kind;

Deno.test("RFC 9111 section 4.3.2: If-None-Match is answered from the store, weakly compared", () => {
  for (const tag of ['"a"', 'W/"a"', "*", '"x", "a"']) {
    assertEquals(kind({ "if-none-match": tag }), "notModified", tag);
  }
  assertEquals(kind({ "if-none-match": '"b"' }), "whole");
  assertEquals(kind({ "if-none-match": 'W/"a"' }, answer({ etag: 'W/"a"' })), "notModified");
  assertEquals(kind({ "if-none-match": '"b"', "if-modified-since": dateIn(0) }), "whole");
});

Deno.test("RFC 9111 section 4.3.2: If-Modified-Since is held against Last-Modified, else against Date", () => {
  const since = (seconds: number, to = TAGGED) => kind({ "if-modified-since": dateIn(seconds) }, to);
  assertEquals([since(-101), since(-100), since(0)], ["whole", "notModified", "notModified"]);
  const bare = answer({});
  assertEquals([since(-11, bare), since(-10, bare)], ["whole", "notModified"]);
  assertEquals(since(0, answer({}, { date: () => null })), "whole");
});

Deno.test("replyTo() judges conditions for answers of status 200 only", () => {
  assertEquals(kind({ "if-none-match": "*" }, answer({ etag: '"a"' }, { status: 404 })), "whole");
  assertEquals(kind({ range: "bytes=0-1" }, answer({}, { status: 301 })), "whole");
});

Deno.test("RFC 9110 section 14: one range of the stored answer", () => {
  assertEquals(replyTo(asked({ range: "bytes=10-19" }), TAGGED, WALL), { kind: "part", start: 10, end: 20 });
  assertEquals(replyTo(asked({ range: "bytes=-5" }), TAGGED, WALL), { kind: "part", start: 95, end: 100 });
  assertEquals(kind({ range: "bytes=100-" }), "unsatisfiable");
  assertEquals([kind({ range: "bytes=0-1,5-6" }), kind({ range: "lines=1" })], ["whole", "whole"]);
  assertEquals(asked({ range: "bytes=0-1" }, "HEAD"), UNCONDITIONAL);
});

Deno.test("RFC 9110 section 13.1.5: If-Range wants the strong tag, or the very date", () => {
  const part = (ifRange: string, to = TAGGED) => kind({ range: "bytes=0-1", "if-range": ifRange }, to);
  assertEquals([part('"a"'), part(dateIn(-100))], ["part", "part"]);
  assertEquals([part('"b"'), part('W/"a"'), part(dateIn(-99))], ["whole", "whole", "whole"]);
  assertEquals(part('"a"', answer({ etag: 'W/"a"' })), "whole");
});
