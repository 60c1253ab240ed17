/** Servers that are slow or fail, seen by curl in HTTP/1 and HTTP/2, with nginx and HAProxy behind both of them too. */
import { assert, assertEquals, assertGreater } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { eventually, freePorts, Node, serverOf } from "./node.ts";
import { Nginx } from "./nginx.ts";
import { curl, Peers, run } from "./peers.ts";
import { RawServer } from "./raw_server.ts";

const CLIENTS = ["--http1.1", "--http2-prior-knowledge"];
const STATUS = ["-o", "/dev/null", "-w", "%{http_code}"];

labTest("run() bounds what takes too long, by the route", ["curl", "nginx"], async (t) => {
  await using peers = await Peers.make();
  await using silent = new RawServer((conn) => RawServer.untilGone(conn));
  const [web, http1, http2] = freePorts(3) as [number, number, number];
  // Of these nginx sends the first part at once, and then next to nothing.
  peers.write("slow", "x".repeat(100_000));
  const site = `root ${peers.directory}; location = /slow { limit_rate_after 10000; limit_rate 100; }`;
  await peers.nginx(
    http1,
    `server { listen 127.0.0.1:${http1}; ${site} } server { listen 127.0.0.1:${http2} http2; ${site} }`,
  );
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${web}"
    timeouts: { request: 500ms }
    routes:
      - { match: { path: "/silent/response" }, timeouts: { request: 0s, response: 300ms }, pool: silent }
      - { match: { path: "/silent/*" }, pool: silent }
      - { match: { path: "/one/*" }, rewrite: { stripPrefix: /one }, pool: one }
      - { match: { path: "/two/*" }, rewrite: { stripPrefix: /two }, pool: two }
pools:
  silent: { servers: ["127.0.0.1:${silent.port}"] }
  one: { servers: ["127.0.0.1:${http1}"] }
  two: { protocol: h2, servers: ["127.0.0.1:${http2}"] }
`);
  const url = `http://127.0.0.1:${web}`;
  for (const client of CLIENTS) {
    await t.step(client, async () => {
      assertEquals(await curl(client, ...STATUS, `${url}/silent/`), "504");
      assertEquals(await curl(client, ...STATUS, `${url}/silent/response`), "504");
      assertEquals(await curl(client, ...STATUS, "-d", "a=b", `${url}/silent/`), "504");
      for (const pool of ["one", "two"]) {
        const cut = await run("curl", ["-sS", "-m", "15", client, ...STATUS, `${url}/${pool}/slow`]);
        // 18 and 92: a part of it has come.
        assert([18, 92].includes(cut.code), cut.text);
      }
    });
  }
  const { counters } = await node.listener("web");
  assertEquals([counters.requestTimeout, counters.responseTimeout], [8, 2]);
});

labTest("run() has another pool or a page for what a pool fails", ["curl", "nginx", "haproxy"], async (t) => {
  await using peers = await Peers.make();
  await using dying = await Nginx.start("app");
  await using sorry = await Nginx.start("sorry");
  const [web, raw, down, http2, gone] = freePorts(5) as [number, number, number, number, number];
  await peers.haproxy(
    down,
    `listen l\n  mode http\n  retries 0\n  bind 127.0.0.1:${down}\n  server s 127.0.0.1:${gone}`,
  );
  await peers.nginx(http2, `server { listen 127.0.0.1:${http2} http2; return 200 "sorry\\n"; }`);
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${web}"
    routes:
      - { match: { path: "/page" }, fallback: { respond: { body: "back soon", retryAfter: 90s } }, pool: app }
      - { match: { path: "/two" }, fallback: { pool: two }, pool: app }
      - { match: { path: "/status" }, fallback: { pool: sorry, statuses: [503] }, pool: down }
      - { fallback: { pool: sorry }, pool: app }
  - { name: raw, bind: "127.0.0.1:${raw}", protocol: tcp, routes: [{ fallback: { pool: sorry }, pool: app }] }
pools:
  app: { servers: ["127.0.0.1:${dying.port}"], passive: false }
  down: { servers: ["127.0.0.1:${down}"], passive: false }
  sorry: { servers: ["127.0.0.1:${sorry.port}"] }
  two: { protocol: h2, servers: ["127.0.0.1:${http2}"] }
`);
  const url = `http://127.0.0.1:${web}`;
  for (const path of ["/page", "/two", "/"]) assertEquals(await curl(`${url}${path}`), "app\n");
  assertEquals(await curl(`http://127.0.0.1:${raw}/`), "app\n");
  await dying.kill();
  assertEquals(await curl(`http://127.0.0.1:${raw}/`), "sorry\n");
  for (const client of CLIENTS) {
    await t.step(client, async () => {
      const page = await curl(client, "-i", `${url}/page`);
      assertEquals(
        [/^HTTP\S+ 503/.test(page), /retry-after: 90\r\n/i.test(page), page.endsWith("back soon")],
        [
          true,
          true,
          true,
        ],
      );
      for (const path of ["/", "/two", "/status"]) {
        assertEquals(await curl(client, `${url}${path}`), "sorry\n");
      }
      assertEquals(await curl(client, "-d", "a=b", `${url}/`), "sorry\n", "nobody has seen it yet");
      assertEquals(await curl(client, ...STATUS, "-d", "a=b", `${url}/status`), "503", "HAProxy has");
    });
  }
  const { counters } = await node.listener("web");
  assertEquals([counters.fallbacks, counters.responses5xx], [10, 4]);
  const { samples } = (await node.metrics()).get("tandem_listener_fallbacks_total")!;
  assertEquals([...samples.values()], [10, 1]);
});

labTest("run() tries again on what is said, until the server is back", ["curl", "nginx"], async (t) => {
  await using peers = await Peers.make();
  await using restarting = await Nginx.start("app");
  const [web, busy, good, busy2, good2] = freePorts(5) as [number, number, number, number, number];
  const sites = [[busy, "", 503], [good, "", 200], [busy2, "http2", 503], [good2, "http2", 200]].map((
    [port, how, status],
  ) => `server { listen 127.0.0.1:${port} ${how}; return ${status} "${status}\\n"; }`);
  await peers.nginx(busy, sites.join("\n"));
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${web}"
    routes:
      - { match: { path: "/restart" }, pool: restarting }
      - { match: { path: "/two*" }, pool: two }
      - { match: { path: "/never" }, retry: { attempts: 0 }, pool: one }
      - { pool: one }
pools:
  one: { servers: ["127.0.0.1:${busy}", "127.0.0.1:${good}"], balance: first, retry: { on: [503], methods: [GET, POST] } }
  two: { protocol: h2, servers: ["127.0.0.1:${busy2}", "127.0.0.1:${good2}"], balance: first, retry: { on: [503] } }
  restarting:
    servers: ["127.0.0.1:${restarting.port}"]
    passive: false
    retry: { attempts: 10, backoff: { base: 2s, max: 2s } }
`);
  const url = `http://127.0.0.1:${web}`;
  for (const client of CLIENTS) {
    await t.step(client, async () => {
      for (const path of ["/", "/two"]) assertEquals(await curl(client, `${url}${path}`), "200\n");
      assertEquals(await curl(client, "-d", "a=b", `${url}/`), "200\n");
      assertEquals(await curl(client, "-X", "PUT", `${url}/`), "503\n");
      assertEquals(await curl(client, `${url}/never`), "503\n");
      await restarting.kill();
      const server = `127.0.0.1:${restarting.port}`;
      const before = (await node.server(server)).counters.retries;
      const answer = curl(client, `${url}/restart`);
      await node.until((status) => serverOf(status, server).counters.retries > before);
      await restarting.start();
      assertEquals(await answer, "app\n");
    });
  }
  const { counters } = await node.server(`127.0.0.1:${busy}`);
  assertGreater(counters.retries, 0);
});

labTest("run() spares a pool that fails, in all workers, until it is back", ["curl", "nginx"], async () => {
  await using server = await Nginx.start("app");
  const [web] = freePorts(1) as [number];
  await using node = await Node.start(`
listeners: [{ name: web, bind: "127.0.0.1:${web}", pool: app }]
pools:
  app:
    servers: ["127.0.0.1:${server.port}"]
    passive: false
    breaker: { failures: 50%, minRequests: 4, window: 1m, openFor: 1s, trials: 2 }
workers: 2
`);
  const url = `http://127.0.0.1:${web}`;
  // This curl cannot use a connection of HTTP/2 twice where it did not ask for it by TLS or upgrade.
  const statuses = async (how: string) => {
    const all: string[] = [];
    for (let n = 0; n < 5; n++) all.push(await curl(how, ...STATUS, url));
    return all;
  };
  assertEquals(await statuses(CLIENTS[0]!), Array(5).fill("200"));
  await server.kill();
  for (const client of CLIENTS) assertEquals(await statuses(client), Array(5).fill("503"));
  const { pools } = await node.until(({ pools }) => pools[0]!.breaker?.state !== "closed");
  assertGreater(pools[0]!.breaker!.opened, 0);
  const { counters } = await node.listener("web");
  assertGreater(counters.breakerOpen, 0);
  assertGreater(counters.connectFailed, 3);
  await server.start();
  await eventually(async () => await curl(url) === "app\n");
  await eventually(async () => await curl(url) === "app\n");
  await node.until(({ pools }) => pools[0]!.breaker?.state === "closed");
  for (const client of CLIENTS) assertEquals(await statuses(client), Array(5).fill("200"));
  await node.program.line("all get through again");
  const metrics = await node.metrics();
  assertEquals([...metrics.get("tandem_pool_breaker_open")!.samples.values()], [0]);
  assertGreater([...metrics.get("tandem_pool_breaker_openings_total")!.samples.values()][0]!, 0);
});

labTest(
  "run() asks a second server when the first is slow, and cancels whoever is later",
  ["curl", "nginx"],
  async (t) => {
    await using peers = await Peers.make();
    await using silent = new RawServer((conn) => RawServer.untilGone(conn));
    const [web, good, slow2, good2] = freePorts(4) as [number, number, number, number];
    await peers.nginx(
      good,
      `server { listen 127.0.0.1:${good}; return 200 "good\\n"; }
     server { listen 127.0.0.1:${good2} http2; return 200 "good\\n"; }
     server { listen 127.0.0.1:${slow2} http2; location / { proxy_pass http://127.0.0.1:${silent.port}; } }`,
    );
    await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${web}"
    routes: [{ match: { path: "/two*" }, pool: two }, { pool: one }]
pools:
  one: { servers: ["127.0.0.1:${silent.port}", "127.0.0.1:${good}"], balance: first, retry: { hedge: 200ms } }
  two:
    protocol: h2
    servers: ["127.0.0.1:${slow2}", "127.0.0.1:${good2}"]
    balance: first
    retry: { hedge: 200ms }
`);
    for (const client of CLIENTS) {
      await t.step(client, async () => {
        for (const path of ["/", "/two"]) {
          assertEquals(await curl(client, `http://127.0.0.1:${web}${path}`), "good\n");
        }
      });
    }
    for (const port of [good, good2]) {
      const { counters } = await node.server(`127.0.0.1:${port}`);
      assertEquals([counters.hedges, counters.hedgesWon], [2, 2]);
    }
    await node.until(({ pools }) =>
      pools.every(({ servers }) => servers.every(({ active }) => active === 0))
    );
    await eventually(() => silent.open === 0, () => `${silent.open} still wait`);
    assertEquals(silent.accepted, 4);
  },
);

labTest("run() takes a server out that accepts and does not answer", ["curl", "nginx"], async () => {
  await using good = await Nginx.start("good");
  await using silent = new RawServer((conn) => RawServer.untilGone(conn));
  const [web] = freePorts(1) as [number];
  await using node = await Node.start(`
listeners: [{ name: web, bind: "127.0.0.1:${web}", pool: app }]
pools:
  app:
    servers: ["127.0.0.1:${silent.port}", "127.0.0.1:${good.port}"]
    balance: first
    timeouts: { response: 500ms }
    retry: { on: [timeout] }
    passive: { failures: 3, ejectFor: 1m }
`);
  const name = `127.0.0.1:${silent.port}`;
  await eventually(async () => {
    assertEquals(await curl(`http://127.0.0.1:${web}/`), "good\n");
    return (await node.server(name)).state === "ejected";
  });
  const { reason, counters } = await node.server(name);
  assert(reason.includes("failures in a row (time-outs)"), reason);
  assertEquals(await curl(`http://127.0.0.1:${web}/`), "good\n");
  assertEquals((await node.server(name)).counters.requests, counters.requests);
});

labTest("run() takes a server out that answers much later than the others", ["curl", "nginx"], async () => {
  await using peers = await Peers.make();
  const [web, ...ports] = freePorts(4) as [number, number, number, number];
  // The last has its requests wait, so that they begin a quarter of a second apart.
  const sites = ports.map((port, at) =>
    `server { listen 127.0.0.1:${port}; location / { empty_gif; ${
      at < 2 ? "" : "limit_req zone=slow burst=100;"
    } } }`
  );
  await peers.nginx(ports[0]!, `limit_req_zone $server_port zone=slow:1m rate=4r/s; ${sites.join("\n")}`);
  await using node = await Node.start(`
listeners: [{ name: web, bind: "127.0.0.1:${web}", pool: app }]
pools:
  app:
    servers: [${ports.map((port) => `"127.0.0.1:${port}"`).join(", ")}]
    passive: { latencyFactor: 3, minRequests: 3, window: 1m, ejectFor: 1m }
`);
  await eventually(async () => {
    await curl("-o", "/dev/null", `http://127.0.0.1:${web}/[1-6]`);
    return (await node.server(`127.0.0.1:${ports[2]}`)).state === "ejected";
  });
  const { reason } = await node.server(`127.0.0.1:${ports[2]}`);
  assert(/answers took [0-9.]+ ms on average, those of the pool/.test(reason), reason);
  const states = await Promise.all(ports.slice(0, 2).map((port) => node.server(`127.0.0.1:${port}`)));
  assertEquals(states.map(({ state }) => state), ["unchecked", "unchecked"]);
});
