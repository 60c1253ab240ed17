/**
 * A cache when everything happens at once, by chance: few URLs, many clients that pipeline, stop reading and break off,
 * servers that fail, break off and change their answers, too little room, purges, changes and reloads.
 *
 * What must hold: an answer is one that a server has given for this URL, whole, or the part that was asked for; what is
 * for one client is seen by that one alone; the store never holds more than it may; nothing stays behind.
 */
import type { CacheSnapshot } from "../../mod/config/cache_snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { statusOf } from "./http_text.ts";
import { reply, type ServedConnection } from "./parties.ts";
import { whim, type Whimsical } from "./whim.ts";
import { simulate, type World } from "./world.ts";

const SEEDS = Number(Deno.env.get("SIM_SEEDS") ?? 60);
const MAX_BYTES = 24 * 1024;
const KNOWN = [200, 206, 304, 412, 416, 502, 503, 504];
const CACHE: CacheSnapshot = {
  identity: "",
  ttl: [{ first: 200, last: 200, ttlMs: 300 }],
  maxTtlMs: null,
  staleWhileRevalidateMs: 200,
  staleIfErrorMs: 500,
  key: { host: true, query: { kind: "all" }, headers: [], cookies: [] },
  bypass: [],
  collapse: { waiting: 3, timeoutMs: 400 },
  requestDirectives: false,
  statusHeader: true,
};
/** What servers say of their answers, by the path's first letter. */
const SAYS: Readonly<Record<string, string>> = {
  a: "Cache-Control: max-age=1\r\n",
  b: 'ETag: "b"\r\n',
  c: "Cache-Control: max-age=60\r\nVary: X-Kind\r\n",
  p: "Cache-Control: private, max-age=60\r\n",
  n: 'Cache-Control: no-cache\r\nETag: "n"\r\n',
};

interface Talk extends Whimsical {
  readonly port: number;
  readonly asked: { readonly path: string; readonly method: string; readonly kind: string }[];
}

Deno.test("a cache keeps its promises whatever happens", () => {
  let hits = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    simulate({
      seed,
      split: seed % 3 === 0 ? "whole" : "random",
      delayMs: seed % 5 * 3,
      highWater: 2000,
      window: 3000,
      servers: 2,
      routes: [{
        match: { hosts: [], methods: [], headers: [], query: [] },
        action: { kind: "pool", pool: "app" },
        cache: CACHE,
      }],
      pool: {
        retry: { attempts: seed % 3, on: ["connect", "empty", 503] },
        timeouts: { responseMs: 2000, connectMs: 500, idleMs: 700 },
      },
      listener: { timeouts: { headMs: 1500, bodyMs: 1500, keepAliveMs: 4000, idleMs: 3000 } },
    }, (world) => {
      const { store } = world.environment.cache;
      store.resize(MAX_BYTES, MAX_BYTES / 2);
      for (const server of world.servers) {
        server.answer = ({ line, headers }, connection) => answerSomehow(world, line, headers, connection);
      }
      const talks: Talk[] = [];
      for (let round = 0; round < 60; round++) {
        const { random } = world.network;
        if (random() < 0.4) {
          const client = world.connect();
          talks.push({ client, port: client.peer.stream.remotePort, asked: [], left: false });
        }
        for (const talk of talks) act(world, talk);
        upset(world);
        world.run(Math.floor(random() * 200));
        assert(store.bytes <= MAX_BYTES, `${store.bytes} bytes are stored`);
      }
      for (const { client } of talks) client.peer.go();
      for (const server of world.servers) server.accepts = "yes";
      world.run(20_000);
      for (const talk of talks) check(talk);
      hits += world.log.filter(({ cache }) => cache === "HIT").length;
      world.checkQuiet();
    });
  }
  assert(hits > SEEDS, "the cache is used at all");
});

function act(world: World, talk: Talk): void {
  const { random } = world.network;
  const { client, asked } = talk;
  const dice = whim(talk, random);
  if (dice === null) return;
  const path = `/${"aabbccpn"[Math.floor(random() * 8)]}${Math.floor(random() * 3)}`;
  const method = dice < 0.34 ? "HEAD" : dice < 0.38 ? "POST" : "GET";
  const kind = "xy"[Math.floor(random() * 2)]!;
  const more = dice > 0.94 ? "Range: bytes=1-3\r\n" : dice > 0.9 ? 'If-None-Match: "b"\r\n' : "";
  const length = method === "POST" ? "Content-Length: 0\r\n" : "";
  asked.push({ path, method, kind });
  client.request(method, path, `X-Kind: ${kind}\r\nX-Port: ${talk.port}\r\n${length}${more}`);
}

/** The text says for which path, kind and client it was made, and is whole only with its last word. */
function answerSomehow(
  world: World,
  line: string,
  headers: ReadonlyMap<string, string>,
  connection: ServedConnection,
): void {
  const { random, schedule } = world.network;
  const [method, path = ""] = line.split(" ");
  const says = SAYS[path[1]!]!;
  const size = Math.floor(random() * 5000);
  const text = `${path} ${headers.get("x-kind")} ${headers.get("x-port")} ${"t".repeat(size)} end`;
  const dice = random();
  if (dice < 0.05) return connection.peer[dice < 0.02 ? "hangUp" : "reset"]();
  if (dice < 0.08) return;
  if (dice < 0.16) return connection.send(reply(503, method === "HEAD" ? "" : "busy"));
  const known = headers.get("if-none-match");
  if (known !== undefined && says.includes(known)) {
    return connection.send(`HTTP/1.1 304 Not Modified\r\n${says}\r\n`);
  }
  if (method === "HEAD") {
    return connection.send(`HTTP/1.1 200 OK\r\n${says}Content-Length: ${text.length}\r\n\r\n`);
  }
  if (dice < 0.26) {
    connection.send(reply(200, text, says).slice(0, -3));
    return schedule.in(Math.floor(random() * 300), () => connection.peer.reset());
  }
  if (dice < 0.45) {
    const chunk = `${text.length.toString(16)}\r\n${text}\r\n`;
    connection.send(`HTTP/1.1 200 OK\r\n${says}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
    return schedule.in(Math.floor(random() * 300), () => connection.send("0\r\n\r\n"));
  }
  schedule.in(Math.floor(random() * 100), () => connection.send(reply(200, text, says)));
}

function upset(world: World): void {
  const { random } = world.network;
  const server = world.servers[Math.floor(random() * world.servers.length)]!;
  const { store } = world.environment.cache;
  const dice = random();
  if (dice < 0.05) server.accepts = "refuses";
  else if (dice < 0.2) server.accepts = "yes";
  else if (dice < 0.25) { for (const { peer } of server.open) peer.reset(); }
  else if (dice < 0.3) store.purge({ path: `/${"abc"[Math.floor(random() * 3)]}*` });
  else if (dice < 0.33) store.resize(MAX_BYTES, MAX_BYTES / 2);
  else if (dice < 0.36) world.reload((before) => ({ ...before, generation: before.generation + 1 }));
}

function check({ client, port, asked, left }: Talk): void {
  for (const [index, answer] of client.answers.entries()) {
    const status = statusOf(answer.line);
    const { path, method, kind } = asked[index]!;
    assert(KNOWN.includes(status), `status ${status}`);
    if (method === "HEAD" || status !== 200 && status !== 206) continue;
    if (status === 206) {
      assertEquals(answer.body, path.slice(1) + " ", "the part that was asked for");
      continue;
    }
    const [of, ofKind, ofPort] = answer.body.split(" ");
    assert(of === path && answer.body.endsWith(" end"), `the whole answer for ${path}, not ${answer.body}`);
    if (path.startsWith("/c")) assertEquals(ofKind, kind, "the answer for requests of this kind");
    if (path.startsWith("/p")) assertEquals(ofPort, `${port}`, "what is private is seen by one client");
  }
  if (!left && !client.ended) assertEquals(client.answers.length, asked.length, "every request is answered");
}
