/** Invariant of the fuzz: any bytes, cut anyhow, give one verdict, the same as when they come whole. */
import fc from "fast-check";
import { assertEquals } from "../../assert.ts";
import type { TalkTarget } from "../../../mod/health/check_kind.ts";
import { fromLatin1 } from "../../../mod/http/grammar.ts";
import { heard, talkOf, verdictOf } from "./talking.ts";

function request(given: Readonly<Record<string, unknown>> = {}, target: Partial<TalkTarget> = {}): string {
  return heard(given, [], target).said[0]!;
}

function hostOf(host: string, port: number, more: Partial<TalkTarget> = {}, given = {}): string | undefined {
  return /\r\nHost: (.*)\r\n/.exec(request(given, { host, port, ...more }))?.[1];
}

Deno.test("checkRequest() asks with Host, and to close", () => {
  assertEquals(
    request({ path: "/healthz?deep=1" }),
    "GET /healthz?deep=1 HTTP/1.1\r\nHost: 10.0.0.1:8080\r\nUser-Agent: tandem-check\r\n" +
      "Accept: */*\r\nConnection: close\r\n\r\n",
  );
});

Deno.test("checkRequest() headers and a body of one's own, in the place of the preset ones", () => {
  assertEquals(
    request({ method: "POST", headers: { "user-agent": "me", "X-Key": "ä" }, body: "ä" }),
    "POST / HTTP/1.1\r\nHost: 10.0.0.1:8080\r\nAccept: */*\r\nuser-agent: me\r\nX-Key: \xe4\r\n" +
      "Content-Length: 2\r\nConnection: close\r\n\r\n\xc3\xa4",
  );
  assertEquals(request({ method: "PUT" }).includes("\r\nContent-Length: 0\r\n"), true);
});

Deno.test("checkRequest() Host is the configured one, or the address with brackets and port as needed", () => {
  assertEquals(hostOf("10.0.0.1", 80), "10.0.0.1");
  assertEquals(hostOf("fd00::1", 80), "[fd00::1]");
  assertEquals(hostOf("fd00::1", 8080), "[fd00::1]:8080");
  assertEquals(hostOf("10.0.0.1", 443), "10.0.0.1:443");
  assertEquals(hostOf("10.0.0.1", 443, { secure: true }), "10.0.0.1");
  assertEquals(hostOf("10.0.0.1", 8080, {}, { host: "app.example" }), "app.example");
  assertEquals(hostOf("10.0.0.1", 8080, {}, { host: "fd00::1" }), "[fd00::1]");
});

const MALFORMED = "bad: the answer does not start with an HTTP/1 status line";
const ANSWERS: readonly (readonly [answer: string, verdict: string])[] = [
  ["HTTP/1.1 200 OK\r\n", "good: status 200"],
  ["HTTP/1.0 503 Service Unavailable\r\nX: y\r\n\r\nbody", "bad: status 503 is not expected"],
  ["HTTP/1.1 204 \r\n", "good: status 204"],
  ["HTTP/1.1 204\r\n", "good: status 204"],
  ["HTTP/1.1 200 caf\xe9\r\n", "good: status 200"],
  ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", "good: status 200"],
  [
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 299 N\r\n",
    "good: status 299",
  ],
  ["HTTP/1.1 301 M\r\n", "good: status 301"],
  ["HTTP/1.1 300 M\r\n", "bad: status 300 is not expected"],
  ["HTTP/1.1 101 Switching Protocols\r\n", "bad: status 101 without having asked for an upgrade"],
  ["HTTP/1.1 200 OK\n", "bad: a line of the answer does not end in CRLF"],
  ["HTTP/2 200\r\n", MALFORMED],
  ["HTTP/1.1 20 OK\r\n", MALFORMED],
  ["HTTP/1.1 2000 OK\r\n", MALFORMED],
  ["HTTP/1.1 099 OK\r\n", MALFORMED],
  ["HTTP/1.1  200 OK\r\n", MALFORMED],
  ["HTTP/1.1 200 O\0K\r\n", MALFORMED],
  ["HTTP/1.1 200 O\rK\r\n", MALFORMED],
  ["http/1.1 200 OK\r\n", MALFORMED],
  ["\r\nHTTP/1.1 200 OK\r\n", MALFORMED],
  ["SSH-2.0-OpenSSH_9.2\r\n", MALFORMED],
  ["HTTP/1.1 200 OK", "waits"],
  ["", "waits"],
];

Deno.test("HttpOver1 judges status lines strictly", () => {
  const given = { expect: { status: ["200-299", 301] } };
  for (const [answer, verdict] of ANSWERS) assertEquals(verdictOf(given, [answer]), verdict, answer);
});

Deno.test("HttpOver1 headers of the answer", () => {
  const ask = (headers: Record<string, string | boolean>, fields: string) =>
    verdictOf({ expect: { headers } }, [`HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`]);
  assertEquals(ask({ "X-State": "up" }, "x-state: up "), "good: status 200, and what is expected");
  assertEquals(
    ask({ "x-state": "~^(up|ready)$" }, "X-State:ready"),
    "good: status 200, and what is expected",
  );
  assertEquals(ask({ "x-state": "up" }, "X-State: upset"), 'bad: the header x-state is "upset", not "up"');
  assertEquals(
    ask({ "x-state": "~^up$" }, "X-State: upset"),
    'bad: the header x-state is "upset", not ~^up$',
  );
  assertEquals(ask({ "x-state": true }, "X: y"), "bad: the answer has no header x-state");
  assertEquals(
    ask({ "x-state": "a, b" }, "X-State: a\r\nX-State: b"),
    "good: status 200, and what is expected",
  );
  assertEquals(ask({ "x-state": false }, "X: y"), "good: status 200, and what is expected");
  assertEquals(ask({ "x-state": false }, "X-State: y"), "bad: the answer has a header x-state");
  assertEquals(ask({ "x-state": true }, "no field"), "bad: the answer has a malformed header");
  const cut = verdictOf({ expect: { headers: { a: "b" } } }, ["HTTP/1.1 200 OK\r\na: b\r\n"], {
    leaves: true,
  });
  assertEquals(cut, "bad: the server broke off its answer");
});

Deno.test("HttpOver1 what stands in the body, however it is framed", () => {
  const ask = (body: string, answer: string, leaves = false) =>
    verdictOf({ expect: { body } }, [`HTTP/1.1 200 OK\r\n${answer}`], { leaves });
  const found = "good: status 200, and what is expected";
  assertEquals(ask("pong", "Content-Length: 8\r\n\r\n..pong.."), found);
  assertEquals(ask("pong", "Content-Length: 8\r\n\r\n..pong"), found, "it need not be complete");
  assertEquals(ask("pong", "Content-Length: 4\r\n\r\nping"), 'bad: the body does not have "pong"');
  assertEquals(ask("pong", "Transfer-Encoding: chunked\r\n\r\n2\r\npo\r\n2\r\nng\r\n"), found);
  assertEquals(
    ask("pong", "Transfer-Encoding: chunked\r\n\r\n2\r\npi\r\n0\r\n\r\n"),
    'bad: the body does not have "pong"',
  );
  assertEquals(
    ask("pong", "Transfer-Encoding: chunked\r\n\r\nzz"),
    "bad: the body of the answer is malformed",
  );
  assertEquals(ask("pong", "\r\n..pong"), found);
  assertEquals(ask("pong", "\r\n..pon"), "waits");
  assertEquals(ask("pong", "\r\n..pon", true), 'bad: the body does not have "pong"');
  assertEquals(ask("pong", "Content-Length: 9\r\n\r\n..pon", true), "bad: the server broke off its answer");
  assertEquals(ask("pong", "Content-Length: no\r\n\r\n"), "bad: the answer has a malformed header");
  assertEquals(ask("~^[0-9]+ ok", "\r\n12 ok"), found);
  assertEquals(
    ask("~^[0-9]+ ok", "Content-Length: 4\r\n\r\nx ok"),
    "bad: the body does not have ~^[0-9]+ ok",
  );
  assertEquals(ask("käse", "\r\nk\xc3\xa4se"), found);
});

Deno.test("HttpOver1 fuzz: one verdict for any bytes, however they are cut", () => {
  const pieces = fc.constantFrom(
    ...["HTTP/1.1 ", "200", " OK", "\r\n", "\n", "\r", "100", "HTTP/1.0 ", "x: y", "\0"],
    ...["\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n", "2\r\npo\r\n", "pong", "Content-Length: 3\r\n\r\n"],
  );
  const answer = fc.oneof(
    fc.array(pieces, { maxLength: 12 }).map((parts) => fromLatin1(parts.join(""))),
    fc.uint8Array({ maxLength: 60 }),
  );
  const judge = (parts: readonly Uint8Array[]) => {
    const talk = talkOf({ expect: { body: "po", headers: { x: "~y" } } });
    for (const part of parts) {
      const { verdict } = part.length === 0 ? {} : talk.receive(part);
      if (verdict !== undefined) return verdict;
    }
    return talk.end();
  };
  fc.assert(fc.property(answer, fc.nat(60), fc.nat(60), (whole, a, b) => {
    const [first, second] = a < b ? [a, b] : [b, a];
    const cut = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)];
    assertEquals(judge(cut), judge([whole]));
  }));
});

Deno.test("HttpJudge what a bad answer is", () => {
  const ask = (not: Record<string, unknown>, answer: string, more = {}) =>
    verdictOf({ expect: { not, ...more } }, [answer], { leaves: true });
  assertEquals(ask({ status: "500-599" }, "HTTP/1.1 404 N\r\n"), "good: status 404");
  assertEquals(ask({ status: ["500-599", 404] }, "HTTP/1.1 404 N\r\n"), "bad: status 404 is not expected");
  const but204 = { status: "200-299" };
  assertEquals(ask({ status: 204 }, "HTTP/1.1 204 N\r\n", but204), "bad: status 204 is not expected");
  assertEquals(ask({ status: 204 }, "HTTP/1.1 301 M\r\n", but204), "bad: status 301 is not expected");
  const answer = "HTTP/1.1 200 OK\r\nX-State: draining\r\nContent-Length: 7\r\n\r\nready ö".replace(
    "ö",
    "\xe4",
  );
  const good = "good: status 200, and what is expected";
  assertEquals(ask({ headers: { "x-state": "drain" } }, answer), good);
  assertEquals(ask({ headers: { "x-gone": "drain" } }, answer), good, "there need be none");
  assertEquals(ask({ headers: { "X-State": "~^drain" } }, answer), 'bad: the header x-state is "draining"');
  assertEquals(ask({ body: "down" }, answer), good);
  assertEquals(ask({ body: "ead" }, answer), 'bad: the body has "ead"');
  assertEquals(ask({ body: "ead" }, answer, { body: "ready" }), 'bad: the body has "ead"');
  assertEquals(ask({ body: "down" }, answer, { body: "up" }), 'bad: the body does not have "up"');
  assertEquals(ask({ body: "~^$" }, answer, { body: "~d" }), good);
  assertEquals(ask({ body: "x" }, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), good);
  assertEquals(ask({ body: "x" }, "HTTP/1.1 200 OK\r\n\r\nall"), good, "up to the end of the connection");
  assertEquals(
    ask({ body: "x" }, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall"),
    "bad: the server broke off its answer",
  );
});

Deno.test("HttpJudge a body that is longer than what is read of it", () => {
  const full = (expect: Record<string, unknown>, body = "abc") => {
    const talk = talkOf({ expect });
    talk.receive(fromLatin1(`HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n${body}`));
    return talk.full!()?.reason ?? null;
  };
  assertEquals(full({ not: { body: "x" } }), "status 200, and what is expected");
  assertEquals(full({ not: { body: "b" } }), 'the body has "b"');
  assertEquals(full({ not: { body: "x" }, body: "y" }), null);
  assertEquals(talkOf({ expect: { not: { body: "x" } } }).full!(), null, "no head yet");
});
