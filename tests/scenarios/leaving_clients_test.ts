/** Clients that leave: whatever a request is at then, its connection to the server and its place there are freed. */
import { assertEquals } from "../assert.ts";
import { Buffered } from "./buffered.ts";
import { HttpConnection } from "./http_client.ts";
import { eventually, freePort, Node, pause } from "./node.ts";
import { RawServer } from "./raw_server.ts";

const CLIENTS = 20;
const HEAD = (method: string, path: string, more = "") =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

/** What the server does with a path. */
async function serve(conn: Deno.TcpConn): Promise<void> {
  const input = new Buffered(conn);
  const head = await input.through("\r\n\r\n");
  const path = /^\S+ (\S+)/.exec(head)?.[1];
  if (path === "/tunnel") {
    const upgrade = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
    await RawServer.send(conn, upgrade);
  } else if (path !== "/silent") {
    await RawServer.send(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const chunk = "x".repeat(path === "/flood" ? 256 * 1024 : 10);
    const gone = RawServer.untilGone(conn).then(() => true);
    while (!await Promise.race([gone, pause(20).then(() => false)])) await RawServer.send(conn, chunk);
  }
  await RawServer.untilGone(conn);
}

interface Phase {
  readonly name: string;
  readonly send: string;
  /** What the client has read before it leaves. */
  readonly reads?: string;
  /** Connections of one client at the server before. */
  readonly open: 0 | 1;
}

const UPGRADE = "Connection: Upgrade\r\nUpgrade: x\r\n";
const PHASES: readonly Phase[] = [
  { name: "before its request", send: "", open: 0 },
  { name: "in its head", send: "GET / HTTP/1.1\r\nHo", open: 0 },
  { name: "before an answer", send: HEAD("GET", "/silent"), open: 1 },
  { name: "in its body", send: HEAD("POST", "/silent", "Content-Length: 100000\r\n") + "x", open: 1 },
  { name: "in a chunk", send: HEAD("PUT", "/silent", "Transfer-Encoding: chunked\r\n") + "5\r\nx", open: 1 },
  { name: "in a slow answer", send: HEAD("GET", "/slow"), reads: "xxx", open: 1 },
  { name: "without reading its answer", send: HEAD("GET", "/flood"), open: 1 },
  { name: "in a tunnel", send: HEAD("GET", "/tunnel", UPGRADE), reads: "\r\n\r\n", open: 1 },
  { name: "with requests waiting behind one", send: HEAD("GET", "/silent").repeat(9), open: 1 },
];

const clients = (port: number) =>
  Promise.all(Array.from({ length: CLIENTS }, () => HttpConnection.connect(port)));

Deno.test("run() a client that leaves frees its server in every phase of a request", async (t) => {
  await using server = new RawServer(serve);
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - { name: web, bind: "127.0.0.1:${port}", pool: app }
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 2
`);
  for (const { name, send, reads, open } of PHASES) {
    await t.step(name, async () => {
      const all = await clients(port);
      for (const client of all) await client.send(send);
      if (reads !== undefined) await Promise.all(all.map(({ conn }) => new Buffered(conn).through(reads)));
      await node.until(({ listeners }) => listeners[0]!.counters.active === CLIENTS);
      await eventually(() => server.open === CLIENTS * open, () => server.open);
      for (const client of all) client[Symbol.dispose]();
      await eventually(() => server.open === 0, () => `${server.open} connections at the server`);
      await node.until(({ listeners, pools }) =>
        listeners[0]!.counters.active === 0 && pools[0]!.servers[0]!.active === 0
      );
    });
  }
});

Deno.test("run() a client that leaves the queue leaves no place behind, one that is served frees it", async () => {
  await using server = new RawServer(serve);
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - { name: web, bind: "127.0.0.1:${port}", pool: app }
pools:
  app: { servers: [{ address: "127.0.0.1:${server.port}", maxConnections: 5 }], queue: { timeout: 1m } }
workers: 2
`);
  const all = await clients(port);
  for (const client of all) await client.send(HEAD("GET", "/silent"));
  await node.until(({ pools }) => pools[0]!.queued === CLIENTS - 5 && pools[0]!.servers[0]!.active === 5);
  await eventually(() => server.open === 5);
  for (const client of all) client[Symbol.dispose]();
  await node.until(({ pools }) => pools[0]!.queued === 0 && pools[0]!.servers[0]!.active === 0);
  await eventually(() => server.open === 0);
  assertEquals((await node.listener("web")).counters.clientGone, CLIENTS);
});

Deno.test("run() a client of a tcp listener that leaves frees its server", async () => {
  await using server = new RawServer(RawServer.untilGone);
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - { name: db, protocol: tcp, bind: "127.0.0.1:${port}", pool: app }
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 2
`);
  const all = await clients(port);
  for (const client of all) await client.send("x");
  await eventually(() => server.open === CLIENTS);
  for (const client of all) client[Symbol.dispose]();
  await eventually(() => server.open === 0);
  await node.until(({ listeners, pools }) =>
    listeners[0]!.counters.active === 0 && pools[0]!.servers[0]!.active === 0
  );
});
