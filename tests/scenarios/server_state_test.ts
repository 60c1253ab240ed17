/** Servers that the configuration drains: they finish what they have and get nothing new. */
import { assert, assertEquals } from "../assert.ts";
import { Buffered } from "./buffered.ts";
import { get, HttpConnection } from "./http_client.ts";
import { Load } from "./load.ts";
import { freePort, Node, pause } from "./node.ts";
import { RawServer } from "./raw_server.ts";

Deno.test("run() a server set to drain finishes what it has and gets nothing new, until it is ready again", async () => {
  let over = false;
  const serve = (name: string) => async (conn: Deno.TcpConn) => {
    const input = new Buffered(conn);
    while (true) {
      const head = await input.through("\r\n\r\n");
      while (head.startsWith("GET /slow") && !over) await pause(20);
      await RawServer.answer(conn, name);
    }
  };
  await using a = new RawServer(serve("a"));
  await using b = new RawServer(serve("b"));
  using _ = { [Symbol.dispose]: () => over = true };
  const port = freePort();
  const config = (stateOfB: string) => `
listeners: [{ name: web, bind: "127.0.0.1:${port}", routes: [{ match: { path: /slow }, pool: slow }, { pool: app }] }]
pools:
  slow: { servers: [{ name: b, address: "127.0.0.1:${b.port}", state: ${stateOfB} }] }
  app:
    servers:
      - { name: a, address: "127.0.0.1:${a.port}" }
      - { name: b, address: "127.0.0.1:${b.port}", state: ${stateOfB} }
workers: 2
`;
  await using node = await Node.start(config("ready"));
  using slow = await HttpConnection.connect(port);
  await slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  await node.until(({ pools }) => pools[0]!.servers[0]!.active === 1);
  await using load = new Load({ port, clients: 4 });
  await load.more(100);
  await node.reload(config("drain"));
  const states = (await node.status()).pools.map(({ servers }) => servers.at(-1)!.admin);
  assertEquals(states, ["drain", "drain"]);
  const before = (await node.status()).pools[1]!.servers[1]!.counters.requests;
  await load.more(200);
  assertEquals((await node.status()).pools[1]!.servers[1]!.counters.requests, before);
  assertEquals((await get(port, "/slow")).status, 503);
  over = true;
  const answer = await new Buffered(slow.conn).through("\r\n\r\n");
  assert(answer.startsWith("HTTP/1.1 200 "), answer);
  await node.reload(config("ready"));
  await node.until(({ pools }) => pools[1]!.servers[1]!.counters.requests > before);
  await load.stop();
  assertEquals(load.failures, []);
});
