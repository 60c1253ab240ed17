/** Servers with a limit, and many more clients than they may have at a time, over two workers. */
import { assertEquals, assertGreater, assertGreaterOrEqual } from "../assert.ts";
import { Buffered } from "./buffered.ts";
import { Load } from "./load.ts";
import { freePort, Node, pause } from "./node.ts";
import { RawServer } from "./raw_server.ts";

const LIMIT = 2;
const CLIENTS = 50;
const REQUESTS = 3000;

/** A server that notes how many requests it had at most at the same time. */
class Limited {
  most = 0;
  #now = 0;
  readonly server = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) {
      await input.through("\r\n\r\n");
      this.most = Math.max(this.most, ++this.#now);
      await pause(2);
      // With its answer a request is over.
      this.#now--;
      await RawServer.answer(conn, "good");
    }
  });
}

Deno.test("run() fifty clients share servers with a limit of two without a failure, and the limit holds", async () => {
  const [a, b] = [new Limited(), new Limited()];
  await using first = a.server;
  await using second = b.server;
  const port = freePort();
  const servers = [first, second].map((server) =>
    `{ address: "127.0.0.1:${server.port}", maxConnections: ${LIMIT} }`
  );
  await using node = await Node.start(`
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools: { app: { servers: [${servers}], queue: { size: 1000, timeout: 30s } } }
workers: 2
`);
  await using kept = new Load({ port, clients: CLIENTS / 2 });
  await using fresh = new Load({ port, clients: CLIENTS / 2, perConnection: 1 });
  await node.until(({ pools }) => pools[0]!.queued > CLIENTS / 2);
  await Promise.all([kept.more(REQUESTS / 2), fresh.more(REQUESTS / 2)]);
  await kept.stop();
  await fresh.stop();
  assertEquals([...kept.failures, ...fresh.failures], []);
  assertEquals([a.most, b.most], [LIMIT, LIMIT]);
  const { pools: [pool] } = await node.until(({ pools }) =>
    pools[0]!.servers.every(({ active }) => active === 0)
  );
  assertEquals(pool!.queued, 0);
  const requests = pool!.servers.map(({ counters }) => counters.requests);
  assertGreaterOrEqual(requests[0]! + requests[1]!, REQUESTS);
  for (const each of requests) assertGreater(each, REQUESTS / 4);
});
