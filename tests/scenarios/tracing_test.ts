/** Traces of a real node: what servers are told, and what a collector gets by OTLP. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { readExport, type ReadSpan } from "../observe/otlp.ts";
import { eventually, freePort, freePorts, Node } from "./node.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

/** Asks once, and waits for the end of the connection; what came. */
async function askTcp(port: number, text: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  await connection.closeWrite();
  return await new Response(connection.readable).text();
}

Deno.test("run() tells a collector of connections and of clients of udp, when they have ended", async () => {
  const spans: ReadSpan[] = [];
  await using collector = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    spans.push(...readExport(await request.text()).spans);
    return Response.json({});
  });
  await using database = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("ok"),
  );
  using sockets = new DisposableStack();
  const socket = () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const names = sockets.adopt(socket(), (each) => each.close());
  const [db, down, dns, closed] = freePorts(4);
  await using node = await Node.start(`
listeners:
  - { name: db, bind: "127.0.0.1:${db}", protocol: tcp, pool: db }
  - { name: down, bind: "127.0.0.1:${down}", protocol: tcp, pool: down }
  - { name: dns, bind: "127.0.0.1:${dns}", protocol: udp, pool: dns, udp: { answers: 1 } }
pools:
  db: { servers: [{ name: a, address: "127.0.0.1:${database.addr.port}" }] }
  down: { servers: [{ name: b, address: "127.0.0.1:${closed}" }] }
  dns: { servers: [{ name: c, address: "127.0.0.1:${(names.addr as Deno.NetAddr).port}" }] }
log: { access: json }
tracing: { endpoint: "http://127.0.0.1:${collector.addr.port}", sample: 100% }`);
  const request = "GET / HTTP/1.0\r\n\r\n";
  const answer = await askTcp(db!, request);
  assertMatch(answer, /\r\n\r\nok$/);
  await askTcp(down!, "").catch(() => {});
  const client = sockets.adopt(socket(), (each) => each.close());
  await client.send(new TextEncoder().encode("name?"), {
    transport: "udp",
    hostname: "127.0.0.1",
    port: dns!,
  });
  const [bytes, from] = await names.receive();
  await names.send(bytes.subarray(0, 2), from);
  await eventually(() => spans.length === 3, () => JSON.stringify(spans) + node.program.text);

  const by = (name: string) => spans.find((span) => span.name === name)!;
  const told = (name: string, ...keys: string[]) => keys.map((key) => by(name).attributes[key]);
  const carried = ["tandem.server", "tandem.received_bytes", "tandem.sent_bytes"];
  assertEquals(told("tcp db", ...carried), ["a", request.length, answer.length]);
  assertEquals([by("tcp db").status, ...told("tcp db", "tandem.termination")], [undefined, "--"]);
  assertEquals(told("udp dns", ...carried), ["c", 5, 2]);
  assertEquals([by("tcp down").status, ...told("tcp down", "error.type")], [{ code: 2 }, "connectFailed"]);
  assertEquals(JSON.parse(await node.program.line(`"listener":"db"`)).traceId, by("tcp db").traceId);
});

Deno.test("run() tells servers the trace of a request and a collector the span, in HTTP/1.1 and HTTP/2", async () => {
  const spans: (ReadSpan & { resource: Record<string, unknown> })[] = [];
  await using collector = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    assertEquals([request.method, new URL(request.url).pathname], ["POST", "/v1/traces"]);
    const { resource, spans: got } = readExport(await request.text());
    spans.push(...got.map((span) => ({ ...span, resource })));
    return Response.json({});
  });
  const told: (string | null)[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ headers }) => {
    told.push(headers.get("traceparent"));
    return new Response("ok");
  });
  const port = freePort();
  const config = (tracing: string) => `
listeners: [{ name: web, bind: "127.0.0.1:${port}", routes: [{ match: { path: "/a/*" }, pool: app }] }]
pools: { app: { servers: [{ name: a, address: "127.0.0.1:${server.addr.port}" }] } }
log: { access: json }
${tracing}`;
  await using node = await Node.start(
    config(
      `tracing: { endpoint: "http://127.0.0.1:${collector.addr.port}", sample: 100%, parents: all, service: edge }`,
    ),
  );
  const ask = async (path: string, headers: HeadersInit = {}, client?: Deno.HttpClient) => {
    const init = client === undefined ? { headers } : { headers, client };
    const { status, body } = await fetch(`http://127.0.0.1:${port}${path}`, init);
    await body?.cancel();
    return status;
  };
  assertEquals(await ask("/a/1?q=1", { traceparent: `00-${TRACE}-${PARENT}-01` }), 200);
  assertEquals(await ask("/none"), 404);
  using http2 = Deno.createHttpClient({ http1: false, http2: true });
  assertEquals(await ask("/a/2", {}, http2), 200);
  assertEquals(await ask("/a/3", { traceparent: `00-${TRACE}-${PARENT}-00` }), 200);
  await eventually(() => spans.length === 3, () => JSON.stringify(spans));

  const by = (path: string) => spans.find(({ attributes }) => attributes["url.path"] === path)!;
  const first = by("/a/1");
  assertEquals([first.traceId, first.parentSpanId, first.name], [TRACE, PARENT, "GET /a/*"]);
  assertEquals(first.resource["service.name"], "edge");
  const { attributes } = first;
  assertEquals(
    ["url.query", "http.response.status_code", "tandem.server", "tandem.attempts", "server.port"].map((
      name,
    ) => attributes[name]),
    ["q=1", 200, "a", 1, port],
  );
  assertEquals(by("/a/2").attributes["network.protocol.version"], "2");
  assertEquals(by("/none").attributes["tandem.error"], "noRoute");
  assertEquals(told[0], `00-${TRACE}-${first.spanId}-01`);
  assertEquals(told[1], `00-${by("/a/2").traceId}-${by("/a/2").spanId}-01`);
  assertEquals(told[2], `00-${TRACE}-${PARENT}-00`);
  const line = JSON.parse(await node.program.line(`"target":"/a/1?q=1"`));
  assertEquals(line.traceId, TRACE);
  // The collector's answer may be on its way still.
  const exported = async () =>
    (await node.metrics()).get("tandem_trace_spans_total")!.samples.get(
      'tandem_trace_spans_total{result="exported"}',
    );
  await eventually(async () => await exported() === 3);

  await node.reload(config(""));
  assertEquals(await ask("/a/4", { traceparent: "anything" }), 200);
  assertEquals(told[3], "anything");
  assert(!(await node.program.line(`"target":"/a/4"`)).includes("traceId"));
  assertMatch(node.program.text, /alsoChanged=tracing|"alsoChanged":\["tracing"\]/);
});
