/** Clients that take their time, and very many of them at once. */
import { assert, assertEquals, assertGreater } from "../assert.ts";
import { Buffered } from "./buffered.ts";
import { HttpConnection } from "./http_client.ts";
import { Load } from "./load.ts";
import { eventually, freePort, Node, pause } from "./node.ts";
import { RawServer } from "./raw_server.ts";

/** Of each kind. */
const SLOW = 150;
/** One byte each: 10 bytes/s. */
const DRIP_MS = 100;
const MANY = 10_000;
/** Connections made at the same time, below the usual backlogs. */
const BATCH = 100;
/** What this process and the balancer need besides the connections. */
const SPARE_FILES = 1000;

/** Answers GET at once, and reads what comes with anything else for ever. */
async function serve(conn: Deno.TcpConn): Promise<void> {
  const input = new Buffered(conn);
  while ((await input.through("\r\n\r\n")).startsWith("GET ")) await RawServer.answer(conn, "good");
  await RawServer.untilGone(conn);
}

/** Sends `text` a byte at a time until the other side closes, or `until`; answers what came back. */
async function drip(port: number, start: string, text: string, until: () => boolean): Promise<string> {
  using client = await HttpConnection.connect(port);
  let received = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of client.conn.readable) received += decoder.decode(bytes);
  })().catch(() => {});
  let over = false;
  reading.then(() => over = true);
  await client.send(start);
  for (let at = 0; !over && !until(); at++) {
    await client.send(text[at % text.length]!).catch(() => {});
    await pause(DRIP_MS);
  }
  await reading;
  return received;
}

Deno.test("run() slow heads, slow bodies and silent clients harm no other request and are ended in time", async () => {
  await using server = new RawServer(serve);
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - { name: web, bind: "127.0.0.1:${port}", pool: app, timeouts: { head: 3s, body: 2s, keepAlive: 20s } }
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 2
`);
  let enough = false;
  const times = (make: () => Promise<string>) => Array.from({ length: SLOW }, make);
  const heads = times(() => drip(port, "GET / HTTP/1.1\r\nHost: a\r\nX: ", "x", () => false));
  const upload = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
  const bodies = times(() => drip(port, upload, "x", () => enough));
  const silent = times(() => drip(port, "", "", () => true));
  const halves = times(() => drip(port, "GET / HT", "", () => true));
  await using load = new Load({ port, clients: 4, perConnection: 5 });
  await node.until(({ listeners }) => listeners[0]!.counters.active >= SLOW * 4);
  const before = load.answered;
  await load.more(500);
  // Bodies go on for longer than their time-out, as each byte counts as progress.
  const answers = await Promise.all(heads);
  assertEquals((await node.listener("web")).counters.bodyTimeout, 0);
  enough = true;
  for (const answer of [...answers, ...await Promise.all(bodies), ...await Promise.all(halves)]) {
    assert(answer.startsWith("HTTP/1.1 408 "), answer);
  }
  assertEquals(new Set(await Promise.all(silent)), new Set([""]));
  await load.stop();
  assertEquals(load.failures, []);
  assertGreater(load.answered, before + 400);
  const { listeners: [web] } = await node.until(({ listeners }) => listeners[0]!.counters.active === 0);
  assertEquals([web!.counters.headTimeout, web!.counters.bodyTimeout], [2 * SLOW, SLOW]);
  // Nothing of the slow bodies is left at the server.
  const idle = (await node.server(`127.0.0.1:${server.port}`)).active;
  assertEquals(idle, 0);
});

const limit = openFilesLimit();
Deno.test({
  name: `run() ${MANY} open connections, and requests on a sample of them` +
    (limit < MANY + SPARE_FILES ? ` (skipped: needs ulimit -n ${MANY + SPARE_FILES})` : ""),
  ignore: limit < MANY + SPARE_FILES,
  async fn() {
    await using server = new RawServer(serve);
    const port = freePort();
    await using node = await Node.start(`
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app, timeouts: { head: 2m } }]
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 2
`);
    const [files, memory] = [node.files(), node.memory()];
    const clients: HttpConnection[] = [];
    try {
      while (clients.length < MANY) {
        clients.push(...await Promise.all(Array.from({ length: BATCH }, () => HttpConnection.connect(port))));
      }
      await node.until(({ listeners }) => listeners[0]!.counters.active === MANY);
      assertGreater(node.files(), files + MANY - 1);
      for (let at = 0; at < MANY; at += 50) assertEquals((await clients[at]!.request("/")).status, 200);
      const perConnection = Math.round((node.memory() - memory) / MANY / 102.4) / 10;
      console.log(`${MANY} open connections: ${perConnection} KiB each`);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
    await node.until(({ listeners }) => listeners[0]!.counters.active === 0);
    // What stays are idle connections to the server: one at a time was needed in each worker.
    await eventually(() => node.files() <= files + 10, () => `${files} files before, ${node.files()} after`);
  },
});

/** The hard limit, to which Deno raises its own at the start. */
function openFilesLimit(): number {
  const [, hard] =
    /^Max open files\s+\d+\s+(\d+|unlimited)/m.exec(Deno.readTextFileSync("/proc/self/limits")) ??
      [];
  return hard === "unlimited" ? Infinity : Number(hard);
}
