/**
 * What a server of HTTP/2 must do with what it is sent, by section of RFC 9113, 7541 and 8441: bytes, and what comes back.
 */
import {
  ACK,
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
  POST,
  post,
  PREFACE,
  PRIORITIZED,
  PRIORITY,
  PUSH,
  RST,
  SETTINGS,
  WINDOW,
} from "./http2_client.ts";

export interface Http2Case {
  readonly name: string;
  /** What is sent; between, what is waited for: `wait N` the answer on a stream, `data N` a part of it, `settings`. */
  readonly send: readonly string[];
  /** `200`: the answer on the last stream; `RST X`, `GOAWAY X` or several with `|`; `PING`: all is well, the connection goes on; `ACK`: the settings are acknowledged; `END`: it ends. */
  readonly expect: string;
  /** Without the preface and the first SETTINGS. */
  readonly bare?: boolean;
}

const ALL = END_STREAM | END_HEADERS;
const setting = (id: number, value: number) => number(id, 2) + number(value, 4);
const settings = (...pairs: [number, number][]) =>
  frame(SETTINGS, 0, 0, pairs.map(([id, value]) => setting(id, value)).join(""));
const headers = (fields: readonly (readonly [string, string])[], flags = ALL, stream = 1) =>
  frame(HEADERS, flags, stream, block(...fields));
const without = (name: string) => GET.filter(([each]) => each !== name);
const PROTOCOL = "GOAWAY PROTOCOL_ERROR";
const MALFORMED = "RST PROTOCOL_ERROR";

function one(name: string, expect: string, ...send: string[]): Http2Case {
  return { name, send, expect };
}

export const HTTP2_CASES: readonly Http2Case[] = [
  one("a request", "200", get(1)),
  one("several requests, ids with gaps", "200", get(1), get(5), get(77)),
  one("a request with a body", "200", post(1) + frame(DATA, END_STREAM, 1, "hello")),
  one(
    "a body in many frames",
    "200",
    post(1),
    ...Array(20).fill(frame(DATA, 0, 1, "x")),
    frame(DATA, END_STREAM, 1),
  ),
  {
    name: "section 3.4: a preface that goes wrong",
    send: [PREFACE.slice(0, 20), "settings", "XXXX"],
    expect: PROTOCOL,
    bare: true,
  },
  { name: "section 3.4: no preface", send: ["PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"], expect: "END", bare: true },
  {
    name: "section 3.4: no SETTINGS first",
    send: [PREFACE + frame(PING, 0, 0, "12345678")],
    expect: PROTOCOL,
    bare: true,
  },
  one("section 4.1: a frame of unknown type", "PING", frame(99, 255, 0, "whatever"), frame(99, 255, 1, "")),
  one("section 4.1: unknown flags", "PING", frame(PING, 0xfe & ~ACK, 0, "12345678")),
  one("section 4.1: the reserved bit of an id", "200", frame(HEADERS, ALL, 0x80000001, block(...GET))),
  one(
    "section 4.2: a DATA frame of 16384 bytes",
    "200",
    post(1) + frame(DATA, END_STREAM, 1, "x".repeat(16_384)),
  ),
  one(
    "section 4.2: a DATA frame of more",
    "GOAWAY FRAME_SIZE_ERROR",
    post(1) + frame(DATA, 0, 1, "x".repeat(16_385)),
  ),
  one(
    "section 4.2: a HEADERS frame of more",
    "GOAWAY FRAME_SIZE_ERROR",
    headers([...GET, ["a", "x".repeat(16_384)]]),
  ),
  one("section 4.3: a block that is not valid", "GOAWAY COMPRESSION_ERROR", frame(HEADERS, ALL, 1, "\x80")),
  one(
    "section 4.3: PRIORITY within a block",
    PROTOCOL,
    headers(GET, END_STREAM) + frame(PRIORITY, 0, 1, "\0\0\0\0\0"),
  ),
  one(
    "section 4.3: HEADERS of another stream within a block",
    PROTOCOL,
    headers(GET, END_STREAM) + headers(GET, ALL, 3),
  ),
  one("section 5.1: DATA on an idle stream", PROTOCOL, frame(DATA, END_STREAM, 1, "x")),
  one("section 5.1: RST_STREAM on an idle stream", PROTOCOL, frame(RST, 0, 1, "\0\0\0\x08")),
  one("section 5.1: WINDOW_UPDATE on an idle stream", PROTOCOL, frame(WINDOW, 0, 1, "\0\0\0\x08")),
  one(
    "section 5.1: CONTINUATION on an idle stream",
    PROTOCOL,
    frame(CONTINUATION, END_HEADERS, 1, block(...GET)),
  ),
  one("section 5.1: PRIORITY on an idle stream", "200", frame(PRIORITY, 0, 9, "\0\0\0\0\x10"), get(1)),
  one(
    "section 5.1: DATA after END_STREAM",
    "RST STREAM_CLOSED|GOAWAY STREAM_CLOSED",
    get(1) + frame(DATA, 0, 1, "x"),
  ),
  one("section 5.1: HEADERS after END_STREAM", "RST STREAM_CLOSED|GOAWAY STREAM_CLOSED", get(1) + get(1)),
  one("section 5.1: CONTINUATION after END_STREAM", PROTOCOL, get(1) + frame(CONTINUATION, END_HEADERS, 1)),
  one(
    "section 5.1: DATA after RST_STREAM",
    "RST STREAM_CLOSED",
    post(1) + frame(RST, 0, 1, "\0\0\0\x08") + frame(DATA, 0, 1, "x"),
  ),
  one(
    "section 5.1: HEADERS after RST_STREAM",
    "GOAWAY STREAM_CLOSED",
    post(1) + frame(RST, 0, 1, "\0\0\0\x08") + get(1),
  ),
  one(
    "section 5.1: WINDOW_UPDATE after RST_STREAM",
    "PING",
    post(1) + frame(RST, 0, 1, "\0\0\0\x08") + frame(WINDOW, 0, 1, "\0\0\0\x08"),
  ),
  one(
    "section 5.1: DATA on a closed stream",
    "GOAWAY STREAM_CLOSED",
    get(1),
    "wait 1",
    frame(DATA, 0, 1, "x"),
  ),
  one("section 5.1: HEADERS on a closed stream", "GOAWAY STREAM_CLOSED", get(1), "wait 1", get(1)),
  one("section 5.1.1: an even id", PROTOCOL, get(2)),
  one(
    "section 5.1.1: an id below the last",
    "GOAWAY STREAM_CLOSED|GOAWAY PROTOCOL_ERROR",
    get(5),
    "wait 5",
    get(3),
  ),
  one(
    "section 5.1.2: more streams than are allowed",
    "RST REFUSED_STREAM",
    Array.from({ length: 101 }, (_, i) => post(2 * i + 1)).join(""),
  ),
  one(
    "section 5.3.1: HEADERS that depend on themselves",
    PROTOCOL,
    frame(HEADERS, ALL | PRIORITIZED, 1, "\0\0\0\x01\x10" + block(...GET)),
  ),
  one("section 5.3.1: PRIORITY that depends on itself", PROTOCOL, frame(PRIORITY, 0, 3, "\0\0\0\x03\x10")),
  one(
    "section 5.3.1: PRIORITY of an open stream that depends on itself",
    MALFORMED,
    post(1) + frame(PRIORITY, 0, 1, "\0\0\0\x01\x10"),
  ),
  one("section 6.1: DATA on stream 0", PROTOCOL, frame(DATA, 0, 0, "x")),
  one(
    "section 6.1: DATA with padding",
    "200",
    post(1) + frame(DATA, END_STREAM | PADDED, 1, "\x03hello\0\0\0"),
  ),
  one(
    "section 6.1: DATA that is padding alone",
    "200",
    post(1) + frame(DATA, END_STREAM | PADDED, 1, "\x02\0\0"),
  ),
  one("section 6.1: padding as long as the payload", PROTOCOL, post(1) + frame(DATA, PADDED, 1, "\x04abc")),
  one(
    "section 6.2: HEADERS with padding and priority",
    "200",
    frame(HEADERS, ALL | PADDED | PRIORITIZED, 1, "\x02\0\0\0\0\x10" + block(...GET) + "\0\0"),
  ),
  one("section 6.2: HEADERS on stream 0", PROTOCOL, headers(GET, ALL, 0)),
  one(
    "section 6.2: padding longer than the block",
    PROTOCOL,
    frame(HEADERS, ALL | PADDED, 1, `\xff${block(...GET)}`),
  ),
  one("section 6.3: PRIORITY on stream 0", PROTOCOL, frame(PRIORITY, 0, 0, "\0\0\0\0\x10")),
  one(
    "section 6.3: PRIORITY of four bytes on an idle stream",
    "GOAWAY FRAME_SIZE_ERROR",
    frame(PRIORITY, 0, 1, "\0\0\0\0"),
  ),
  one(
    "section 6.3: PRIORITY of four bytes on an open stream",
    "RST FRAME_SIZE_ERROR",
    post(1) + frame(PRIORITY, 0, 1, "\0\0\0\0"),
  ),
  one("section 6.4: RST_STREAM on stream 0", PROTOCOL, frame(RST, 0, 0, "\0\0\0\x08")),
  one(
    "section 6.4: RST_STREAM of three bytes",
    "GOAWAY FRAME_SIZE_ERROR",
    post(1) + frame(RST, 0, 1, "\0\0\x08"),
  ),
  one(
    "section 6.5: SETTINGS with ACK and a payload",
    "GOAWAY FRAME_SIZE_ERROR",
    frame(SETTINGS, ACK, 0, "\0"),
  ),
  one("section 6.5: SETTINGS on a stream", PROTOCOL, frame(SETTINGS, 0, 1)),
  one("section 6.5: SETTINGS of five bytes", "GOAWAY FRAME_SIZE_ERROR", frame(SETTINGS, 0, 0, "\0\0\0\0\0")),
  one("section 6.5.2: ENABLE_PUSH of 2", PROTOCOL, settings([2, 2])),
  one("section 6.5.2: INITIAL_WINDOW_SIZE of 2^31", "GOAWAY FLOW_CONTROL_ERROR", settings([4, 2 ** 31])),
  one("section 6.5.2: MAX_FRAME_SIZE of 16383", PROTOCOL, settings([5, 16_383])),
  one("section 6.5.2: MAX_FRAME_SIZE of 2^24", PROTOCOL, settings([5, 2 ** 24])),
  one("section 6.5.2: an unknown setting", "PING", settings([0xfa, 1])),
  one(
    "section 6.6: PUSH_PROMISE from a client",
    PROTOCOL,
    frame(PUSH, END_HEADERS, 1, `\0\0\0\x02${block(...GET)}`),
  ),
  one("section 6.7: PING", "PING", ""),
  one("section 6.7: PING with ACK is not answered", "PING", frame(PING, ACK, 0, "invalid!")),
  one("section 6.7: PING on a stream", PROTOCOL, frame(PING, 0, 1, "12345678")),
  one("section 6.7: PING of six bytes", "GOAWAY FRAME_SIZE_ERROR", frame(PING, 0, 0, "123456")),
  one("section 6.8: GOAWAY on a stream", PROTOCOL, frame(GOAWAY, 0, 1, "\0\0\0\0\0\0\0\0")),
  one(
    "section 6.8: requests under way after GOAWAY",
    "200",
    post(1) + frame(GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0") + frame(DATA, END_STREAM, 1, "x"),
  ),
  one("section 6.9: WINDOW_UPDATE of 0", PROTOCOL, frame(WINDOW, 0, 0, "\0\0\0\0")),
  one("section 6.9: WINDOW_UPDATE of 0 on a stream", MALFORMED, post(1) + frame(WINDOW, 0, 1, "\0\0\0\0")),
  one(
    "section 6.9: WINDOW_UPDATE of three bytes",
    "GOAWAY FRAME_SIZE_ERROR",
    frame(WINDOW, 0, 0, "\0\0\x01"),
  ),
  one(
    "section 6.9.1: a window of the connection beyond 2^31-1",
    "GOAWAY FLOW_CONTROL_ERROR",
    frame(WINDOW, 0, 0, "\x7f\xff\xff\xff").repeat(2),
  ),
  one(
    "section 6.9.1: a window of a stream beyond 2^31-1",
    "RST FLOW_CONTROL_ERROR",
    post(1) + frame(WINDOW, 0, 1, "\x7f\xff\xff\xff").repeat(2),
  ),
  one(
    "section 6.9.2: a window that a setting makes too large",
    "GOAWAY FLOW_CONTROL_ERROR",
    post(1) + frame(WINDOW, 0, 1, "\x7f\xff\0\0") + settings([4, 0x7fffffff]),
  ),
  one(
    "section 6.9.2: an answer waits for the window, byte by byte",
    "200",
    settings([4, 1]) + get(1),
    "data 1",
    settings([4, 2]),
    frame(WINDOW, 0, 1, "\0\0\x10\0"),
  ),
  one(
    "section 6.9.2: a window may be negative",
    "200",
    settings([4, 3]) + get(1),
    "data 1",
    settings([4, 1]),
    frame(WINDOW, 0, 1, "\0\0\x10\0"),
  ),
  one(
    "section 6.10: a block in many frames",
    "200",
    headers(GET.slice(0, 2), END_STREAM) + frame(CONTINUATION, 0, 1, block(GET[2]!)) +
      frame(CONTINUATION, END_HEADERS, 1, block(GET[3]!)),
  ),
  one(
    "section 6.10: CONTINUATION on stream 0",
    PROTOCOL,
    headers(GET, END_STREAM) + frame(CONTINUATION, END_HEADERS, 0),
  ),
  one(
    "section 6.10: CONTINUATION on another stream",
    PROTOCOL,
    headers(GET, END_STREAM) + frame(CONTINUATION, END_HEADERS, 3),
  ),
  one(
    "section 6.10: CONTINUATION after END_HEADERS",
    PROTOCOL,
    post(1) + frame(CONTINUATION, END_HEADERS, 1),
  ),
  one("section 6.10: DATA within a block", PROTOCOL, headers(POST, 0) + frame(DATA, 0, 1, "x")),
  one("section 8.1: trailers", "200", post(1) + frame(DATA, 0, 1, "hello") + headers([["x-sum", "1"]])),
  one(
    "section 8.1: a second head without END_STREAM",
    MALFORMED,
    post(1) + frame(DATA, 0, 1, "x") + headers([["x-sum", "1"]], END_HEADERS),
  ),
  one(
    "section 8.1: pseudo-headers in trailers",
    MALFORMED,
    post(1) + frame(DATA, 0, 1, "x") + headers([[":method", "GET"]]),
  ),
  one(
    "section 8.1.1: Content-Length above the body",
    MALFORMED,
    post(1, ["content-length", "2"]) + frame(DATA, END_STREAM, 1, "x"),
  ),
  one(
    "section 8.1.1: Content-Length below the body",
    MALFORMED,
    post(1, ["content-length", "1"]) + frame(DATA, END_STREAM, 1, "xy"),
  ),
  one(
    "section 8.1.1: Content-Length below a body of two frames",
    MALFORMED,
    post(1, ["content-length", "2"]) + frame(DATA, 0, 1, "xy") + frame(DATA, END_STREAM, 1, "z"),
  ),
  one("section 8.1.1: Content-Length and no body", MALFORMED, get(1, ["content-length", "1"])),
  one(
    "section 8.1.1: two Content-Lengths",
    MALFORMED,
    post(1, ["content-length", "1"], ["content-length", "1"]) + frame(DATA, END_STREAM, 1, "x"),
  ),
  one("section 8.2: an upper-case name", MALFORMED, get(1, ["X-Test", "a"])),
  one("section 8.2.1: a name with a space", MALFORMED, get(1, ["x test", "a"])),
  one("section 8.2.1: an empty name", MALFORMED, get(1, ["", "a"])),
  one("section 8.2.1: a name with a colon", MALFORMED, get(1, ["x:test", "a"])),
  one("section 8.2.1: CR LF in a value", MALFORMED, get(1, ["x-test", "a\r\nx-other: b"])),
  one("section 8.2.1: LF in a value", MALFORMED, get(1, ["x-test", "a\nb"])),
  one("section 8.2.1: NUL in a value", MALFORMED, get(1, ["x-test", "a\0b"])),
  one("section 8.2.1: a space before a value", MALFORMED, get(1, ["x-test", " a"])),
  one("section 8.2.1: a tab behind a value", MALFORMED, get(1, ["x-test", "a\t"])),
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map((name) =>
    one(
      `section 8.2.2: ${name}`,
      MALFORMED,
      get(1, [name, name === "transfer-encoding" ? "chunked" : "close"]),
    )
  ),
  one("section 8.2.2: TE of trailers", "200", get(1, ["te", "trailers"])),
  one("section 8.2.2: TE of anything else", MALFORMED, get(1, ["te", "trailers, deflate;q=0.5"])),
  one("section 8.2.3: crumbs of a cookie", "200", get(1, ["cookie", "a=b"], ["cookie", "c=d"])),
  one("section 8.3: an unknown pseudo-header", MALFORMED, get(1, [":test", "a"])),
  one("section 8.3: a pseudo-header of answers", MALFORMED, headers([...GET, [":status", "200"]])),
  one(
    "section 8.3: a pseudo-header behind a field",
    MALFORMED,
    headers([...without(":path"), ["x-test", "a"], [":path", "/"]]),
  ),
  ...[":method", ":scheme", ":path"].flatMap((name) => [
    one(`section 8.3.1: no ${name}`, MALFORMED, headers(without(name))),
    one(`section 8.3.1: two of ${name}`, MALFORMED, headers([GET.find(([each]) => each === name)!, ...GET])),
    one(`section 8.3.1: an empty ${name}`, MALFORMED, headers([[name, ""], ...without(name)])),
  ]),
  one("section 8.3.1: a path that is none", MALFORMED, headers([...without(":path"), [":path", "test"]])),
  one(
    "section 8.3.1: a path with a space",
    MALFORMED,
    headers([...without(":path"), [":path", "/ HTTP/1.1"]]),
  ),
  one(
    "section 8.3.1: a path of * for OPTIONS",
    "200",
    headers([[":method", "OPTIONS"], [":scheme", "http"], [":path", "*"], [":authority", "test"]]),
  ),
  one("section 8.3.1: a path of * for GET", MALFORMED, headers([...without(":path"), [":path", "*"]])),
  one(
    "section 8.3.1: a method with a space",
    MALFORMED,
    headers([[":method", "GET /x"], ...without(":method")]),
  ),
  one(
    "section 8.3.1: host in the place of :authority",
    "200",
    headers([...without(":authority"), ["host", "test"]]),
  ),
  one("section 8.3.1: host that says the same", "200", get(1, ["host", "TEST"])),
  one("section 8.3.1: host that says something else", MALFORMED, get(1, ["host", "other"])),
  one(
    "section 8.3.1: two hosts",
    MALFORMED,
    headers([...without(":authority"), ["host", "test"], ["host", "test"]]),
  ),
  one(
    "section 8.3.1: an authority with a user",
    MALFORMED,
    headers([...without(":authority"), [":authority", "user@test"]]),
  ),
  one(
    "section 8.3.1: an authority with a slash",
    MALFORMED,
    headers([...without(":authority"), [":authority", "test/x"]]),
  ),
  one("section 8.3.1: neither host nor authority", "400", headers(without(":authority"))),
  one("section 8.5: CONNECT", "501", headers([[":method", "CONNECT"], [":authority", "test:443"]])),
  one(
    "section 8.5: CONNECT with a path",
    MALFORMED,
    headers([[":method", "CONNECT"], [":authority", "test:443"], [":path", "/"]]),
  ),
  one(
    "section 10.5.1: a head above the limit",
    "431",
    frame(HEADERS, END_STREAM, 1, block(...GET)) +
      Array.from(
        { length: 5 },
        (_, i) => frame(CONTINUATION, i === 4 ? END_HEADERS : 0, 1, block(["x-large", "x".repeat(5000)])),
      ).join(""),
  ),
  one(
    "section 10.5.1: a block without end",
    "GOAWAY ENHANCE_YOUR_CALM",
    frame(HEADERS, END_STREAM, 1, block(...GET)) +
      frame(CONTINUATION, 0, 1, block(["x", "x".repeat(10_000)])).repeat(20),
  ),
  one(
    "section 10.5: empty CONTINUATION frames without end",
    "GOAWAY ENHANCE_YOUR_CALM",
    frame(HEADERS, END_STREAM, 1, block(...GET)) + frame(CONTINUATION, 0, 1).repeat(2000),
  ),
  one(
    "section 10.5: pings without end",
    "GOAWAY ENHANCE_YOUR_CALM",
    frame(PING, 0, 0, "12345678").repeat(2000),
  ),
  one("section 10.5: settings without end", "GOAWAY ENHANCE_YOUR_CALM", frame(SETTINGS, 0, 0).repeat(2000)),
  one(
    "section 10.5: priorities without end",
    "GOAWAY ENHANCE_YOUR_CALM",
    frame(PRIORITY, 0, 1, "\0\0\0\0\x10").repeat(2000),
  ),
  one(
    "section 10.5: empty DATA without end",
    "GOAWAY ENHANCE_YOUR_CALM",
    post(1) + frame(DATA, 0, 1).repeat(2000),
  ),
  one(
    "section 10.5: windows of one byte without end",
    "GOAWAY ENHANCE_YOUR_CALM",
    frame(WINDOW, 0, 0, "\0\0\0\x01").repeat(40_000),
  ),
  one(
    "section 10.5: streams that are reset as soon as they are opened",
    "GOAWAY ENHANCE_YOUR_CALM",
    Array.from({ length: 1500 }, (_, i) => get(2 * i + 1) + frame(RST, 0, 2 * i + 1, "\0\0\0\x08")).join(""),
  ),
  one(
    "section 10.5: streams that are reset as soon as a byte of their bodies was sent",
    "GOAWAY ENHANCE_YOUR_CALM",
    Array.from(
      { length: 3000 },
      (_, i) => post(2 * i + 1) + frame(DATA, 0, 2 * i + 1, "x") + frame(RST, 0, 2 * i + 1, "\0\0\0\x08"),
    ).join(""),
  ),
  one(
    "section 10.5: streams that are made to be reset, each with a byte of its body",
    "GOAWAY ENHANCE_YOUR_CALM",
    Array.from(
      { length: 3000 },
      (_, i) => post(2 * i + 1) + frame(DATA, 0, 2 * i + 1, "x") + frame(WINDOW, 0, 2 * i + 1, "\0\0\0\0"),
    ).join(""),
  ),
  one("RFC 7541 section 2.3.3: an index of 0", "GOAWAY COMPRESSION_ERROR", frame(HEADERS, ALL, 1, "\x80")),
  one(
    "RFC 7541 section 2.3.3: an index that is not there",
    "GOAWAY COMPRESSION_ERROR",
    frame(HEADERS, ALL, 1, "\xbe"),
  ),
  one(
    "RFC 7541 section 4.2: a size change at the end of a block",
    "GOAWAY COMPRESSION_ERROR",
    frame(HEADERS, ALL, 1, `${block(...GET)}\x20`),
  ),
  one(
    "RFC 7541 section 5.2: padding of zeros",
    "GOAWAY COMPRESSION_ERROR",
    frame(HEADERS, ALL, 1, `${block(...GET)}\0\x01x\x81\x00`),
  ),
  one(
    "RFC 7541 section 6.3: a table larger than ours",
    "GOAWAY COMPRESSION_ERROR",
    frame(HEADERS, ALL, 1, `\x3f\xe2\x1f${block(...GET)}`),
  ),
  one(
    "RFC 8441 section 4: :protocol without CONNECT",
    MALFORMED,
    headers([...GET, [":protocol", "websocket"]]),
  ),
  one(
    "RFC 8441 section 4: a protocol that nobody speaks",
    MALFORMED,
    headers([[":method", "CONNECT"], [":protocol", "other"], ...without(":method")], END_HEADERS),
  ),
];
