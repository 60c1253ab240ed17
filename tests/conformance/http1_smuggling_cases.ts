/** Requests that two parsers could read in two ways: each is refused, or leaves in one form that has one meaning. */
import { type Case, EVIL, get, head, passed, post, refused, refusedMidway, shown } from "./http1_case.ts";

const CHUNKED = "Transfer-Encoding: chunked";

const bothLengths: Case[] = [
  refused("RFC 9112 section 6.1: CL.TE", post(["Content-Length: 6", CHUNKED], "0\r\n\r\nG")),
  refused("RFC 9112 section 6.1: TE.CL", post([CHUNKED, "Content-Length: 4"], `1f\r\n${EVIL}\r\n0\r\n\r\n`), [
    400,
  ]),
  refused(
    "RFC 9112 section 6.1: Content-Length 0 beside chunked",
    post([CHUNKED, "Content-Length: 0"], "0\r\n\r\n"),
  ),
  refused(
    "RFC 9112 section 6.3: two equal Content-Length",
    post(["Content-Length: 5", "Content-Length: 5"], "hello"),
  ),
  refused(
    "RFC 9112 section 6.3: two different Content-Length",
    post(["Content-Length: 5", "Content-Length: 40"], "hello" + EVIL),
  ),
  refused("RFC 9112 section 6.1: chunked twice, TE.TE", post([CHUNKED, CHUNKED], "0\r\n\r\n")),
  refused(
    "RFC 9112 section 6.1: chunked in HTTP/1.0",
    head("POST / HTTP/1.0", "Host: a", CHUNKED) + "0\r\n\r\n",
  ),
  refused(
    "RFC 9112 section 6.1: chunked in HTTP/1.0 that asks to be kept alive",
    head("POST / HTTP/1.0", "Host: a", "Connection: keep-alive", CHUNKED) + `0\r\n\r\n${EVIL}`,
  ),
  refused(
    "RFC 9112 section 6.1: identity, then chunked",
    post(["Transfer-Encoding: identity", CHUNKED], "0\r\n\r\n"),
  ),
  refused(
    "RFC 9112 section 6.1: chunked, then identity",
    post([CHUNKED, "Transfer-Encoding: identity"], "0\r\n\r\n"),
  ),
];

const lengths: Case[] = [
  ...[
    "",
    "+5",
    "-5",
    "-0",
    "0x5",
    "5 5",
    "5, 5",
    "5,",
    "5.0",
    "5e0",
    '"5"',
    "five",
    "5;a",
    "12345678901234567890",
  ],
  ...["18446744073709551621", "5\t5", "5\xa0"],
].map((value) =>
  refused(
    `RFC 9112 section 6.3: Content-Length "${shown(value)}"`,
    post([`Content-Length: ${value}`], "hello" + EVIL),
  )
);

const codings: Case[] = [
  ...["", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked,", ",chunked"],
  ...["chunked;q=1", '"chunked"', "xchunked", "chunkedx", "chunked\xa0", "chunked identity", "cow"],
].map((value) =>
  refused(
    `RFC 9112 section 6.1: Transfer-Encoding "${shown(value)}"`,
    post([`Transfer-Encoding: ${value}`], "5\r\nhello\r\n0\r\n\r\n"),
  )
);

/** The field that only some parsers would see as Transfer-Encoding, beside a Content-Length that all see. */
const disguises: Case[] = [
  "Transfer-Encoding : chunked",
  "Transfer-Encoding\t: chunked",
  " Transfer-Encoding: chunked",
  "X: y\n Transfer-Encoding: chunked",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\rTransfer-Encoding: chunked",
  "X: y\r\n\tTransfer-Encoding: chunked",
  "Transfer-Encoding:\r\n chunked",
  "Transfer-Encoding: \x0bchunked",
  "Transfer-Encoding: chunked\0",
  "Transfer-Encoding\0: chunked",
  "\0Transfer-Encoding: chunked",
  "Transfer-Encoding: \x7fchunked",
  "Transfer Encoding: chunked",
  '"Transfer-Encoding": chunked',
  "Transfer-Encoding",
  "Transfer\x80Encoding: chunked",
  ": Transfer-Encoding: chunked",
].map((line) =>
  refused(`TE disguised as "${shown(line)}"`, post(["Content-Length: 5", line], "0\r\n\r\n" + EVIL))
);

const HELLO = "5\r\nhello\r\n0\r\n\r\n";
const shadows: Case[] = [
  passed(
    "Transfer_Encoding is not passed on",
    post(["Content-Length: 5", "Transfer_Encoding: chunked"], "hello"),
    {
      body: "hello",
      has: ["Content-Length: 5"],
      lacks: ["Transfer_Encoding", "Transfer-Encoding"],
    },
  ),
  passed("Content_Length is not passed on", post([CHUNKED, "Content_Length: 5"], HELLO), {
    body: "hello",
    lacks: ["Content_Length", "Content-Length"],
  }),
  passed("CONTENT_LENGTH alone frames nothing", get("CONTENT_LENGTH: 35"), {
    body: "",
    lacks: ["CONTENT_LENGTH"],
  }),
  passed(
    "X-Forwarded_For is not passed on",
    get("X-Forwarded_For: 6.6.6.6"),
    { lacks: ["X-Forwarded_For"] },
  ),
  passed("other names with an underscore are passed on", get("X_Custom: 1"), { has: ["X_Custom: 1"] }),
  passed(
    "CL.0: a GET with a body keeps it",
    head("GET / HTTP/1.1", "Host: a", "Content-Length: 32") + EVIL + "\0",
    {
      body: EVIL + "\0",
      has: ["Content-Length: 32"],
    },
  ),
  passed("CL.0: bytes behind a bodiless GET are the next request", get() + EVIL, {}, {
    answers: [{ status: [200], body: "/" }, { status: [200], body: "/evil" }],
    requests: [{ line: "GET / HTTP/1.1" }, { line: "GET /evil HTTP/1.1" }],
  }),
  passed(
    "RFC 9112 section 6: a coding in upper case is written anew",
    post(["transfer-ENCODING: \tCHUNKED "], HELLO),
    {
      body: "hello",
      has: ["Transfer-Encoding: chunked"],
      lacks: ["Content-Length"],
    },
  ),
  passed(
    "RFC 9110 section 8.6: a length with blanks around it is written anew",
    post(["content-length: \t5 "], "hello"),
    {
      body: "hello",
      has: ["Content-Length: 5"],
      lacks: ["Transfer-Encoding"],
    },
  ),
];

const chunkSizes: Case[] = [
  ...[
    "",
    " 5",
    "5 ",
    "\t5",
    "+5",
    "-5",
    "0x5",
    "5h",
    "g",
    "5_",
    "\0" + "5",
    "5\0",
    "\n5",
    "5\r",
    "5.0",
    "5,5",
  ],
  ...["10000000000000005", "ffffffffffffffff", "100000000000000000000000005", "-1", "fffffffffffffffb"],
].map((size) =>
  refusedMidway(
    `RFC 9112 section 7.1: chunk size "${shown(size)}"`,
    post([CHUNKED], `${size}\r\nhello\r\n0\r\n\r\n${EVIL}`),
  )
);

const chunkLines: Case[] = [
  ["a size line that ends in LF", "5\nhello\r\n0\r\n\r\n"],
  ["data that ends in LF", "5\r\nhello\n0\r\n\r\n"],
  ["data longer than its size", `5\r\nhelloo\r\n0\r\n\r\n${EVIL}`],
  ["data shorter than its size", `5\r\nhell\r\n0\r\n\r\n${EVIL}`],
  ["no end of line behind the data", "5\r\nhello0\r\n\r\n"],
  ["a last chunk that ends in LF", "5\r\nhello\r\n0\n\r\n"],
  ["an empty line that is a lone LF", "5\r\nhello\r\n0\r\n\n"],
  ["an extension with a lone LF", `5;a\nhello\r\n0\r\n\r\n${EVIL}`],
  ["an extension with a lone CR", "5;a\rb\r\nhello\r\n0\r\n\r\n"],
  ["an extension with a quoted line end", '5;a="b\r\nc"\r\nhello\r\n0\r\n\r\n'],
  ["an extension with a quote left open", '5;a="b\r\nhello\r\n0\r\n\r\n'],
  ["an extension with NUL", "5;a\0b\r\nhello\r\n0\r\n\r\n"],
  ["an extension without a name", "5;\r\nhello\r\n0\r\n\r\n"],
  ["a space before an extension", "5 ;a\r\nhello\r\n0\r\n\r\n"],
  ["an extension of 20 KB", `5;${"a".repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
  ["an extension on the last chunk with a lone LF", `0;a\n\r\n${EVIL}`],
  ["a trailer that is folded", "0\r\nA: b\r\n c\r\n\r\n"],
  ["a trailer with a space before the colon", "0\r\nA : b\r\n\r\n"],
  ["a trailer that ends in LF", "0\r\nA: b\n\r\n"],
  ["a trailer that is a request line", `0\r\n${EVIL}`],
  ["a trailer with NUL", "0\r\nA: \0\r\n\r\n"],
].map(([what, body]) => refusedMidway(`RFC 9112 section 7.1: ${what}`, post([CHUNKED], body)));

const chunksPassed: Case[] = [
  passed(
    "RFC 9112 section 7.1.1: extensions are dropped",
    post([CHUNKED], '5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n'),
    {
      body: "hello",
    },
  ),
  passed(
    "RFC 9112 section 7.1: leading zeros and upper case",
    post([CHUNKED], "000A\r\n0123456789\r\n00\r\n\r\n"),
    {
      body: "0123456789",
    },
  ),
  passed(
    "RFC 9112 section 7.1: data that looks like an end and a request",
    post([CHUNKED], `24\r\n0\r\n\r\n${EVIL}\r\n0\r\n\r\n`),
    {
      body: `0\r\n\r\n${EVIL}`,
    },
  ),
  passed("RFC 9112 section 7.1: an empty chunked body", post([CHUNKED], "0\r\n\r\n"), { body: "" }),
];

/** Every kind of smuggling, by kind. */
export const SMUGGLING_CASES: readonly Case[] = [
  ...bothLengths,
  ...lengths,
  ...codings,
  ...disguises,
  ...shadows,
  ...chunkSizes,
  ...chunkLines,
  ...chunksPassed,
];
