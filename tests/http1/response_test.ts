import { CHUNKED, FIXED, NONE, UNTIL_CLOSE } from "../../mod/http1/body.ts";
import { readResponse } from "../../mod/http1/response.ts";
import { assertEquals } from "../assert.ts";
import { response } from "./feed.ts";

function read(first: string, ...lines: string[]) {
  return response([first, ...lines, "", ""].join("\r\n"));
}

/** Framing, declared length, and whether the connection can be used again; or what is wrong. */
function framing(first: string, ...lines: string[]) {
  const { outcome, info } = read(first, ...lines);
  return outcome === "ok" ? [info.framing, info.contentLength, info.keepAlive] : outcome;
}

Deno.test("RFC 9112 section 6.3: the framing of a response", () => {
  assertEquals(framing("HTTP/1.1 200 OK", "Content-Length: 42"), [FIXED, 42, true]);
  assertEquals(framing("HTTP/1.1 200 OK", "Content-Length: 0"), [NONE, 0, true]);
  assertEquals(framing("HTTP/1.1 200 OK", "Transfer-Encoding: CHUNKED"), [CHUNKED, -1, true]);
  assertEquals(framing("HTTP/1.1 200 OK"), [UNTIL_CLOSE, -1, false]);
  assertEquals(framing("HTTP/1.1 200 OK", "Connection: keep-alive"), [UNTIL_CLOSE, -1, false]);
  assertEquals(framing("HTTP/1.0 200 OK", "Connection: keep-alive"), [UNTIL_CLOSE, -1, false]);
  assertEquals(framing("HTTP/1.0 200 OK", "Content-Length: 1"), [FIXED, 1, false]);
  assertEquals(framing("HTTP/1.1 500"), [UNTIL_CLOSE, -1, false]);
});

Deno.test("RFC 9110 section 6.4.1: 1xx, 204, 304 and answers to HEAD have no body, whatever they declare", () => {
  for (const status of ["100 Continue", "103 Early Hints", "101 Switching Protocols", "204 No Content"]) {
    assertEquals(framing(`HTTP/1.1 ${status}`), [NONE, -1, true], status);
    assertEquals(framing(`HTTP/1.1 ${status}`, "Content-Length: 5"), [NONE, -1, true], status);
    assertEquals(framing(`HTTP/1.1 ${status}`, "Transfer-Encoding: chunked"), [NONE, -1, true], status);
  }
  assertEquals(framing("HTTP/1.1 304 Not Modified", "Content-Length: 5"), [NONE, 5, true]);
  assertEquals(framing("HTTP/1.1 304 Not Modified"), [NONE, -1, true]);
  const head = response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true);
  assertEquals([head.info.framing, head.info.contentLength, head.info.keepAlive], [NONE, 5, true]);
  const open = response("HTTP/1.1 200 OK\r\n\r\n", true);
  assertEquals([open.info.framing, open.info.contentLength, open.info.keepAlive], [NONE, -1, true]);
});

Deno.test("readResponse() refuses what could be framed in two ways", () => {
  const ambiguous = [
    ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked", "Content-Length: 5"],
    ["Content-Length: 5", "Content-Length: 6"],
    ["Content-Length: 5, 5"],
    ["Content-Length: +5"],
    ["Content-Length: 0x5"],
    ["Content-Length:"],
    ["Content-Length: 12345678901234567890"],
    ["Content-Length: 5", "Content-Length: x"],
    ["Transfer-Encoding: gzip, chunked"],
    ["Transfer-Encoding: identity"],
    ["Transfer-Encoding:"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    ["Connection: a b"],
  ];
  for (const lines of ambiguous) {
    assertEquals(framing("HTTP/1.1 200 OK", ...lines), "ambiguous", lines.join());
  }
  assertEquals(framing("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"), "ambiguous");
  assertEquals(
    framing("HTTP/1.1 204 No Content", "Content-Length: 5", "Transfer-Encoding: chunked"),
    "ambiguous",
  );
});

Deno.test("RFC 9110 section 8.6: a repeated Content-Length with one value has one meaning", () => {
  assertEquals(framing("HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 5"), [FIXED, 5, true]);
  assertEquals(framing("HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 05"), [FIXED, 5, true]);
});

Deno.test("RFC 9112 section 9.3: a server's close wins over keep-alive", () => {
  const keepAlive = (minor: number, value: string) =>
    read(`HTTP/1.${minor} 200 OK`, "Content-Length: 0", `Connection: ${value}`).info.keepAlive;
  assertEquals(keepAlive(1, "x-a"), true);
  assertEquals(keepAlive(1, "close"), false);
  assertEquals(keepAlive(0, "x-a"), false);
  assertEquals(keepAlive(0, "keep-alive"), true);
  assertEquals(keepAlive(0, "close, keep-alive"), false);
  assertEquals(keepAlive(1, "keep-alive, close"), false);
});

Deno.test("readResponse() reads upgrade and nominated fields, and forgets the response before", () => {
  const switching = read(
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade, X-A",
    "Upgrade: websocket",
  );
  assertEquals([switching.info.upgrade, switching.info.nominated], [true, ["x-a"]]);
  const closing = read("HTTP/1.0 200 OK", "Content-Length: 7", "Connection: close");
  const fresh = read("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");
  for (const { info } of [switching, closing]) {
    assertEquals(readResponse(info, fresh.head, fresh.bytes, false), true);
    assertEquals({ ...info }, { ...fresh.info });
  }
});
