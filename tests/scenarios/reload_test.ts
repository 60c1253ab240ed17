/** Reloads while everything goes on: none of them may cost a request, a connection or a tunnel. */
import { assert, assertEquals, assertGreater } from "../assert.ts";
import { Buffered } from "./buffered.ts";
import { get, HttpConnection } from "./http_client.ts";
import { Load } from "./load.ts";
import { freePort, Node, pause, serverOf } from "./node.ts";
import { RawServer } from "./raw_server.ts";

const RELOADS = 50;
/** An answer that begins before the first reload and ends after the last. */
const LONG = 100_000;

Deno.test("run() 50 reloads of pools, routes and listeners under load fail no request and cut no tunnel", async () => {
  let over = false;
  const serve = (name: string) => async (conn: Deno.TcpConn) => {
    const input = new Buffered(conn);
    while (true) {
      const path = /^\S+ (\S+)/.exec(await input.through("\r\n\r\n"))?.[1];
      if (path === "/tunnel") return await echo(conn);
      if (path !== "/long") {
        await RawServer.answer(conn, name);
        continue;
      }
      await RawServer.send(conn, `HTTP/1.1 200 OK\r\nContent-Length: ${LONG}\r\n\r\nfirst`);
      while (!over) await pause(20);
      await RawServer.send(conn, "x".repeat(LONG - "first".length));
    }
  };
  await using a = new RawServer(serve("a"));
  await using b = new RawServer(serve("b"));
  using _ = { [Symbol.dispose]: () => over = true };
  const [port, more] = [freePort(), freePort()];
  const config = (round: number) => `
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes:
      - { match: { path: /round }, respond: { status: 200, body: "${round}" } }
      - { match: { path: /either }, pool: ${round % 2 === 0 ? "app" : "other"} }
      - { match: { path: "/${round}/*" }, redirect: { to: "/elsewhere", status: 302 } }
      - { pool: app }
${round % 2 === 1 ? `  - { name: more, bind: "127.0.0.1:${more}", pool: other }` : ""}
pools:
  app:
    servers: [${
    [`{ name: a, ${at(a)} }`, `{ name: b, ${at(b)} }`].slice(round % 3 === 2 ? 1 : 0, 1 + round % 3)
  }]
    balance: ${round % 2 === 0 ? "roundRobin" : "leastConnections"}
  other: { servers: [{ name: a, ${at(a)} }] }
workers: 2
`;
  await using node = await Node.start(config(0));
  const tunnels = [await openTunnel(port), await openTunnel(port)];
  using long = await HttpConnection.connect(port);
  await long.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  const longInput = new Buffered(long.conn);
  await longInput.through("first");

  const path = (request: number) => request % 4 === 0 ? "/either" : "/";
  const good = ({ status, body }: { status: number; body: string }) => status === 200 && /^[ab]$/.test(body);
  await using kept = new Load({ port, clients: 4, path, good });
  await using fresh = new Load({ port, clients: 4, perConnection: 1, path, good });
  const loads = [kept, fresh];
  for (let round = 1; round <= RELOADS; round++) {
    await node.reload(config(round));
    // A reload is told only once every worker has it.
    assertEquals((await get(port, "/round")).body, `${round}`);
    assertEquals((await get(port, `/${round}/x`)).status, 302);
    if (round % 2 === 1) assertEquals((await get(more)).body, "a");
    else await refused(more);
    for (const tunnel of tunnels) assertEquals(await tunnel.echo(`round ${round}`), `round ${round}`);
    await Promise.all(loads.map((load) => load.more(20)));
  }
  await Promise.all(loads.map((load) => load.stop()));
  assertEquals(loads.flatMap(({ failures }) => failures), []);
  for (const load of loads) assertGreater(load.answered, RELOADS * 10);
  over = true;
  assertEquals((await longInput.exactly(LONG - "first".length)).length, LONG - "first".length);
  for (const tunnel of tunnels) tunnel.close();
  const { counters } = await node.listener("web");
  assertEquals([counters.responses5xx, counters.responseReset, counters.clientGone], [0, 0, 0]);
  assert(!node.program.text.includes('"level":"error"'), node.program.text);
});

Deno.test("run() a reload keeps what is known of servers, and counters; a refused one says everything", async () => {
  await using a = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) {
      await input.through("\r\n\r\n");
      await RawServer.answer(conn, "a");
    }
  });
  const [port, dead] = [freePort(), freePort()];
  const config = (more = "") => `
listeners: [{ name: web, bind: "127.0.0.1:${port}", routes: [{ match: { path: /other }, pool: other }, { pool: app }] }]
pools:
  app:
    servers: [{ name: a, ${at(a)} }, { name: dead, address: "127.0.0.1:${dead}" }]
    check: { type: tcp, interval: 1h }
  other: { servers: [{ name: c, ${at(a)} }] }
${more}`;
  await using node = await Node.start(config());
  await node.until((status) => serverOf(status, "dead").state === "down");
  using kept = await HttpConnection.connect(port);
  for (let request = 0; request < 10; request++) assertEquals((await kept.request("/")).status, 200);
  const before = await node.status();
  assertEquals(serverOf(before, "a").counters.requests, 10);

  node.write(config("nonsense: 1\nfurther: 2"));
  const refused = await node.command("reload");
  assertEquals(refused.code, 1);
  for (const word of ["nonsense", "further"]) assert(refused.said.includes(word), refused.said);
  node.write(config().replace("/other", "/another"));
  assertEquals(await node.command("reload"), { code: 0, said: "the configuration is in force\n" });

  assertEquals((await kept.request("/another")).status, 200, "the connection is the same");
  const after = await node.status();
  assertEquals(after.generation, 2);
  for (const name of ["a", "dead"]) {
    const [was, is] = [serverOf(before, name), serverOf(after, name)];
    assertEquals([is.state, is.since, is.counters], [was.state, was.since, was.counters]);
  }
  const { counters } = await node.listener("web");
  assertEquals([counters.accepted, counters.requests], [1, 11]);
});

function at(server: RawServer): string {
  return `address: "127.0.0.1:${server.port}"`;
}

async function refused(port: number): Promise<void> {
  const refusal = await get(port).then(() => "answered", (error) => (error as Error).name);
  assertEquals(refusal, "ConnectionRefused");
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  await RawServer.send(
    conn,
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
  );
  const bytes = new Uint8Array(1024);
  for (let size; (size = await conn.read(bytes)) !== null;) await conn.write(bytes.subarray(0, size));
}

interface Tunnel {
  echo(text: string): Promise<string>;
  close(): void;
}

async function openTunnel(port: number): Promise<Tunnel> {
  const client = await HttpConnection.connect(port);
  await client.send("GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  const input = new Buffered(client.conn);
  assert((await input.through("\r\n\r\n")).startsWith("HTTP/1.1 101 "));
  return {
    async echo(text) {
      await client.send(`${text}\n`);
      return (await input.through("\n")).trimEnd();
    },
    close: () => client[Symbol.dispose](),
  };
}
