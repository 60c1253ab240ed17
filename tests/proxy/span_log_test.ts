import fc from "fast-check";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { TraceContext } from "../../mod/http/trace_context.ts";
import { Batch } from "../../mod/observe/batch.ts";
import { type AccessRecord, emptyAccessRecord } from "../../mod/proxy/access_record.ts";
import { SpanLog } from "../../mod/proxy/span_log.ts";
import { readSpan } from "../observe/otlp.ts";
import { assertEquals } from "../assert.ts";

const range = (text: string) => {
  const bytes = fromLatin1(`xx${text}yy`);
  return { bytes, start: 2, end: bytes.length - 2 };
};

function span(fields: Partial<AccessRecord>, continued = false) {
  const trace = new TraceContext();
  trace.ids.set(fromLatin1("4bf92f3577b34da6a3ce929d0e0e4736" + "a1a1a1a1a1a1a1a1" + "00f067aa0ba902b7"));
  trace.continued = continued;
  const batch = new Batch();
  new SpanLog(batch).append({ ...emptyAccessRecord(), method: range("GET"), totalMs: 0, ...fields }, trace);
  const text = new TextDecoder().decode(batch.take()!);
  assertEquals(text.indexOf("\n"), text.length - 1, "one line");
  return readSpan(JSON.parse(text));
}

Deno.test("append() writes a span of OTLP with the attributes that its conventions ask for", () => {
  const { attributes, ...rest } = span({
    time: Date.UTC(2026, 0, 31, 9, 5, 7, 42),
    totalMs: 109.0625,
    route: "shop.example/users/*",
    listener: "web",
    pool: "app",
    server: "a",
    clientHost: "203.0.113.7",
    clientPort: 51234,
    target: range("/users/7?x=1&y"),
    version: "HTTP/1.1",
    status: 200,
    requestId: "r1",
    host: range("shop.example:8443"),
    userAgent: range('Agent "7"'),
    queueMs: 0,
    connectMs: 30.4,
    firstByteMs: 68.6,
    retries: 1,
  }, true);
  assertEquals(rest, {
    kind: 2,
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    spanId: "a1a1a1a1a1a1a1a1",
    parentSpanId: "00f067aa0ba902b7",
    name: "GET shop.example/users/*",
    startTimeUnixNano: "1769850307042000000",
    endTimeUnixNano: "1769850307151063000",
  });
  assertEquals(attributes, {
    "http.request.method": "GET",
    "url.path": "/users/7",
    "url.query": "x=1&y",
    "url.scheme": "http",
    "server.address": "shop.example",
    "server.port": 8443,
    "network.protocol.version": "1.1",
    "http.route": "shop.example/users/*",
    "client.address": "203.0.113.7",
    "client.port": 51234,
    "user_agent.original": 'Agent "7"',
    "tandem.request_id": "r1",
    "http.response.status_code": 200,
    "tandem.listener": "web",
    "tandem.pool": "app",
    "tandem.server": "a",
    "tandem.termination": "--",
    "tandem.attempts": 2,
    "tandem.queue_ms": 0,
    "tandem.connect_ms": 30.4,
    "tandem.first_byte_ms": 68.6,
  });
});

Deno.test("append() a span without a parent, a query or a server says nothing of them; an error is one", () => {
  const { attributes, status, ...rest } = span({
    target: range("/"),
    host: range("[::1]"),
    status: 503,
    error: "noServer",
  });
  assertEquals("parentSpanId" in rest, false);
  assertEquals(status, { code: 2 });
  assertEquals([attributes["error.type"], attributes["server.address"], attributes["url.path"]], [
    "noServer",
    "[::1]",
    "/",
  ]);
  for (
    const absent of ["url.query", "server.port", "tandem.server", "tandem.attempts", "tandem.connect_ms"]
  ) {
    assertEquals(absent in attributes, false, absent);
  }
  assertEquals(span({ status: 404 }).status, undefined);
  assertEquals([span({ status: 0 }).status, span({ status: 502 }).attributes["error.type"]], [
    { code: 2 },
    "502",
  ]);
});

Deno.test("append() whatever a request holds, a span is one line of JSON that reads back", () => {
  const bytes = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  });
  fc.assert(fc.property(bytes, bytes, bytes, (target, host, agent) => {
    const { attributes } = span({ target: range(target), host: range(host), userAgent: range(agent) });
    assertEquals(attributes["user_agent.original"] ?? "", agent);
    const path = attributes["url.path"] ?? "", query = attributes["url.query"];
    assertEquals(
      query === undefined ? path : `${path}?${query}`,
      target.endsWith("?") && !target.slice(0, -1).includes("?") ? target.slice(0, -1) : target,
    );
  }));
});

Deno.test("append() has room for the longest texts", () => {
  const long = "\x01".repeat(16_384);
  const { attributes } = span({
    target: range(long),
    host: range(long),
    userAgent: range(long),
    route: long,
    pool: long,
  });
  assertEquals(String(attributes["url.path"]).length, long.length);
});
