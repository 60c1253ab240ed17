import { assertEquals } from "../../assert.ts";
import { heard, verdictOf } from "./talking.ts";

/** A frame of HTTP/2 of stream 1 (0 for those of the connection). */
function frame(type: number, flags: number, payload: string, stream = 1): string {
  return String.fromCharCode(0, payload.length >>> 8, payload.length & 0xff, type, flags, 0, 0, 0, stream) +
    payload;
}

/** A field of a header block that nothing is remembered of. */
function field(name: string, value: string): string {
  return `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`;
}

const SETTINGS = frame(4, 0, "", 0);
const HEAD = frame(1, 4, `\x88${field("content-type", "application/grpc")}`);
const trailers = (...fields: [string, string][]) => frame(1, 5, fields.map(([a, b]) => field(a, b)).join(""));
const state = (number: string) => frame(0, 0, `\0\0\0\0\x02\x08${number}`);
const ANSWER = SETTINGS + HEAD + state("\x01") + trailers(["grpc-status", "0"]);
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, "\0\x02\0\0\0\0", 0);
const ACK = frame(4, 1, "", 0);
const GOAWAY = frame(7, 0, "\0".repeat(8), 0);

Deno.test("grpc asks grpc.health.v1 over HTTP/2 and takes leave", () => {
  const { said, verdict } = heard({ type: "grpc", service: "shop.Cart" }, [ANSWER]);
  assertEquals(verdict, { ok: true, reason: "SERVING" });
  const [asked = "", after] = said;
  assertEquals(asked.startsWith(PREFACE), true);
  assertEquals(asked.includes("/grpc.health.v1.Health/Check"), true);
  assertEquals(asked.endsWith(frame(0, 1, "\0\0\0\0\x0b\x0a\x09shop.Cart")), true);
  assertEquals(after, ACK + GOAWAY);
  const whole = heard({ type: "grpc" }, []).said[0]!;
  assertEquals(whole.endsWith(frame(0, 1, "\0\0\0\0\0")), true);
});

Deno.test("grpc says what is wrong", () => {
  const ask = (answer: string, leaves = false) =>
    verdictOf({ type: "grpc", service: "cart" }, [SETTINGS + answer], { leaves });
  const end = trailers(["grpc-status", "0"]);
  assertEquals(ask(HEAD + state("\x02") + end), "bad: the service is NOT_SERVING");
  assertEquals(ask(HEAD + frame(0, 0, "\0\0\0\0\0") + end), "bad: the service is UNKNOWN");
  assertEquals(ask(HEAD + state("\x09") + end), "bad: the service is status 9");
  const alone = (...fields: [string, string][]) =>
    frame(1, 5, `\x88${fields.map(([a, b]) => field(a, b)).join("")}`);
  assertEquals(ask(alone(["grpc-status", "5"])), 'bad: the server knows no service "cart"');
  assertEquals(ask(alone(["grpc-status", "12"])), "bad: the server has no grpc.health.v1");
  assertEquals(ask(alone(["grpc-status", "14"], ["grpc-message", "busy"])), "bad: gRPC status 14: busy");
  assertEquals(ask(frame(1, 5, "\x8d")), "bad: the server answered gRPC with HTTP status 404");
  assertEquals(ask(frame(3, 0, "\0\0\0\x07")), "bad: the server reset the stream (error 7)");
  assertEquals(ask(frame(7, 0, "\0".repeat(8), 0)), "bad: the server takes no more requests (GOAWAY)");
  assertEquals(ask(frame(1, 5, "\xff\xff\xff\xff\xff")), "bad: the answer is malformed HTTP/2");
  assertEquals(ask(HEAD, true), "bad: the server broke off its answer");
  assertEquals(
    verdictOf({ type: "grpc" }, ["HTTP/1.1 400 Bad Request\r\n"]),
    "bad: the server does not speak HTTP/2",
  );
});

Deno.test("grpc answers a PING, and reads a header block in parts", () => {
  const { said } = heard({ type: "grpc" }, [SETTINGS, frame(6, 0, "12345678", 0)]);
  assertEquals(said.slice(1), [ACK, frame(6, 1, "12345678", 0)]);
  const block = `\x88${field("grpc-status", "0")}`;
  const parts = frame(1, 0, block.slice(0, 5)) + frame(9, 4, block.slice(5));
  const answer = SETTINGS + parts + state("\x01") + trailers(["grpc-status", "0"]);
  assertEquals(verdictOf({ type: "grpc" }, [answer]), "bad: gRPC status 0, 0: ");
});

Deno.test("grpc takes fields of 8 KiB in all, and no more by naming one of the table again and again", () => {
  const remembered = `@\x05x-big\x64${"x".repeat(100)}`;
  const ask = (times: number) => {
    const last = frame(1, 5, field("grpc-status", "0") + remembered + "\xbe".repeat(times));
    return verdictOf({ type: "grpc" }, [SETTINGS + HEAD + state("\x01") + last]);
  };
  assertEquals(ask(60), "good: SERVING");
  assertEquals(ask(100), "bad: the headers of the answer are too large");
});

Deno.test("http over HTTP/2: status, headers and body", () => {
  const given = {
    type: "http",
    path: "/up",
    expect: { status: 200, headers: { "x-state": "up" }, body: "pong" },
  };
  const ask = (answer: string) => verdictOf(given, [SETTINGS + answer], { http2: true });
  const head = frame(1, 4, `\x88${field("x-state", "up")}`);
  assertEquals(ask(head + frame(0, 0, "po") + frame(0, 0, "ng")), "good: status 200, and what is expected");
  assertEquals(ask(head + frame(0, 1, "ping")), 'bad: the body does not have "pong"');
  assertEquals(ask(frame(1, 5, "\x88")), "bad: the answer has no header x-state");
  assertEquals(ask(frame(1, 5, "\x8e")), "bad: status 500 is not expected");
  const interim = frame(1, 4, `\x08\x03103`);
  assertEquals(ask(interim + head + frame(0, 1, "pong")), "good: status 200, and what is expected");
  const asked = heard(given, [], { http2: true }).said[0]!;
  assertEquals(asked.includes("/up"), true);
  assertEquals(asked.includes("tandem-check"), true);
});
