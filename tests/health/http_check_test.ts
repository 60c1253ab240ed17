/** Invariant of the fuzz: any bytes, cut anyhow, give one verdict, the same as when they come whole. */
import fc from "fast-check";
import { assert, assertEquals } from "../assert.ts";
import {
  checkRequest,
  MAX_CHECK_ANSWER,
  statusExpected,
  type StatusRead,
  StatusReader,
} from "../../mod/health/http_check.ts";
import type { CheckSnapshot } from "../../mod/config/snapshot.ts";

const CHECK: CheckSnapshot = {
  type: "http",
  path: "/healthz?deep=1",
  method: "GET",
  host: "",
  port: 0,
  expectStatus: [[200, 299], [301, 301]],
  intervalMs: 2000,
  fastIntervalMs: 2000,
  timeoutMs: 1000,
  rise: 2,
  fall: 3,
  command: [],
};

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Feeds parts until the reader is done. */
function read(parts: readonly Uint8Array[]): StatusRead {
  const reader = new StatusReader();
  let last: StatusRead = { kind: "more" };
  for (const part of parts) {
    last = reader.push(part);
    if (last.kind !== "more") break;
  }
  return last;
}

function hostOf(host: string, port: number, check: Partial<CheckSnapshot> = {}): string | undefined {
  const request = checkRequest({ ...CHECK, ...check }, host, port);
  return request === null ? undefined : /\r\nHost: (.*)\r\n/.exec(new TextDecoder().decode(request))?.[1];
}

Deno.test("checkRequest() asks with Host, and to close", () => {
  const request = checkRequest(CHECK, "10.0.0.1", 8080);
  assert(request !== null);
  assertEquals(
    new TextDecoder().decode(request),
    "GET /healthz?deep=1 HTTP/1.1\r\nHost: 10.0.0.1:8080\r\nUser-Agent: tandem-check\r\n" +
      "Accept: */*\r\nConnection: close\r\n\r\n",
  );
});

Deno.test("checkRequest() Host is the configured one, or the address with brackets and port as needed", () => {
  assertEquals(hostOf("10.0.0.1", 80), "10.0.0.1");
  assertEquals(hostOf("fd00::1", 80), "[fd00::1]");
  assertEquals(hostOf("fd00::1", 8080), "[fd00::1]:8080");
  assertEquals(hostOf("10.0.0.1", 8080, { host: "app.example" }), "app.example");
});

Deno.test("checkRequest() nothing configured can add a line to the request", () => {
  const lines = ["/\r\nX: y", "/a b", "/\u00fc", ""];
  for (const path of lines) assertEquals(checkRequest({ ...CHECK, path }, "10.0.0.1", 80), null);
  assertEquals(checkRequest({ ...CHECK, method: "GET /x" }, "10.0.0.1", 80), null);
  assertEquals(checkRequest({ ...CHECK, host: "a\nb" }, "10.0.0.1", 80), null);
});

Deno.test("statusExpected() ranges include both ends", () => {
  const good = [199, 200, 299, 300, 301, 302].filter((status) => statusExpected(CHECK, status));
  assertEquals(good, [200, 299, 301]);
});

const ANSWERS: readonly (readonly [answer: string, verdict: number | string])[] = [
  ["HTTP/1.1 200 OK\r\n", 200],
  ["HTTP/1.0 503 Service Unavailable\r\nX: y\r\n\r\nbody", 503],
  ["HTTP/1.1 204 \r\n", 204],
  ["HTTP/1.1 204\r\n", 204],
  ["HTTP/1.1 200 caf\xe9\r\n", 200],
  ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", 200],
  ["HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 404 N\r\n", 404],
  ["HTTP/1.1 101 Switching Protocols\r\n", "malformed"],
  ["HTTP/1.1 200 OK\n", "malformed"],
  ["HTTP/2 200\r\n", "malformed"],
  ["HTTP/1.1 20 OK\r\n", "malformed"],
  ["HTTP/1.1 2000 OK\r\n", "malformed"],
  ["HTTP/1.1 099 OK\r\n", "malformed"],
  ["HTTP/1.1  200 OK\r\n", "malformed"],
  ["HTTP/1.1 200 O\0K\r\n", "malformed"],
  ["HTTP/1.1 200 O\rK\r\n", "malformed"],
  ["http/1.1 200 OK\r\n", "malformed"],
  ["\r\nHTTP/1.1 200 OK\r\n", "malformed"],
  ["SSH-2.0-OpenSSH_9.2\r\n", "malformed"],
  ["HTTP/1.1 200 OK", "more"],
  ["", "more"],
];

Deno.test("push() judges answers strictly, whole, cut at every point, and byte by byte", () => {
  for (const [answer, verdict] of ANSWERS) {
    const whole = bytes(answer);
    const ways = [[whole], [...whole].map((byte) => Uint8Array.of(byte))];
    for (let at = 1; at < whole.length; at++) ways.push([whole.subarray(0, at), whole.subarray(at)]);
    for (const parts of ways) {
      const result = read(parts);
      assertEquals(result.kind === "status" ? result.status : result.kind, verdict, JSON.stringify(answer));
    }
  }
});

Deno.test("push() gives up on an answer without end", () => {
  const endless = bytes("HTTP/1.1 100 Continue\r\nX: ");
  const filler = new Uint8Array(MAX_CHECK_ANSWER).fill(0x61);
  assertEquals(read([endless, filler]).kind, "malformed");
  const interim = bytes("HTTP/1.1 100 Continue\r\n\r\n".repeat(1000));
  assertEquals(read([interim]).kind, "malformed");
});

Deno.test("push() fuzz: one verdict for any bytes, however they are cut", () => {
  const pieces = fc.constantFrom(
    "HTTP/1.1 ",
    "200",
    " OK",
    "\r\n",
    "\n",
    "\r",
    "100",
    "HTTP/1.0 ",
    "x: y",
    "\0",
  );
  const answer = fc.oneof(
    fc.array(pieces, { maxLength: 12 }).map((parts) => bytes(parts.join(""))),
    fc.uint8Array({ maxLength: 60 }),
  );
  fc.assert(fc.property(answer, fc.nat(60), fc.nat(60), (whole, a, b) => {
    const [first, second] = a < b ? [a, b] : [b, a];
    const cut = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)];
    assertEquals(read(cut), read([whole]));
  }));
});
