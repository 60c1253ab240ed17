/** TLS at a whole node, with curl and openssl as clients: what they are shown, what servers hear, what reloads do. */
import { assert, assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { Certificates, openssl } from "../net/openssl.ts";
import { Buffered } from "./buffered.ts";
import { eventually, freePort, Node } from "./node.ts";
import { RawServer } from "./raw_server.ts";

const NEEDS = ["openssl", "curl"];

/** A server that answers with the head that it was sent, or with what it was sent, for `POST`. */
function headServer(): RawServer {
  return new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) await RawServer.answer(conn, await input.through("\r\n\r\n"));
  });
}

interface Asked {
  readonly ok: boolean;
  /** Heads and bodies. */
  readonly text: string;
}

/** Asks by name at a port of this machine. */
async function curl(made: Certificates, port: number, url: string, ...args: string[]): Promise<Asked> {
  const { hostname } = new URL(url);
  const command = new Deno.Command("curl", {
    args: [
      "-sSi",
      "--max-time",
      "10",
      "--connect-to",
      `${hostname}::127.0.0.1:${port}`,
      "--cacert",
      made.path("authority.pem"),
      // Unless `args` say otherwise, as curl prefers HTTP/2.
      "--http1.1",
      ...args,
      url,
    ],
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { ok: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function authority(...names: string[]): Promise<Certificates> {
  const made = await Certificates.make();
  await made.issue("authority");
  for (const name of names) {
    await made.issue(name, { names: [`${name}.test`, `*.${name}.test`], by: "authority" });
  }
  return made;
}

const pair = (made: Certificates, name: string) =>
  `{ cert: "${made.path(`${name}.pem`)}", key: "${made.path(`${name}.key`)}" }`;

labTest(
  "run() terminates TLS: certificates by name, forwarded fields, hsts, redirects, facts",
  NEEDS,
  async () => {
    await using made = await authority("shop", "api");
    await using server = headServer();
    const [port, plain] = [freePort(), freePort()];
    await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    tls: { certificates: [${pair(made, "shop")}, ${pair(made, "api")}] }
    hsts: { maxAge: 365d, includeSubDomains: true }
    routes:
      - { match: { path: /ping }, respond: { body: pong } }
      - { match: { path: "/www/*" }, files: { root: "${made.directory}" } }
      - { pool: app }
  - { name: plain, bind: "127.0.0.1:${plain}", redirectHttps: ${port} }
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
log: { access: json }
workers: 1
`);
    for (const host of ["shop.test", "api.test", "a.api.test"]) {
      const { ok, text } = await curl(made, port, `https://${host}/x`);
      assert(ok, text);
      assert(text.includes("X-Forwarded-Proto: https\r\n"), text);
      assert(text.includes(`;host="${host}";proto=https\r\n`), text);
      assertEquals(
        text.match(/Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n/g)?.length,
        1,
      );
    }
    const newer = await curl(made, port, "https://shop.test/x", "--http2");
    assert(newer.text.startsWith("HTTP/2 200"), newer.text);
    assert(newer.text.includes("X-Forwarded-Proto: https\r\n"), newer.text);
    assertEquals(newer.text.match(/strict-transport-security: /g)?.length, 1);
    const own = await curl(made, port, "https://shop.test/ping");
    assert(own.text.includes("pong") && own.text.includes("Strict-Transport-Security: "), own.text);
    const file = await curl(made, port, "https://shop.test/www/nothing");
    assert(file.text.includes("404") && file.text.includes("Strict-Transport-Security: "), file.text);
    assertEquals((await curl(made, port, "https://other.test/x")).ok, false, "nobody vouches for that name");

    const redirected = await curl(made, plain, "http://shop.test/a/b?c=d");
    assert(redirected.text.includes(`Location: https://shop.test:${port}/a/b?c=d\r\n`), redirected.text);
    assert(redirected.text.startsWith("HTTP/1.1 308 "), redirected.text);
    assert(!redirected.text.includes("Strict-Transport-Security"), "it means nothing without TLS");

    const spoken = await curl(made, port, `http://shop.test/`);
    assertEquals(spoken.ok, false);
    const status = await node.until(({ listeners }) => listeners[0]!.counters.tlsFailed === 1);
    const [web] = status.listeners;
    assertEquals(web!.counters.tlsHandshakes, 7);
    assertEquals(web!.certificates.map(({ name, names }) => [name, names.length]), [["shop.test", 2], [
      "api.test",
      2,
    ]]);
    const expiry = (await node.metrics()).get("tandem_certificate_expiry_seconds")!;
    const [first, second, ...more] = [...expiry.samples];
    assert(first![0].includes('{listener="web",name="shop.test"}'), first![0]);
    assert(second![0].includes('{listener="web",name="api.test"}'), second![0]);
    assertEquals(more, []);
    assert(Math.abs(first![1] - Date.now() / 1000 - 90 * 86_400) < 86_400);
    await node.program.line('"serverName":"a.api.test"');
    assert(/"tlsVersion":"TLSv1.3","tlsCipher":"TLS_[A-Z0-9_]+","tlsResumed":false/.test(node.program.text));
    const secret = made.text("shop.key").split("\n")[1]!;
    assert(
      !node.program.text.includes(secret) && !JSON.stringify(status).includes(secret),
      "a key is a secret",
    );
  },
);

labTest("run() a handshake that fails or takes too long costs its connection only", NEEDS, async () => {
  await using made = await authority("shop");
  await using server = headServer();
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    tls: { certificates: [${pair(made, "shop")}] }
    timeouts: { head: 500ms }
    pool: app
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
log: { access: json }
workers: 1
`);
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
  const stalled = [];
  for (let n = 0; n < 20; n++) {
    const conn = await connect();
    stalled.push(conn);
    // A ClientHello that never comes to its end.
    await conn.write(new Uint8Array([0x16, 3, 1, 2, 0, 1, 0]));
  }
  assert((await curl(made, port, "https://shop.test/")).ok, "nobody waits for them");
  const garbage = await connect();
  await garbage.write(new Uint8Array([0x16, 3, 1, 0, 5, 9, 9, 9, 9, 9]));
  assert(await garbage.read(new Uint8Array(100)) !== 0);
  garbage.close();
  (await connect()).close();
  const { listeners } = await node.until(({ listeners: [web] }) =>
    web!.counters.tlsTimeout === 20 && web!.counters.tlsFailed === 1 && web!.counters.active === 0
  );
  assertEquals(listeners[0]!.counters.tlsHandshakes, 1);
  assertEquals(server.accepted, 1, "no server hears of them");
  await node.program.line('"error":"tlsTimeout"');
  for (const conn of stalled) conn.close();
});

labTest(
  "run() loads certificates that change on disk, and keeps what runs when they are bad",
  NEEDS,
  async () => {
    await using made = await authority("shop", "next");
    await using server = headServer();
    const port = freePort();
    const config = `
listeners:
  - { name: web, bind: "127.0.0.1:${port}", tls: { certificates: [${pair(made, "shop")}] }, pool: app }
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 2
`;
    await using node = await Node.start(config);
    const fingerprint = async () => (await node.listener("web")).certificates[0]!.fingerprint;
    const first = await fingerprint();
    let stopping = false;
    const failures: string[] = [];
    let answered = 0;
    const load = Array.from({ length: 3 }, async () => {
      while (!stopping) {
        const { ok, text } = await curl(made, port, "https://shop.test/");
        if (ok) answered++;
        else failures.push(text);
      }
    });
    const kept = await Deno.connect({ hostname: "127.0.0.1", port });
    const tls = await Deno.startTls(kept, { hostname: "shop.test", caCerts: [made.text("authority.pem")] });
    await tls.handshake();

    // A renewal: first one file, then the other.
    await made.issue("renewed", { names: ["shop.test"], by: "authority" });
    await Deno.copyFile(made.path("renewed.pem"), made.path("shop.pem"));
    await Deno.copyFile(made.path("renewed.key"), made.path("shop.key"));
    await eventually(async () => await fingerprint() !== first, () => node.program.text);
    const second = await fingerprint();

    await Deno.writeTextFile(made.path("shop.key"), "nothing of use");
    await node.program.line("a certificate stays as it was, as its new file is not good");
    assertEquals(await fingerprint(), second);
    assert(!node.program.text.includes("nothing of use"));
    node.program.kill("SIGHUP");
    await node.program.line("holds no private key");
    assertEquals(await fingerprint(), second);

    const sofar = answered;
    await eventually(() => answered > sofar + 3);
    stopping = true;
    await Promise.all(load);
    assertEquals(failures, []);
    await tls.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n"));
    const reply = new Uint8Array(4096);
    const size = await tls.read(reply);
    assert(
      new TextDecoder().decode(reply.subarray(0, size ?? 0)).startsWith("HTTP/1.1 200"),
      "old connections go on",
    );
    tls.close();
  },
);

labTest("run() carries tcp over TLS both ways, for clients with a certificate only", NEEDS, async () => {
  await using made = await authority("shop");
  await made.issue("client", { by: "authority", client: true, subject: "/O=Us/CN=client one" });
  await using server = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    await RawServer.send(conn, `you said ${await input.through("\n")}`);
  });
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - name: db
    bind: "127.0.0.1:${port}"
    protocol: tcp
    tls: { certificates: [${pair(made, "shop")}], minVersion: "1.3", clientAuth: { ca: "${
    made.path("authority.pem")
  }" } }
    pool: app
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
log: { access: json }
workers: 1
`);
  const connect = async (...args: string[]) =>
    (await openssl(["s_client", "-quiet", "-connect", `127.0.0.1:${port}`, ...args], "hello\n", "you said"))
      .text;
  const show = ["-cert", made.path("client.pem"), "-key", made.path("client.key")];
  assert((await connect(...show)).includes("you said hello"));
  assert(!(await connect()).includes("you said"));
  assert(!(await connect(...show, "-tls1_2")).includes("you said"));
  await node.program.line('"clientSubject":"O=Us,CN=client one"');
  assertEquals(server.accepted, 1);
});

labTest(
  "run() terminates TLS that follows a PROXY header, and serves the client that it names",
  NEEDS,
  async () => {
    await using made = await authority("shop");
    await using server = headServer();
    const port = freePort();
    await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    proxyProtocol: { from: [127.0.0.0/8] }
    tls: { certificates: [${pair(made, "shop")}] }
    pool: app
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 1
`);
    const { ok, text } = await curl(
      made,
      port,
      "https://shop.test/",
      "--haproxy-protocol",
      "--haproxy-clientip",
      "192.0.2.9",
    );
    const known = text.includes("option --haproxy-clientip: is unknown");
    const again = known ? await curl(made, port, "https://shop.test/", "--haproxy-protocol") : { ok, text };
    assert(again.ok, again.text);
    assert(again.text.includes(`X-Forwarded-For: ${known ? "127.0.0.1" : "192.0.2.9"}\r\n`), again.text);
    assert(again.text.includes("X-Forwarded-Proto: https\r\n"), again.text);
    assertEquals(
      (await curl(made, port, "https://shop.test/")).ok,
      false,
      "who sends no header is not served",
    );
    await node.until(({ listeners: [web] }) => web!.counters.badProxyHeader === 1);
  },
);

labTest("run() tells routes apart by the name that TLS was asked for, where it ends", NEEDS, async () => {
  await using made = await authority("shop", "api");
  await using server = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    await RawServer.send(conn, `you said ${await input.through("\n")}`);
  });
  const [web, raw] = [freePort(), freePort()];
  const tls = `tls: { certificates: [${pair(made, "shop")}, ${pair(made, "api")}] }`;
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${web}"
    ${tls}
    routes:
      - { match: { sni: "*.api.test" }, respond: { body: below } }
      - { match: { sni: [api.test, x.test], path: /one }, respond: { body: one } }
      - { respond: { body: others } }
  - name: raw
    bind: "127.0.0.1:${raw}"
    protocol: tcp
    ${tls}
    routes: [{ match: { sni: api.test }, pool: app }]
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 1
`);
  const body = async (url: string, ...more: string[]) =>
    (await curl(made, web, url, ...more)).text.split("\r\n\r\n")[1];
  assertEquals(await body("https://a.api.test/"), "below");
  assertEquals(await body("https://api.test/one"), "one");
  assertEquals(await body("https://api.test/two"), "others");
  // The name counts, and not what is asked for within.
  assertEquals(await body("https://shop.test/one", "-H", "Host: api.test"), "others");
  const say = async (name: string) =>
    (await openssl(
      ["s_client", "-quiet", "-connect", `127.0.0.1:${raw}`, "-servername", name],
      "hello\n",
      "you said",
    )).text;
  assert((await say("api.test")).includes("you said hello"));
  assert(!(await say("shop.test")).includes("you said"));
  await node.until(({ listeners }) => listeners[1]!.counters.noRoute === 1);
});

labTest("run() takes sessions up again at every worker", NEEDS, async () => {
  await using made = await authority("shop");
  const port = freePort();
  await using _node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    tls: { certificates: [${pair(made, "shop")}] }
    routes: [{ respond: { body: pong } }]
workers: 4
`);
  const session = made.path("session");
  const connect = async (...args: string[]) =>
    (await openssl(
      ["s_client", "-connect", `127.0.0.1:${port}`, ...args],
      "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n",
      "pong",
    )).text;
  await connect("-sess_out", session);
  // The kernel spreads connections over the workers.
  for (let i = 0; i < 8; i++) assert((await connect("-sess_in", session)).includes("Reused"), `${i}`);
});
