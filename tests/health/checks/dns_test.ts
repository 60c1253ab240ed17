import { assertEquals } from "../../assert.ts";
import { heard, verdictOf } from "./talking.ts";

const QUESTION = "\x07example\x04test\0\0\x01\0\x01";

/** An answer to the question with these addresses. */
function answer(flags: string, ...addresses: string[]): string {
  const records = addresses.map((address) =>
    `\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04${String.fromCharCode(...address.split(".").map(Number))}`
  );
  return `\x80\0${flags}\0\x01\0${String.fromCharCode(records.length)}\0\0\0\0${QUESTION}${records.join("")}`;
}

const OK = "\x81\x80";
const framed = (message: string) =>
  String.fromCharCode(message.length >>> 8, message.length & 0xff) + message;
const given = (expect = {}) => ({ type: "dns", name: "Example.test.", expect });

Deno.test("dns asks one question, over TCP with its length before it", () => {
  const query = `\x80\0\x01\0\0\x01\0\0\0\0\0\0${QUESTION}`;
  assertEquals(heard(given(), [framed(answer(OK, "192.0.2.1"))]), {
    said: [framed(query), ""],
    verdict: { ok: true, reason: "1 record" },
  });
});

Deno.test("dns judges the result, and the addresses that are expected", () => {
  const ask = (message: string, expect = {}) => verdictOf(given(expect), [framed(message)]);
  const two = answer(OK, "192.0.2.1", "192.0.2.2");
  assertEquals(ask(two), "good: 2 records");
  assertEquals(ask(two, { answer: ["192.0.2.2", "192.0.2.1"] }), "good: 2 records");
  assertEquals(
    ask(two, { answer: "192.0.2.3" }),
    "bad: the answer is 192.0.2.1, 192.0.2.2, without 192.0.2.3",
  );
  assertEquals(ask(answer(OK)), "bad: no A records");
  assertEquals(ask(answer("\x81\x82")), 'bad: the answer is "server failure"');
  assertEquals(ask(answer("\x81\x83")), 'bad: the answer is "no such name"');
  assertEquals(ask(answer("\x81\x83"), { rcode: "nxDomain" }), 'good: the answer is "no such name"');
  assertEquals(ask(two, { rcode: "refused" }), 'bad: the answer is "no error"');
  assertEquals(ask(answer("\x83\x80")), "good: the answer is truncated");
  assertEquals(
    ask(answer("\x83\x80"), { answer: "192.0.2.1" }),
    "bad: the answer is truncated; transport: tcp has it whole",
  );
});

Deno.test("dns passes over what answers another question", () => {
  const other = answer(OK, "192.0.2.1").replace("\x80", "\x81");
  assertEquals(verdictOf(given(), [framed(other)]), "waits");
  assertEquals(verdictOf(given(), [framed(other) + framed(answer(OK, "192.0.2.1"))]), "good: 1 record");
  assertEquals(verdictOf(given(), [framed(other)], { leaves: true }), "bad: the server broke off its answer");
});

Deno.test("dns asks for any record, and for the root", () => {
  const asked = (more: Record<string, string>) => heard({ type: "dns", ...more }, []).said[0]!.slice(14);
  assertEquals(asked({ name: ".", record: "NS" }), "\0\0\x02\0\x01");
  assertEquals(asked({ name: "a", record: "SOA" }), "\x01a\0\0\x06\0\x01");
});
