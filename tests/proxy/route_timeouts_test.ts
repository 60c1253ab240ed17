/** The time-outs of routes, and the one of a whole request. */
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assertEquals } from "../assert.ts";
import { LISTENER_TIMEOUTS } from "../config/timeouts.ts";
import { reply } from "../sim/parties.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

/** A tick of the wheel, and one of the network. */
const LATE = 200;
const ANY: RouteSnapshot["match"] = { hosts: [], methods: [], headers: [], query: [] };
const { requestMs, bodyMs, tunnelMs } = LISTENER_TIMEOUTS;
const TIMEOUTS = { requestMs, bodyMs, tunnelMs };

function routes(route: Partial<RouteSnapshot>): readonly RouteSnapshot[] {
  const rest: RouteSnapshot = { match: ANY, action: { kind: "pool", pool: "app" } };
  return [{ ...rest, match: { ...ANY, path: "/own" }, ...route }, rest];
}

function within(requestMs: number): readonly RouteSnapshot[] {
  return routes({ timeouts: { ...TIMEOUTS, requestMs } });
}

function errors(world: World): string[] {
  return world.log.map(({ error }) => error);
}

Deno.test("Exchange request time-out: 504, however many servers were tried, and the connection stays", () => {
  const pool = { retry: { on: ["timeout"] as const, attempts: 2 }, timeouts: { responseMs: 2000 } };
  simulate({ servers: 3, pool, routes: within(3000) }, (world) => {
    for (const server of world.servers) server.answer = () => {};
    const client = world.connect().get("/own");
    world.run(2900);
    assertEquals(client.statuses, []);
    world.run(100 + LATE);
    assertEquals(client.statuses, [504]);
    assertEquals(client.ended, false);
    assertEquals([errors(world), world.log[0]!.retries], [["requestTimeout"], 1]);
    assertEquals(world.active, 0);
    for (const server of world.servers) server.answer = (_, connection) => connection.send(reply(200, "x"));
    client.get("/own");
    world.settle();
    assertEquals(client.statuses, [504, 200]);
  });
});

Deno.test("Exchange request time-out: an answer that has begun is broken off", () => {
  simulate({ servers: 1, routes: within(3000) }, (world) => {
    world.servers[0]!.answer = (_, connection) =>
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    const client = world.connect().get("/own");
    for (let n = 0; n < 2; n++) {
      world.run(1000);
      world.servers[0]!.connections[0]!.send("x");
    }
    assertEquals(client.ended, false);
    world.run(1000 + LATE);
    assertEquals([client.ended, client.answers.length], [true, 0]);
    assertEquals(errors(world), ["requestTimeout"]);
  });
});

Deno.test("Exchange request time-out: a body that trickles is the client's fault, time in the queue is not", () => {
  simulate({ servers: 1, routes: within(3000) }, (world) => {
    const client = world.connect().request("POST", "/own", "Content-Length: 9\r\n");
    for (let n = 0; n < 4; n++) {
      world.run(700);
      client.send("x");
    }
    world.run(200 + LATE);
    assertEquals([client.statuses, errors(world)], [[408], ["bodyTimeout"]]);
  });
  const servers = [{ maxConnections: 1 }];
  simulate({ servers, pool: { queue: { timeoutMs: 60_000 } }, routes: within(3000) }, (world) => {
    world.servers[0]!.answer = () => {};
    world.connect().get("/");
    const client = world.connect().get("/own");
    world.run(3000 + LATE);
    assertEquals([client.statuses, errors(world)], [[504], ["requestTimeout"]]);
  });
});

Deno.test("Exchange request time-out: ends with the request, a tunnel and the next request have their own", () => {
  simulate({ servers: 1, routes: within(3000) }, (world) => {
    const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    world.servers[0]!.answer = (_, connection) => connection.send(switching);
    const tunnel = world.connect().get("/own", "Connection: upgrade\r\nUpgrade: x\r\n");
    world.run(10_000);
    assertEquals([tunnel.statuses, tunnel.ended], [[101], false]);
  });
  simulate({ servers: 1, routes: within(3000) }, (world) => {
    const client = world.connect().get("/own");
    world.run(2500);
    world.servers[0]!.answer = () => {};
    client.get("/own");
    world.run(2500);
    assertEquals(client.statuses, [200]);
    client.send("");
    world.run(500 + LATE);
    assertEquals(client.statuses, [200, 504]);
  });
});

Deno.test("Exchange goes by the time-outs of the route, and elsewhere by those of pool and listener", () => {
  const cases: [Partial<RouteSnapshot>, WorldOptions, (world: World) => void, string, number][] = [
    [
      { terms: { timeouts: { connectMs: 1000 }, queue: {}, retry: {} } },
      {},
      (world) => {
        world.servers[0]!.accepts = "silent";
      },
      "connectTimeout",
      3000,
    ],
    [
      { terms: { timeouts: { responseMs: 1000 }, queue: {}, retry: {} } },
      {},
      (world) => {
        world.servers[0]!.answer = () => {};
      },
      "responseTimeout",
      60_000,
    ],
    [
      { terms: { timeouts: {}, queue: { timeoutMs: 1000 }, retry: {} } },
      { servers: [{ maxConnections: 1 }] },
      (world) => {
        world.servers[0]!.answer = () => {};
        world.connect().get("/first");
      },
      "queueTimeout",
      5000,
    ],
    [{ timeouts: { ...TIMEOUTS, bodyMs: 1000 } }, {}, () => {}, "bodyTimeout", 30_000],
  ];
  for (const [route, options, prepare, error, usual] of cases) {
    for (const [path, ms] of [["/own", 1000], ["/", usual]] as const) {
      simulate({ servers: 1, routes: routes(route), ...options }, (world) => {
        prepare(world);
        world.settle();
        const client = world.connect().request(
          "PUT",
          path,
          error === "bodyTimeout" ? "Content-Length: 9\r\n" : "",
        );
        world.run(ms - LATE);
        assertEquals(errors(world), [], `${error} at ${path}`);
        world.run(2 * LATE);
        assertEquals(errors(world), [error]);
        assertEquals(client.statuses.length, 1);
      });
    }
  }
});

Deno.test("Exchange tunnel time-out: that of the route", () => {
  simulate({ servers: 1, routes: routes({ timeouts: { ...TIMEOUTS, tunnelMs: 1000 } }) }, (world) => {
    const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    world.servers[0]!.answer = (_, connection) => connection.send(switching);
    const client = world.connect().get("/own", "Connection: upgrade\r\nUpgrade: x\r\n");
    world.run(1000 + LATE);
    assertEquals([client.ended, errors(world)], [true, ["tunnelIdle"]]);
  });
});
