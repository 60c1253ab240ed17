/** What RFC 9110 and 9112 ask of a proxy about connections: fields of the hop, who the client is, persistence, expectations. */
import { type Case, EVIL, get, head, passed, post, refused } from "./http1_case.ts";

const hops: Case[] = [
  passed(
    "RFC 9110 section 7.6.1: fields of the hop stay on it",
    get(
      "Connection: keep-alive",
      "Keep-Alive: timeout=5",
      "Proxy-Connection: keep-alive",
      "TE: trailers",
      "Upgrade: x",
    ),
    { lacks: ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade"] },
  ),
  passed(
    "RFC 9110 section 7.6.1: nominated fields stay on the hop",
    get("Connection: X-A, x-b", "x-a: 1", "X-B: 2", "X-C: 3"),
    {
      lacks: ["X-A", "X-B", "Connection"],
      has: ["X-C: 3"],
    },
  ),
  passed("RFC 9110 section 7.6.1: nominating Host does no harm", get("Connection: Host"), {
    has: ["Host: a"],
  }),
  passed(
    "RFC 9110 section 7.6.1: nominating Content-Length does no harm",
    post(["Connection: Content-Length", "Content-Length: 5"], "hello"),
    { has: ["Content-Length: 5"], body: "hello" },
  ),
  passed(
    "RFC 9110 section 7.6.1: nominating Transfer-Encoding does no harm",
    post(["Connection: Transfer-Encoding", "Transfer-Encoding: chunked"], "5\r\nhello\r\n0\r\n\r\n"),
    { body: "hello" },
  ),
  passed(
    "RFC 9110 section 7.6.1: nominating our own fields does no harm",
    get(
      "Connection: X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, X-Real-IP, Forwarded, Via, X-Request-Id",
    ),
    {
      has: [
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: a",
        "X-Real-IP: 127.0.0.1",
      ],
    },
  ),
  refused(
    "RFC 9110 section 7.6.1: Connection that is no list of tokens",
    get("Connection: close keep-alive"),
  ),
  passed("RFC 9110 section 7.8: Upgrade without its option is dropped", get("Upgrade: websocket"), {
    lacks: ["Upgrade"],
  }),
  passed(
    "RFC 9110 section 7.8: an upgrade may be answered plainly",
    get("Connection: Upgrade", "Upgrade: websocket"),
    {
      has: ["Connection: Upgrade", "Upgrade: websocket"],
    },
  ),
  passed(
    "RFC 9113 section 3.1: no upgrade to h2c",
    get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    { lacks: ["Connection", "Upgrade", "HTTP2-Settings"] },
  ),
];

const identity: Case[] = [
  passed(
    "who the client is: its own words are replaced",
    get(
      "X-Forwarded-For: 6.6.6.6",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: evil",
      "X-Real-IP: 6.6.6.6",
      "Forwarded: for=6.6.6.6",
    ),
    {
      has: [
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: a",
        "X-Real-IP: 127.0.0.1",
        'Forwarded: for=127.0.0.1;host="a";proto=http',
      ],
    },
  ),
  passed(
    "who the client is: a trusted proxy is believed",
    get(
      "X-Forwarded-For: 192.0.2.7",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: shop",
      "X-Real-IP: 192.0.2.7",
      "Forwarded: for=192.0.2.7",
      "X-Request-Id: abc-1",
    ),
    {
      has: [
        "X-Forwarded-For: 192.0.2.7, 127.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: shop",
        "X-Real-IP: 192.0.2.7",
        'Forwarded: for=192.0.2.7, for=127.0.0.1;host="a";proto=http',
        "X-Request-Id: abc-1",
      ],
    },
    { trusted: true },
  ),
  passed(
    "who the client is: two X-Forwarded-For of a trusted proxy are one list",
    get("X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 192.0.2.8"),
    {
      has: ["X-Forwarded-For: 192.0.2.7, 192.0.2.8, 127.0.0.1"],
    },
    { trusted: true },
  ),
  passed("RFC 9110 section 7.6.3: Via is added to", get("Via: 1.0 fred"), { lacks: [] }),
  passed(
    "a client's X-Request-Id is replaced by ours",
    get("X-Request-Id: evil"),
    { has: ["X-Request-Id:"] },
  ),
];

const persistence: Case[] = [
  passed("RFC 9112 section 9.3: HTTP/1.1 persists", get()),
  passed("RFC 9112 section 9.6: close closes", get("Connection: close"), { lacks: ["Connection"] }, {
    closed: true,
  }),
  passed("RFC 9112 section 9.3: close wins over keep-alive", get("Connection: close, keep-alive"), {}, {
    closed: true,
  }),
  passed("RFC 9112 section 9.3: HTTP/1.0 closes", head("GET / HTTP/1.0", "Host: a"), {
    line: "GET / HTTP/1.1",
  }, { closed: true }),
  passed(
    "RFC 9112 section 9.3: HTTP/1.0 with keep-alive persists",
    head("GET / HTTP/1.0", "Host: a", "Connection: Keep-Alive"),
    {
      line: "GET / HTTP/1.1",
    },
    { answers: [{ status: [200], has: ["Connection: keep-alive"] }] },
  ),
  passed(
    "RFC 9112 section 9.3: close wins in HTTP/1.0, too",
    head("GET / HTTP/1.0", "Host: a", "Connection: keep-alive, close"),
    {
      line: "GET / HTTP/1.1",
    },
    { closed: true },
  ),
  passed("RFC 9112 section 3.2: HTTP/1.0 without Host is given one", head("GET / HTTP/1.0"), {
    line: "GET / HTTP/1.1",
    has: ["Host:"],
    lacks: ["X-Forwarded-Host"],
  }, { closed: true }),
  passed(
    "RFC 9112 section 9.3.2: pipelined requests are answered in order",
    head("GET /1 HTTP/1.1", "Host: a") +
      head("POST /2 HTTP/1.1", "Host: a", "Content-Length: 5") + "hello" +
      head("HEAD /3 HTTP/1.1", "Host: a") +
      head("GET /4 HTTP/1.1", "Host: a"),
    {},
    {
      methods: ["GET", "POST", "HEAD", "GET"],
      answers: ["/1", "/2", "", "/4"].map((body) => ({ status: [200], body })),
      requests: [
        { line: "GET /1 HTTP/1.1" },
        { line: "POST /2 HTTP/1.1", body: "hello" },
        { line: "HEAD /3 HTTP/1.1" },
        { line: "GET /4 HTTP/1.1" },
      ],
    },
  ),
  passed(
    "RFC 9112 section 9.6: nothing is read behind a request with close",
    get("Connection: close") + EVIL,
    {},
    {
      closed: true,
    },
  ),
  passed("a good request, then a bad one", get() + "GET / HTTP/1.1\r\nHost : a\r\n\r\n" + EVIL, {}, {
    answers: [{ status: [200], body: "/" }, { status: [400] }],
    closed: true,
  }),
  passed("a request in single bytes", get("X: y"), { has: ["X: y"] }, { send: [...get("X: y")] }),
  passed("a body in single bytes", post(["Content-Length: 5"], "hello"), { body: "hello" }, {
    send: [post(["Content-Length: 5"]), ..."hello"],
  }),
  passed("chunks in single bytes", post(["Transfer-Encoding: chunked"]), { body: "hello" }, {
    send: [post(["Transfer-Encoding: chunked"]), ..."5;a\r\nhello\r\n0\r\n\r\n"],
  }),
  {
    name: "RFC 9112 section 8: a body that the client breaks off",
    send: [post(["Content-Length: 50"], "hello")],
    finish: true,
    answers: [{ status: [400, 408, 502] }],
    closed: true,
    mayBreakOff: true,
    requests: [],
    partial: true,
  },
  {
    name: "RFC 9112 section 8: chunks that the client breaks off",
    send: [post(["Transfer-Encoding: chunked"], "5\r\nhello\r\n")],
    finish: true,
    answers: [{ status: [400, 408, 502] }],
    closed: true,
    mayBreakOff: true,
    requests: [],
    partial: true,
  },
  {
    name: "RFC 9112 section 8: a head that the client breaks off",
    send: ["GET / HTTP/1.1\r\nHost: a\r\n"],
    finish: true,
    answers: [{ status: [400, 408] }],
    closed: true,
    mayBreakOff: true,
    requests: [],
  },
];

const FINAL = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
const expectations: Case[] = [
  passed(
    "RFC 9110 section 10.1.1: 100-continue, then the body",
    post(["Content-Length: 5", "Expect: 100-continue"]),
    { body: "hello" },
    {
      send: [post(["Content-Length: 5", "Expect: 100-continue"]), "hello"],
      interim: [100],
    },
  ),
  passed(
    "RFC 9110 section 10.1.1: 100-continue, then chunks",
    post(["Transfer-Encoding: chunked", "Expect: 100-Continue"]),
    {
      body: "hello",
    },
    {
      send: [post(["Transfer-Encoding: chunked", "Expect: 100-Continue"]), "5\r\nhello\r\n0\r\n\r\n"],
      interim: [100],
    },
  ),
  passed(
    "RFC 9110 section 10.1.1: a refused body is never read as a request",
    post(["Content-Length: 31", "Expect: 100-continue"]),
    {},
    {
      send: [post(["Content-Length: 31", "Expect: 100-continue"]), EVIL],
      answers: [{ status: [403], body: "no" }],
      reply: [FINAL],
      replyAtHead: true,
      partial: true,
      closed: true,
    },
  ),
  passed(
    "RFC 9110 section 10.1.1: HTTP/1.0 cannot expect",
    head("POST / HTTP/1.0", "Host: a", "Expect: 100-continue", "Content-Length: 5") + "hello",
    {
      line: "POST / HTTP/1.1",
      lacks: ["Expect"],
      body: "hello",
    },
    { closed: true },
  ),
  refused("RFC 9110 section 10.1.1: another expectation", post(["Expect: 200-ok", "Content-Length: 0"]), [
    417,
  ]),
  passed(
    "RFC 9112 section 7.1.2: trailers travel on, without those that would change the head",
    post(
      ["Transfer-Encoding: chunked", "Trailer: X-Sum"],
      "5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 7\r\nHost: evil\r\nTransfer-Encoding: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
    ),
    { body: "hello", trailers: ["X-Sum: 1"] },
  ),
];

export const CONNECTION_CASES: readonly Case[] = [...hops, ...identity, ...persistence, ...expectations];
