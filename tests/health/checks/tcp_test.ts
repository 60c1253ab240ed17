import { assertEquals } from "../../assert.ts";
import { heard, talkOf, verdictOf } from "./talking.ts";

const steps = (...list: Record<string, string>[]) => ({ type: "tcp", steps: list });

Deno.test("tcp without steps is content with a connection", () => {
  assertEquals(heard({ type: "tcp" }, []), { said: [""], verdict: { ok: true, reason: "connected" } });
});

Deno.test("StepsTalk says and expects, one after the other", () => {
  const given = steps(
    { expect: "~^220 .*\r\n" },
    { send: "HELO ü\r\n" },
    { expect: "250" },
    { sendHex: "00ff" },
    { expectHex: "FF00" },
    { send: "bye" },
  );
  assertEquals(heard(given, ["220 here\r\n", "250 ok", "..\xff\0"]), {
    said: ["", "HELO \xc3\xbc\r\n", "\0\xff", "bye"],
    verdict: { ok: true, reason: "said what is expected" },
  });
  assertEquals(verdictOf(given, ["220 here\r\n", "550"]), "waits");
  assertEquals(
    verdictOf(given, ["220 here\r\n", "550 no\r\n"], { leaves: true }),
    'bad: expected "250" in step 3, the server said "550 no??" and left',
  );
  assertEquals(
    verdictOf(given, [], { leaves: true }),
    "bad: expected ~^220 .*\\r\\n in step 1, the server said nothing and left",
  );
});

Deno.test("StepsTalk looks for what comes next behind what was found", () => {
  assertEquals(verdictOf(steps({ expect: "a" }, { expect: "a" }), ["xa"]), "waits");
  assertEquals(verdictOf(steps({ expect: "a" }, { expect: "~a$" }), ["xaa"]), "good: said what is expected");
  assertEquals(
    verdictOf(steps({ expect: "a" }, { send: "q" }, { expect: "b" }), ["ab"]),
    "good: said what is expected",
  );
});

Deno.test("StepsTalk tries an expression a bounded number of times", () => {
  const talk = talkOf(steps({ expect: "~b$" }));
  for (let times = 0; times < 64; times++) assertEquals(talk.receive(Uint8Array.of(0x61)).verdict, undefined);
  assertEquals(talk.receive(Uint8Array.of(0x62)).verdict, undefined);
});

Deno.test("StepsTalk what must not stand before the end of what is expected", () => {
  const given = steps({ send: "PING\r\n" }, { expect: "\r\n", not: "-ERR" }, { expectHex: "2b", not: "~^x" });
  assertEquals(verdictOf(given, ["+PONG\r\n+"]), "good: said what is expected");
  assertEquals(verdictOf(given, ["-ERR no\r\n"]), 'bad: "-ERR" is not expected in step 2');
  assertEquals(verdictOf(given, ["+PONG\r\nx+"]), "bad: ~^x is not expected in step 3");
  assertEquals(verdictOf(given, ["-ERR"]), "waits");
  assertEquals(
    verdictOf(given, ["+PONG\r\n+-ERR"]),
    "good: said what is expected",
    "behind is not looked at",
  );
});

Deno.test("StepsTalk what must not stand in all that the server says", () => {
  const given = steps({ send: "q" }, { expect: "a" }, { send: "r" }, { not: "no" });
  assertEquals(heard(given, ["a", "yes"]), { said: ["q", "r", ""], verdict: null });
  assertEquals(verdictOf(given, ["a", "yes"], { leaves: true }), "good: said what is expected");
  assertEquals(verdictOf(given, ["a"], { leaves: true }), "good: said what is expected");
  assertEquals(verdictOf(given, ["a", "n", "o!"], { leaves: true }), 'bad: "no" is not expected in step 4');
  assertEquals(
    verdictOf(given, ["no"], { leaves: true }),
    'bad: expected "a" in step 2, the server said "no" and left',
  );
  const talk = talkOf(given);
  assertEquals(talk.full!(), null, "too much before the last step");
  talk.receive(Uint8Array.of(0x61));
  assertEquals(talk.full!()?.reason, "said what is expected");
});
