import fc from "fast-check";
import { LISTENER_COUNTERS, SERVER_COUNTERS } from "../../mod/base/counters.ts";
import { exposition } from "../../mod/observe/exposition.ts";
import { LISTENER_METRICS, metricsPage, SERVER_METRICS } from "../../mod/observe/metrics.ts";
import type { PoolStatus, SessionStatus } from "../../mod/observe/status.ts";
import { assertEquals } from "../assert.ts";
import { parseExposition } from "./parse_exposition.ts";
import { numbered, SAMPLE_LIMIT, sampleServer, sampleStatus } from "./sample_status.ts";

Deno.test("metricsPage() shows every column of the shared counters exactly once", () => {
  const columnsOf = (metrics: readonly { columns: readonly { column: string }[] }[]) => {
    return metrics.flatMap(({ columns }) => columns.map(({ column }) => column)).toSorted();
  };
  assertEquals(columnsOf(SERVER_METRICS), [...SERVER_COUNTERS].toSorted());
  assertEquals(columnsOf(LISTENER_METRICS), [...LISTENER_COUNTERS].toSorted());
});

Deno.test("metricsPage() is what a strict reader takes, with values in base units", () => {
  const families = parseExposition(metricsPage(sampleStatus()));
  const value = (family: string, sample: string) => families.get(family)?.samples.get(sample);
  const server = 'pool="app",server="a",address="10.0.0.11:8080"';
  const counters = numbered(SERVER_COUNTERS);
  assertEquals(
    value("tandem_server_queue_seconds_total", `tandem_server_queue_seconds_total{${server}}`),
    counters.queueMs / 1000,
  );
  assertEquals(
    value("tandem_server_responses_total", `tandem_server_responses_total{${server},code="5xx"}`),
    counters.responses5xx,
  );
  assertEquals(value("tandem_server_up", `tandem_server_up{${server}}`), 1);
  assertEquals(value("tandem_start_time_seconds", "tandem_start_time_seconds"), 500);
  assertEquals(families.get("tandem_listener_connections")?.type, "gauge");
});

Deno.test("metricsPage() cumulates the histogram and gives bounds and sum in seconds", () => {
  const name = "tandem_listener_request_duration_seconds";
  const samples = parseExposition(metricsPage(sampleStatus())).get(name)!.samples;
  assertEquals(samples.get(`${name}_bucket{listener="web",le="0.001"}`), 0);
  assertEquals(samples.get(`${name}_bucket{listener="web",le="0.0025"}`), 1);
  assertEquals(samples.get(`${name}_bucket{listener="web",le="0.005"}`), 3);
  assertEquals(samples.get(`${name}_bucket{listener="web",le="+Inf"}`), 15);
  assertEquals(samples.get(`${name}_count{listener="web"}`), 15);
  assertEquals(samples.get(`${name}_sum{listener="web"}`), 1.5);
});

Deno.test("metricsPage() says that a server is up only when it may get requests", () => {
  const servers = [
    sampleServer({ name: "unchecked", state: "unchecked" }),
    sampleServer({ name: "down", state: "down" }),
    sampleServer({ name: "ejected", state: "ejected" }),
    sampleServer({ name: "drained", admin: "drain" }),
  ];
  const status = sampleStatus({ pools: [{ name: "app", balance: "first", queued: 0, servers }] });
  const up = parseExposition(metricsPage(status)).get("tandem_server_up")!;
  assertEquals([...up.samples.values()], [1, 0, 0, 0]);
});

Deno.test("metricsPage() tells of the sessions of pools that have some, and of tables where there is one", () => {
  const counts = { hits: 5, misses: 4, moved: 3, evictions: 2 };
  const pool = (name: string, sessions?: SessionStatus): PoolStatus => {
    return {
      name,
      balance: "first",
      queued: 0,
      servers: [],
      ...(sessions === undefined ? {} : { sessions }),
    };
  };
  const pools = [
    pool("none"),
    pool("byCookie", { by: "cookie", entries: null, size: null, ...counts }),
    pool("byTable", { by: "table", entries: 7, size: 8, ...counts }),
  ];
  const families = parseExposition(metricsPage(sampleStatus({ pools })));
  const samples = (name: string) => [...families.get(`tandem_pool_${name}`)!.samples];
  assertEquals(samples("sessions"), [['tandem_pool_sessions{pool="byTable"}', 7]]);
  assertEquals(samples("sessions_size"), [['tandem_pool_sessions_size{pool="byTable"}', 8]]);
  for (const [name, value] of [["hits", 5], ["misses", 4], ["moves", 3], ["evictions", 2]] as const) {
    const values = samples(`session_${name}_total`).map(([, each]) => each);
    assertEquals(values, [value, value], name);
  }
});

Deno.test("metricsPage() leaves out families without a sample", () => {
  const families = parseExposition(metricsPage(sampleStatus({ listeners: [], pools: [] })));
  assertEquals([...families.keys()].some((name) => /listener|server|pool/.test(name)), false);
});

Deno.test("exposition() escapes labels and help so that they read back", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\\", '"', "\n", "n", "}", ",", " ", "ä") });
  fc.assert(fc.property(text, text, (label, help) => {
    const samples = [{ labels: { pool: label }, value: 1 }];
    const page = exposition([{ name: "x", help: `.${help}`, type: "gauge", samples }]);
    const read = parseExposition(page).get("x")!;
    const unescape = (escaped: string) => escaped.replace(/\\(.)/g, (_, char) => char === "n" ? "\n" : char);
    const [key] = [...read.samples.keys()];
    assertEquals(unescape(key!.slice('x{pool="'.length, -'"}'.length)), label);
    assertEquals(read.help.replace(/\\(\\|n)/g, (_, char) => char === "n" ? "\n" : char), `.${help}`);
  }));
});

Deno.test("metricsPage() tells of limits what became of requests", () => {
  const families = parseExposition(metricsPage(sampleStatus({ limits: [SAMPLE_LIMIT] })));
  const of = (name: string) => [...families.get(`tandem_limit_${name}`)?.samples ?? []];
  const labels = 'kind="rate",limit="listener web"';
  assertEquals(of("requests_total").map(([, value]) => value), [2, 3, 4, 5]);
  assertEquals(of("requests_total")[2], [`tandem_limit_requests_total{${labels},result="refused"}`, 4]);
  assertEquals(of("keys"), [[`tandem_limit_keys{${labels}}`, 1]]);
  assertEquals(of("keys_size"), [[`tandem_limit_keys_size{${labels}}`, 8]]);
  assertEquals(of("evictions_total"), [[`tandem_limit_evictions_total{${labels}}`, 6]]);
});
