/** What RFC 9110 and 9112 ask of a proxy that gets a request: its line, its fields, its host. */
import { type Case, get, head, passed, post, refused, shown } from "./http1_case.ts";

const lines: Case[] = [
  ...[
    "GET  / HTTP/1.1",
    "GET /  HTTP/1.1",
    "GET\t/ HTTP/1.1",
    " GET / HTTP/1.1",
    "GET / HTTP/1.1 ",
    "GET /a b HTTP/1.1",
    "GET /\x80 HTTP/1.1",
    "GET /\0 HTTP/1.1",
    "GET /\x7f HTTP/1.1",
    "GET /#a HTTP/1.1",
    "GET /",
    "GET",
    "G(T / HTTP/1.1",
    "GET / http/1.1",
    "GET / HTTP/1.10",
    "GET / HTTP/1",
    "GET / HTTPS/1.1",
    "GET a HTTP/1.1",
    "GET * HTTP/1.1",
    "GET ?a HTTP/1.1",
    "GET ftp://a/ HTTP/1.1",
    "GET http:///x HTTP/1.1",
    "GET http://u@a/ HTTP/1.1",
    "GET /\nGET / HTTP/1.1",
    "\x16\x03\x01\x02",
    "PRI * HTTP/2.0",
  ].map((line) =>
    refused(`RFC 9112 section 3: the request line "${shown(line)}"`, head(line, "Host: a"), [400, 505])
  ),
  ...["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/9.9"].map((version) =>
    refused(`RFC 9110 section 15.6.6: ${version}`, head(`GET / ${version}`, "Host: a"), [505])
  ),
  refused("RFC 9110 section 9.3.6: CONNECT", head("CONNECT a:443 HTTP/1.1", "Host: a:443"), [501, 405]),
  refused("RFC 9112 section 2.2: a lone LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
  refused("RFC 9112 section 2.2: lone LFs end everything", "GET / HTTP/1.1\nHost: a\n\n"),
  refused("RFC 9112 section 2.2: a lone LF ends a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
  refused("RFC 9112 section 2.2: a lone CR in a value", get("X: a\rb")),
  refused(
    "RFC 9112 section 2.2: a lone LF before the request",
    "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
  ),
  passed("RFC 9112 section 2.2: empty lines before the request", `\r\n\r\n${get()}`, {
    line: "GET / HTTP/1.1",
  }),
  passed("RFC 9110 section 9.1: an unknown method", head("BREW /pot HTTP/1.1", "Host: a")),
  passed("RFC 9110 section 9.1: methods are case-sensitive", head("get / HTTP/1.1", "Host: a")),
  passed(
    "RFC 9112 section 3.2: the target travels unchanged",
    head("GET /a//b/../c?d=%2F&e=<|>?f HTTP/1.1", "Host: a"),
  ),
];

const fields: Case[] = [
  ...[
    "X : y",
    "X\t: y",
    " X: y",
    "X",
    ": y",
    "X y: z",
    "X\0: y",
    "X: a\0b",
    "X: \x01",
    "X: \x7f",
    "X\xe4: y",
    "X: y\r\n z",
    "X(y): z",
  ]
    .map((line) => refused(`RFC 9112 section 5: the field "${shown(line)}"`, get(line))),
  refused("RFC 9112 section 5.2: folding in the first field", head("GET / HTTP/1.1", " Host: a", "Host: a")),
  passed("RFC 9110 section 5.5: bytes above ASCII and tabs in a value", get("X: gr\xfc\xdfe\tan \xff"), {
    has: ["X: gr\xfc\xdfe\tan \xff"],
  }),
  passed("RFC 9110 section 5.5: empty values", get("X:", "Y: "), { has: ["X:", "Y:"] }),
  passed("RFC 9110 section 5.3: the order of equal fields", get("X: 1", "Y: 2", "Z: 3"), {
    has: ["X: 1", "Y: 2", "Z: 3"],
  }),
  refused(
    "RFC 6585 section 5: more fields than the limit",
    get(...Array.from({ length: 200 }, (_, i) => `X${i}: y`)),
    [431],
  ),
  refused("RFC 6585 section 5: a head larger than the limit", get(`X: ${"y".repeat(40_000)}`), [431]),
  refused(
    "RFC 9110 section 15.5.15: a target longer than the limit",
    head(`GET /${"y".repeat(40_000)} HTTP/1.1`, "Host: a"),
    [414],
  ),
  refused(
    "RFC 9110 section 15.5.14: a body larger than the limit",
    post(["Content-Length: 1000001"]),
    [413],
  ),
];

const hosts: Case[] = [
  passed(
    "RFC 9112 section 3.2.4: OPTIONS of an authority is OPTIONS *",
    head("OPTIONS http://a HTTP/1.1", "Host: a"),
    {
      line: "OPTIONS * HTTP/1.1",
    },
  ),
  refused("RFC 9112 section 3.2: no Host", head("GET / HTTP/1.1")),
  refused("RFC 9112 section 3.2: two Hosts", get("Host: b")),
  refused("RFC 9112 section 3.2: two equal Hosts", get("Host: a")),
  refused("RFC 9112 section 3.2: no Host in absolute form of HTTP/1.0", head("GET http://a/ HTTP/1.0")),
  refused("RFC 9112 section 3.2: no Host in absolute form", head("GET http://a/ HTTP/1.1")),
  ...[
    "",
    "a b",
    "a,b",
    "a, b",
    "a/b",
    "a@b",
    "u:p@a",
    "a:b",
    "a:80:80",
    "a:99999",
    "[::1",
    "::1",
    "[g::1]",
    "a%00b",
    "a\\b",
    "a?b",
    "b\xfcr",
    "<a>",
  ]
    .map((value) =>
      refused(
        `RFC 9110 section 7.2: Host "${shown(value)}"`,
        head("GET / HTTP/1.1", `Host: ${value}`),
      )
    ),
  ...["a.example", "A.EXAMPLE:8080", "127.0.0.1:80", "[::1]:8080", "a:"].map((value) =>
    passed(`RFC 9110 section 7.2: Host ${value}`, head("GET / HTTP/1.1", `Host: ${value}`), {
      has: [`Host: ${value}`],
    })
  ),
  refused(
    "RFC 9112 section 3.2.2: another authority in the target",
    head("GET http://b/ HTTP/1.1", "Host: a"),
  ),
  refused(
    "RFC 9112 section 3.2.2: another port in the target",
    head("GET http://a:81/ HTTP/1.1", "Host: a:80"),
  ),
  passed(
    "RFC 9112 section 3.2.2: absolute form leaves in origin form",
    head("GET http://a.example:80/b?c HTTP/1.1", "Host: A.example:80"),
    {
      line: "GET /b?c HTTP/1.1",
      has: ["Host: A.example:80"],
    },
  ),
  passed("RFC 9112 section 3.2.2: absolute form without a path", head("GET http://a HTTP/1.1", "Host: a"), {
    line: "GET / HTTP/1.1",
  }),
  passed(
    "RFC 9112 section 3.2.2: absolute form with a query alone",
    head("GET http://a?b HTTP/1.1", "Host: a"),
    {
      line: "GET /?b HTTP/1.1",
    },
  ),
  passed("RFC 9112 section 3.2.4: OPTIONS *", head("OPTIONS * HTTP/1.1", "Host: a")),
];

export const REQUEST_CASES: readonly Case[] = [...lines, ...fields, ...hosts];
