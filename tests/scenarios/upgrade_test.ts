/** Upgrades under load: a new program takes over from the old one, and no client notices. */
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { Buffered } from "./buffered.ts";
import { get } from "./http_client.ts";
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
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools:
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
  const path = (request: number) => `/${request}`;
  await using kept = new Load({ port, clients: 4, path });
  await using fresh = new Load({ port, clients: 4, perConnection: 1, path });
  for (let round = 0; round < UPGRADES; round++) {
    const { pid } = await node.program.status();
    const { code, said } = await node.upgrade();
    assertEquals([code, said], [0, "the new program has taken over; see tandem status\n"], node.program.text);
    const status = await node.program.status();
    assert(status.pid !== pid, "another process has the socket");
    // Its next probe is an hour away: who sends it nothing has been told.
    const server = serverOf(await node.status(), "dead");
    assertEquals([server.state, server.since], ["down", since]);
    await Promise.all([kept.more(50), fresh.more(50)]);
  }
  await Promise.all([kept.stop(), fresh.stop()]);
  assertEquals([kept.failures, fresh.failures], [[], []], node.program.text);
  assert(!node.program.text.includes('"level":"error"'), node.program.text);
  assertStringIncludes((await get(port)).head, "200 OK");
});
