/** The access log and the counters of a real node, against what was really sent. */
import { assertEquals, assertMatch } from "../assert.ts";
import { fromLatin1 } from "../../mod/http/grammar.ts";
import { Buffered } from "./buffered.ts";
import { eventually, freePort, Node } from "./node.ts";
import { RawServer } from "./raw_server.ts";

/** Requests of which each must make one line, and the status of its answer. */
const REQUESTS: readonly [bytes: string, status: number][] = [
  [`GET /plain HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\nReferer: http://b/\r\n\r\n`, 200],
  [`GET /"quoted"\\ HTTP/1.1\r\nHost: a\r\n\r\n`, 200],
  [`GET /a?%0a%22{} HTTP/1.1\r\nHost: a\r\nUser-Agent: "}]{\\"\r\nReferer: '\\"\r\n\r\n`, 200],
  [`GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: \xe2\x80\xa8\xff\xfe\ttab\r\n\r\n`, 200],
  [`GET /${"x".repeat(7000)} HTTP/1.1\r\nHost: a\r\nUser-Agent: ${"y".repeat(7000)}\r\n\r\n`, 200],
  [`GET /bare\nGET /injected HTTP/1.1\r\nHost: a\r\n\r\n`, 400],
  [`GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: a\rb\r\n\r\n`, 400],
  [`\x00\x01\x02\x1b[31m\r\n\r\n`, 400],
  [`\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n`, 400],
  [`GET / HTTP/1.1\r\n\r\n`, 400],
  [`GET / HTTP/3.7\r\nHost: a\r\n\r\n`, 505],
  [`GET /${"z".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  [`GET / HTTP/1.1\r\nHost: a\r\n${"A: b\r\n".repeat(200)}\r\n`, 431],
  [`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  [`GET /nowhere/ HTTP/1.1\r\nHost: "evil\r\n\r\n`, 400],
  [`GET /gone HTTP/1.1\r\nHost: a\r\n\r\n`, 404],
];

const STATUS_OF: Record<string, (line: string) => number> = {
  json(line) {
    const record = JSON.parse(line);
    assertEquals(record.listener, "web");
    assertMatch(record.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    return record.status;
  },
  combined(line) {
    const quoted = `"(?:[^"\\\\]|\\\\.)*"`;
    const words = ["pool", "server", "queue", "connect", "firstByte", "total", "termination", "error", "id"];
    const pattern =
      `^127\\.0\\.0\\.1 - - \\[[^\\]]+\\] ${quoted} (\\d+) \\d+ ${quoted} ${quoted} host=${quoted}` +
      words.map((word) => ` ${word}=\\S+`).join("") + "$";
    return Number(matched(line, new RegExp(pattern))[1]);
  },
  haproxy(line) {
    const pattern =
      /^127\.0\.0\.1:\d+ \[[^\]]+\.\d{3}\] web \S+\/\S+ -?\d+(?:\/-?\d+){4} (-?\d+) \d+ - - \S{2}-- 0\/0\/0\/0\/\d+ 0\/0 "(?:[^"\\]|\\.)*"$/;
    return Number(matched(line, pattern)[1]);
  },
};

Deno.test("run() every request makes one line in every format, which parses, and the counters agree", async (t) => {
  await using server = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) {
      await input.through("\r\n\r\n");
      await RawServer.answer(conn, "good");
    }
  });
  const port = freePort();
  const config = (format: string) => `
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes: [{ match: { path: /gone }, respond: { status: 404 } }, { pool: app }]
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
log: { format: json, access: ${format} }
workers: 2
`;
  await using node = await Node.start(config("off"));
  const statuses = REQUESTS.map(([, status]) => status).sort();
  for (const [format, statusOf] of Object.entries(STATUS_OF)) {
    await t.step(format, async () => {
      await node.reload(config(format));
      const seen = node.program.lines.length;
      // The node's own log is JSON with a level in it.
      const access = () =>
        node.program.lines.slice(seen).filter((line) => !/^\{"time":"[^"]+","level":/.test(line));
      for (const [text, status] of REQUESTS) assertEquals(await send(port, text), status, text.slice(0, 80));
      await eventually(() => access().length >= REQUESTS.length, () => access().join("\n"));
      assertEquals(access().map(statusOf).sort(), statuses);
    });
  }
  const rounds = Object.keys(STATUS_OF).length;
  const sent = (least: number) =>
    rounds * statuses.filter((status) => Math.floor(status / 100) === least).length;
  const { counters } = await node.listener("web");
  const page = await node.metrics();
  const metric = (name: string, labels: string) => page.get(name)?.samples.get(`${name}{${labels}}`);
  const total = rounds * REQUESTS.length;
  assertEquals([counters.accepted, counters.requests, counters.active], [total, total, 0]);
  assertEquals(metric("tandem_listener_requests_total", `listener="web"`), total);
  for (const least of [2, 4, 5] as const) {
    assertEquals(counters[`responses${least}xx`], sent(least));
    assertEquals(metric("tandem_listener_responses_total", `listener="web",code="${least}xx"`), sent(least));
  }
  const [app] = (await node.status()).pools;
  assertEquals(app!.servers[0]!.counters.responses2xx, sent(2));
  const labels = `pool="app",server="127.0.0.1:${server.port}",address="127.0.0.1:${server.port}"`;
  assertEquals(metric("tandem_server_requests_total", labels), sent(2));
});

function matched(line: string, pattern: RegExp): RegExpExecArray {
  const found = pattern.exec(line);
  if (found === null) throw new Error(`not a line of its format: ${line}`);
  return found;
}

/** One request on a connection of its own; the status of its answer. */
async function send(port: number, text: string): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = fromLatin1(text);
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
  await conn.closeWrite();
  let received = "";
  const decoder = new TextDecoder();
  for await (const chunk of conn.readable) received += decoder.decode(chunk);
  return Number(received.slice(9, 12));
}
