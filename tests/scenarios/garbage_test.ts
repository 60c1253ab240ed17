/** Random bytes at every listener: nothing crashes, nothing leaks, everything is counted. */
import { assert, assertEquals, assertGreater } from "../assert.ts";
import { seededRandom } from "../../mod/base/random.ts";
import { fromLatin1, latin1 } from "../../mod/http/grammar.ts";
import { Buffered } from "./buffered.ts";
import { get } from "./http_client.ts";
import { eventually, freePort, Node } from "./node.ts";
import { RawServer } from "./raw_server.ts";

/** TANDEM_GARBAGE_SECONDS=60 for the long form, TANDEM_SEED to see one again. */
const SECONDS = Number(Deno.env.get("TANDEM_GARBAGE_SECONDS") ?? 4);
const SEED = Number(Deno.env.get("TANDEM_SEED") ?? 1);
const CLIENTS = 8;
const MAX_BYTES = 6000;
/** Between two samples of a node that has warmed up. */
const MAX_GROWTH = 150 * 1024 * 1024;

const SEEDS = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  "HEAD http://a/ HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
];

function garbage(random: () => number): Uint8Array {
  const bytes = new Uint8Array(Math.floor(random() * random() * MAX_BYTES)).map(() => random() * 256);
  const kind = random();
  if (kind < 0.3) return bytes;
  const count = 1 + Math.floor(random() * 4);
  let text = "";
  for (let at = 0; at < count; at++) text += SEEDS[Math.floor(random() * SEEDS.length)];
  const request = fromLatin1(text);
  if (kind < 0.5) return new Uint8Array([...request, ...bytes]);
  const changes = 1 + Math.floor(random() * 3);
  for (let at = 0; at < changes; at++) request[Math.floor(random() * request.length)] = random() * 256;
  return request;
}

/** Sends it in pieces, ends, and reads what comes back to the end; sometimes just leaves. */
async function throwAt(port: number, bytes: Uint8Array, random: () => number): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const leaves = random() < 0.1;
  const buffer = new Uint8Array(64 * 1024);
  let received = "";
  const reading = (async () => {
    for (let size; (size = await conn.read(buffer)) !== null;) received += latin1(buffer, 0, size);
  })().catch(() => {});
  try {
    for (let at = 0; at < bytes.length;) {
      const end = random() < 0.5 ? bytes.length : at + Math.ceil(random() * (bytes.length - at));
      at += await conn.write(bytes.subarray(at, end));
    }
    if (!leaves) await conn.closeWrite();
  } catch {
    // It has had enough.
  }
  if (leaves) return "";
  await reading;
  return received;
}

Deno.test(`run() random bytes for ${SECONDS} s (seed ${SEED}): no crash, no leak, all counted, service goes on`, async () => {
  await using web = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) {
      const head = await input.through("\r\n\r\n");
      const length = Number(/^content-length: (\d+)/mi.exec(head)?.[1] ?? 0);
      // A body of chunks is not read: whatever follows is the proxy's to keep out of the next request.
      if (/^transfer-encoding/mi.test(head)) await input.through("0\r\n\r\n");
      await input.exactly(length);
      await (head.startsWith("HEAD ")
        ? RawServer.send(conn, "HTTP/1.1 204 x\r\n\r\n")
        : RawServer.answer(conn, "good"));
    }
  });
  await using echo = new RawServer(async (conn) => {
    const bytes = new Uint8Array(64 * 1024);
    for (let size; (size = await conn.read(bytes)) !== null;) {
      for (let sent = 0; sent < size;) sent += await conn.write(bytes.subarray(sent, size));
    }
  });
  const [port, raw] = [freePort(), freePort()];
  await using node = await Node.start(`
listeners:
  - { name: web, bind: "127.0.0.1:${port}", pool: web, timeouts: { head: 2s, body: 2s, tunnel: 2s } }
  - { name: raw, bind: "127.0.0.1:${raw}", protocol: tcp, pool: echo }
pools:
  web: { servers: ["127.0.0.1:${web.port}"], timeouts: { idle: 300ms, response: 2s }, passive: false }
  echo: { servers: ["127.0.0.1:${echo.port}"] }
log: { access: json }
workers: 2
`);
  const files = node.files();
  const connections = { web: 0, raw: 0 };
  let [refusals, warm] = [0, 0];
  const end = performance.now() + SECONDS * 1000;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    const random = seededRandom(SEED * 1000 + client);
    while (performance.now() < end) {
      const bytes = garbage(random);
      if (warm === 0 && performance.now() > end - SECONDS * 500) warm = node.memory();
      if (random() < 0.2) {
        connections.raw++;
        const back = await throwAt(raw, bytes, random);
        if (back !== "") assertEquals(back, latin1(bytes, 0, bytes.length));
      } else {
        connections.web++;
        const back = await throwAt(port, bytes, random);
        assert(back === "" || back.startsWith("HTTP/1."), back);
        refusals += [...back.matchAll(/HTTP\/1\.[01] (400|408|413|414|417|431|501|505) /g)].length;
      }
    }
  });
  await Promise.all(clients);
  const quiet = await node.until(({ listeners, pools }) =>
    listeners.every(({ counters }) => counters.active === 0) &&
    pools.every(({ servers }) => servers[0]!.active === 0)
  );
  const [http, tcp] = quiet.listeners.map(({ counters }) => counters);
  assertEquals([http!.accepted, tcp!.accepted, tcp!.requests], [
    connections.web,
    connections.raw,
    connections.raw,
  ]);
  assertGreater(refusals, connections.web / 20);
  // Clients that left may have missed theirs.
  assert(http!.responses4xx + http!.responses5xx >= refusals, `${http!.responses4xx} of ${refusals}`);
  assertGreater(http!.badRequest, 0);
  assertEquals([quiet.workersReplaced, (await node.program.status()).balancer.restarts], [0, 0]);
  assertEquals((await get(port)).body, "good");
  const grown = node.memory() - warm;
  assert(grown < MAX_GROWTH, `memory grew by ${grown} bytes`);
  await eventually(() => node.files() <= files + 1, () => `${files} files before, ${node.files()} after`);
  assert(!node.program.lines.some((line) => /"level":"error"/.test(line)), node.program.text.slice(-2000));
});
