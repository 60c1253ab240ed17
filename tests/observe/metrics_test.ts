import fc from "fast-check";
import { LISTENER_COUNTERS, SERVER_COUNTERS, TRAFFIC_COUNTERS } from "../../mod/base/counters.ts";
import {
  LISTENER_METRICS,
  SERVER_METRICS,
  TIMES,
  TRAFFIC_METRICS,
} from "../../mod/observe/counter_metrics.ts";
import { exposition, openMetrics, wantsOpenMetrics } from "../../mod/observe/exposition.ts";
import { metricsPage } from "../../mod/observe/metrics.ts";
import type { PoolStatus, SessionStatus } from "../../mod/observe/status.ts";
import { assertEquals } from "../assert.ts";
import { parseExposition } from "./parse_exposition.ts";
import { numbered, SAMPLE_LIMIT, sampleServer, sampleStatus, sampleTraffic } from "./sample_status.ts";

Deno.test("metricsPage() shows every column of the shared counters exactly once", () => {
  const columnsOf = (metrics: readonly { columns: readonly { column: string }[] }[]) => {
    return metrics.flatMap(({ columns }) => columns.map(({ column }) => column)).toSorted();
  };
  const withTimes = (metrics: Parameters<typeof columnsOf>[0]) =>
    [...columnsOf(metrics), ...TIMES.map(({ column }) => column)].toSorted();
  assertEquals(withTimes(SERVER_METRICS), [...SERVER_COUNTERS].toSorted());
  assertEquals(withTimes(TRAFFIC_METRICS), [...TRAFFIC_COUNTERS].toSorted());
  assertEquals(columnsOf(LISTENER_METRICS), [...LISTENER_COUNTERS].toSorted());
});

Deno.test("metricsPage() is what a strict reader takes, with values in base units", () => {
  const families = parseExposition(metricsPage(sampleStatus(), sampleTraffic()));
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
  assertEquals(families.get("tandem_listener_open_connections")?.type, "gauge");
});

Deno.test("metricsPage() cumulates the histogram and gives bounds and sum in seconds", () => {
  const name = "tandem_listener_request_duration_seconds";
  const samples = parseExposition(metricsPage(sampleStatus(), sampleTraffic())).get(name)!.samples;
  assertEquals(samples.get(`${name}_bucket{listener="web",le="0.001"}`), 0);
  assertEquals(samples.get(`${name}_bucket{listener="web",le="0.0025"}`), 1);
  assertEquals(samples.get(`${name}_bucket{listener="web",le="0.005"}`), 3);
  assertEquals(samples.get(`${name}_bucket{listener="web",le="+Inf"}`), 15);
  assertEquals(samples.get(`${name}_count{listener="web"}`), 15);
  assertEquals(samples.get(`${name}_sum{listener="web"}`), 1.5);
});

Deno.test("metricsPage() has each certificate once, and of those of one name and place the first to expire", () => {
  const ca = { use: "acme.ca", name: "CN=us", issuer: "", file: "ca.pem", fingerprint: "" };
  const certificates = [{ ...ca, expiresAt: 9000 }, { ...ca, expiresAt: 5000 }];
  const page = metricsPage(sampleStatus({ certificates }), sampleTraffic());
  const lines = page.split("\n").filter((line) => line.startsWith("tandem_certificate_expiry_seconds{"));
  assertEquals(lines.map((line) => line.slice("tandem_certificate_expiry_seconds".length)), [
    '{listener="web",name="shop.example.com"} 1900000000',
    '{use="acme.ca",name="CN=us"} 5',
  ]);
});

Deno.test("metricsPage() says that a server is up only when it may get requests", () => {
  const servers = [
    sampleServer({ name: "unchecked", slot: 0, state: "unchecked" }),
    sampleServer({ name: "down", slot: 1, state: "down" }),
    sampleServer({ name: "ejected", slot: 2, state: "ejected" }),
    sampleServer({ name: "drained", slot: 3, admin: "drain" }),
  ];
  const status = sampleStatus({ pools: [{ name: "app", balance: "first", queued: 0, servers }] });
  const up = parseExposition(metricsPage(status, sampleTraffic())).get("tandem_server_up")!;
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
  const traffic = sampleTraffic();
  const rows = pools.map(({ name }) => ({ ...traffic.pools[0]!, pool: name }));
  const families = parseExposition(metricsPage(sampleStatus({ pools }), { ...traffic, pools: rows }));
  const samples = (name: string) => [...families.get(`tandem_pool_${name}`)!.samples];
  assertEquals(samples("sessions"), [['tandem_pool_sessions{pool="byTable"}', 7]]);
  assertEquals(samples("sessions_size"), [['tandem_pool_sessions_size{pool="byTable"}', 8]]);
  for (const [name, value] of [["hits", 5], ["misses", 4], ["moves", 3], ["evictions", 2]] as const) {
    const values = samples(`session_${name}_total`).map(([, each]) => each);
    assertEquals(values, [value, value], name);
  }
});

Deno.test("metricsPage() has histograms of routes, pools and servers", () => {
  const families = parseExposition(metricsPage(sampleStatus(), sampleTraffic()));
  for (
    const [kind, labels] of [
      ["route", 'listener="web",route="shop.example.com*"'],
      ["pool", 'pool="app"'],
      ["server", 'pool="app",server="a",address="10.0.0.11:8080"'],
    ] as const
  ) {
    const name = `tandem_${kind}_first_byte_duration_seconds`;
    const { samples, type } = families.get(name)!;
    assertEquals(type, "histogram");
    assertEquals(samples.get(`${name}_bucket{${labels},le="1.0"}`), 9);
    assertEquals(samples.get(`${name}_sum{${labels}}`), 0.3);
    assertEquals(families.get(`tandem_${kind}_request_duration_seconds`)!.samples.size, 17);
  }
});

Deno.test("metricsPage() sums the servers that are too many for labels of their own", () => {
  const servers = [0, 1, 2].map((slot) => sampleServer({ name: `s${slot}`, slot, weight: slot }));
  const times = sampleTraffic().servers.get(0)!;
  const families = parseExposition(metricsPage(
    sampleStatus({ pools: [{ name: "app", balance: "first", queued: 0, servers }] }),
    sampleTraffic({
      servers: new Map([[0, times]]),
      otherServers: { ...times, counters: numbered(SERVER_COUNTERS) },
    }),
  ));
  const other = 'pool="other",server="other",address=""';
  const value = (name: string) => families.get(name)!.samples.get(`${name}{${other}}`);
  assertEquals(families.get("tandem_server_up")!.samples.size, 2);
  assertEquals([value("tandem_server_up"), value("tandem_server_weight")], [2, 3]);
  assertEquals(value("tandem_server_requests_total"), numbered(SERVER_COUNTERS).requests);
});

Deno.test("wantsOpenMetrics() knows it among what a scraper accepts", () => {
  const prometheus =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75," +
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
  assertEquals(wantsOpenMetrics(prometheus), true);
  for (const accept of ["", "*/*", "text/plain;version=0.0.4", "application/openmetrics-text;q=0"]) {
    assertEquals(wantsOpenMetrics(accept), false, accept);
  }
});

Deno.test("openMetrics() calls families of counters without _total and says where the page ends", () => {
  const samples = [{ labels: {}, value: 1 }];
  const page = exposition([
    { name: "a_total", help: "Of a_total .", type: "counter", samples },
    { name: "b", help: "b", type: "gauge", samples },
  ]);
  assertEquals(
    openMetrics(page),
    "# HELP a Of a_total .\n# TYPE a counter\na_total 1\n# HELP b b\n# TYPE b gauge\nb 1\n# EOF\n",
  );
});

Deno.test("metricsPage() leaves out families without a sample", () => {
  const families = parseExposition(metricsPage(
    sampleStatus({ listeners: [], pools: [] }),
    sampleTraffic({ routes: [], pools: [], servers: new Map() }),
  ));
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
  const families = parseExposition(metricsPage(sampleStatus({ limits: [SAMPLE_LIMIT] }), sampleTraffic()));
  const of = (name: string) => [...families.get(`tandem_limit_${name}`)?.samples ?? []];
  const labels = 'kind="rate",limit="listener web"';
  assertEquals(of("requests_total").map(([, value]) => value), [2, 3, 4, 5]);
  assertEquals(of("requests_total")[2], [`tandem_limit_requests_total{${labels},result="refused"}`, 4]);
  assertEquals(of("keys"), [[`tandem_limit_keys{${labels}}`, 1]]);
  assertEquals(of("keys_size"), [[`tandem_limit_keys_size{${labels}}`, 8]]);
  assertEquals(of("evictions_total"), [[`tandem_limit_evictions_total{${labels}}`, 6]]);
});

Deno.test("metricsPage() of many pools and limits has series for some, and one for all others, in every family", () => {
  const session: SessionStatus = {
    by: "table",
    entries: 2,
    size: 8,
    hits: 1,
    misses: 1,
    moved: 1,
    evictions: 1,
  };
  const pools = Array.from({ length: 600 }, (_, at): PoolStatus => ({
    name: `p${at}`,
    balance: "first",
    queued: 1,
    breaker: { state: at === 599 ? "open" : "closed", opened: 1 },
    sessions: session,
    servers: [sampleServer({ slot: at })],
  }));
  const limits = Array.from({ length: 300 }, (_, at) => ({ ...SAMPLE_LIMIT, name: `l${at}` }));
  const traffic = sampleTraffic();
  const [one] = traffic.pools;
  const named = [...Array.from({ length: 256 }, (_, at) => `p${at}`), "other"];
  const page = metricsPage(sampleStatus({ pools, limits }), {
    ...traffic,
    pools: named.map((pool) => ({ ...one!, pool })),
  });
  const families = parseExposition(page);
  const value = (name: string) => families.get(name)!.samples.get(`${name}{pool="other"}`);
  assertEquals(value("tandem_pool_queued"), 344);
  assertEquals(value("tandem_pool_servers"), 344);
  assertEquals(value("tandem_pool_sessions"), 688);
  assertEquals(value("tandem_pool_breaker_open"), 1);
  assertEquals(
    families.get("tandem_limit_keys")!.samples.get('tandem_limit_keys{kind="other",limit="other"}'),
    44,
  );
  for (const label of ["pool", "limit"]) {
    const values = new Set(
      [...page.matchAll(new RegExp(`[{,]${label}="([^"]*)"`, "g"))].map(([, name]) => name),
    );
    values.delete("app");
    assertEquals(values.size, 257, label);
  }
});
