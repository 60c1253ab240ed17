/** The node's own processes under load: a balancer that dies, a node that is told to stop. */
import { assertEquals, assertGreater, assertLess, assertStringIncludes } from "../assert.ts";
import { Buffered } from "./buffered.ts";
import { get, HttpConnection } from "./http_client.ts";
import { Load } from "./load.ts";
import { freePort, Node, pause } from "./node.ts";
import { RawServer } from "./raw_server.ts";

/** It takes about a second; a busy machine may take longer. */
const BACK_MS = 10_000;
const SLOW = 10;

/** Requests that were answered. */
let served = 0;

async function serve(conn: Deno.TcpConn): Promise<void> {
  const input = new Buffered(conn);
  for (;; served++) {
    const head = await input.through("\r\n\r\n");
    await input.exactly(Number(/^content-length: (\d+)/mi.exec(head)?.[1] ?? 0));
    if (head.startsWith("GET /slow")) await pause(1000);
    await RawServer.answer(conn, "good");
  }
}

function config(port: number, server: RawServer): string {
  return `
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 2
`;
}

Deno.test("run() a balancer killed with -9 under load is back soon, with all its workers", async () => {
  await using server = new RawServer(serve);
  const port = freePort();
  await using node = await Node.start(config(port, server));
  await using load = new Load({ port, clients: 8, perConnection: 10 });
  await load.more(300);
  assertEquals(load.failures, []);
  const killed = await node.balancerPid();
  const begun = performance.now();
  Deno.kill(killed, "SIGKILL");
  while (await get(port).then(({ status }) => status !== 200, () => true)) {
    assertLess(performance.now() - begun, BACK_MS, node.program.text);
    await pause(10);
  }
  console.log(`back after ${Math.round(performance.now() - begun)} ms`);
  await node.until(({ workers }) => workers.length === 2 && workers.every(({ state }) => state === "ready"));
  const { balancer, generation } = await node.program.status();
  assertEquals([balancer.restarts, balancer.lastDeath, generation], [1, "killed by SIGKILL", 1]);
  assertGreater(Math.abs((balancer.pid ?? killed) - killed), 0);
  assertStringIncludes(await node.program.line("killed by SIGKILL"), "balancer");
  // What was under way is lost; from now on nothing is.
  const lost = load.failures.length;
  await load.more(300);
  await load.stop();
  assertEquals(load.failures.slice(lost), []);
});

Deno.test("run() SIGTERM under load finishes what is under way and exits with 0", async () => {
  await using server = new RawServer(serve);
  const port = freePort();
  await using node = await Node.start(config(port, server));
  served = 0;
  await using kept = new Load({ port, clients: 8, mayRefuse: true });
  await using fresh = new Load({ port, clients: 8, perConnection: 1, mayRefuse: true });
  const loads = [kept, fresh];
  await Promise.all(loads.map((load) => load.more(300)));
  const slow = Array.from({ length: SLOW }, () => get(port, "/slow"));
  using upload = await HttpConnection.connect(port);
  await upload.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
  using idle = await HttpConnection.connect(port);
  await idle.request("/");
  await node.until(({ pools }) => pools[0]!.servers[0]!.active >= SLOW);
  node.program.kill("SIGTERM");
  await node.program.line("draining");
  // An idle connection ends at once, and the body of one that is under way may still come.
  assertEquals(await idle.conn.read(new Uint8Array(1)), null);
  await upload.send("67890");
  const last = await upload.answer();
  assertEquals([last.status, last.body, /^connection: close/mi.test(last.head)], [200, "good", true]);
  for (const { status, body } of await Promise.all(slow)) assertEquals([status, body], [200, "good"]);
  await Promise.all(loads.map((load) => load.ended()));
  assertEquals(loads.flatMap(({ failures }) => failures), []);
  // Whatever reached the server was answered to its client, the upload and the idle connection's request too.
  assertEquals(kept.answered + fresh.answered + SLOW + 2, served);
  assertEquals(await node.program.ended(), 0, node.program.text);
});
