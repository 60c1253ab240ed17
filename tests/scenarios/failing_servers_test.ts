/** Servers that die: killed under load, all of them gone, closing connections at the worst moment. */
import { assert, assertEquals, assertGreater, assertLess } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { Buffered } from "./buffered.ts";
import { get } from "./http_client.ts";
import { Load } from "./load.ts";
import { Nginx } from "./nginx.ts";
import { freePort, Node, pause } from "./node.ts";
import { RawServer } from "./raw_server.ts";

const INTERVAL_MS = 1000;
/** A busy machine may be slow; that is not what is asked here. */
const SLACK_MS = 1000;

labTest(
  "run() kill -9 of a server under load fails no GET while another is up",
  ["nginx", "wrk"],
  async () => {
    await using a = await Nginx.start("a");
    await using b = await Nginx.start("b");
    const port = freePort();
    await using node = await Node.start(`
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools:
  app:
    servers: [{ name: a, address: "127.0.0.1:${a.port}" }, { name: b, address: "127.0.0.1:${b.port}" }]
    check: { type: tcp, interval: 200ms, rise: 1, fall: 1 }
    passive: { ejectFor: 500ms }
workers: 2
`);
    await using wrk = wrkFor(4, port);
    await using load = new Load({ port, clients: 4, perConnection: 3 });
    await load.more(200);
    for (const server of [a, b]) {
      await server.kill();
      await load.more(200);
      await node.until(({ pools }) => pools[0]!.servers.some(({ state }) => state === "down"));
      await server.start();
      await node.until(({ pools }) => pools[0]!.servers.every(({ state }) => state === "up"));
    }
    await load.stop();
    assertEquals(load.failures, []);
    const report = await wrk.report;
    assertGreater(Number(/(\d+) requests in/.exec(report)?.[1]), 100);
    assert(!/Socket errors|Non-2xx/.test(report), report);
    const { counters: errors } = await node.listener("web");
    assertEquals([errors.responses5xx, errors.connectFailed, errors.emptyReply], [0, 0, 0]);
    const [killed, other] = [await node.server("a"), await node.server("b")];
    // It was felt: otherwise nothing was tested.
    assertGreater(killed.counters.retries + other.counters.retries, 0);
  },
);

labTest(
  "run() all servers down is a 503 at once, and over within one check interval",
  ["nginx"],
  async () => {
    await using a = await Nginx.start("a");
    await using b = await Nginx.start("b");
    const port = freePort();
    await using node = await Node.start(`
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools:
  app:
    servers: ["127.0.0.1:${a.port}", "127.0.0.1:${b.port}"]
    check: { path: /, interval: ${INTERVAL_MS}ms, rise: 1, fall: 2 }
`);
    assertEquals((await get(port)).status, 200);
    await a.kill();
    await b.kill();
    // While health does not know yet, and when it does.
    const refusals = async () => {
      for (let request = 0; request < 20; request++) {
        const begun = performance.now();
        const { status, head, body } = await get(port);
        assertEquals([status, body !== ""], [503, true], head);
        assertLess(performance.now() - begun, 1000);
      }
    };
    await refusals();
    await node.until(({ pools }) => pools[0]!.servers.every(({ state }) => state === "down"));
    await refusals();
    await a.start();
    const begun = performance.now();
    while ((await get(port)).status !== 200) {
      // The interval varies by a tenth.
      assertLess(performance.now() - begun, INTERVAL_MS * 1.1 + SLACK_MS);
      await pause(20);
    }
  },
);

Deno.test("run() a server that closes idle connections as they are used again never makes a GET fail", async () => {
  // Answers two requests on a connection and closes it while the third is on its way.
  await using server = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    for (let request = 0; request < 2; request++) {
      await input.through("\r\n\r\n");
      await RawServer.answer(conn, "good");
    }
    // Now and then after the next one has come: the FIN of the kernel is a reset then.
    if (server.accepted % 3 === 0) await conn.read(new Uint8Array(1));
  });
  const port = freePort();
  await using node = await Node.start(`
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 2
`);
  await using load = new Load({ port, clients: 16 });
  await load.more(6000);
  await load.stop();
  assertEquals(load.failures, []);
  const { counters } = (await node.status()).pools[0]!.servers[0]!;
  // Stale connections were met, and reuse was common.
  assertGreater(counters.retries, 100);
  assertGreater(counters.reuses, 1000);
  assertEquals(counters.emptyReplies, 0);
});

/** Load by wrk, and what it says in the end. */
function wrkFor(seconds: number, port: number): { report: Promise<string> } & AsyncDisposable {
  const wrk = requireTool("wrk");
  if ("skip" in wrk) throw new Error(wrk.skip);
  const args = ["-t1", "-c16", `-d${seconds}s`, "--timeout", "10s", `http://127.0.0.1:${port}/`];
  const ended = new Deno.Command(wrk.path, { args, stderr: "null" }).output();
  const report = ended.then(({ stdout }) => new TextDecoder().decode(stdout));
  return { report, [Symbol.asyncDispose]: async () => void await report };
}
