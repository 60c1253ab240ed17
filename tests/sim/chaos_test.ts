/**
 * Everything at once, by chance: clients and servers that are slow, pipeline, stop reading, break off, refuse and
 * come back, under small limits, with a reload now and then. `SIM_SEEDS` says how many seeds are tried.
 *
 * PROXY headers come from some clients, and go to some servers. Some requests are copied to a server that fares no
 * better. Some pools have sessions, by a cookie or
 * a header.
 *
 * What must hold: every answer is to the request it stands behind, carries the body that was sent, and is complete;
 * a client that stays gets an answer to every request or sees its connection closed; nothing stays behind.
 */
import type { RetrySnapshot } from "../../mod/config/failure_snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { writeProxyLine } from "../../mod/net/proxy_protocol.ts";
import { statusOf } from "./http_text.ts";
import { reply, type ServedConnection } from "./parties.ts";
import { cookie, table } from "../proxy/sticky_world.ts";
import { whim, type Whimsical } from "./whim.ts";
import { simulate, type World } from "./world.ts";

const SEEDS = Number(Deno.env.get("SIM_SEEDS") ?? 150);
const KNOWN = [200, 408, 502, 503, 504];

interface Asked {
  readonly path: string;
  readonly body: string;
}

const MIRRORED: RouteSnapshot = {
  match: { hosts: [], methods: [], headers: [], query: [] },
  action: { kind: "pool", pool: "app" },
  mirror: { pool: "shadow", share: 0.7, body: 3000, requests: 4 },
};

/** One client and what it asked, in order. */
interface Talk extends Whimsical {
  readonly port: number;
  readonly asked: Asked[];
}

Deno.test("sessions keep their promises whatever happens", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const split = seed % 3 === 0 ? "whole" as const : "random" as const;
    // Of some clients only a PROXY header tells who they are, and some servers want to be told.
    const proxied = seed % 4 === 1;
    const named = seed % 4 < 2;
    const mirrored = !named && seed % 3 > 0;
    const retry: Partial<RetrySnapshot> = {
      attempts: seed % 4,
      on: ["connect", "empty", "reset", "malformed", "timeout", 503],
      ...(seed % 7 < 3 ? { hedge: { afterMs: 300 } } : {}),
      ...(seed % 6 === 2 ? { backoff: { baseMs: 200, maxMs: 500 } } : {}),
      ...(seed % 11 < 4 ? { perTryMs: 700 } : {}),
    };
    const breaker = {
      maxRequests: 5,
      failures: 0.9,
      minRequests: 5,
      windowMs: 2000,
      openForMs: 500,
      trials: 2,
    };
    simulate({
      seed,
      split,
      delayMs: seed % 5 * 3,
      highWater: 2000,
      window: 3000,
      servers: [
        { maxConnections: 2, id: "ia" },
        { maxConnections: seed % 2, id: "ib" },
        { id: "ic" },
        ...(mirrored ? [{}] : []),
      ],
      ...(mirrored ? { otherPools: { shadow: [3] }, routes: [MIRRORED] } : {}),
      pool: {
        ...(named ? { proxyProtocol: seed % 8 < 4 ? "v1" : "v2" } : {}),
        ...(seed % 5 === 0 ? { sticky: cookie() } : {}),
        ...(seed % 5 === 1 ? { sticky: table({ by: [{ kind: "header", name: "x-session" }] }) } : {}),
        retry,
        ...(seed % 9 < 3 ? { breaker } : {}),
        queue: { size: 3, timeoutMs: 900 },
        timeouts: { responseMs: 2000, connectMs: 500, idleMs: 700 },
      },
      listener: {
        ...(proxied ? { proxyProtocol: { from: ["192.0.2.7"] } } : {}),
        timeouts: {
          requestMs: seed % 13 < 4 ? 2500 : 0,
          headMs: 1500,
          bodyMs: 1500,
          keepAliveMs: 4000,
          idleMs: 3000,
        },
      },
    }, (world) => {
      const chance = (share: number) => world.network.random() < share;
      for (const server of world.servers) {
        server.expectsHeader = named;
        server.answer = (request, connection) => {
          const source = connection.header?.addresses?.source;
          if (source !== undefined) {
            assert(
              request.line.includes(` /${source.port}-`),
              "a request of the client that the header names",
            );
          }
          answerSomehow(world, request.line, request.body, connection);
        };
      }
      const talks: Talk[] = [];
      for (let round = 0; round < 40; round++) {
        if (chance(0.3)) {
          const client = world.connect();
          const port = client.peer.stream.remotePort;
          if (proxied) {
            client.send(writeProxyLine({ host: "203.0.113.1", port }, { host: "203.0.113.2", port: 80 }));
          }
          talks.push({ client, port, asked: [], left: false });
        }
        for (const talk of talks) act(world, talk, `${round}`);
        if (chance(0.1)) upset(world);
        world.run(Math.floor(world.network.random() * 200));
      }
      for (const { client } of talks) client.peer.go();
      for (const server of world.servers) {
        server.accepts = "yes";
        for (const { peer } of server.connections) peer.go();
      }
      world.run(20_000);
      for (const talk of talks) check(talk);
      world.checkQuiet();
    });
  }
});

/** A client does something. */
function act(world: World, talk: Talk, round: string): void {
  const { random } = world.network;
  const { client, asked } = talk;
  const dice = whim(talk, random);
  if (dice === null) return;
  const path = `/${talk.port}-${round}`;
  const body = dice < 0.6 ? "" : "b".repeat(Math.floor(random() * 4000)) + round;
  const session = "abc"[Math.floor(random() * 4)] ?? "x";
  const more = `Cookie: y=1; SRV=i${session}\r\nX-Session: ${session}\r\n`;
  asked.push({ path, body });
  if (body === "") client.get(path, more);
  else if (dice < 0.8) client.request("PUT", path, `${more}Content-Length: ${body.length}\r\n`, body);
  else {
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    client.request("POST", path, `${more}Transfer-Encoding: chunked\r\n`, chunk);
  }
}

/** A server answers, in one of the ways servers do. */
function answerSomehow(world: World, line: string, body: string, connection: ServedConnection): void {
  const { random, schedule } = world.network;
  const text = `${line.split(" ")[1]} ${body} `;
  const dice = random();
  const later = (run: () => void) => schedule.in(Math.floor(random() * 300), run);
  if (dice < 0.05) return connection.peer[dice < 0.02 ? "hangUp" : "reset"]();
  if (dice < 0.08) return;
  if (dice < 0.14) return connection.send(reply(503, "busy"));
  if (dice < 0.2) {
    connection.send(reply(200, text).slice(0, -3));
    return later(() => connection.peer[dice < 0.17 ? "reset" : "hangUp"]());
  }
  if (dice < 0.4) {
    connection.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n`);
    return later(() => connection.send(`${text}\r\n0\r\n\r\n`));
  }
  if (dice < 0.5) {
    connection.send(reply(200, text, "Connection: close\r\n"));
    return connection.peer.end();
  }
  if (dice < 0.8) return connection.send(reply(200, text));
  later(() => connection.send(reply(200, text)));
}

/** Something happens to a server, or to the configuration. */
function upset(world: World): void {
  const { random } = world.network;
  const index = Math.floor(random() * world.servers.length);
  const server = world.servers[index]!;
  const dice = random();
  if (dice < 0.2) server.accepts = "refuses";
  else if (dice < 0.3) server.accepts = "silent";
  else if (dice < 0.6) server.accepts = "yes";
  else if (dice < 0.7) { for (const { peer } of server.open) peer.reset(); }
  else if (dice < 0.8) world.control.slots.setUp(index, random() < 0.7);
  else if (dice < 0.9) world.reload((snapshot) => ({ ...snapshot, generation: snapshot.generation + 1 }));
  else {
    for (const { peer } of server.open) {
      peer.stop();
      world.network.schedule.in(400, () => peer.go());
    }
  }
}

function check({ client, asked, left }: Talk): void {
  for (const [index, answer] of client.answers.entries()) {
    const status = statusOf(answer.line);
    assert(KNOWN.includes(status), `status ${status}`);
    if (status !== 200) continue;
    const { path, body } = asked[index]!;
    assertEquals(answer.body, `${path} ${body} `, "the answer to this request, whole");
  }
  if (!left && !client.ended) {
    assertEquals(client.answers.length, asked.length, "every request of a client that stays is answered");
  }
}
