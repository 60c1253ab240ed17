/** A whole node before real servers that speak TLS: nginx, with certificates that openssl has just made. */
import { nginxPaths } from "../../bench/backends_io.ts";
import { accepting, type Running, start } from "../../bench/process_io.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { Certificates, type Pair } from "../lab/certificates.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { get, HttpConnection } from "./http_client.ts";
import { freePort, Node, serverOf } from "./node.ts";

interface TlsServer {
  readonly port: number;
  readonly pair: Pair;
  /** PEM file with who may come; without, everybody. */
  readonly clients?: string;
}

/**
 * One nginx with several servers; each answers with the connection's number, the name it was asked for, who asked, and
 * `r` when a session was taken up again.
 */
class TlsNginx implements AsyncDisposable {
  private constructor(readonly running: Running) {}

  static async start(directory: string, servers: readonly TlsServer[]): Promise<TlsNginx> {
    const tool = requireTool("nginx");
    if ("skip" in tool) throw new Error(tool.skip);
    await Deno.writeTextFile(`${directory}/nginx.conf`, nginxConfig(directory, servers));
    const running = start(
      tool.path,
      ["-e", "stderr", "-c", `${directory}/nginx.conf`],
      `${directory}/nginx.log`,
    );
    for (const { port } of servers) await accepting(port, running);
    return new TlsNginx(running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.stop();
  }
}

function nginxConfig(directory: string, servers: readonly TlsServer[]): string {
  const blocks = servers.map(({ port, pair, clients }) =>
    `server {
    listen 127.0.0.1:${port} ssl; ssl_certificate ${pair.cert}; ssl_certificate_key ${pair.key};
    ${clients === undefined ? "" : `ssl_client_certificate ${clients}; ssl_verify_client on;`}
    location / { default_type text/plain; return 200 "$connection|$ssl_server_name|$ssl_client_s_dn|$ssl_session_reused"; }
  }`
  );
  return `daemon off; master_process off; ${Deno.uid() === 0 ? "user root;" : ""} pid ${directory}/nginx.pid;
events { worker_connections 1000; }
http {
  ${nginxPaths(`${directory}/nginx`)}
  access_log off; ssl_protocols TLSv1.2 TLSv1.3;
  ${blocks.join("\n  ")}
}
`;
}

function listener(name: string, port: number, more = ""): string {
  return `  - { name: ${name}, bind: "127.0.0.1:${port}", pool: ${name}${more} }`;
}

labTest("run() verifies its servers, says why it does not trust one, and goes to another", [
  "nginx",
  "openssl",
], async (t) => {
  using made = new Certificates();
  const ours = made.authority("ours");
  const app = made.sign("app", ours, { names: "DNS:app.internal" });
  const old = made.sign("old", ours, { names: "DNS:app.internal", days: -1 });
  const us = made.sign("us", ours, { names: "DNS:us.internal" });
  const [good, expired, mutual] = [freePort(), freePort(), freePort()];
  await using _nginx = await TlsNginx.start(made.directory, [
    { port: good, pair: app },
    { port: expired, pair: old },
    { port: mutual, pair: app, clients: ours.cert },
  ]);
  const [web, raw, wrong, both, known] = [freePort(), freePort(), freePort(), freePort(), freePort()];
  const trust = `ca: ${ours.cert}, serverName: app.internal`;
  const pair = `clientCertificate: { cert: ${us.cert}, key: ${us.key} }`;
  await using node = await Node.start(`workers: 1
listeners:
${listener("web", web)}
${listener("raw", raw, ", protocol: tcp")}
${listener("wrong", wrong)}
${listener("both", both)}
${listener("known", known)}
pools:
  web: { servers: ["127.0.0.1:${good}"], tls: { ${trust} }, check: { type: http, interval: 50ms } }
  raw: { servers: ["127.0.0.1:${good}"], tls: { ${trust} }, check: { type: tls, interval: 50ms } }
  wrong:
    servers: [{ name: misnamed, address: "127.0.0.1:${good}", serverName: other.internal }]
    tls: { ${trust} }
  both:
    balance: first
    passive: false
    servers: [{ name: expired, address: "127.0.0.1:${expired}" }, { name: fine, address: "127.0.0.1:${good}" }]
    tls: { ${trust} }
  known: { servers: ["127.0.0.1:${mutual}"], tls: { ${trust}, ${pair}, alpn: http/1.1 } }
`);

  await t.step("the name is asked for, and the connection kept for the next request", async () => {
    using client = await HttpConnection.connect(web);
    const replies = [await client.request("/"), await client.request("/"), await get(web, "/")];
    assertEquals(replies.map(({ status }) => status), [200, 200, 200]);
    assertEquals(new Set(replies.map(({ body }) => body)).size, 1, "one connection");
    assertMatch(replies[0]!.body, /^\d+\|app\.internal\|\|/);
  });
  await t.step("checks go the same way", async () => {
    const status = await node.until(({ pools }) =>
      pools.slice(0, 2).every(({ servers }) => servers[0]!.state === "up")
    );
    assertMatch(status.pools[0]!.servers[0]!.reason, /status 200/);
    assertMatch(status.pools[1]!.servers[0]!.reason, /handshake completed, TLSv1\.3/);
  });
  await t.step("a tcp listener puts its clients' bytes into TLS", async () => {
    assertMatch((await get(raw, "/")).body, /\|app\.internal\|\|/);
  });
  await t.step("a certificate for another name is an error, told to client, log and status", async () => {
    const reply = await get(wrong, "/");
    assertEquals(reply.status, 503);
    assertMatch(reply.body, /certificate/);
    assertMatch(
      await node.program.line("no TLS connection to a server"),
      /not for other\.internal but for app\.internal/,
    );
    const { reason } = serverOf(
      await node.until((status) => /certificate/.test(serverOf(status, "misnamed").reason)),
      "misnamed",
    );
    assertMatch(reason, /the server's certificate is not for other\.internal/);
    assertEquals((await node.listener("wrong")).counters.serverCertificate, 1);
  });
  await t.step("another server answers for one whose certificate has expired", async () => {
    const reply = await get(both, "/");
    assertEquals(reply.status, 200);
    assert(serverOf(await node.status(), "expired").counters.connectErrors >= 1);
    assertMatch(await node.program.line("certificate has expired"), /"?expired"?/);
  });
  await t.step("a server that asks who comes is shown the pool's certificate", async () => {
    assertMatch((await get(known, "/")).body, /\|CN=us\|/);
  });
  await t.step("no key is in what the node says", async () => {
    const secret = Deno.readTextFileSync(us.key).split("\n")[1]!;
    const said = node.program.text + JSON.stringify(await node.status()) +
      JSON.stringify(await node.program.status());
    assertEquals(said.includes(secret), false);
  });
});

labTest(
  "run() a reload takes another authority, and refuses a file that is broken",
  ["nginx", "openssl"],
  async () => {
    using made = new Certificates();
    const [ours, others] = [made.authority("ours"), made.authority("others")];
    const port = freePort();
    await using _nginx = await TlsNginx.start(made.directory, [
      { port, pair: made.sign("app", ours, { names: "IP:127.0.0.1" }) },
    ]);
    const web = freePort();
    const trusted = `${made.directory}/trusted.pem`;
    const config = `workers: 1
listeners: [{ name: web, bind: "127.0.0.1:${web}", pool: app }]
pools: { app: { servers: ["127.0.0.1:${port}"], tls: { ca: ${trusted} }, passive: false } }`;
    Deno.copyFileSync(ours.cert, trusted);
    await using node = await Node.start(config);
    assertEquals((await get(web, "/")).status, 200);
    Deno.copyFileSync(others.cert, trusted);
    await node.reload(config);
    assertEquals((await get(web, "/")).status, 503, "nothing is left of the connection that was trusted");
    Deno.writeTextFileSync(trusted, "no certificate");
    node.program.kill("SIGHUP");
    assertMatch(
      await node.program.line("has no certificate in PEM"),
      /tandem\.yaml:3:\d+: pools\.app\.tls\.ca: has no certificate in PEM: .*trusted\.pem/,
    );
    await node.program.line("reload refused");
    Deno.copyFileSync(ours.cert, trusted);
    await node.reload(config);
    assertEquals((await get(web, "/")).status, 200);
  },
);

labTest("run() a server that stalls in the handshake is given up in time", ["openssl"], async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.TcpConn[] = [];
  const accepted = (async () => {
    for await (const conn of silent) conns.push(conn);
  })().catch(() => {});
  const web = freePort();
  await using node = await Node.start(`workers: 1
listeners: [{ name: web, bind: "127.0.0.1:${web}", pool: app }]
pools:
  app:
    servers: ["127.0.0.1:${silent.addr.port}"]
    tls: true
    retry: { attempts: 0 }
    timeouts: { connect: 300ms }`);
  assertEquals((await get(web, "/")).status, 503);
  await node.until(({ listeners }) => listeners[0]!.counters.connectTimeout === 1 && conns.length === 1);
  const buffer = new Uint8Array(4096);
  while (await conns[0]!.read(buffer).catch(() => null) !== null);
  conns[0]!.close();
  silent.close();
  await accepted;
});

labTest("run() takes sessions with a server up again, with a certificate of its own too", [
  "nginx",
  "openssl",
], async () => {
  using made = new Certificates();
  const ours = made.authority("ours");
  const app = made.sign("app", ours, { names: "DNS:app.internal" });
  const us = made.sign("us", ours, { names: "DNS:us.internal" });
  const [open, mutual] = [freePort(), freePort()];
  await using _nginx = await TlsNginx.start(made.directory, [
    { port: open, pair: app },
    { port: mutual, pair: app, clients: ours.cert },
  ]);
  const [web, known] = [freePort(), freePort()];
  const trust = `ca: ${ours.cert}, serverName: app.internal`;
  // Through tcp each client has a connection to the server of its own.
  await using _node = await Node.start(`workers: 1
listeners:
${listener("web", web, ", protocol: tcp")}
${listener("known", known, ", protocol: tcp")}
pools:
  web: { servers: ["127.0.0.1:${open}"], tls: { ${trust} } }
  known:
    servers: ["127.0.0.1:${mutual}"]
    tls: { ${trust}, clientCertificate: { cert: ${us.cert}, key: ${us.key} } }
`);
  for (const [port, who] of [[web, ""], [known, "CN=us"]] as const) {
    const bodies: string[] = [];
    for (let i = 0; i < 3; i++) bodies.push((await get(port, "/")).body);
    assertEquals(bodies.map((body) => body.split("|").slice(2)), [[who, "."], [who, "r"], [who, "r"]]);
    assertEquals(new Set(bodies.map((body) => body.split("|")[0])).size, 3, "connections");
  }
});
