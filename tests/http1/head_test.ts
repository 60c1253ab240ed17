import {
  DONE,
  Head,
  MAX_FIELDS,
  parseRequestHead,
  parseResponseHead,
  parseTrailer,
  TOO_MANY_FIELDS,
} from "../../mod/http1/head.ts";
import { COOKIE, HOST, OTHER } from "../../mod/http/names.ts";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { assertEquals } from "../assert.ts";
import { parseHead } from "./feed.ts";

const outcome = (raw: string) => parseHead(parseRequestHead, raw).outcome;
const answer = (raw: string) => parseHead(parseResponseHead, raw).outcome;

Deno.test("parseRequestHead() finds method, target, version and fields", () => {
  const { head, bytes, outcome } = parseHead(
    parseRequestHead,
    "POST /a?b=c HTTP/1.1\r\nHost: a.example\r\nEmpty:\r\nX-Y: \t padded \t value \t \r\nCookie:a=b\r\n\r\nbody",
  );
  assertEquals(outcome, "done");
  assertEquals(latin1(bytes, head.start, head.methodEnd), "POST");
  assertEquals(latin1(bytes, head.targetStart, head.targetEnd), "/a?b=c");
  assertEquals(head.minor, 1);
  const fields = Array.from({ length: head.count }, (_, i) => [
    latin1(bytes, head.nameStart(i), head.nameEnd(i)),
    latin1(bytes, head.valueStart(i), head.valueEnd(i)),
    head.ids[i],
  ]);
  assertEquals(fields, [
    ["Host", "a.example", HOST],
    ["Empty", "", OTHER],
    ["X-Y", "padded \t value", OTHER],
    ["Cookie", "a=b", COOKIE],
  ]);
  assertEquals(latin1(bytes, head.end, head.end + 4), "body");
  assertEquals(latin1(bytes, head.fieldsStart, head.lineEnd(0)), "Host: a.example\r\n");
  assertEquals(latin1(bytes, head.nameStart(3), head.lineEnd(3)), "Cookie:a=b\r\n");
});

Deno.test("Head.find() gives the first field with a number, or -1", () => {
  const { head } = parseHead(
    parseRequestHead,
    "GET / HTTP/1.1\r\nA: b\r\nHost: one\r\nHost: two\r\n\r\n",
  );
  assertEquals(head.find(HOST), 1);
  assertEquals(head.find(COOKIE), -1);
});

Deno.test("Head.find() does not see the fields of an earlier head", () => {
  const head = new Head();
  const long = fromLatin1("GET / HTTP/1.1\r\nA: b\r\nHost: one\r\n\r\n");
  const short = fromLatin1("GET / HTTP/1.1\r\nA: b\r\n\r\n");
  assertEquals(parseRequestHead(head, long, 0, long.length, 100), DONE);
  assertEquals(parseRequestHead(head, short, 0, short.length, 100), DONE);
  assertEquals(head.find(HOST), -1);
});

Deno.test("RFC 9112 section 2.2: empty lines before the request line are skipped, lone CR or LF are not", () => {
  assertEquals(outcome("\r\n\r\nGET / HTTP/1.1\r\n\r\n"), "done");
  assertEquals(outcome("\r\n\r\n"), "more");
  assertEquals(outcome("\r"), "more");
  for (const before of ["\n", "\r", "\r\r\n", "\r\n\n", " ", "\t", "\0", "\v\r\n", "\xef\xbb\xbf"]) {
    assertEquals(outcome(`${before}GET / HTTP/1.1\r\n\r\n`), "malformed", JSON.stringify(before));
  }
});

Deno.test("RFC 9112 section 3: a request line is three words with one space between them", () => {
  for (
    const line of [
      "GET / HTTP/1.1",
      "get / HTTP/1.0",
      "M-SEARCH * HTTP/1.1",
      "X!#$%&'*+-.^_`|~9 /%00 HTTP/1.1",
    ]
  ) {
    assertEquals(outcome(`${line}\r\n\r\n`), "done", line);
  }
  const bad = [
    "GET / HTTP/1.1 ",
    " GET / HTTP/1.1",
    "GET  / HTTP/1.1",
    "GET /  HTTP/1.1",
    "GET\t/ HTTP/1.1",
    "GET /\tHTTP/1.1",
    "GET /a b HTTP/1.1",
    "GET /a\x0bb HTTP/1.1",
    "GET /a\0b HTTP/1.1",
    "GET /\x7f HTTP/1.1",
    "GET /\xe4 HTTP/1.1",
    "GET /#fragment HTTP/1.1",
    "GET /",
    "GET",
    "G@T / HTTP/1.1",
    "GET: / HTTP/1.1",
    '"GET" / HTTP/1.1',
    "/ HTTP/1.1",
    "GET HTTP/1.1",
    "GET  HTTP/1.1",
    "HTTP/1.1 200 OK",
  ];
  for (const line of bad) assertEquals(outcome(`${line}\r\nHost: a\r\n\r\n`), "malformed", line);
});

Deno.test("RFC 9112 section 2.3: the version is HTTP/1.0 or HTTP/1.1, in upper case", () => {
  const line = (version: string) => outcome(`GET / ${version}\r\nHost: a\r\n\r\n`);
  assertEquals(line("HTTP/1.0"), "done");
  assertEquals(line("HTTP/1.1"), "done");
  for (const version of ["HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9"]) {
    assertEquals(line(version), "version", version);
  }
  const bad = [
    "http/1.1",
    "Http/1.1",
    "HTTP/1.10",
    "HTTP/1.1x",
    "HTTP/11",
    "HTTP/1",
    "HTTP/1.",
    "HTTP/.1",
    "HTTP/1,1",
    "HTTP /1.1",
    "HTTP/ 1.1",
    "HTTP/01.1",
    "HTTP/1.01",
    "HTTP/+1.1",
    "HTTP/1.1\t",
    "HTTPS/1.1",
    "HTCPCP/1.0",
    "XTTP/1.1",
  ];
  for (const version of bad) assertEquals(line(version), "malformed", version);
});

Deno.test("RFC 9112 section 2.2: a bare CR or LF is malformed wherever it stands", () => {
  const good = "GET /path HTTP/1.1\r\nHost: a\r\nX: y z\r\n\r\n";
  assertEquals(outcome(good), "done");
  // Before the last byte, as one LF more behind a complete head is not part of it.
  for (let at = 0; at < good.length - 1; at++) {
    for (const byte of ["\n", "\r", "\0"]) {
      const raw = good.slice(0, at) + byte + good.slice(at);
      assertEquals(outcome(raw), "malformed", JSON.stringify(raw));
    }
  }
});

Deno.test("parseRequestHead() does not take a lone LF for the end of a line", () => {
  const bad = [
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\r\nHost: a\r\rX: y\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\rX",
  ];
  for (const raw of bad) assertEquals(outcome(raw), "malformed", JSON.stringify(raw));
});

Deno.test("RFC 9112 section 5: field lines that are malformed", () => {
  const bad = [
    " Host: a",
    "\tHost: a",
    "Host : a",
    "Host\t: a",
    "Host",
    ": a",
    "",
    "Ho st: a",
    "Host\0: a",
    "H\xf6st: a",
    "Host(: a",
    '"Host": a',
    "Ho\x7fst: a",
    "[Host]: a",
    "X: a\0b",
    "X: a\x01",
    "X: \x7f",
    "X: a\x0bb",
    "X: a\x0cb",
    "X: \x1b[0m",
    "X: a\r\n folded",
    "X: a\r\n\tfolded",
    "X: a\r\n ",
    "X:\r\n folded",
  ];
  for (const line of bad) {
    const raw = `GET / HTTP/1.1\r\nA: b\r\n${line}\r\nC: d\r\n\r\n`;
    // An empty line ends the head: no error, but then nothing after it belongs to it.
    assertEquals(outcome(raw), line === "" ? "done" : "malformed", JSON.stringify(line));
  }
});

Deno.test("RFC 9110 section 5.5: values may hold tabs, colons, quotes and bytes above ASCII", () => {
  for (const value of ["a\tb", "http://a:80/", '"quoted"', "gr\xfc\xdfe", "\xff\x80", '{}[]()<>@,;:\\"/?=']) {
    const { head, bytes } = parseHead(parseRequestHead, `GET / HTTP/1.1\r\nX: ${value}\r\n\r\n`);
    assertEquals(latin1(bytes, head.valueStart(0), head.valueEnd(0)), value);
  }
});

Deno.test("parseRequestHead() counts fields up to the limit", () => {
  const withFields = (count: number, max: number) =>
    parseHead(parseRequestHead, `GET / HTTP/1.1\r\n${"A: b\r\n".repeat(count)}\r\n`, max).outcome;
  assertEquals(withFields(0, 0), "done");
  assertEquals(withFields(1, 0), "tooManyFields");
  assertEquals(withFields(10, 10), "done");
  assertEquals(withFields(11, 10), "tooManyFields");
});

Deno.test("parseRequestHead() never takes more than MAX_FIELDS, whatever the limit says", () => {
  const head = new Head();
  const parse = (count: number) => {
    const raw = fromLatin1(`GET / HTTP/1.1\r\n${"A: b\r\n".repeat(count)}\r\n`);
    return parseRequestHead(head, raw, 0, raw.length, 1_000_000);
  };
  assertEquals(parse(MAX_FIELDS), DONE);
  assertEquals(head.count, MAX_FIELDS);
  assertEquals(parse(MAX_FIELDS + 1), TOO_MANY_FIELDS);
});

Deno.test("RFC 9112 section 4: a status line is a version, three digits and any reason", () => {
  const good: [string, number][] = [
    ["HTTP/1.1 200 OK", 200],
    ["HTTP/1.0 404 Not Found", 404],
    ["HTTP/1.1 200 ", 200],
    ["HTTP/1.1 200", 200],
    ["HTTP/1.1 100 Continue", 100],
    ["HTTP/1.1 599 gr\xfc\xdfe\tund so", 599],
    ["HTTP/1.1 999  two spaces", 999],
  ];
  for (const [line, status] of good) {
    const { head, outcome } = parseHead(parseResponseHead, `${line}\r\nA: b\r\n\r\n`);
    assertEquals([outcome, head.status, head.count], ["done", status, 1], line);
  }
  const bad = [
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 -20 OK",
    "HTTP/1.1 +20 OK",
    "HTTP/1.1 2x0 OK",
    "HTTP/1.1 20\xb2 OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1\t200 OK",
    "HTTP/1.1 200\tOK",
    "HTTP/1.1 200OK",
    "HTTP/1.1 OK",
    "HTTP/1.1",
    "HTTP/1.1 ",
    "HTTP/1.1 200 O\0K",
    "HTTP/1.1 200 O\x7fK",
    "HTTP/1.1 200 OK\n",
    "http/1.1 200 OK",
    "HTTP/1.10 200 OK",
    "ICY 200 OK",
    "200 OK",
    "<html>",
    "\r\nHTTP/1.1 200 OK",
    " HTTP/1.1 200 OK",
    "SSH-2.0-OpenSSH",
  ];
  for (const line of bad) assertEquals(answer(`${line}\r\nA: b\r\n\r\n`), "malformed", JSON.stringify(line));
  for (const version of ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0"]) {
    assertEquals(answer(`${version} 200 OK\r\n\r\n`), "version", version);
  }
});

Deno.test("parseResponseHead() refuses garbage before a whole line has come", () => {
  assertEquals(answer("X"), "malformed");
  assertEquals(answer("HTTP/1.1 2x"), "malformed");
  assertEquals(answer("HTTP/1.1 0"), "malformed");
  assertEquals(answer("HTTP/1.1 20"), "more");
  assertEquals(answer("HTT"), "more");
  assertEquals(answer(""), "more");
});

Deno.test("parseTrailer() reads fields without a first line", () => {
  const { head, outcome } = parseHead(parseTrailer, "A: b\r\nC: d\r\n\r\nnext");
  assertEquals([outcome, head.count], ["done", 2]);
  assertEquals(parseHead(parseTrailer, "\r\n").outcome, "done");
  assertEquals(parseHead(parseTrailer, "A : b\r\n\r\n").outcome, "malformed");
  assertEquals(parseHead(parseTrailer, "A: b\r\n\tfold\r\n\r\n").outcome, "malformed");
});
