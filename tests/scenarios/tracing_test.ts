/** Traces of a real node: what servers are told, and what a collector gets by OTLP. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { readExport, type ReadSpan } from "../observe/otlp.ts";
import { eventually, freePort, Node } from "./node.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

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
  assertEquals(by("/none").attributes["error.type"], "noRoute");
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
