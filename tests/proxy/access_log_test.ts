import fc from "fast-check";
import { Batch } from "../../mod/observe/batch.ts";
import type { LogText } from "../../mod/observe/put.ts";
import { AccessLog, type AccessRecord, emptyAccessRecord } from "../../mod/proxy/access_log.ts";
import { assertEquals, assertMatch } from "../assert.ts";

type Format = "json" | "combined" | "haproxy";

function line(format: Format, fields: Partial<AccessRecord>): string {
  const batch = new Batch();
  new AccessLog(format, batch).append({ ...emptyAccessRecord(), ...fields });
  return new TextDecoder().decode(batch.take()!);
}

/** The same text as a range within other bytes. */
function range(text: string): LogText {
  const bytes = new TextEncoder().encode(`xx${text}yy`);
  return { bytes, start: 2, end: bytes.length - 2 };
}

const REQUEST: Partial<AccessRecord> = {
  time: Date.UTC(2026, 0, 31, 9, 5, 7, 42),
  listener: "web",
  pool: "app",
  server: "a",
  clientHost: "203.0.113.7",
  clientPort: 51234,
  method: range("GET"),
  target: range("/index.html?x=1"),
  version: "HTTP/1.1",
  status: 200,
  bytesIn: 410,
  bytesOut: 2750,
  requestId: "r1",
  host: range("shop.example"),
  referer: "",
  userAgent: range('Agent "7"'),
  headMs: 10,
  queueMs: 0,
  connectMs: 30.4,
  firstByteMs: 68.6,
  totalMs: 109.0625,
};

Deno.test("append() writes JSON with every field", () => {
  assertEquals(JSON.parse(line("json", REQUEST)), {
    time: "2026-01-31T09:05:07.042Z",
    listener: "web",
    pool: "app",
    server: "a",
    client: "203.0.113.7",
    clientPort: 51234,
    method: "GET",
    target: "/index.html?x=1",
    version: "HTTP/1.1",
    status: 200,
    host: "shop.example",
    referer: "",
    userAgent: 'Agent "7"',
    requestId: "r1",
    bytesIn: 410,
    bytesOut: 2750,
    headMs: 10,
    queueMs: 0,
    connectMs: 30.4,
    firstByteMs: 68.6,
    totalMs: 109.063,
    termination: "--",
    error: "",
    retries: 0,
  });
});

Deno.test("append() writes the trace of a request that is traced", () => {
  const traced = { ...REQUEST, traceId: range("4bf92f3577b34da6a3ce929d0e0e4736") };
  assertEquals(JSON.parse(line("json", traced)).traceId, "4bf92f3577b34da6a3ce929d0e0e4736");
  assertMatch(line("combined", traced), / id=r1 trace=4bf92f3577b34da6a3ce929d0e0e4736\n$/);
  assertEquals(line("haproxy", traced), line("haproxy", REQUEST));
});

Deno.test("append() asks what a client's certificate says only for JSON, where it is written", () => {
  let asked = 0;
  const client = {
    subject: "CN=alice",
    fingerprint: "ab",
    get facts() {
      asked++;
      return { issuer: "CN=ca", serial: "0A", names: [], expiresAt: 0 };
    },
  };
  const tls = { version: "TLSv1.3", cipher: "c", serverName: "", alpn: "", resumed: false, client };
  for (const format of ["combined", "haproxy"] as const) {
    assertEquals(line(format, { ...REQUEST, tls }), line(format, REQUEST));
  }
  assertEquals(asked, 0);
  const { clientIssuer, clientSerial } = JSON.parse(line("json", { ...REQUEST, tls }));
  assertEquals([clientIssuer, clientSerial], ["CN=ca", "0A"]);
});

Deno.test("append() writes null for a time that was never reached, and no request fields for tcp", () => {
  const record = JSON.parse(line("json", { transport: "tcp", listener: "db", method: "GET", totalMs: 5 }));
  assertEquals([record.connectMs, record.totalMs, record.listener], [null, 5, "db"]);
  assertEquals(["method", "target", "host", "status"].filter((key) => key in record), []);
});

Deno.test("append() writes Apache's combined line and what a proxy adds", () => {
  assertEquals(
    line("combined", REQUEST),
    '203.0.113.7 - - [31/Jan/2026:09:05:07 +0000] "GET /index.html?x=1 HTTP/1.1" 200 2750 "-" "Agent \\x227\\x22" ' +
      'host="shop.example" pool=app server=a queue=0 connect=30 firstByte=69 total=109 termination=-- error=- id=r1\n',
  );
  assertMatch(
    line("combined", {}),
    /^- - - \[01\/Jan\/1970:00:00:00 \+0000\] "-" 0 0 "-" "-" host="-" pool=- /,
  );
});

Deno.test("append() writes HAProxy's httplog", () => {
  assertEquals(
    line("haproxy", { ...REQUEST, retries: 1 }),
    "203.0.113.7:51234 [31/Jan/2026:09:05:07.042] web app/a 10/0/30/69/109 200 2750 - - ---- 0/0/0/0/1 0/0 " +
      '"GET /index.html?x=1 HTTP/1.1"\n',
  );
  assertEquals(
    line("haproxy", { listener: "web", status: 400, clientHost: "::1", clientPort: 5, termination: "PR" }),
    '::1:5 [01/Jan/1970:00:00:00.000] web web/<NOSRV> -1/-1/-1/-1/-1 400 0 - - PR-- 0/0/0/0/0 0/0 "<BADREQ>"\n',
  );
});

Deno.test("append() writes HAProxy's tcplog for a connection, in combined and in JSON with the name of TLS", () => {
  const record = { ...REQUEST, transport: "tcp", termination: "cD" } as const;
  const expected = "203.0.113.7:51234 [31/Jan/2026:09:05:07.042] web app/a 0/30/109 2750 cD 0/0/0/0/0 0/0";
  assertEquals(line("haproxy", record), `${expected}\n`);
  assertEquals(line("combined", record), `${expected} host="shop.example"\n`);
  assertEquals(line("combined", { ...record, host: "" }), `${expected}\n`);
  assertEquals(
    line("combined", { ...record, host: "", traceId: "4bf92f35" }),
    `${expected} trace=4bf92f35\n`,
  );
  const parsed = JSON.parse(line("json", { ...record, traceId: "4bf92f35" }));
  assertEquals([parsed.clientPort, parsed.host, parsed.bytesIn, parsed.method, parsed.traceId], [
    51234,
    "shop.example",
    410,
    undefined,
    "4bf92f35",
  ]);
  assertEquals(JSON.parse(line("json", { ...record, host: "" })).host, undefined);
});

Deno.test("append() writes times of several seconds in any order", () => {
  const batch = new Batch();
  const log = new AccessLog("json", batch);
  const times = [0, 9000, 1999, 8000, 0, 16_001, 951_782_399_999];
  for (const time of times) log.append({ ...emptyAccessRecord(), time });
  const lines = new TextDecoder().decode(batch.take()!).trimEnd().split("\n");
  assertEquals(lines.map((text) => Date.parse(JSON.parse(text).time)), times);
});

const anyBytes = fc.uint8Array({ maxLength: 60 });
const TEXTS = ["method", "target", "requestId", "host", "referer", "userAgent"] as const;

Deno.test("append() in JSON gives arbitrary bytes back when parsed, from ranges and from strings", () => {
  fc.assert(fc.property(fc.tuple(...TEXTS.map(() => anyBytes)), fc.boolean(), (values, asString) => {
    const latin1 = values.map((bytes) => String.fromCharCode(...bytes));
    const given = values.map((bytes, index) =>
      asString ? latin1[index]! : { bytes, start: 0, end: bytes.length }
    );
    const text = line("json", Object.fromEntries(TEXTS.map((name, index) => [name, given[index]])));
    const parsed = JSON.parse(text);
    assertEquals(TEXTS.map((name) => parsed[name]), latin1);
    assertMatch(text, /^[ -~]+\n$/);
  }));
});

Deno.test("append() in JSON gives any string back when parsed", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (pool) => {
    assertEquals(JSON.parse(line("json", { pool })).pool, pool);
  }));
});

Deno.test("append() makes one line of printable ASCII of any record, with quotes only around fields", () => {
  const format = fc.constantFrom<Format>("combined", "haproxy");
  fc.assert(
    fc.property(format, fc.boolean(), anyBytes, fc.string({ unit: "binary" }), (form, tcp, bytes, text) => {
      const value = { bytes, start: 0, end: bytes.length };
      const written = line(form, {
        transport: tcp ? "tcp" : "",
        method: "GET",
        target: value,
        referer: value,
        userAgent: value,
        host: text,
      });
      assertMatch(written, /^[ -~]+\n$/);
      const quotes = form === "haproxy" ? (tcp ? 0 : 2) : tcp ? (text === "" ? 0 : 2) : 8;
      assertEquals(written.split('"').length - 1, quotes);
    }),
  );
});

Deno.test("append() keeps spaces out of fields without quotes", () => {
  const written = line("haproxy", { listener: "a b", pool: "c d", server: "e\nf", clientHost: "g h" });
  assertMatch(written, /^g_h:0 \[[^\]]+\] a_b c_d\/e\\x0Af /);
});

Deno.test("append() writes numbers of every size", () => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.double({ min: 0, max: 1e9, noNaN: true }), (count, ms) => {
    const record = JSON.parse(line("json", { bytesOut: count, totalMs: ms }));
    assertEquals(record.bytesOut, count);
    assertEquals(Math.abs(record.totalMs - ms) <= 0.000_501, true);
  }));
});

Deno.test("append() drops and counts lines when the batch is at its bound", () => {
  const batch = new Batch(20_000);
  const log = new AccessLog("json", batch);
  let kept = 0;
  for (let n = 0; n < 100; n++) if (log.append(emptyAccessRecord())) kept++;
  assertEquals(kept + batch.dropped, 100);
  assertEquals(batch.dropped > 0, true);
  assertEquals(new TextDecoder().decode(batch.take()!).trimEnd().split("\n").length, kept);
  assertEquals(log.append(emptyAccessRecord()), true);
});
