import { assertEquals } from "../../assert.ts";
import { fromLatin1 } from "../../../mod/http/grammar.ts";
import { heard, OVER_TLS, talkOf, verdictOf } from "./talking.ts";

Deno.test("smtp greets and takes leave, whatever the lines of a reply", () => {
  assertEquals(
    heard({ type: "smtp", hello: "lb1.example.com" }, [
      "220-mail.example.com\r\n220 ESMTP\r\n",
      "250-mail.example.com\r\n250-PIPELINING\r\n250 SIZE 1000\r\n",
      "221 Bye\r\n",
    ]),
    {
      said: ["", "EHLO lb1.example.com\r\n", "QUIT\r\n", ""],
      verdict: { ok: true, reason: "SMTP greeted and took leave" },
    },
  );
  assertEquals(heard({ type: "smtp", hello: "10.0.0.9" }, ["220\r\n"]).said[1], "EHLO [10.0.0.9]\r\n");
  assertEquals(heard({ type: "smtp", hello: "fd00::1" }, ["220\r\n"]).said[1], "EHLO [IPv6:fd00::1]\r\n");
});

Deno.test("smtp says HELO where EHLO is not known", () => {
  assertEquals(heard({ type: "smtp" }, ["220 old\r\n", "500 what\r\n", "250 hi\r\n", "221\r\n"]), {
    said: ["", "EHLO localhost\r\n", "HELO localhost\r\n", "QUIT\r\n", ""],
    verdict: { ok: true, reason: "SMTP greeted and took leave" },
  });
});

Deno.test("smtp says what it was refused with", () => {
  const ask = (...answers: string[]) => verdictOf({ type: "smtp" }, answers, { leaves: true });
  assertEquals(ask("554 5.7.1 not you\r\n"), "bad: SMTP greeted with 554 5.7.1 not you");
  assertEquals(ask("421-too\r\n421 busy\r\n"), "bad: SMTP greeted with 421-too");
  assertEquals(ask("220 hi\r\n", "550 no\r\n"), "bad: SMTP answered EHLO with 550 no");
  assertEquals(ask("220 hi\r\n", "502 no\r\n", "502 no\r\n"), "bad: SMTP answered HELO with 502 no");
  assertEquals(ask("+OK POP3 ready\r\n"), "bad: the server does not speak SMTP");
  assertEquals(ask("220 hi\r\n", "250 hi\r\n"), "good: SMTP greeted and took leave");
  assertEquals(ask("220 hi\r\n"), "bad: the server broke off its answer");
});

const OFFER = "250-mail.example.com\r\n250-STARTTLS\r\n250 SIZE 1000\r\n";

Deno.test("smtp asks for TLS, and begins anew over it", () => {
  const answers = ["220 hi\r\n", OFFER, "220 go ahead\r\n", "250 hi\r\n", "221 Bye\r\n"];
  assertEquals(heard({ type: "smtp", hello: "10.0.0.9", startTls: true }, answers), {
    said: ["", "EHLO [10.0.0.9]\r\n", "STARTTLS\r\n", `${OVER_TLS}EHLO [10.0.0.9]\r\n`, "QUIT\r\n", ""],
    verdict: { ok: true, reason: "SMTP greeted and took leave, over TLS" },
  });
  assertEquals(heard({ type: "smtp" }, answers.slice(0, 2)).said[2], "QUIT\r\n", "unless it is to");
});

Deno.test("smtp is not content with a server that does not go over to TLS", () => {
  const ask = (...answers: string[]) =>
    verdictOf({ type: "smtp", startTls: true }, ["220 hi\r\n", ...answers]);
  assertEquals(ask("250-hi\r\n250 STARTTLSX\r\n"), "bad: SMTP offers no STARTTLS");
  assertEquals(ask("500 what\r\n", "250 STARTTLS\r\n"), "bad: SMTP offers no STARTTLS");
  assertEquals(ask(OFFER, "454 not now\r\n"), "bad: SMTP answered STARTTLS with 454 not now");
  assertEquals(ask(OFFER, "220 go ahead\r\n", "550 no\r\n"), "bad: SMTP answered EHLO with 550 no");
});

Deno.test("smtp takes nothing for said over TLS that came before it", () => {
  const talk = talkOf({ type: "smtp", startTls: true });
  for (const answer of ["220 hi\r\n", OFFER]) talk.receive(fromLatin1(answer));
  assertEquals(
    talk.receive(fromLatin1("220 go ahead\r\n250 hi\r\n")).verdict?.reason,
    "something came between the server's yes and TLS",
  );
});
