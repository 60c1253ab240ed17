/** What a request gets when its pool fails it, over simulated streams. */
import { LISTENER_COLUMN, SERVER_COLUMN } from "../../mod/base/counters.ts";
import type { FallbackSnapshot } from "../../mod/config/failure_snapshot.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { reply } from "../sim/parties.ts";
import { everyWay, simulate, type World, type WorldOptions } from "../sim/world.ts";

const ANY: RouteSnapshot["match"] = { hosts: [], methods: [], headers: [], query: [] };
const SORRY = { status: 503, body: "sorry\n", contentType: "text/plain", fields: "Retry-After: 30\r\n" };

/** Servers a and b are the pool, c is the one in its place. */
function world(fallback: Partial<FallbackSnapshot>, more: WorldOptions = {}): WorldOptions {
  const action = { kind: "pool", pool: "app" } as const;
  return {
    servers: 3,
    otherPools: { sorry: [2] },
    routes: [{ match: ANY, action, fallback: { statuses: [], ...fallback } }],
    ...more,
  };
}

const fallbacks = (world: World) => world.memory.counters.listener(0, LISTENER_COLUMN.fallbacks);

/** Ways in which a pool fails a request, and the error that it would be. */
const FAILURES: Record<string, (world: World) => void> = {
  noServer: (world) => [0, 1].forEach((slot) => world.control.slots.setUp(slot, false)),
  connectFailed: (world) => world.servers.slice(0, 2).forEach((server) => server.accepts = "refuses"),
  connectTimeout: (world) => world.servers.slice(0, 2).forEach((server) => server.accepts = "silent"),
  emptyReply: (world) =>
    world.servers.slice(0, 2).forEach((server) => server.answer = (_, { peer }) => peer.end()),
  responseReset: (world) =>
    world.servers.slice(0, 2).forEach((server) =>
      server.answer = (_, connection) => {
        connection.send("HTTP/1.1 200 O");
        connection.peer.end();
      }
    ),
  badResponse: (world) =>
    world.servers.slice(0, 2).forEach((server) =>
      server.answer = (_, connection) => connection.send("no\r\n\r\n")
    ),
  responseTimeout: (world) => world.servers.slice(0, 2).forEach((server) => server.answer = () => {}),
};

Deno.test("Exchange sends what its pool has failed to the pool of the fallback", () => {
  for (const [error, fail] of Object.entries(FAILURES)) {
    simulate(world({ pool: "sorry" }, { pool: { timeouts: { responseMs: 1000 } } }), (world) => {
      fail(world);
      const client = world.connect().get("/1").request("PUT", "/2", "Content-Length: 4\r\n", "body");
      world.run(20_000);
      assertEquals(client.answers.map(({ body }) => body), ["c GET /1  ", "c PUT /2 body "], error);
      assertEquals(world.log.map(({ error, pool, server }) => [error, pool, server]), [
        ["", "sorry", "c"],
        ["", "sorry", "c"],
      ]);
      assertEquals(fallbacks(world), 2);
    });
  }
});

Deno.test("Exchange answers what its pool has failed with the page of the fallback, and logs the error", () => {
  for (const [error, fail] of Object.entries(FAILURES)) {
    everyWay(
      (way) =>
        simulate(
          { ...world({ answer: SORRY }, { pool: { timeouts: { responseMs: 1000 } } }), ...way },
          (world) => {
            fail(world);
            const client = world.connect().get("/1").request("POST", "/2", "Content-Length: 4\r\n", "body");
            world.run(20_000);
            assertEquals(client.answers.map(({ body }) => body), ["sorry\n", "sorry\n"], error);
            assertEquals(client.answers[0]!.headers.get("retry-after"), "30");
            assertEquals(client.ended, false);
            assertEquals(world.log.map(({ error, status }) => [error, status]), [[error, 503], [error, 503]]);
          },
        ),
      2,
    );
  }
});

Deno.test("Exchange keeps from the fallback's pool what a server may have done already", () => {
  simulate(world({ pool: "sorry" }), (world) => {
    FAILURES["emptyReply"]!(world);
    const large = "x".repeat(5000);
    const client = world.connect().request("POST", "/1", "Content-Length: 4\r\n", "body")
      .request("PUT", "/2", "Content-Length: 5000\r\n", large);
    world.settle();
    assertEquals(client.statuses[0], 502, "it is not idempotent");
    assertEquals(client.statuses.at(-1), 502, "its body is gone");
    assertEquals([world.servers[2]!.seen.length, fallbacks(world)], [0, 0]);
  });
  simulate(world({ pool: "sorry" }), (world) => {
    FAILURES["connectFailed"]!(world);
    const large = "x".repeat(100_000);
    const client = world.connect().request("POST", "/", "Content-Length: 100000\r\n", large);
    world.settle();
    assertEquals(client.statuses, [200], "nothing was sent");
    assertEquals(world.servers[2]!.seen[0]!.body, large);
  });
});

Deno.test("Exchange falls back once: then the error is one", () => {
  simulate(world({ pool: "sorry" }), (world) => {
    FAILURES["noServer"]!(world);
    world.servers[2]!.accepts = "refuses";
    const client = world.connect().get("/");
    world.settle();
    assertEquals([client.statuses, world.servers[2]!.dials], [[503], 1]);
    assertEquals(world.log.map(({ error, pool }) => [error, pool]), [["connectFailed", "sorry"]]);
  });
});

Deno.test("Exchange takes the statuses of servers for failures where the route says so", () => {
  for (const [fallback, body] of [[{ pool: "sorry" }, "c GET / "], [{ answer: SORRY }, "sorry"]] as const) {
    simulate(
      world({ ...fallback, statuses: [500] }, { pool: { retry: { on: [500], attempts: 1 } } }),
      (world) => {
        for (const server of world.servers.slice(0, 2)) {
          server.answer = (_, connection) => connection.send(reply(500, "broken"));
        }
        const client = world.connect().get("/");
        world.settle();
        assert(client.answers[0]!.body.startsWith(body), client.answers[0]!.body);
        assertEquals([world.log[0]!.retries, world.log[0]!.error], [1, ""]);
        const failed = [0, 1].map((slot) => world.memory.counters.server(slot, SERVER_COLUMN.responses5xx));
        assertEquals(failed, [1, 1], "the servers' answers count");
      },
    );
  }
  simulate(world({ pool: "sorry", statuses: [500] }), (world) => {
    world.servers[0]!.answer = (_, connection) => connection.send(reply(500, "broken"));
    const client = world.connect().request("POST", "/", "Content-Length: 0\r\n");
    world.settle();
    assertEquals(client.answers[0]!.body, "broken", "what cannot be sent again is answered with what came");
  });
  simulate(world({ pool: "sorry" }), (world) => {
    world.servers[0]!.answer = (_, connection) => connection.send(reply(500, "broken"));
    const client = world.connect().get("/");
    world.settle();
    assertEquals(client.answers[0]!.body, "broken", "an answer is an answer");
  });
});

Deno.test("Exchange breaks an answer off that has begun, whatever the fallback", () => {
  simulate(world({ pool: "sorry" }), (world) => {
    world.servers[0]!.answer = (_, connection) => {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
      connection.peer.end();
    };
    const client = world.connect().get("/");
    world.settle();
    assertEquals([client.ended, client.answers.length, world.servers[2]!.seen.length], [true, 0, 0]);
    assertEquals([world.log[0]!.error, fallbacks(world)], ["responseReset", 0]);
  });
});

/** Servers of TCP that say their names and take no more; a and b are the pool, c is the one in its place. */
function tcpWorld(more: WorldOptions = {}): WorldOptions {
  return { ...world({ pool: "sorry" }, more), protocol: "tcp" };
}

function greeted(world: World): string {
  for (const server of world.servers) server.onConnect = (connection) => connection.send(server.name);
  const client = world.connectPeer();
  client.send("hello");
  world.run(8000);
  client.end();
  world.settle();
  return client.text;
}

Deno.test("TcpConnection goes to the pool of the fallback when nobody of its own takes it", () => {
  for (const error of ["noServer", "connectFailed", "connectTimeout"]) {
    everyWay((way) =>
      simulate({ ...tcpWorld(), ...way }, (world) => {
        FAILURES[error]!(world);
        assertEquals(greeted(world), "c", error);
        const [{ pool, server, error: logged } = {}] = world.log;
        assertEquals([pool, server, logged], ["sorry", "c", ""]);
        assertEquals(fallbacks(world), 1);
        assertEquals(world.control.slots.active(0) + world.control.slots.active(2), 0, "no place is kept");
      }), 3);
  }
  simulate(tcpWorld(), (world) => {
    assertEquals([greeted(world), fallbacks(world)], ["a", 0], "while it has somebody");
  });
});

Deno.test("TcpConnection goes to the pool of the fallback when there is no place in its own", () => {
  const places = { servers: [{ maxConnections: 1 }, { maxConnections: 1 }, {}] };
  for (const queue of [{ size: 0, timeoutMs: 1000 }, { size: 5, timeoutMs: 1000 }]) {
    simulate(tcpWorld({ ...places, pool: { queue } }), (world) => {
      const busy = [world.connectPeer(), world.connectPeer()];
      world.settle();
      assertEquals([greeted(world), fallbacks(world)], ["c", 1]);
      for (const client of busy) client.end();
    });
  }
});

Deno.test("TcpConnection falls back once: then it is closed, with the error of the last", () => {
  simulate(tcpWorld(), (world) => {
    FAILURES["connectFailed"]!(world);
    world.control.slots.setUp(2, false);
    assertEquals(greeted(world), "");
    assertEquals(world.log.map(({ error, pool }) => [error, pool]), [["noServer", "sorry"]]);
  });
});
