/** When a request goes to another server, and when it must not. */
import { SERVER_COLUMN } from "../../mod/base/counters.ts";
import { assert, assertEquals } from "../assert.ts";
import { RetryBudget } from "../../mod/proxy/retry.ts";
import { reply } from "../sim/parties.ts";
import { everyWay, simulate, type World } from "../sim/world.ts";

const POST = "Content-Length: 4\r\n";

/** Uses a connection to every server once, so that it is idle. */
function warm(world: World): void {
  const client = world.connect();
  for (const { name } of world.servers) client.get(`/warm-${name}`);
  world.settle();
  assertEquals(world.idle.size, world.servers.length);
}

Deno.test("Exchange goes on to another server when one refuses, whatever the method", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 3 }, (world) => {
      world.servers[0]!.accepts = world.servers[1]!.accepts = "refuses";
      const client = world.connect().get("/").request("POST", "/", POST, "body").get("/");
      world.settle();
      assertEquals(client.statuses, [200, 200, 200]);
      assert(world.log.some(({ retries }) => retries > 0));
      assert(world.log.every(({ server, error }) => server === "c" && error === ""));
    }), 5);
});

Deno.test("Exchange says 503 when no other server is left or attempts run out", () => {
  simulate({ servers: 2 }, (world) => {
    for (const server of world.servers) server.accepts = "refuses";
    const client = world.connect().get("/");
    world.settle();
    assertEquals(client.statuses, [503]);
    assertEquals(client.ended, false, "nothing is wrong with the client's connection");
    assertEquals(world.log[0]!.error, "connectFailed");
    assertEquals(world.servers.map(({ dials }) => dials), [1, 1], "no server is asked twice");
  });
  simulate({ servers: 4, pool: { retry: { attempts: 1 } } }, (world) => {
    for (const server of world.servers) server.accepts = "refuses";
    world.connect().get("/");
    world.settle();
    assertEquals(world.servers.reduce((sum, { dials }) => sum + dials, 0), 2);
  });
});

Deno.test("Exchange uses a fresh connection when an idle one turns out to be gone", () => {
  for (const how of ["hangUp", "reset"] as const) {
    everyWay((way) =>
      simulate({ ...way, servers: 1 }, (world) => {
        warm(world);
        const server = world.servers[0]!;
        // The server leaves when the request is on its way.
        server.connections[0]!.peer.breakReceiving(1, how);
        const client = world.connect().get("/again");
        world.settle();
        assertEquals(client.statuses, [200]);
        assertEquals(server.connections.length, 2);
        assertEquals(world.log.at(-1)!.retries, 1);
      }), 5);
  }
});

Deno.test("RFC 9110 section 15.5.9: a 408 for an idle connection is not the answer to the next request", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 1 }, (world) => {
      warm(world);
      const server = world.servers[0]!;
      server.onBytes = (_, connection) => {
        server.onBytes = null;
        connection.send(reply(408, "idle too long", "Connection: close\r\n"));
        connection.peer.end();
        return true;
      };
      const client = world.connect().get("/again");
      world.settle();
      assertEquals(client.statuses, [200]);
      server.answer = (_, connection) => connection.send(reply(408, "slow", "Connection: close\r\n"));
      client.get("/fresh");
      world.settle();
      assertEquals(client.statuses, [200, 408], "on a fresh connection it is an answer");
    }), 5);
});

Deno.test("Exchange needs no budget and no configured attempts to replace a stale connection", () => {
  simulate({ servers: 1, pool: { retry: { attempts: 0, on: [], budget: 0 } } }, (world) => {
    warm(world);
    world.servers[0]!.connections[0]!.peer.breakReceiving(1, "reset");
    const client = world.connect().request("DELETE", "/");
    world.settle();
    assertEquals(client.statuses, [200]);
  });
});

Deno.test("RFC 9110 section 9.2.2: a request that is not idempotent is not sent twice", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 2 }, (world) => {
      for (const server of world.servers) {
        server.onConnect = ({ peer }) => peer.breakReceiving(20, "hangUp");
      }
      const client = world.connect().request("POST", "/", POST, "body");
      world.settle();
      assertEquals(client.statuses, [502]);
      assertEquals(world.log[0]!.error, "emptyReply");
      assertEquals(world.servers.reduce((sum, { connections }) => sum + connections.length, 0), 1);
    }), 5);
});

Deno.test("Exchange sends a small body again, however it came, but not a large one that has passed through", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 2 }, (world) => {
      world.servers[0]!.onConnect = ({ peer }) => peer.breakReceiving(20, "reset");
      const client = world.connect().request("PUT", "/small", POST, "body");
      world.settle();
      assertEquals([client.statuses, world.servers[1]!.seen.map(({ body }) => body)], [[200], ["body"]]);
      const large = "x".repeat(5000);
      world.servers[0]!.onConnect = world.servers[1]!.onConnect = ({ peer }) =>
        peer.breakReceiving(200, "reset");
      for (const connection of world.idle.clear()) connection.close();
      world.settle();
      const next = world.connect().request("PUT", "/large", "Content-Length: 5000\r\n", large);
      world.settle();
      assertEquals(next.statuses, [502]);
    }), 5);
});

Deno.test("Exchange goes on with a small body wherever in it the first server broke off", () => {
  const body = "0123456789".repeat(60);
  for (const broken of [100, 300, 500, 700]) {
    everyWay((way) =>
      simulate({ ...way, servers: 2 }, (world) => {
        world.servers[0]!.onConnect = ({ peer }) => peer.breakReceiving(broken, "hangUp");
        const client = world.connect().request("PUT", "/", `Content-Length: ${body.length}\r\n`, body).get(
          "/next",
        );
        world.settle();
        assertEquals(client.statuses, [200, 200]);
        assertEquals(world.servers[1]!.seen[0]!.body, body);
        assertEquals(world.log[0]!.retries, 1);
      }), 3);
  }
});

Deno.test("Exchange retries on configured statuses, and passes the last answer on", () => {
  const failing = (world: World) => {
    for (const server of world.servers.slice(0, 2)) {
      server.answer = (_, connection) => connection.send(reply(503, `busy ${server.name}`));
    }
  };
  everyWay((way) =>
    simulate({ ...way, servers: 3, pool: { retry: { on: [503] } } }, (world) => {
      failing(world);
      const client = world.connect().get("/1").get("/2").request("POST", "/3", POST, "body");
      world.settle();
      assertEquals(client.statuses.slice(0, 2), [200, 200]);
      assertEquals(world.log.slice(0, 2).map(({ status, server }) => [status, server]), [[200, "c"], [
        200,
        "c",
      ]]);
      const posted = world.servers.flatMap(({ seen }) => seen).filter(({ line }) => line.includes("/3"));
      assertEquals(posted.length, 1, "not for a method that is not idempotent");
    }), 5);
  simulate({ servers: 2, pool: { retry: { on: [503] } } }, (world) => {
    failing(world);
    const client = world.connect().get("/");
    world.settle();
    assertEquals(client.statuses, [503]);
    assertEquals(client.answers[0]!.body, "busy b", "an answer in hand is better than none");
  });
});

Deno.test("Exchange keeps within the retry budget, for failures and for statuses", () => {
  for (const on of [["empty"], [503]] as const) {
    simulate({ servers: 2, pool: { retry: { on, budget: 0 } } }, (world) => {
      for (const server of world.servers) {
        server.answer = (_, connection) =>
          on[0] === "empty" ? connection.peer.end() : connection.send(reply(503, ""));
      }
      const client = world.connect();
      for (let i = 0; i < 150; i++) client.get("/");
      world.settle();
      assertEquals(client.statuses.length, 150);
      assertEquals(world.log.reduce((sum, { retries }) => sum + retries, 0), 100, "the reserve, and no more");
    });
  }
});

Deno.test("Exchange needs no budget to leave a server that refuses, as nothing was asked of it", () => {
  simulate({ servers: 2, pool: { retry: { on: ["connect"], budget: 0 } } }, (world) => {
    world.servers[0]!.accepts = "refuses";
    const client = world.connect();
    for (let i = 0; i < 500; i++) client.get("/");
    world.settle();
    assertEquals(client.statuses, Array(500).fill(200));
    assertEquals(world.log.reduce((sum, { retries }) => sum + retries, 0), 250);
    const redispatches = world.servers.map((_, slot) =>
      world.memory.counters.server(slot, SERVER_COLUMN.redispatches)
    );
    assertEquals(redispatches, [0, 250], "counted where they went");
  });
});

Deno.test("Exchange tries another server after a response time-out only when told to", () => {
  for (const [on, statuses] of [[["timeout"], [200]], [["connect"], [504]]] as const) {
    simulate({ servers: 2, pool: { retry: { on }, timeouts: { responseMs: 1000 } } }, (world) => {
      world.servers[0]!.answer = () => {};
      const client = world.connect().get("/");
      world.settle();
      world.run(1500);
      assertEquals(client.statuses, [...statuses]);
    });
  }
});

Deno.test("RetryBudget.take() allows the reserve, then a share of the requests", () => {
  const budget = new RetryBudget(0.25);
  let taken = 0;
  while (budget.take()) taken++;
  assertEquals(taken, 100);
  for (let i = 0; i < 8; i++) budget.onRequest();
  assertEquals([budget.take(), budget.take(), budget.take()], [true, true, false]);
});

Deno.test("RetryBudget.onRequest() saves up to a bound", () => {
  const budget = new RetryBudget(1);
  for (let i = 0; i < 5000; i++) budget.onRequest();
  let taken = 0;
  while (budget.take()) taken++;
  assertEquals(taken, 1000);
});

Deno.test("Exchange counts a retry when there is one, and names the pool of a request that found no server", () => {
  simulate({ servers: 1, pool: { retry: { on: ["empty"] } } }, (world) => {
    world.servers[0]!.answer = (_, connection) => connection.peer.end();
    const client = world.connect();
    client.get("/");
    world.settle();
    const { retries, pool } = world.log[0]!;
    assertEquals([client.statuses, retries, pool], [[502], 0, "app"]);
  });
});
