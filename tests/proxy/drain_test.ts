/** Drain and reload: nothing under way is lost, and nothing stays longer than it must. */
import { assertEquals } from "../assert.ts";
import { echo, reply } from "../sim/parties.ts";
import { everyWay, simulate } from "../sim/world.ts";

Deno.test("ClientConnection.drain() ends idle connections, and the others with their answer", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 1 }, (world) => {
      const due: (() => void)[] = [];
      const answerNow = () => due.splice(0).forEach((answer) => answer());
      world.servers[0]!.answer = (request, connection) => void due.push(() => echo(request, connection));
      const idle = world.connect();
      const late = world.connect();
      const busy = world.connect().get("/busy");
      const reading = world.connect().send("GET /slow HTTP/1.1\r\n", "GET");
      world.settle();
      world.drain();
      world.settle();
      assertEquals([idle.ended, late.ended, busy.ended, reading.ended], [false, false, false, false]);
      // A request that was under way when the drain began.
      late.get("/late");
      world.settle();
      answerNow();
      world.settle();
      reading.send("Host: a.test\r\n\r\n");
      world.settle();
      answerNow();
      world.run(6000);
      assertEquals(idle.ended, true);
      for (const client of [late, busy, reading]) {
        assertEquals(client.statuses, [200]);
        assertEquals(client.answers[0]!.headers.get("connection"), "close");
        assertEquals(client.ended, true);
      }
      assertEquals(world.sessions.size, 0);
    }), 5);
});

Deno.test("ClientConnection.drain() ends connections whose answer had already begun, or is an error", () => {
  simulate({ servers: 2 }, (world) => {
    world.servers[0]!.answer = (_, connection) => {
      connection.send(reply(200, "two halves").slice(0, -5));
      world.network.schedule.in(1000, () => connection.send("alves"));
    };
    world.servers[1]!.answer = () => {};
    const begun = world.connect().get("/");
    const failing = world.connect().get("/");
    world.run(500);
    world.drain();
    world.run(500);
    assertEquals(begun.answers[0]!.body, "two halves");
    assertEquals(begun.ended, true);
    world.run(62_000);
    assertEquals(failing.statuses, [504]);
    assertEquals(failing.ended, true);
    assertEquals(failing.answers[0]!.headers.get("connection"), "close");
  });
});

Deno.test("close() lets go of a request wherever it is, and says why", () => {
  for (const stage of ["queue", "connect", "answer", "half"] as const) {
    simulate({ servers: [{ maxConnections: 1 }] }, (world) => {
      const server = world.servers[0]!;
      server.answer = (_, connection) => {
        if (stage === "half") connection.send(reply(200, "ab").slice(0, -1));
      };
      if (stage === "connect") server.accepts = "silent";
      world.connect().get("/");
      if (stage === "queue") world.connect().get("/");
      world.settle();
      for (const session of [...world.sessions]) session.close();
      world.settle();
      world.checkQuiet();
      assertEquals(new Set(world.log.map(({ error }) => error)), new Set(["draining" as const]));
    });
  }
});

Deno.test("ClientConnection follows a reload between two requests of one connection", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 2 }, (world) => {
      const client = world.connect().get("/before");
      world.settle();
      world.reload((snapshot) => ({
        ...snapshot,
        generation: 2,
        pools: snapshot.pools.map((pool) => ({ ...pool, servers: pool.servers.slice(1) })),
        listeners: snapshot.listeners.map((each) => ({
          ...each,
          routes: [
            {
              match: { ...each.routes[0]!.match, path: "/gone" },
              action: { kind: "respond" as const, status: 410, body: "gone\n", contentType: "text/plain" },
            },
            ...each.routes,
          ],
        })),
      }));
      client.get("/gone").get("/after").get("/after");
      world.settle();
      assertEquals(client.statuses, [200, 410, 200, 200]);
      assertEquals(world.log.slice(2).map(({ server }) => server), ["b", "b"]);
      world.checkQuiet();
    }), 5);
});

Deno.test("Exchange finishes on the pool it began with when a reload comes in between", () => {
  simulate({ servers: [{ maxConnections: 1 }, { maxConnections: 1 }] }, (world) => {
    const answers: (() => void)[] = [];
    for (const server of world.servers) {
      server.answer = (request, connection) => answers.push(() => echo(request, connection));
    }
    const clients = ["/1", "/2", "/3"].map((path) => {
      const client = world.connect().get(path);
      world.settle();
      return client;
    });
    assertEquals(world.memory.queue.waiting(0), 1);
    world.reload((snapshot) => ({
      ...snapshot,
      pools: snapshot.pools.map((pool) => ({
        ...pool,
        servers: [...pool.servers].reverse(),
        timeouts: { ...pool.timeouts, idleMs: 1 },
      })),
    }));
    while (answers.length > 0) {
      answers.shift()!();
      world.settle();
    }
    assertEquals(clients.map(({ statuses }) => statuses), [[200], [200], [200]]);
    world.checkQuiet();
  });
});
