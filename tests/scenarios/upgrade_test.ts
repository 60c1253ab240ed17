/** Upgrades under load: a new program takes over from the old one, and no client notices. */
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { alive, untilGone } from "../runtime/process.ts";
import { Buffered } from "./buffered.ts";
import { get, HttpConnection } from "./http_client.ts";
import { Load } from "./load.ts";
import { freePort, Node, serverOf } from "./node.ts";
import { RawServer } from "./raw_server.ts";

const UPGRADES = 3;

Deno.test("run() upgrades under load fail no request, and what is known of the servers goes over", async () => {
  const serve = (name: string) => async (conn: Deno.TcpConn) => {
    const input = new Buffered(conn);
    while (true) {
      await input.through("\r\n\r\n");
      await RawServer.answer(conn, name);
    }
  };
  await using a = new RawServer(serve("a"));
  await using b = new RawServer(serve("b"));
  const [port, dead] = [freePort(), freePort()];
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes: [{ match: { path: "/session/*" }, pool: sessions }, { pool: app }]
pools:
  sessions:
    sticky: { by: "header:x-session" }
    servers: [{ name: one, address: "127.0.0.1:${a.port}" }, { name: two, address: "127.0.0.1:${b.port}" }]
  app:
    servers:
      - { name: a, address: "127.0.0.1:${a.port}" }
      - { name: b, address: "127.0.0.1:${b.port}" }
      - { name: dead, address: "127.0.0.1:${dead}" }
    check: { type: tcp, interval: 1h }
    retry: { attempts: 1 }
workers: 2`);
  const { since } = serverOf(
    await node.until((status) => serverOf(status, "dead").state === "down"),
    "dead",
  );
  // Where each of some sessions is; who has none anew would be put on the next server.
  const sessions = async () => {
    const names: string[] = [];
    for (let at = 0; at < 20; at++) names.push(await serverOfSession(port, at));
    return names;
  };
  const places = await sessions();
  const path = (request: number) => `/${request}`;
  await using kept = new Load({ port, clients: 4, path });
  await using fresh = new Load({ port, clients: 4, perConnection: 1, path });
  // Whoever asks how the node is never hears that it starts or drains; who has just connected may have to ask again.
  await using health = new Load({
    port: node.adminPort,
    clients: 1,
    perConnection: 1,
    path: () => "/healthz",
  });
  for (let round = 0; round < UPGRADES; round++) {
    const { pid } = await node.program.status();
    const { code, said } = await node.command("upgrade");
    assertEquals([code, said], [0, "the new program has taken over; see tandem status\n"], node.program.text);
    const status = await node.program.status();
    assert(status.pid !== pid, "another process has the socket");
    await untilGone(pid);
    // Its next probe is an hour away: who sends it nothing has been told.
    const server = serverOf(await node.status(), "dead");
    assertEquals([server.state, server.since], ["down", since]);
    assertEquals(await sessions(), places);
    await Promise.all([kept.more(50), fresh.more(50)]);
  }
  await Promise.all([kept.stop(), fresh.stop(), health.stop()]);
  const told = health.failures.filter((failure) => /^\/healthz: \d/.test(failure));
  assertEquals([kept.failures, fresh.failures, told], [[], [], []], node.program.text);
  assert(!node.program.text.includes('"level":"error"'), node.program.text);
  assertStringIncludes((await get(port)).head, "200 OK");
});

/** The server that a session is on. */
async function serverOfSession(port: number, session: number): Promise<string> {
  const headers = { "x-session": `s${session}`, connection: "close" };
  const response = await fetch(`http://127.0.0.1:${port}/session/`, { headers });
  return await response.text();
}

Deno.test("run() an upgrade cuts neither a tunnel nor a long answer, and one that fails is noticed by nobody", async () => {
  const over = Promise.withResolvers<void>();
  await using server = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) {
      const path = /^\S+ (\S+)/.exec(await input.through("\r\n\r\n"))?.[1];
      if (path === "/tunnel") {
        const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
        await RawServer.send(conn, switching);
        while (true) await RawServer.send(conn, await input.through("\n"));
      }
      if (path !== "/long") {
        await RawServer.answer(conn, "a");
        continue;
      }
      await RawServer.send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
      await over.promise;
      await RawServer.send(conn, "later");
    }
  });
  const port = freePort();
  const config = `
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 2`;
  await using node = await Node.start(config);
  using _ = { [Symbol.dispose]: () => over.resolve() };
  using long = await HttpConnection.connect(port);
  await long.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  const longInput = new Buffered(long.conn);
  await longInput.through("first");
  using tunnel = await HttpConnection.connect(port);
  await tunnel.send("GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  const tunnelInput = new Buffered(tunnel.conn);
  await tunnelInput.through("\r\n\r\n");
  const echoes = async (text: string) => {
    await tunnel.send(`${text}\n`);
    assertEquals(await tunnelInput.through("\n"), `${text}\n`);
  };

  await using load = new Load({ port, clients: 4, perConnection: 1 });
  const { pid } = await node.program.status();
  node.write(`${config}\nnonsense: 1`);
  const failed = await node.command("upgrade");
  assertEquals(failed.code, 1);
  assertStringIncludes(failed.said, "nonsense");
  assertEquals((await node.program.status()).pid, pid);
  await echoes("one");
  await load.more(20);
  node.write(config);
  assertEquals((await node.command("upgrade")).code, 0);
  assert((await node.program.status()).pid !== pid);
  await load.more(20);
  // Both are the old balancer's, which drains until they are over.
  assert(await alive(pid));
  await echoes("two");
  over.resolve();
  assertEquals((await longInput.exactly(5)).length, 5);
  tunnel[Symbol.dispose]();
  assertEquals((await node.program.child.status).code, 0);
  await load.stop();
  assertEquals(load.failures, [], node.program.text);
});
