/** Pools with a breaker: what clients get while servers fail, over simulated streams. */
import type { BreakerSnapshot } from "../../mod/config/failure_snapshot.ts";
import { assertEquals } from "../assert.ts";
import { echo, reply } from "../sim/parties.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

const BREAKER: BreakerSnapshot = {
  maxRequests: 0,
  failures: 0.5,
  minRequests: 4,
  windowMs: 10_000,
  openForMs: 1000,
  trials: 2,
};

function world(breaker: Partial<BreakerSnapshot>, more: WorldOptions = {}): WorldOptions {
  const { pool, ...rest } = more;
  return {
    servers: 2,
    pool: { breaker: { ...BREAKER, ...breaker }, retry: { attempts: 0 }, ...pool },
    ...rest,
  };
}

function statuses(world: World, requests: number): number[] {
  const client = world.connect();
  for (let n = 0; n < requests; n++) client.get("/");
  world.settle();
  return client.statuses;
}

const dials = (world: World) => world.servers.reduce((sum, { dials }) => sum + dials, 0);

Deno.test("Breaker spares servers that fail, lets a few through after a while, and then all", () => {
  const ways: [(world: World) => void, number][] = [
    [(world) => world.servers.forEach((server) => server.accepts = "refuses"), 503],
    [(world) => world.servers.forEach((server) => server.answer = (_, { peer }) => peer.end()), 502],
    [
      (world) => world.servers.forEach((server) => server.answer = (_, one) => one.send(reply(500, "no"))),
      500,
    ],
  ];
  for (const [fail, status] of ways) {
    simulate(world({}), (world) => {
      fail(world);
      assertEquals(statuses(world, 6), [status, status, status, status, 503, 503]);
      assertEquals(world.log.slice(-2).map(({ error, server }) => [error, server]), [
        ["breakerOpen", ""],
        ["breakerOpen", ""],
      ]);
      world.run(1000);
      assertEquals(statuses(world, 3), [status, 503, 503], "one more has failed");
      for (const server of world.servers) {
        server.accepts = "yes";
        server.answer = echo;
      }
      assertEquals(statuses(world, 1), [503]);
      world.run(1000);
      assertEquals(statuses(world, 5), [200, 200, 200, 200, 200]);
    });
  }
});

Deno.test("Breaker counts every attempt, and allows no retry once it is open", () => {
  simulate(world({}, { servers: 8, pool: { retry: { attempts: 10 } } }), (world) => {
    for (const server of world.servers) server.accepts = "refuses";
    assertEquals(statuses(world, 1), [503]);
    assertEquals([dials(world), world.log[0]!.error], [4, "connectFailed"]);
  });
});

Deno.test("Breaker stays closed while enough is answered, and knows no stale connections", () => {
  simulate(world({}), (world) => {
    world.servers[0]!.answer = (_, one) => one.send(reply(500, "no"));
    world.servers[1]!.answer = (_, one) => one.send(reply(404, "no"));
    assertEquals(new Set(statuses(world, 3)), new Set([404, 500]));
  });
  simulate(world({ minRequests: 1 }, { servers: 1 }), (world) => {
    assertEquals(statuses(world, 1), [200]);
    world.servers[0]!.connections[0]!.peer.breakReceiving(1, "reset");
    assertEquals(statuses(world, 2), [200, 200]);
  });
});

Deno.test("Breaker counts copies that are not answered in time, or with nonsense", () => {
  const ways: ((world: World) => void)[] = [
    ({ servers }) => servers[1]!.answer = () => {},
    ({ servers }) => servers[1]!.answer = (_, one) => one.send("nonsense\r\n\r\n"),
    ({ servers }) =>
      servers[1]!.answer = (_, one) => {
        one.send("HTTP/1.1 200 O");
        one.peer.end();
      },
  ];
  const match = { hosts: [], methods: [], headers: [], query: [] };
  const mirror = { pool: "shadow", share: 1, body: 1000, requests: 100 };
  const routes = [{ match, action: { kind: "pool", pool: "app" }, mirror }] as const;
  for (const fail of ways) {
    simulate(world({ openForMs: 120_000 }, { otherPools: { shadow: [1] }, routes }), (world) => {
      fail(world);
      statuses(world, 4);
      world.run(61_000);
      assertEquals([statuses(world, 3), world.servers[1]!.seen.length], [[200, 200, 200], 4]);
    });
  }
});

Deno.test("maxRequests of a pool bounds what its servers have together, over all routes", () => {
  simulate(world({ maxRequests: 3 }), (world) => {
    for (const server of world.servers) server.answer = () => {};
    const clients = [1, 2, 3].map(() => world.connect().get("/"));
    world.settle();
    assertEquals(statuses(world, 1), [503]);
    assertEquals(world.log.map(({ error }) => error), ["overloaded"]);
    clients[0]!.peer.reset();
    world.settle();
    for (const server of world.servers) server.answer = echo;
    assertEquals(statuses(world, 2), [200, 200]);
  });
});

Deno.test("Breaker has the fallback of the route take its place", () => {
  const action = { kind: "pool", pool: "app" } as const;
  const match = { hosts: [], methods: [], headers: [], query: [] };
  const routes = [{ match, action, fallback: { statuses: [], pool: "sorry" } }];
  simulate(world({ minRequests: 1 }, { servers: 3, otherPools: { sorry: [2] }, routes }), (world) => {
    for (const server of world.servers.slice(0, 2)) server.accepts = "refuses";
    assertEquals(statuses(world, 3), [200, 200, 200]);
    assertEquals(dials(world), 2, "one of them was tried, once");
  });
});

Deno.test("Breaker of a tcp listener refuses connections", () => {
  simulate(world({ minRequests: 1 }, { protocol: "tcp" }), (world) => {
    for (const server of world.servers) server.accepts = "refuses";
    const clients = [1, 2].map(() => {
      const client = world.connect();
      world.settle();
      return client;
    });
    assertEquals(clients.map(({ ended }) => ended), [true, true]);
    assertEquals(world.log.map(({ error }) => error), ["connectFailed", "breakerOpen"]);
    for (const server of world.servers) server.accepts = "yes";
    world.run(1000);
    assertEquals(statuses(world, 1), [200]);
  });
});

Deno.test("Breaker closes by changes of protocol as by other answers", () => {
  simulate(world({}), (world) => {
    for (const server of world.servers) server.answer = (_, one) => one.send(reply(500, "no"));
    assertEquals(statuses(world, 5), [500, 500, 500, 500, 503]);
    const fields = "Connection: Upgrade\r\nUpgrade: chat\r\n";
    for (const server of world.servers) {
      server.answer = (_, one) => one.send(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
    }
    world.run(1000);
    const clients = Array.from({ length: 4 }, () => {
      const client = world.connect().get("/chat", fields);
      world.settle();
      return client;
    });
    assertEquals(clients.map(({ statuses }) => statuses), [[101], [101], [101], [101]]);
    for (const client of clients) client.peer.end();
    world.settle();
  });
});
