/**
 * What a server of HTTP/2 must take although few clients send it: every kind of frame and of field, in every state of a
 * stream where it may come, and priorities of RFC 7540. With the other cases all those of h2spec 2.6 stand here.
 */
import type { Http2Case } from "./http2_cases.ts";
import {
  block,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GET,
  get,
  GOAWAY,
  HEADERS,
  number,
  PADDED,
  PING,
  post,
  PRIORITIZED,
  PRIORITY,
  RST,
  SETTINGS,
  WINDOW,
} from "./http2_client.ts";

const ALL = END_STREAM | END_HEADERS;
const priority = (stream: number, dependsOn: number, weight: number, exclusive = false) =>
  frame(PRIORITY, 0, stream, number(dependsOn + (exclusive ? 2 ** 31 : 0), 4) + number(weight, 1));
/** Answers have to wait for room. */
const NO_WINDOW = frame(SETTINGS, 0, 0, number(4, 2) + number(0, 4));
const room = (stream: number, size: number) => frame(WINDOW, 0, stream, number(size, 4));

function one(name: string, expect: string, ...send: string[]): Http2Case {
  return { name, send, expect };
}

const FRAMES: readonly Http2Case[] = [
  one("section 4.1: the reserved bit of a PING", "PING", frame(PING, 0, 0x80000000, "12345678")),
  one(
    "section 5.1: WINDOW_UPDATE on a half-closed stream",
    "200",
    NO_WINDOW + get(1) + room(1, 1),
    "data 1",
    room(1, 4096),
  ),
  one(
    "section 5.1: PRIORITY on a half-closed stream",
    "200",
    NO_WINDOW + get(1) + priority(1, 0, 255) + room(1, 4096),
  ),
  one(
    "section 5.1: RST_STREAM on a half-closed stream",
    "PING",
    NO_WINDOW + get(1) + frame(RST, 0, 1, number(8, 4)),
  ),
  one("section 5.1: PRIORITY on a closed stream", "PING", get(1), "wait 1", priority(1, 0, 255)),
  one(
    "section 5.1: CONTINUATION after RST_STREAM",
    "GOAWAY PROTOCOL_ERROR",
    post(1) + frame(RST, 0, 1, number(8, 4)) + frame(CONTINUATION, END_HEADERS, 1, block(["a", "b"])),
  ),
  one(
    "section 5.1: CONTINUATION on a closed stream",
    "GOAWAY PROTOCOL_ERROR",
    get(1),
    "wait 1",
    frame(CONTINUATION, END_HEADERS, 1, block(["a", "b"])),
  ),
  one("section 5.3: PRIORITY of the least weight", "200", priority(1, 0, 0) + get(1)),
  one("section 5.3: PRIORITY of the greatest weight", "200", priority(1, 0, 255) + get(1)),
  one("section 5.3: PRIORITY that depends on another stream", "200", priority(3, 1, 0) + get(1)),
  one("section 5.3: PRIORITY that is exclusive", "200", priority(1, 0, 0, true) + get(1)),
  one("section 5.3: PRIORITY of a stream above the next", "200", priority(9, 0, 255) + get(1)),
  one("section 5.4.1: the connection ends after GOAWAY", "END", frame(PING, 0, 0, "123456")),
  one(
    "section 5.5: an unknown frame within a block",
    "GOAWAY PROTOCOL_ERROR",
    frame(HEADERS, END_STREAM, 1, block(...GET)) + frame(99, 0, 0, "whatever"),
  ),
  one(
    "section 6.1: DATA in two frames",
    "200",
    post(1) + frame(DATA, 0, 1, "one") + frame(DATA, END_STREAM, 1, "two"),
  ),
  one(
    "section 6.2: HEADERS with padding",
    "200",
    frame(HEADERS, ALL | PADDED, 1, `\x03${block(...GET)}\0\0\0`),
  ),
  one(
    "section 6.2: HEADERS with a priority",
    "200",
    frame(HEADERS, ALL | PRIORITIZED, 1, number(0, 4) + number(255, 1) + block(...GET)),
  ),
  one("section 6.4: RST_STREAM on an open stream", "PING", post(1) + frame(RST, 0, 1, number(8, 4))),
  one("section 6.4: RST_STREAM with an unknown code", "PING", post(1) + frame(RST, 0, 1, number(0xff, 4))),
  one(
    "section 6.5: SETTINGS with every setting",
    "PING",
    frame(
      SETTINGS,
      0,
      0,
      [
        [1, 4096],
        [2, 0],
        [3, 100],
        [4, 65_535],
        [5, 16_384],
        [6, 100],
      ].map(([id, value]) => number(id!, 2) + number(value!, 4)).join(""),
    ),
  ),
  one(
    "section 6.5.3: the last of two values of a setting counts",
    "200",
    frame(SETTINGS, 0, 0, number(4, 2) + number(100, 4) + number(4, 2) + number(1, 4)) + get(1),
    "data 1",
    room(1, 4096),
  ),
  one("section 6.5.3: SETTINGS are acknowledged", "ACK", frame(SETTINGS, 0, 0)),
  one("section 6.8: GOAWAY without an error", "PING", frame(GOAWAY, 0, 0, number(0, 4) + number(0, 4))),
  one(
    "section 6.8: GOAWAY with an unknown code",
    "PING",
    frame(GOAWAY, 0, 0, number(0, 4) + number(0xff, 4)),
  ),
  one("section 6.9: WINDOW_UPDATE of the connection", "PING", room(0, 1)),
  one(
    "section 6.9: WINDOW_UPDATE of an open stream",
    "200",
    post(1) + room(1, 1) + frame(DATA, END_STREAM, 1, "x"),
  ),
  one(
    "section 6.10: a block in two frames",
    "200",
    frame(HEADERS, END_STREAM, 1, block(...GET)) + frame(CONTINUATION, END_HEADERS, 1, block(["a", "b"])),
  ),
  one(
    "section 6.10: CONTINUATION after one with END_HEADERS",
    "GOAWAY PROTOCOL_ERROR",
    frame(HEADERS, 0, 1, block(...GET)) + frame(CONTINUATION, END_HEADERS, 1, block(["a", "b"])) +
      frame(CONTINUATION, END_HEADERS, 1, block(["c", "d"])),
  ),
  one(
    "section 6.10: CONTINUATION after DATA",
    "GOAWAY PROTOCOL_ERROR",
    post(1) + frame(DATA, 0, 1, "x") + frame(CONTINUATION, END_HEADERS, 1, block(["a", "b"])),
  ),
  one(
    "section 8.1: HEAD",
    "200",
    frame(HEADERS, ALL, 1, block([":method", "HEAD"], ...GET.slice(1))),
  ),
];

/** Texts of RFC 7541 appendix C.4.3, plain and in the Huffman code. */
const NAMES = ["\x0acustom-key", "\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f"] as const;
const VALUES = ["\x0ccustom-value", "\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf"] as const;
/** The first byte of a literal with a new name, and of one whose name is user-agent, the 58th of the static table. */
const LITERALS = [
  ["with indexing", "\x40", "\x7a"],
  ["without indexing", "\x00", "\x0f\x2b"],
  ["never indexed", "\x10", "\x1f\x2b"],
] as const;

const behind = (name: string, expect: string, more: string, before = "") =>
  one(name, expect, frame(HEADERS, ALL, 1, before + block(...GET) + more));
const BAD = "GOAWAY COMPRESSION_ERROR";

const FIELDS: readonly Http2Case[] = [
  behind("RFC 7541 section 6.1: a field of the static table", "200", "\xba"),
  ...LITERALS.flatMap(([kind, fresh, known]) =>
    ["plain", "Huffman"].flatMap((code, at) => [
      behind(
        `RFC 7541 section 6.2: a literal ${kind}, a new name, ${code}`,
        "200",
        fresh + NAMES[at] + VALUES[at],
      ),
      behind(`RFC 7541 section 6.2: a literal ${kind}, a known name, ${code}`, "200", known + VALUES[at]),
    ])
  ),
  one(
    "RFC 7541 section 6.2.1: a field that was indexed before",
    "200",
    frame(HEADERS, ALL, 1, block(...GET) + `\x40${NAMES[0]}${VALUES[0]}`),
    "wait 1",
    frame(HEADERS, ALL, 3, block(...GET) + "\xbe"),
  ),
  behind("RFC 7541 section 6.3: a size change", "200", "", "\x20"),
  behind("RFC 7541 section 4.2: two size changes", "200", "", "\x20\x3f\xe1\x1f"),
  behind("RFC 7541 section 2.3.3: a literal whose name's index is not there", BAD, "\x7e\x01x"),
  behind("RFC 7541 section 5.2: padding longer than 7 bits", BAD, `\0${NAMES[0]}\x82\x1f\xff`),
  behind("RFC 7541 section 5.2: the end of a string within it", BAD, `\0${NAMES[0]}\x84\xff\xff\xff\xff`),
];

export const HTTP2_ACCEPTED_CASES: readonly Http2Case[] = [...FRAMES, ...FIELDS];
