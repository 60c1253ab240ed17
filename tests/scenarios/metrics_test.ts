/** The metrics of a real node, as Prometheus itself scrapes and promtool checks them. */
import { assert, assertEquals } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { Buffered } from "./buffered.ts";
import { eventually, freePort, Node } from "./node.ts";
import { Peers } from "./peers.ts";
import { RawServer } from "./raw_server.ts";

labTest("run() has metrics that Prometheus takes in both formats", ["prometheus", "promtool"], async () => {
  await using server = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) {
      await input.through("\r\n\r\n");
      await RawServer.answer(conn, "good");
    }
  });
  const [port, prometheusPort, tcpPort, udpPort] = [freePort(), freePort(), freePort(), freePort()];
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes: [{ match: { path: /fixed }, respond: { body: ok } }, { match: { path: "/app/*" }, pool: app }]
  - { name: db, bind: "127.0.0.1:${tcpPort}", protocol: tcp, pool: db }
  - { name: dns, bind: "127.0.0.1:${udpPort}", protocol: udp, pool: dns }
pools:
  app: { servers: [{ name: a, address: "127.0.0.1:${server.port}" }] }
  db: { servers: [{ name: a, address: "127.0.0.1:${server.port}" }] }
  dns: { servers: [{ name: a, address: "127.0.0.1:${freePort()}" }] }
`);
  for (const path of ["/fixed", "/app/1", "/app/2", "/none"]) {
    await (await fetch(`http://127.0.0.1:${port}${path}`)).body?.cancel();
  }
  await (await fetch(`http://127.0.0.1:${tcpPort}/`)).body?.cancel();
  const datagrams = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  await datagrams.send(new Uint8Array(8), { transport: "udp", hostname: "127.0.0.1", port: udpPort });
  datagrams.close();
  const page = await (await fetch(`http://127.0.0.1:${node.adminPort}/metrics`)).bytes();
  assertEquals(await checkedByPromtool(page), { code: 0, said: "" });

  await using peers = await Peers.make();
  const file = peers.write(
    "prometheus.yaml",
    `scrape_configs: [{ job_name: tandem, scrape_interval: 250ms, static_configs: [{ targets: ["127.0.0.1:${node.adminPort}"] }] }]`,
  );
  const flags = { "config.file": file, "storage.tsdb.path": `${peers.directory}/data`, "log.level": "error" };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  await peers.start(
    "prometheus",
    [...args, `--web.listen-address=127.0.0.1:${prometheusPort}`],
    prometheusPort,
  );
  const ask = async (query: string): Promise<Record<string, number>> => {
    const url = `http://127.0.0.1:${prometheusPort}/api/v1/query?query=${encodeURIComponent(query)}`;
    const { data } = await (await fetch(url)).json();
    return Object.fromEntries(
      data.result.map(({ metric, value }: { metric: Record<string, string>; value: [number, string] }) => {
        return [metric.route ?? metric.pool ?? "", Number(value[1])];
      }),
    );
  };
  await eventually(async () => (await ask("up"))[""] === 1, () => "Prometheus did not scrape");
  assertEquals(await ask('tandem_route_request_duration_seconds_count{listener="web"}'), {
    "/fixed": 1,
    "/app/*": 2,
  });
  assertEquals(await ask('tandem_pool_first_byte_duration_seconds_count{pool="app"}'), { app: 2 });
  assertEquals(await ask('tandem_server_request_duration_seconds_bucket{le="+Inf",pool="app"}'), { app: 2 });
  assertEquals(await ask('tandem_listener_requests_total{listener="web"}'), { "": 4 });
  assertEquals(await ask("tandem_pool_servers_up"), { app: 1, db: 1, dns: 1 });
  // Prometheus asks like this, so what it took was OpenMetrics.
  const accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
  const response = await fetch(`http://127.0.0.1:${node.adminPort}/metrics`, { headers: { accept } });
  assert(response.headers.get("content-type")?.startsWith("application/openmetrics-text; version=1.0.0"));
  assert((await response.text()).endsWith("# EOF\n"));
});

Deno.test("run() whatever clients ask for, there are no more series than the configuration makes", async () => {
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes:
      - { match: { host: "*.example.com", path: "/fixed/*" }, respond: { body: ok } }
      - { match: { host: shop.example.org }, respond: { body: ok } }
log: { access: off }
`);
  const asked = async (count: number) => {
    const heads = Array.from({ length: count }, (_, index) => {
      const last = index === count - 1 ? "Connection: close\r\n" : "";
      const method = index % 2 === 0 ? "GET" : `METHOD${index}`;
      return `${method} /${
        index % 3 === 0 ? "none" : "fixed"
      }/${index} HTTP/1.1\r\nHost: h${index}.example.com\r\n${last}\r\n`;
    });
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(heads.join("")));
    const text = await new Response(connection.readable).text();
    return text.split("HTTP/1.1 ").length - 1;
  };
  const series = async () =>
    [...(await node.metrics()).values()].flatMap(({ samples }) => [...samples.keys()]);
  assertEquals(await asked(6), 6);
  const before = await series();
  assertEquals(await asked(1000), 1000);
  assertEquals(await series(), before);
  assertEquals((await node.listener("web")).counters.requests, 1006);
});

async function checkedByPromtool(page: Uint8Array<ArrayBuffer>): Promise<{ code: number; said: string }> {
  const tool = requireTool("promtool");
  if ("skip" in tool) throw new Error(tool.skip);
  const command = new Deno.Command(tool.path, {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(page);
  await writer.close();
  const { code, stdout, stderr } = await output;
  return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}
