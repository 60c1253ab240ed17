/** What is retried, of which methods, how soon and for how long: what a pool and its routes say of retries. */
import { SERVER_COLUMN } from "../../mod/base/counters.ts";
import type { RetrySnapshot } from "../../mod/config/failure_snapshot.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { backoffMs } from "../../mod/proxy/retry.ts";
import { assert, assertEquals } from "../assert.ts";
import { echo, reply, type SimServer } from "../sim/parties.ts";
import { everyWay, simulate, type World } from "../sim/world.ts";

/** A tick of the wheel, and one of the network. */
const LATE = 200;
const POST = "Content-Length: 4\r\n";
const ANY: RouteSnapshot["match"] = { hosts: [], methods: [], headers: [], query: [] };
const RETRY: RetrySnapshot = { attempts: 2, on: ["connect", "empty"], budget: 0.2 };

const count = (world: World, column: number) =>
  world.servers.map((_, slot) => world.memory.counters.server(slot, column));

/** Ways to fail, by the condition that they are. */
const WAYS: Record<string, (server: SimServer) => void> = {
  reset: (server) =>
    server.answer = (_, connection) => {
      connection.send("HTTP/1.1 200 O");
      connection.peer.end();
    },
  malformed: (server) => server.answer = (_, connection) => connection.send("what?\r\n\r\n"),
  429: (server) => server.answer = (_, connection) => connection.send(reply(429, "too many")),
  404: (server) => server.answer = (_, connection) => connection.send(reply(404, "not here")),
};

Deno.test("Exchange retries on what is named, and on nothing else", () => {
  const statuses: Record<string, number> = { reset: 502, malformed: 502, 429: 429, 404: 404 };
  for (const [way, fail] of Object.entries(WAYS)) {
    const condition = Number(way) || way as "reset" | "malformed";
    for (const [on, status] of [[condition, 200], ["connect", statuses[way]!]] as const) {
      everyWay((arriving) =>
        simulate({ ...arriving, servers: 2, pool: { retry: { on: [on] } } }, (world) => {
          fail(world.servers[0]!);
          const client = world.connect().get("/").get("/");
          world.settle();
          assertEquals(new Set(client.statuses), new Set([status, 200]), `${way}, on ${on}`);
        }), 2);
    }
  }
});

Deno.test("Exchange breaks an answer off that has begun, whatever is retried on", () => {
  simulate({ servers: 2, pool: { retry: { on: ["reset", "malformed", "empty"] } } }, (world) => {
    world.servers[0]!.answer = (_, connection) => {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
      connection.peer.end();
    };
    const client = world.connect().get("/");
    world.settle();
    assertEquals([client.ended, client.answers.length, world.servers[1]!.seen.length], [true, 0, 0]);
    assertEquals(count(world, SERVER_COLUMN.resets), [1, 0]);
  });
});

Deno.test("Exchange sends again what is of the methods that are named", () => {
  const cases: [RetrySnapshot["methods"], string[]][] = [
    [undefined, ["GET", "PUT", "DELETE"]],
    [["GET"], ["GET"]],
    [["POST", "GET"], ["GET", "POST"]],
    ["all", ["GET", "PUT", "DELETE", "POST", "PATCH"]],
  ];
  for (const [methods, repeated] of cases) {
    for (const method of ["GET", "PUT", "DELETE", "POST", "PATCH"]) {
      const retry = { on: [503], ...(methods === undefined ? {} : { methods }) };
      simulate({ servers: 2, pool: { retry } }, (world) => {
        world.servers[0]!.answer = (_, connection) => connection.send(reply(503, "busy"));
        const client = world.connect().request(
          method,
          "/",
          method === "GET" ? "" : POST,
          method === "GET" ? "" : "body",
        );
        world.settle();
        assertEquals(client.statuses, [repeated.includes(method) ? 200 : 503], `${methods}: ${method}`);
      });
    }
  }
});

Deno.test("Exchange replaces a stale connection whatever methods are named", () => {
  simulate({ servers: 1, pool: { retry: { methods: ["GET"] } } }, (world) => {
    world.connect().get("/");
    world.settle();
    world.servers[0]!.connections[0]!.peer.breakReceiving(1, "reset");
    const client = world.connect().request("PUT", "/", POST, "body");
    world.settle();
    assertEquals(client.statuses, [200]);
  });
});

Deno.test("Exchange goes by the retries of the route", () => {
  const retry: Partial<RetrySnapshot> = { attempts: 0 };
  const action = { kind: "pool", pool: "app" } as const;
  const routes: RouteSnapshot[] = [
    { match: { ...ANY, path: "/once" }, action, terms: { timeouts: {}, queue: {}, retry } },
    { match: ANY, action },
  ];
  simulate({ servers: 2, routes }, (world) => {
    for (const server of world.servers) server.accepts = "refuses";
    for (const [path, attempts] of [["/once", 1], ["/", 2]] as const) {
      const before = world.servers.reduce((sum, { dials }) => sum + dials, 0);
      const client = world.connect().get(path);
      world.settle();
      assertEquals(client.statuses, [503]);
      assertEquals(world.servers.reduce((sum, { dials }) => sum + dials, -before), attempts);
    }
  });
});

Deno.test("Exchange waits for a moment before it tries again, and may try the same server", () => {
  const backoff = { baseMs: 4000, maxMs: 4000 };
  simulate(
    { servers: 1, pool: { retry: { on: ["connect", "empty", 503], attempts: 3, backoff } } },
    (world) => {
      const server = world.servers[0]!;
      for (
        const fail of [
          () => server.accepts = "refuses",
          () => server.answer = (_, { peer }) => peer.end(),
          () => server.answer = (_, connection) => connection.send(reply(503, "busy")),
        ]
      ) {
        server.accepts = "yes";
        server.answer = echo;
        world.connect().get("/");
        world.settle();
        const { seen: { length: before }, dials } = server;
        fail();
        for (const connection of world.idle.clear()) connection.close();
        const client = world.connect().get("/");
        world.settle();
        assertEquals(client.statuses, [], "it waits");
        assertEquals([server.dials, world.active], [dials + 1, 1], "the place is held");
        server.accepts = "yes";
        server.answer = echo;
        world.run(4000 + LATE);
        assertEquals([client.statuses, server.seen.length > before], [[200], true]);
        assertEquals(world.log.at(-1)!.retries, 1);
      }
    },
  );
  simulate({ servers: 1, pool: { retry: { attempts: 2, backoff } } }, (world) => {
    world.servers[0]!.accepts = "refuses";
    const client = world.connect().get("/");
    world.run(2 * (4000 + LATE));
    assertEquals([client.statuses, world.servers[0]!.dials], [[503], 3], "no more often than it may");
  });
});

Deno.test("Exchange lets go of the place when its client leaves while it waits to try again", () => {
  const backoff = { baseMs: 4000, maxMs: 4000 };
  simulate({ servers: 1, pool: { retry: { backoff } } }, (world) => {
    world.servers[0]!.accepts = "refuses";
    const client = world.connect().get("/");
    world.settle();
    assertEquals(world.active, 1);
    client.peer.reset();
    world.settle();
    assertEquals(world.active, 0);
  });
});

Deno.test("TcpConnection waits before it connects again", () => {
  const backoff = { baseMs: 4000, maxMs: 4000 };
  simulate({ servers: 1, protocol: "tcp", pool: { retry: { backoff } } }, (world) => {
    world.servers[0]!.accepts = "refuses";
    const client = world.connect().get("/");
    world.settle();
    world.servers[0]!.accepts = "yes";
    world.run(4000 + LATE);
    assertEquals([client.statuses, world.servers[0]!.dials], [[200], 2]);
  });
});

Deno.test("Exchange leaves a slow server for another after a while, but only for one that is free", () => {
  const pool = { retry: { on: ["timeout"] as const, perTryMs: 1000 }, timeouts: { responseMs: 5000 } };
  simulate({ servers: 2, pool }, (world) => {
    world.servers[0]!.answer = () => {};
    const client = world.connect().get("/");
    world.run(1000 + LATE);
    assertEquals([client.statuses, world.log[0]!.server], [[200], "b"]);
    assertEquals(count(world, SERVER_COLUMN.responseTimeouts), [1, 0]);
  });
  simulate({ servers: 1, pool }, (world) => {
    world.servers[0]!.answer = () => {};
    const client = world.connect().get("/");
    world.run(4900);
    assertEquals(client.statuses, [], "there is no other");
    world.run(100 + LATE);
    assertEquals(client.statuses, [504]);
  });
  simulate({ servers: 2, pool }, (world) => {
    world.servers[0]!.answer = () => {};
    const client = world.connect().request("POST", "/", POST, "body");
    world.run(4900);
    assertEquals(client.statuses, [], "it must not be sent again");
  });
  simulate({ servers: 3, pool: { ...pool, retry: { ...pool.retry, attempts: 1 } } }, (world) => {
    for (const server of world.servers) server.answer = () => {};
    const client = world.connect().get("/");
    world.run(5900);
    assertEquals([client.statuses, world.log.length], [[], 0], "the last attempt has the whole time");
    world.run(100 + LATE);
    assertEquals([client.statuses, world.log[0]!.retries], [[504], 1]);
  });
});

Deno.test("backoffMs() doubles up to the longest, and chance decides how much of it", () => {
  const retry = { ...RETRY, backoff: { baseMs: 100, maxMs: 350 } };
  assertEquals([1, 2, 3, 9].map((n) => backoffMs(retry, n, () => 1)), [100, 200, 350, 350]);
  assertEquals(backoffMs(retry, 2, () => 0.25), 50);
  assertEquals(backoffMs(RETRY, 1, () => 1), 0);
  assert(backoffMs(retry, 1, () => 0) === 0);
});
