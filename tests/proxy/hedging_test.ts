/** Second attempts at slow requests, over simulated streams: the first answer is used, the other attempt cancelled. */
import { SERVER_COLUMN } from "../../mod/base/counters.ts";
import type { RetrySnapshot } from "../../mod/config/failure_snapshot.ts";
import { Latencies } from "../../mod/proxy/latencies.ts";
import { assert, assertEquals } from "../assert.ts";
import { echo, reply } from "../sim/parties.ts";
import { everyWay, simulate, type World, type WorldOptions } from "../sim/world.ts";

/** A tick of the wheel, and one of the network. */
const LATE = 200;

function world(retry: Partial<RetrySnapshot> = {}, more: WorldOptions = {}): WorldOptions {
  const { pool, ...rest } = more;
  return {
    servers: 2,
    pool: { balance: "first", retry: { hedge: { afterMs: 500 }, ...retry }, ...pool },
    ...rest,
  };
}

const counts = (world: World, column: number) =>
  world.servers.map((_, slot) => world.memory.counters.server(slot, column));
const seen = (world: World) => world.servers.map(({ seen }) => seen.length);

/** The first server takes the request and says nothing. */
function slow(world: World): void {
  world.servers[0]!.answer = () => {};
}

Deno.test("Exchange sends a slow request to a second server, and cancels the first", () => {
  everyWay((way) =>
    simulate({ ...world(), ...way }, (world) => {
      slow(world);
      const client = world.connect().get("/1");
      world.run(400);
      assertEquals([client.statuses, seen(world)], [[], [1, 0]]);
      world.run(100 + LATE);
      world.settle();
      assertEquals(client.answers.map(({ body }) => body), ["b GET /1  "]);
      assertEquals([world.servers[0]!.open.length, world.active], [0, 0], "nothing of the first is left");
      assertEquals(world.log.map(({ server, retries, error }) => [server, retries, error]), [["b", 1, ""]]);
      assertEquals(counts(world, SERVER_COLUMN.hedges), [0, 1]);
      assertEquals(counts(world, SERVER_COLUMN.hedgesWon), [0, 1]);
      world.servers[0]!.answer = echo;
      client.get("/2");
      world.settle();
      assertEquals(client.answers.at(-1)!.body, "a GET /2  ");
    }), 5);
});

Deno.test("Exchange uses the first answer when that comes first, and cancels the second attempt", () => {
  everyWay((way) =>
    simulate({ ...world(), ...way }, (world) => {
      slow(world);
      world.servers[1]!.answer = () => {};
      const client = world.connect().get("/");
      world.run(500 + LATE);
      assertEquals(seen(world), [1, 1]);
      world.servers[0]!.connections[0]!.send(reply(200, "late"));
      world.settle();
      assertEquals(client.answers.map(({ body }) => body), ["late"]);
      assertEquals([world.servers[1]!.open.length, world.active, world.idle.size], [0, 0, 1]);
      assertEquals([world.log[0]!.server, counts(world, SERVER_COLUMN.hedgesWon)], ["a", [0, 0]]);
    }), 5);
});

Deno.test("Exchange makes no second attempt at what is answered in time, or may not be sent twice", () => {
  const requests: [string, string, string][] = [
    ["GET", "", ""],
    ["POST", "Content-Length: 0\r\n", ""],
    ["PUT", "Content-Length: 4\r\n", "body"],
    ["GET", "Connection: upgrade\r\nUpgrade: x\r\n", ""],
  ];
  for (const [at, [method, more, body]] of requests.entries()) {
    simulate(world({}, { pool: { timeouts: { responseMs: 5000 } } }), (world) => {
      if (at > 0) slow(world);
      world.connect().request(method, "/", more, body);
      world.run(6000);
      assertEquals(counts(world, SERVER_COLUMN.hedges), [0, 0], `${method} ${more}`);
    });
  }
  simulate(world({}, { servers: 1, pool: { timeouts: { responseMs: 5000 } } }), (world) => {
    slow(world);
    const client = world.connect().get("/");
    world.run(6000);
    assertEquals(client.statuses, [504], "there is no other server");
  });
  simulate(world({ budget: 0 }), (world) => {
    slow(world);
    const clients = Array.from({ length: 110 }, () => world.connect().get("/"));
    world.run(500 + LATE);
    assertEquals(clients.flatMap(({ statuses }) => statuses).length, 100, "what the budget has");
    assertEquals(world.active, 10);
  });
});

Deno.test("Exchange goes on with the first attempt when the second fails", () => {
  const ways: ((world: World) => void)[] = [
    (world) => world.servers[1]!.accepts = "refuses",
    (world) => world.servers[1]!.answer = (_, { peer }) => peer.end(),
    (world) => world.servers[1]!.answer = (_, connection) => connection.send("what?\r\n\r\n"),
    (world) => world.servers[1]!.answer = (_, connection) => connection.send(reply(503, "busy")),
    (world) => world.servers[1]!.onConnect = ({ peer }) => peer.breakReceiving(5, "reset"),
  ];
  for (const [at, fail] of ways.entries()) {
    everyWay((way) =>
      simulate({ ...world(), ...way }, (world) => {
        slow(world);
        fail(world);
        const client = world.connect().get("/");
        world.run(1000 + LATE);
        assertEquals([client.statuses, world.active], [[], 1], `way ${at}`);
        world.servers[0]!.connections[0]!.send(reply(200, "late"));
        world.settle();
        assertEquals(client.answers.map(({ body }) => body), ["late"]);
        assertEquals(world.log[0]!.error, "");
      }), 2);
  }
});

Deno.test("Exchange goes on with the second attempt when the first fails", () => {
  for (const on of [["connect"], ["connect", "empty"]] as const) {
    everyWay((way) =>
      simulate({ ...world({ on }), ...way }, (world) => {
        slow(world);
        world.servers[1]!.answer = () => {};
        const client = world.connect().get("/");
        world.run(500 + LATE);
        world.servers[0]!.connections[0]!.peer.end();
        world.settle();
        assertEquals([client.statuses, world.active], [[], 1]);
        world.servers[1]!.connections[0]!.send(reply(200, "second"));
        world.settle();
        assertEquals(client.answers.map(({ body }) => body), ["second"]);
        assertEquals([world.log[0]!.server, world.log[0]!.error, seen(world)], ["b", "", [1, 1]]);
        assertEquals(counts(world, SERVER_COLUMN.emptyReplies), [1, 0]);
      }), 2);
  }
});

Deno.test("Exchange does not go back to the first server when the second fails in its place", () => {
  simulate(world({ on: ["empty"], attempts: 2 }, { servers: 3 }), (world) => {
    slow(world);
    world.servers[1]!.answer = () => {};
    const client = world.connect().get("/");
    world.run(500 + LATE);
    world.servers[0]!.connections[0]!.peer.end();
    world.settle();
    world.servers[1]!.connections[0]!.peer.end();
    world.settle();
    assertEquals(client.answers.map(({ body }) => body), ["c GET /  "]);
    assertEquals([seen(world), world.log[0]!.retries], [[1, 1, 1], 2]);
  });
});

Deno.test("Exchange lets go of both attempts when the client leaves, at any moment", () => {
  for (let ms = 0; ms < 1000; ms += 50) {
    simulate({ ...world(), delayMs: 20 }, (world) => {
      slow(world);
      world.servers[1]!.answer = () => {};
      const client = world.connect().get("/");
      world.run(ms);
      client.peer.reset();
      world.run(1000);
      assertEquals(world.active, 0, `after ${ms} ms`);
    });
  }
});

Deno.test("Exchange answers with all of a large body of a second attempt", () => {
  everyWay((way) =>
    simulate({ ...world(), ...way }, (world) => {
      slow(world);
      const body = "0123456789".repeat(5000);
      world.servers[1]!.answer = (_, connection) => connection.send(reply(200, body));
      const client = world.connect().get("/");
      world.run(5000);
      assertEquals(client.answers[0]!.body, body);
    }), 3);
});

Deno.test("Exchange waits for as long as most answers take, once there are enough of them", () => {
  simulate(world({ hedge: { quantile: 0.9 } }), (world) => {
    const client = world.connect();
    slow(world);
    client.get("/first");
    world.run(5000);
    assertEquals(counts(world, SERVER_COLUMN.hedges), [0, 0], "nothing is known yet");
    world.servers[0]!.connections[0]!.send(reply(200, ""));
    world.servers[0]!.answer = echo;
    for (let n = 0; n < 120; n++) client.get("/");
    world.settle();
    slow(world);
    client.get("/last");
    world.run(LATE);
    assertEquals(client.answers.at(-1)!.body, "b GET /last  ");
  });
});

Deno.test("Latencies.quantile() is off by no more than a quarter, and forgets what was long ago", () => {
  const latencies = new Latencies();
  for (let n = 0; n < 99; n++) latencies.add(n);
  assertEquals(latencies.quantile(0.5), Infinity);
  for (let n = 0; n < 1000; n++) latencies.add(n);
  for (const share of [0.5, 0.9, 0.95]) {
    const found = latencies.quantile(share);
    const exact = share * 1000;
    assert(found >= exact * 0.8 && found <= exact * 1.3, `${share}: ${found}`);
  }
  for (let n = 0; n < 100_000; n++) latencies.add(10);
  assert(latencies.quantile(0.99) < 13);
  latencies.add(0);
  latencies.add(1e9);
});
