// Invariant: a head is accepted exactly when the grammar matches it, however it arrives, and means the same when written anew.
import fc from "fast-check";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { DONE, Head, MORE, parseRequestHead, parseResponseHead } from "../../mod/http1/head.ts";
import { readRequest, RequestInfo } from "../../mod/http1/request.ts";
import { readResponse, ResponseInfo } from "../../mod/http1/response.ts";
import { assertEquals, assertNotEquals } from "../assert.ts";
import { type HeadParser, parseHead } from "../http1/feed.ts";
import { fuzz } from "./mutation.ts";

/** RFC 9112, once more, as regular expressions: the independent reading that the parser is held against. */
const TCHAR = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const TEXT = "[\\t\\x20-\\x7e\\x80-\\xff]";
const FIELDS = `((?:${TCHAR}+:${TEXT}*\\r\\n)*)\\r\\n`;
const REQUEST = new RegExp(
  `^(?:\\r\\n)*(${TCHAR}+) ([\\x21\\x22\\x24-\\x7e]+) HTTP/1\\.([01])\\r\\n${FIELDS}`,
);
const RESPONSE = new RegExp(`^HTTP/1\\.([01]) ([1-9][0-9]{2})(?: ${TEXT}*)?\\r\\n${FIELDS}`);

const REQUESTS = [
  "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "\r\nGET http://a.example:80/b?c=d HTTP/1.0\r\nHost: a.example:80\r\nConnection: keep-alive, x\r\n\r\n",
  "POST /x HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
  "POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nTE: trailers\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost:a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX_Y:\t \xff \t\r\n\r\n",
  "HEAD /?q HTTP/1.1\r\nHost: a\r\nContent_Length: 7\r\nContent-Length: 0\r\nEmpty:\r\n\r\nGET / HTTP/1.1\r\n",
];
const RESPONSES = [
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  "HTTP/1.0 404\r\nServer: a\r\nConnection: keep-alive\r\n\r\n",
  "HTTP/1.1 204 \r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
];

/** What a request says, without where it says it. */
function requestMeaning(head: Head, bytes: Uint8Array): unknown {
  const info = new RequestInfo();
  const problem = readRequest(info, head, bytes);
  const line = [latin1(bytes, head.start, head.methodEnd), latin1(bytes, head.targetStart, head.targetEnd)];
  if (problem !== null) return [line, fields(head, bytes), problem];
  const host = latin1(bytes, info.hostStart, info.hostEnd);
  const path = latin1(bytes, info.pathStart, info.pathEnd);
  const { hostStart: _a, hostEnd: _b, pathStart: _c, pathEnd: _d, ...rest } = info;
  return [line, fields(head, bytes), host, path, rest];
}

function responseMeaning(head: Head, bytes: Uint8Array): unknown {
  const info = new ResponseInfo();
  const good = readResponse(info, head, bytes, false);
  return [head.status, head.minor, fields(head, bytes), good ? { ...info } : null];
}

function fields(head: Head, bytes: Uint8Array): [string, string][] {
  return Array.from({ length: head.count }, (_, i) => [
    latin1(bytes, head.nameStart(i), head.nameEnd(i)),
    latin1(bytes, head.valueStart(i), head.valueEnd(i)),
  ]);
}

/** The head in canonical form. */
function written(firstLine: string, head: Head, bytes: Uint8Array): Uint8Array {
  const lines = fields(head, bytes).map(([name, value]) => `${name}: ${value}`);
  return fromLatin1([firstLine, ...lines, "", ""].join("\r\n"));
}

function checkRequest(message: Uint8Array): void {
  const text = latin1(message, 0, message.length);
  const { outcome, head, bytes } = parseHead(parseRequestHead, message, 1000);
  const found = REQUEST.exec(text);
  assertEquals(outcome === "done", found !== null);
  if (found === null) return;
  const [whole, method, target, minor] = found;
  const line = `${method} ${target} HTTP/1.${minor}`;
  assertEquals([latin1(bytes, head.start, head.start + line.length), head.end], [line, 5 + whole.length]);
  const again = written(line, head, bytes);
  const second = parseHead(parseRequestHead, again, 1000);
  assertEquals(requestMeaning(second.head, second.bytes), requestMeaning(head, bytes));
}

function checkResponse(message: Uint8Array): void {
  const text = latin1(message, 0, message.length);
  const { outcome, head, bytes } = parseHead(parseResponseHead, message, 1000);
  const found = RESPONSE.exec(text);
  assertEquals(outcome === "done", found !== null);
  if (found === null) return;
  assertEquals([head.minor, head.status], [Number(found[1]), Number(found[2])]);
  const second = parseHead(parseResponseHead, written(`HTTP/1.${found[1]} ${found[2]} x`, head, bytes), 1000);
  assertEquals(responseMeaning(second.head, second.bytes), responseMeaning(head, bytes));
}

Deno.test("parseRequestHead() accepts exactly what the grammar matches, for mutated requests", () => {
  fuzz(REQUESTS, checkRequest);
});

Deno.test("parseResponseHead() accepts exactly what the grammar matches, for mutated responses", () => {
  fuzz(RESPONSES, checkResponse);
});

/** Bytes that may be read from `start` to `end` only. */
function guarded(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Proxy(bytes, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key) && (Number(key) < start || Number(key) >= end)) {
        throw new RangeError(`Cannot read byte ${key} outside ${start} to ${end}`);
      }
      if (key === "subarray") {
        return (from: number, to: number) => {
          if (from < start || to > end) throw new RangeError(`Cannot read ${from} to ${to}`);
          return target.subarray(from, to);
        };
      }
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("guarded() notices a read outside its range", () => {
  const bytes = guarded(new Uint8Array(10), 2, 8);
  assertEquals([bytes[2], bytes[7], bytes.length, bytes.subarray(2, 8).length], [0, 0, 10, 6]);
  for (
    const read of [() => bytes[1], () => bytes[8], () => bytes.subarray(1, 3), () => bytes.subarray(3, 9)]
  ) {
    let thrown = false;
    try {
      read();
    } catch {
      thrown = true;
    }
    assertEquals(thrown, true);
  }
});

Deno.test("parseRequestHead() and parseResponseHead() never read outside their range", () => {
  const parsers: [HeadParser, string[], (head: Head, bytes: Uint8Array) => unknown][] = [
    [parseRequestHead, REQUESTS, requestMeaning],
    [parseResponseHead, RESPONSES, responseMeaning],
  ];
  for (const [parse, corpus, meaning] of parsers) {
    fuzz(corpus, (message, random) => {
      const start = Math.floor(random() * 10);
      const end = start + Math.floor(random() * (message.length + 1));
      const bytes = new Uint8Array(message.length + 20).fill(0x41);
      bytes.set(message, start);
      const head = new Head();
      if (parse(head, guarded(bytes, start, end), start, end, 100) !== DONE) return;
      // What is read from a head later lies within it, too.
      meaning(head, guarded(bytes, start, head.end));
    });
  }
});

Deno.test("parseRequestHead() accepts every request that the grammar can make", () => {
  const token = fc.stringMatching(new RegExp(`^${TCHAR}{1,12}$`));
  const target = fc.stringMatching(/^\/[\x21\x22\x24-\x7e]{0,30}$/);
  const value = fc.stringMatching(new RegExp(`^${TEXT}{0,20}$`));
  const field = fc.tuple(token, fc.constantFrom("", " ", "\t ", "  "), value);
  const request = fc.tuple(token, target, fc.constantFrom(0, 1), fc.array(field, { maxLength: 8 }));
  fc.assert(
    fc.property(request, ([method, path, minor, list]) => {
      const lines = list.map(([name, space, value]) => `${name}:${space}${value}\r\n`).join("");
      const raw = `${method} ${path} HTTP/1.${minor}\r\n${lines}\r\n`;
      const { outcome, head, bytes } = parseHead(parseRequestHead, raw);
      assertEquals(outcome, "done");
      const trimmed = list.map(([name, , value]) => [name, value.replace(/^[ \t]+|[ \t]+$/g, "")]);
      assertEquals(fields(head, bytes), trimmed as [string, string][]);
    }),
    { numRuns: 300 },
  );
});

Deno.test("readRequest() frames a body only when one plain field says so", () => {
  const name = fc.constantFrom(
    "Content-Length",
    "content-length",
    "Transfer-Encoding",
    "Content_Length",
    "X",
    "Host",
  );
  const value = fc.constantFrom(
    "5",
    "0",
    "05",
    "5,5",
    "+5",
    "chunked",
    "Chunked",
    "gzip, chunked",
    "identity",
    "a",
    "",
  );
  const lines = fc.array(fc.tuple(name, value), { maxLength: 4 });
  fc.assert(
    fc.property(lines, fc.constantFrom(0, 1), (list, minor) => {
      const raw = `POST / HTTP/1.${minor}\r\n${list.map(([n, v]) => `${n}: ${v}\r\n`).join("")}\r\n`;
      const bytes = fromLatin1(raw);
      const head = new Head(), info = new RequestInfo();
      assertNotEquals(parseRequestHead(head, bytes, 0, bytes.length, 100), MORE);
      if (readRequest(info, head, bytes) !== null) return;
      const named = (wanted: string) => list.filter(([n]) => n.toLowerCase() === wanted).map(([, v]) => v);
      const lengths = named("content-length"), codings = named("transfer-encoding");
      assertEquals(lengths.length + codings.length <= 1 && (codings.length === 0 || minor === 1), true, raw);
      assertEquals(
        lengths.every((v) => /^\d+$/.test(v)) && codings.every((v) => /^chunked$/i.test(v)),
        true,
        raw,
      );
      assertEquals(info.framing, codings.length === 1 ? 2 : lengths.length === 1 ? 1 : 0, raw);
      assertEquals(info.contentLength, Number(lengths[0] ?? 0), raw);
      assertEquals(named("host").length <= 1 && (minor === 0 || named("host").length === 1), true, raw);
    }),
    { numRuns: 2000 },
  );
});
