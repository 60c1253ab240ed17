/** What servers answer, rightly and wrongly, and what a client may get of it: the answer, 502, or a broken-off one. */
import { answered, badGateway, type Case, head, passed, post, shown } from "./http1_case.ts";

/** A second answer that nobody asked for: who gets it has been poisoned. */
const EVIL_ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
const OK = "HTTP/1.1 200 OK";
const good = (body: string, ...lines: string[]) =>
  head(OK, `Content-Length: ${body.length}`, ...lines) + body;

const garbage: Case[] = [
  ...[
    "SSH-2.0-OpenSSH_9\r\n",
    "<html>hello</html>\r\n\r\n",
    "ICY 200 OK\r\n\r\n",
    "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
    "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "\x15\x03\x01\0\x02\x02\x0a",
  ].map((reply) => badGateway(`RFC 9112 section 4: the answer "${shown(reply).slice(0, 32)}"`, reply)),
  ...[
    "X : y",
    " X: y",
    "X",
    ": y",
    "X: y\r\n z",
    "X: a\0b",
    "X: a\rSet-Cookie: b",
    "X: a\nSet-Cookie: b",
    "X y: z",
    "X\x80: y",
  ].map((line) =>
    badGateway(`RFC 9112 section 5: an answer with the field "${shown(line)}"`, good("hello", line))
  ),
  badGateway(
    "RFC 9112 section 2.2: an answer whose lines end in LF",
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
  ),
  badGateway(
    "an answer with a head of 200 KB",
    good("", ...Array.from({ length: 400 }, () => `X: ${"y".repeat(500)}`)),
  ),
  badGateway("an answer with 2000 fields", good("", ...Array.from({ length: 2000 }, () => "X: y"))),
  badGateway("no answer at all", "", {
    replyThenClose: true,
    repeats: true,
  }),
  badGateway("an answer that ends within its head", "HTTP/1.1 200 OK\r\nContent-Le", {
    replyThenClose: true,
  }),
];

const framing: Case[] = [
  ...[
    ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Content-Length: 5"],
    ["Content-Length: 5", "Content-Length: 6"],
    ["Content-Length: 5, 5"],
    ["Content-Length: +5"],
    ["Content-Length: -5"],
    ["Content-Length:"],
    ["Content-Length: 18446744073709551621"],
    ["Transfer-Encoding: gzip, chunked"],
    ["Transfer-Encoding: identity"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
  ].map((lines) =>
    badGateway(`RFC 9112 section 6.3: an answer with ${lines.join(" and ")}`, `${head(OK, ...lines)}hello`)
  ),
  badGateway(
    "RFC 9112 section 6.1: chunked in an HTTP/1.0 answer",
    `${head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked")}0\r\n\r\n`,
  ),
  answered(
    "RFC 9112 section 6.3: two equal Content-Length leave as one",
    head(OK, "Content-Length: 5", "Content-Length: 5") + "hello",
    {
      status: [200],
      body: "hello",
      has: ["Content-Length: 5"],
    },
  ),
  answered(
    "RFC 9112 section 7.1: chunks are framed anew",
    `${head(OK, "Transfer-Encoding: CHUNKED")}5;a=b\r\nhello\r\n0\r\n\r\n`,
    {
      status: [200],
      body: "hello",
      has: ["Transfer-Encoding: chunked"],
      lacks: ["Content-Length"],
    },
  ),
  answered("RFC 9112 section 6.3: until close becomes chunked", `${head(OK)}hello`, {
    status: [200],
    body: "hello",
    lacks: ["Connection"],
  }, { replyThenClose: true }),
  answered(
    "RFC 9112 section 6.3: an HTTP/1.0 answer until close",
    `${head("HTTP/1.0 200 OK", "Connection: keep-alive")}hello`,
    {
      status: [200],
      body: "hello",
    },
    { replyThenClose: true },
  ),
  passed(
    "RFC 9112 section 7: an HTTP/1.0 client never gets chunks",
    head("GET / HTTP/1.0", "Host: a", "Connection: keep-alive"),
    {
      line: "GET / HTTP/1.1",
    },
    {
      answers: [{ status: [200], body: "hello", lacks: ["Transfer-Encoding"] }],
      reply: [`${head(OK, "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`],
      closed: true,
    },
  ),
];

const broken: Case[] = [
  ["a chunk size that is no number", "xyz\r\nhello\r\n0\r\n\r\n"],
  ["a chunk size that overflows", "ffffffffffffffff5\r\nhello\r\n0\r\n\r\n"],
  ["a chunk with a lone LF", "5\nhello\r\n0\r\n\r\n"],
  ["a chunk that is longer than its size", `5\r\nhello!\r\n0\r\n\r\n`],
  ["a chunk extension with a lone LF", "5;a\nb\r\nhello\r\n0\r\n\r\n"],
  ["a trailer with a space before the colon", "5\r\nhello\r\n0\r\nX : y\r\n\r\n"],
].map(([what, body]) =>
  answered(
    `RFC 9112 section 8: an answer with ${what} is broken off`,
    head(OK, "Transfer-Encoding: chunked") + body,
    {
      status: [502],
    },
    { closed: true, mayBreakOff: true },
  )
);
broken.push(
  answered(
    "RFC 9112 section 8: an answer shorter than its length is broken off",
    `${head(OK, "Content-Length: 50")}hello`,
    {
      status: [502],
    },
    { closed: true, mayBreakOff: true, replyThenClose: true },
  ),
  answered(
    "RFC 9112 section 8: chunks without an end are broken off",
    `${head(OK, "Transfer-Encoding: chunked")}5\r\nhello\r\n`,
    {
      status: [502],
    },
    { closed: true, mayBreakOff: true, replyThenClose: true },
  ),
);

const poison: Case[] = [
  answered("poison: a second answer behind the first", good("hello") + EVIL_ANSWER, {
    status: [200],
    body: "hello",
  }),
  answered("poison: a second answer a little later", [good("hello"), EVIL_ANSWER], {
    status: [200],
    body: "hello",
  }),
  answered("poison: a body longer than its length", `${head(OK, "Content-Length: 5")}hello${EVIL_ANSWER}`, {
    status: [200],
    body: "hello",
  }),
  answered(
    "poison: a second answer behind the last chunk",
    `${head(OK, "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n${EVIL_ANSWER}`,
    {
      status: [200],
      body: "hello",
    },
  ),
  answered("poison: 204 with a body", head("HTTP/1.1 204 No Content", "Content-Length: 42") + EVIL_ANSWER, {
    status: [204],
    body: "",
    lacks: ["Content-Length", "Transfer-Encoding"],
  }),
  answered(
    "poison: 204 with chunks",
    `${head("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked")}0\r\n\r\n`,
    {
      status: [204],
      lacks: ["Content-Length", "Transfer-Encoding"],
    },
  ),
  answered("poison: 304 with a body", head("HTTP/1.1 304 Not Modified", "Content-Length: 42") + EVIL_ANSWER, {
    status: [304],
    body: "",
  }),
  passed("poison: an answer to HEAD with a body", head("HEAD / HTTP/1.1", "Host: a"), {}, {
    methods: ["HEAD"],
    answers: [{ status: [200], body: "", has: ["Content-Length: 42"] }],
    reply: [head(OK, "Content-Length: 42") + EVIL_ANSWER],
  }),
  passed("poison: an answer to HEAD with chunks", head("HEAD / HTTP/1.1", "Host: a"), {}, {
    methods: ["HEAD"],
    answers: [{ status: [200], body: "" }],
    reply: [`${head(OK, "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`],
  }),
  passed("poison: an answer before the request's body has come", post(["Content-Length: 50"], "hello"), {}, {
    answers: [{ status: [413], body: "no" }],
    reply: ["HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"],
    replyAtHead: true,
    partial: true,
    closed: true,
  }),
  badGateway(
    "poison: 100 with a body",
    `${head("HTTP/1.1 100 Continue", "Content-Length: 5")}hello${EVIL_ANSWER}`,
    {
      interim: [100],
    },
  ),
  badGateway(
    "poison: 101 that nobody asked for",
    head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: x") + EVIL_ANSWER,
  ),
];

const interims: Case[] = [
  answered(
    "RFC 9110 section 15.2: 103 travels on",
    head("HTTP/1.1 103 Early Hints", "Link: </a>") + good("hello"),
    {
      status: [200],
      body: "hello",
    },
    { interim: [103] },
  ),
  answered(
    "RFC 9110 section 15.2: interim answers come apart from the final one",
    [
      head("HTTP/1.1 102 Processing"),
      head("HTTP/1.1 103 Early Hints"),
      good("hello"),
    ],
    { status: [200], body: "hello" },
    { interim: [102, 103] },
  ),
  passed(
    "RFC 9110 section 15.2: an HTTP/1.0 client gets no interim answers",
    head("GET / HTTP/1.0", "Host: a"),
    {
      line: "GET / HTTP/1.1",
    },
    {
      reply: [head("HTTP/1.1 103 Early Hints") + good("hello")],
      answers: [{ status: [200], body: "hello" }],
      interim: [],
      closed: true,
    },
  ),
];

const fields: Case[] = [
  answered(
    "RFC 9110 section 7.6.1: fields of the server's hop stay on it",
    good(
      "hello",
      "Connection: close, X-A",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: close",
      "Upgrade: h2c",
      "X-A: 1",
      "X-B: 2",
    ),
    {
      status: [200],
      body: "hello",
      has: ["X-B: 2"],
      lacks: ["Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "X-A"],
    },
    { replyThenClose: true },
  ),
  answered(
    "RFC 9110 section 7.6.1: a server's nominations do no harm to the framing",
    good("hello", "Connection: Content-Length"),
    {
      status: [200],
      body: "hello",
      has: ["Content-Length: 5"],
    },
  ),
  answered(
    "RFC 9112 section 4: a status line without reason",
    "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    {
      status: [200],
      body: "hello",
    },
  ),
  answered("RFC 9110 section 15: an unknown status", `HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n`, {
    status: [299],
    body: "",
  }),
  answered("an answer in single bytes", [...good("hello")], { status: [200], body: "hello" }),
  answered(
    "RFC 9112 section 2.3: an HTTP/1.0 answer leaves as HTTP/1.1",
    head("HTTP/1.0 200 OK", "Content-Length: 5") + "hello",
    {
      status: [200],
      body: "hello",
    },
    { replyThenClose: true },
  ),
];

export const ANSWER_CASES: readonly Case[] = [
  ...garbage,
  ...framing,
  ...broken,
  ...poison,
  ...interims,
  ...fields,
];
