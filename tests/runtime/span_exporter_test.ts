/** Spans on their way to a collector, which is a server of the test: fast, slow, failing, gone. */
import type { TracingConfig } from "../../mod/config/tracing_schema.ts";
import { MAX_BATCH } from "../../mod/observe/span_queue.ts";
import { SpanExporter } from "../../mod/runtime/span_exporter_io.ts";
import { assertEquals, assertMatch } from "../assert.ts";

class Collector implements AsyncDisposable {
  readonly got: { readonly spans: unknown[]; readonly headers: Headers }[] = [];
  /** What it answers next, and then again and again. */
  readonly statuses: number[] = [200];
  body = "{}";
  #arrived = Promise.withResolvers<void>();
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { resourceSpans: [{ scopeSpans: [{ spans }] }] } = await request.json();
    this.got.push({ spans, headers: request.headers });
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
    const status = this.statuses.length > 1 ? this.statuses.shift()! : this.statuses[0]!;
    return new Response(status === 204 ? null : this.body, { status });
  });

  config(fields: Partial<TracingConfig> = {}): TracingConfig {
    const endpoint = `http://127.0.0.1:${this.#server.addr.port}/v1/traces`;
    return { endpoint, sample: 1, parents: "all", service: "edge", headers: {}, ...fields };
  }

  async until(count: number): Promise<void> {
    while (this.got.length < count) await this.#arrived.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function exporter() {
  const told: string[] = [];
  const say = (message: string, fields = {}) => void told.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug: say, info: say, warning: say, error: say };
  return { told, exporter: new SpanExporter({ version: "1", node: "n1" }, log) };
}

const lines = (count: number, text = "{}") => new TextEncoder().encode(`${text}\n`.repeat(count));

Deno.test("SpanExporter() sends what has gathered, with the headers that are wanted, and counts it", async () => {
  await using collector = new Collector();
  const { exporter: spans, told } = exporter();
  assertEquals(spans.counts, null);
  spans.configure(collector.config({ headers: { authorization: "Bearer x" } }));
  spans.push(lines(MAX_BATCH + 1), 2);
  await collector.until(1);
  await spans.close();
  assertEquals(collector.got.map(({ spans }) => spans.length), [MAX_BATCH, 1]);
  const { headers } = collector.got[0]!;
  assertEquals([headers.get("authorization"), headers.get("content-type")], ["Bearer x", "application/json"]);
  assertEquals(spans.counts, { exported: MAX_BATCH + 1, failed: 0, dropped: 2 });
  assertEquals(told, []);
});

Deno.test("SpanExporter() asks a collector again that is busy, gives up what it refuses, and says so once", async () => {
  await using collector = new Collector();
  collector.statuses.splice(0, 1, 503, 400, 200);
  const { exporter: spans, told } = exporter();
  spans.configure(collector.config());
  spans.push(lines(MAX_BATCH, '{"n":1}'), 0);
  await collector.until(2);
  assertEquals(collector.got[0]!.spans, collector.got[1]!.spans);
  spans.push(lines(1, '{"n":2}'), 0);
  await spans.close();
  assertEquals(collector.got[2]!.spans, [{ n: 2 }]);
  assertEquals(spans.counts, { exported: 1, failed: MAX_BATCH, dropped: 0 });
  assertEquals(told.length, 3);
  assertMatch(told[0]!, /does not take spans.*503/);
  assertMatch(told[2]!, /takes spans again/);
});

Deno.test("SpanExporter() counts and tells what a collector refuses of a batch that it took", async () => {
  await using collector = new Collector();
  collector.body = JSON.stringify({ partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } });
  const { exporter: spans, told } = exporter();
  spans.configure(collector.config());
  spans.push(lines(3), 0);
  await spans.close();
  assertEquals(spans.counts, { exported: 1, failed: 2, dropped: 0 });
  assertEquals(told.length, 1);
  assertMatch(told[0]!, /does not take spans.*it refuses some: too old/);
});

Deno.test("SpanExporter() does not send again what was taken, though the answer breaks off", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answering = (async () => {
    using connection = await listener.accept();
    const decoder = new TextDecoder();
    let asked = "";
    const buffer = new Uint8Array(4096);
    while (!asked.includes('"n":1')) {
      asked += decoder.decode(buffer.subarray(0, await connection.read(buffer) ?? 0), { stream: true });
    }
    await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"));
  })();
  const { exporter: spans, told } = exporter();
  const endpoint = `http://127.0.0.1:${listener.addr.port}/v1/traces`;
  spans.configure({ endpoint, sample: 1, parents: "all", service: "edge", headers: {} });
  spans.push(lines(1, '{"n":1}'), 0);
  await spans.close();
  await answering;
  assertEquals(spans.counts, { exported: 1, failed: 0, dropped: 0 });
  assertEquals(told, []);
});

Deno.test("SpanExporter() a collector that is gone costs spans and nothing else; without one nothing is kept", async () => {
  const { exporter: spans, told } = exporter();
  const gone = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = gone.addr;
  gone.close();
  spans.configure({
    ...{
      endpoint: `http://127.0.0.1:${port}/v1/traces`,
      sample: 1,
      parents: "all",
      service: "edge",
      headers: {},
    },
  });
  spans.push(lines(5000), 0);
  await spans.close();
  assertEquals(spans.counts!.exported, 0);
  assertEquals(spans.counts!.dropped, 5000 - 2048);
  assertEquals(told.length, 1);
  spans.configure(null);
  assertEquals(spans.counts!.dropped, 5000);
  spans.push(lines(1), 0);
  assertEquals(spans.counts!.dropped, 5001);
});
