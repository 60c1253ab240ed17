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
    bytesIn: 120,
    bytesOut: 3400,
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
    "tandem.received_bytes": 120,
    "tandem.sent_bytes": 3400,
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

Deno.test("append() an error that is the client's is told, and is none of the span", () => {
  const { attributes, status } = span({ status: 404, error: "noRoute" });
  assertEquals([attributes["tandem.error"], attributes["error.type"], status], [
    "noRoute",
    undefined,
    undefined,
  ]);
});

Deno.test("append() a method that nobody knows makes no name of its own", () => {
  const { name, attributes } = span({ method: range("GETX7"), route: "/a/*", status: 200 });
  assertEquals(
    [name, attributes["http.request.method"], attributes["http.request.method_original"]],
    ["HTTP /a/*", "_OTHER", "GETX7"],
  );
});

Deno.test("append() versions of HTTP are called as the conventions call them", () => {
  const told = ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0"].map((version) =>
    span({ version }).attributes["network.protocol.version"]
  );
  assertEquals(told, ["1.0", "1.1", "2"]);
});

Deno.test("append() the span of a connection tells where it went, what it carried and how it ended", () => {
  const connection = {
    transport: "tcp",
    time: Date.UTC(2026, 0, 31, 9, 5, 7),
    totalMs: 60_000,
    listener: "db",
    route: "db.example",
    pool: "main",
    server: "a",
    clientHost: "203.0.113.7",
    clientPort: 51234,
    host: range("db.example"),
    bytesIn: 120,
    bytesOut: 3400,
    queueMs: 0,
    connectMs: 1.5,
    firstByteMs: 0,
  } as const;
  const { name, kind, attributes, status } = span(connection);
  assertEquals([name, kind, status], ["tcp db", 2, undefined]);
  assertEquals(attributes, {
    "network.transport": "tcp",
    "server.address": "db.example",
    "tandem.route": "db.example",
    "client.address": "203.0.113.7",
    "client.port": 51234,
    "tandem.listener": "db",
    "tandem.pool": "main",
    "tandem.server": "a",
    "tandem.termination": "--",
    "tandem.attempts": 1,
    "tandem.received_bytes": 120,
    "tandem.sent_bytes": 3400,
    "tandem.queue_ms": 0,
    "tandem.connect_ms": 1.5,
  });
  const ends = (error: string) => {
    const { attributes, status } = span({ ...connection, error });
    return [attributes["error.type"], attributes["tandem.error"], status?.code];
  };
  for (const error of ["connectFailed", "connectTimeout", "noServer", "queueFull", "responseReset"]) {
    assertEquals(ends(error), [error, undefined, 2]);
  }
  for (const error of ["clientGone", "accessDenied", "tlsFailed", "tunnelIdle", "noRoute"]) {
    assertEquals(ends(error), [undefined, error, undefined]);
  }
});

Deno.test("append() a client of udp is told with the time of its first answer", () => {
  const { name, attributes } = span({ transport: "udp", listener: "dns", firstByteMs: 3, server: "a" });
  assertEquals([name, attributes["network.transport"], attributes["tandem.first_byte_ms"]], [
    "udp dns",
    "udp",
    3,
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
  const long = "\x01".repeat(8192);
  const kept = (fields: Partial<AccessRecord>) => String(span(fields).attributes["tandem.server"]).length;
  const names = {
    listener: long,
    route: long,
    pool: long,
    server: long,
    clientHost: long,
    host: range(long),
  };
  const request = {
    method: range(long),
    target: range(long),
    userAgent: range(long),
    requestId: range(long),
  };
  assertEquals(kept({ server: long, ...request }), long.length);
  assertEquals(kept(names), long.length);
  assertEquals(kept({ ...names, transport: "udp" }), long.length);
});
