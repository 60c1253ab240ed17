import { renewedHead, REPLY_ADDED_BYTES, storedField, storedHead, writeReply } from "../../mod/cache/head.ts";
import type { Reply } from "../../mod/cache/reply.ts";
import { latin1 } from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";
import { received } from "./answers.ts";

const text = (bytes: Uint8Array) => latin1(bytes, 0, bytes.length).replaceAll("\r\n", "\n");
const DATE = "Thu, 26 Nov 2026 09:00:00 GMT";

Deno.test("RFC 9111 section 3.1: what is of one connection is not stored, nor lengths and ages", () => {
  const head = storedHead(
    received(
      "HTTP/1.0 404 No such\nConnection: close, X-Hop\nX-Hop: 1\nKeep-Alive: 5\nContent-Length: 3\nAge: 4\n" +
        "Proxy-Authenticate: x\nTrailer: y\nDate: d\nX-A: 1\nx-a: 2\nSet-Cookie: s\n\n",
    ),
    ["set-cookie"],
    DATE,
  );
  assertEquals(text(head), "HTTP/1.1 404 No such\nDate: d\nX-A: 1\nx-a: 2\n\n");
  assertEquals([storedField(head, "x-a"), storedField(head, "age")], ["1, 2", null]);
});

Deno.test("RFC 9110 section 6.6.1: an answer without a date gets one", () => {
  const head = storedHead(received("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"), [], DATE);
  assertEquals(text(head), `HTTP/1.1 200 OK\nDate: ${DATE}\n\n`);
});

Deno.test("RFC 9111 section 3.2: a renewal replaces fields, but for what speaks of the body", () => {
  const before = storedHead(
    received("HTTP/1.1 200 OK\nDate: old\nContent-Type: text/plain\nX-A: 1\nX-A: 2\nX-B: 1\n\n"),
    [],
    DATE,
  );
  const renewal = received(
    "HTTP/1.1 304 Not Modified\nContent-Type: text/html\nContent-Length: 9\nX-A: 3\nX-C: 1\n\n",
  );
  assertEquals(
    text(renewedHead(before, renewal, [], DATE)),
    `HTTP/1.1 200 OK\nContent-Type: text/plain\nX-B: 1\nX-A: 3\nX-C: 1\nDate: ${DATE}\n\n`,
  );
});

Deno.test("writeReply() adds the age, and what the kind of answer wants", () => {
  const head = storedHead(received('HTTP/1.1 200 OK\nDate: d\nETag: "a"\nX-A: 1\n\n'), [], DATE);
  const reply = (kind: Reply) => {
    const out = new Uint8Array(head.length + REPLY_ADDED_BYTES);
    return text(out.subarray(0, writeReply(out, head, kind, 100, 7)));
  };
  assertEquals(
    reply({ kind: "whole" }),
    'HTTP/1.1 200 OK\nDate: d\nETag: "a"\nX-A: 1\nAge: 7\nContent-Length: 100\n\n',
  );
  assertEquals(reply({ kind: "notModified" }), 'HTTP/1.1 304 Not Modified\nDate: d\nETag: "a"\nAge: 7\n\n');
  assertEquals(
    reply({ kind: "part", start: 10, end: 20 }),
    'HTTP/1.1 206 Partial Content\nDate: d\nETag: "a"\nX-A: 1\nAge: 7\nContent-Range: bytes 10-19/100\nContent-Length: 10\n\n',
  );
  assertEquals(
    reply({ kind: "unsatisfiable" }),
    'HTTP/1.1 416 Range Not Satisfiable\nDate: d\nETag: "a"\nAge: 7\nContent-Range: bytes */100\nContent-Length: 0\n\n',
  );
});
