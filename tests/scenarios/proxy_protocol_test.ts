/** The PROXY protocol with those who invented it: HAProxy, nginx and curl before and behind a node. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { serverOf } from "./node.ts";
import { eventually, freePort, Node } from "./node.ts";
import { curl, Peers, run } from "./peers.ts";

/** Where the client connects from; every proxy connects from 127.0.0.1. */
const CLIENT = "127.0.0.9";

labTest(
  "run() reads the PROXY headers of HAProxy, nginx and curl",
  ["curl", "haproxy", "nginx"],
  async (t) => {
    await using peers = await Peers.make();
    const [web, raw, app, first, second, third, fourth] = Array.from({ length: 7 }, freePort);
    await peers.nginx(
      app!,
      `server { listen 127.0.0.1:${app}; return 200 "$http_x_forwarded_for"; }`,
      `server { listen 127.0.0.1:${third}; proxy_pass 127.0.0.1:${web}; proxy_protocol on; }`,
    );
    const front = (port: number, to: number, how: string) =>
      `listen l${port}\n  mode tcp\n  bind 127.0.0.1:${port}\n  server s 127.0.0.1:${to} ${how}\n`;
    await peers.haproxy(
      first!,
      front(first!, web!, "send-proxy") +
        front(second!, web!, "send-proxy-v2 proxy-v2-options crc32c,unique-id") +
        front(fourth!, raw!, "send-proxy-v2"),
    );
    await using node = await Node.start(`
listeners:
  - { name: web, bind: "127.0.0.1:${web}", proxyProtocol: { from: [127.0.0.1] }, pool: app, timeouts: { head: 1s } }
  - { name: raw, bind: "127.0.0.1:${raw}", protocol: tcp, proxyProtocol: { from: [127.0.0.1] }, pool: app }
pools: { app: { servers: ["127.0.0.1:${app}"] } }
log: { format: json, access: json }
workers: 2
`);
    const get = (port: number, ...more: string[]) =>
      curl("--interface", CLIENT, ...more, `http://127.0.0.1:${port}/`);
    const lines = () =>
      node.program.lines.filter((line) => line.includes('"termination"')).map((line) => JSON.parse(line));

    await t.step("HAProxy in both versions, with checksum, and nginx", async () => {
      for (const port of [first!, second!, third!]) assertEquals(await get(port), CLIENT);
      await eventually(() =>
        lines().filter(({ client, status }) => client === CLIENT && status === 200).length === 3
      );
    });

    await t.step("curl, which speaks for itself", async () => {
      assertEquals(await curl("--haproxy-protocol", `http://127.0.0.1:${web}/`), "127.0.0.1");
    });

    await t.step("on a tcp listener the header is taken off, and its address logged", async () => {
      assertEquals(await get(fourth!), "");
      await eventually(() => lines().some(({ listener, client }) => listener === "raw" && client === CLIENT));
    });

    await t.step("others are served without one, and are not believed", async () => {
      assertEquals(await get(web!), CLIENT);
      assertEquals(await get(web!, "--haproxy-protocol", "-o", "/dev/null", "-w", "%{http_code}"), "400");
    });

    await t.step("those who must send one and do not are closed, with the reason", async () => {
      assertEquals((await run("curl", ["-sS", `http://127.0.0.1:${web}/`])).code, 52, "an empty reply");
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: web! });
      assertEquals(await conn.read(new Uint8Array(1)), null);
      conn.close();
      await node.until(({ listeners }) => {
        const { counters } = listeners[0]!;
        return counters.badProxyHeader === 1 && counters.proxyHeaderTimeout === 1;
      });
    });
  },
);

labTest("run() sends PROXY headers that HAProxy and nginx understand, with its checks", [
  "curl",
  "haproxy",
  "nginx",
  "openssl",
], async (t) => {
  await using peers = await Peers.make();
  const [one, two, tls, nginx, secure, haproxy] = Array.from({ length: 6 }, freePort);
  const cert = await peers.certificate("one.test");
  await peers.nginx(
    nginx!,
    `server { listen 127.0.0.1:${nginx} proxy_protocol; return 200 "nginx $proxy_protocol_addr $connection"; }
     server { listen 127.0.0.1:${secure} ssl http2 proxy_protocol; ssl_certificate ${cert}; ssl_certificate_key ${cert};
       return 200 "secure $proxy_protocol_addr $server_protocol"; }`,
  );
  const answer =
    'http-request return status 200 content-type text/plain lf-string "haproxy %[src] %[fc_pp_authority]"';
  await peers.haproxy(
    haproxy!,
    `frontend f\n  mode http\n  bind 127.0.0.1:${haproxy} accept-proxy\n  ${answer}\n`,
  );
  const pool = (name: string, version: string, port: number, check: string, more = "") =>
    `  ${name}: { proxyProtocol: ${version}, servers: [{ name: ${name}, address: "127.0.0.1:${port}" }],
      ${more} check: { ${check}, interval: 200ms, rise: 1, fall: 1 } }\n`;
  const overTls = `tls: { ca: ${cert}, serverName: one.test },`;
  await using node = await Node.start(`
listeners:
  - name: one
    bind: "127.0.0.1:${one}"
    routes:
      - { match: { path: /n1 }, pool: n1 }
      - { match: { path: /n2 }, pool: n2 }
      - { match: { path: /h1 }, pool: h1 }
      - { match: { path: /h2 }, pool: h2 }
      - { match: { path: /s1 }, pool: s1 }
      - { match: { path: /s2 }, pool: s2 }
  - { name: two, bind: "127.0.0.1:${two}", protocol: tcp, pool: h2 }
  - { name: tls, bind: "127.0.0.1:${tls}", protocol: tcp, routes: [{ match: { sni: one.test }, pool: secure }] }
pools:
${pool("n1", "v1", nginx!, "path: /")}${pool("n2", "v2", nginx!, "path: /")}${
    pool("h1", "v1", haproxy!, "path: /")
  }${pool("h2", "v2", haproxy!, "path: /")}${pool("secure", "v2", secure!, "type: tls, host: one.test")}${
    pool("s1", "v1", secure!, "path: /", overTls)
  }${pool("s2", "v2", secure!, "path: /", overTls)}
workers: 1
`);
  const get = (port: number, path: string, ...more: string[]) =>
    curl("--interface", CLIENT, ...more, `http://127.0.0.1:${port}${path}`);

  await t.step("both versions of http pools name the client", async () => {
    for (const path of ["/n1", "/n2"]) assertMatch(await get(one!, path), /^nginx 127\.0\.0\.9 /);
    for (const path of ["/h1", "/h2"]) assertEquals(await get(one!, path), "haproxy 127.0.0.9 ");
  });

  await t.step("before TLS with the server, too", async () => {
    for (const path of ["/s1", "/s2"]) assertEquals(await get(one!, path), "secure 127.0.0.9 HTTP/1.1");
  });

  await t.step("a client's connection to a server is its own, and is used again", async () => {
    const urls = Array.from({ length: 3 }, () => `http://127.0.0.1:${one}/n1`);
    const connections = async (from: string) => {
      const told = await curl("--interface", from, "-w", "\n", ...urls);
      assertEquals(told.trim().split("\n").length, 3);
      return new Set(told.trim().split("\n"));
    };
    const [mine, yours] = [await connections(CLIENT), await connections("127.0.0.8")];
    assertEquals([mine.size, yours.size], [1, 1]);
    assert([...yours][0]!.startsWith("nginx 127.0.0.8 "));
  });

  await t.step("tcp pools, before TLS that is passed on, and with the name", async () => {
    assertEquals(await get(two!, "/"), "haproxy 127.0.0.9 ");
    const told = await curl(
      ...["--interface", CLIENT, "--cacert", cert, "--resolve", `one.test:${tls}:127.0.0.1`],
      `https://one.test:${tls}/`,
    );
    assertEquals(told, "secure 127.0.0.9 HTTP/2.0");
  });

  await t.step("the checks of every pool pass", async () => {
    await node.until((status) =>
      ["n1", "n2", "h1", "h2", "secure", "s1", "s2"].every((name) => serverOf(status, name).state === "up")
    );
  });
});

labTest(
  "run() tells HAProxy the name of a TLS connection that it passes on",
  ["curl", "haproxy", "openssl"],
  async () => {
    await using peers = await Peers.make();
    const [port, behind] = [freePort(), freePort()];
    const cert = await peers.certificate("one.test");
    const answer =
      'http-request return status 200 content-type text/plain lf-string "%[src] %[fc_pp_authority] %[ssl_fc_sni]"';
    await peers.haproxy(
      behind,
      `frontend f\n  mode http\n  bind 127.0.0.1:${behind} accept-proxy ssl crt ${cert}\n  ${answer}\n`,
    );
    await using _node = await Node.start(`
listeners:
  - { name: tls, bind: "127.0.0.1:${port}", protocol: tcp, routes: [{ match: { sni: "*.test" }, pool: app }] }
pools: { app: { proxyProtocol: v2, servers: ["127.0.0.1:${behind}"] } }
workers: 1
`);
    const resolve = ["--resolve", `one.test:${port}:127.0.0.1`];
    assertEquals(
      await curl("--interface", CLIENT, "--cacert", cert, ...resolve, `https://one.test:${port}/`),
      "127.0.0.9 one.test one.test",
    );
  },
);
