/** Waiting for a place on a server: in order, for so long, and never forgotten. */
import { SERVER_COLUMN } from "../../mod/base/counters.ts";
import { assertEquals } from "../assert.ts";
import { echo, reply, type ServedConnection } from "../sim/parties.ts";
import { everyWay, simulate, type World } from "../sim/world.ts";

const ONE = [{ maxConnections: 1 }];

/** Makes servers keep their requests until told to answer the oldest. */
function holding(world: World): () => void {
  const waiting: (() => void)[] = [];
  for (const server of world.servers) {
    server.answer = (request, connection: ServedConnection) => {
      waiting.push(() => echo(request, connection));
    };
  }
  return () => waiting.shift()?.();
}

Deno.test("Exchange waits for its turn at a full server", () => {
  everyWay((way) =>
    simulate({ ...way, servers: ONE }, (world) => {
      const answerNext = holding(world);
      const clients = ["/a", "/b", "/c"].map((path) => {
        const client = world.connect().get(path);
        world.settle();
        return client;
      });
      assertEquals(world.active, 1);
      assertEquals(world.memory.queue.waiting(0), 2);
      for (let done = 1; done <= 3; done++) {
        answerNext();
        world.settle();
        assertEquals(clients.map(({ answers }) => answers.length), [1, done > 1 ? 1 : 0, done > 2 ? 1 : 0]);
      }
      assertEquals(world.servers[0]!.connections.length, 1, "the connection is handed on");
      assertEquals(world.memory.counters.server(0, SERVER_COLUMN.queued), 2);
    }), 5);
});

Deno.test("Exchange says 503 when the queue is full or the wait too long", () => {
  simulate({ servers: ONE, pool: { queue: { size: 1, timeoutMs: 2000 } } }, (world) => {
    const answerNext = holding(world);
    const [served, waiting, refused] = ["/a", "/b", "/c"].map((path) => {
      const client = world.connect().get(path);
      world.settle();
      return client;
    });
    assertEquals(refused!.statuses, [503]);
    assertEquals(world.log[0]!.error, "queueFull");
    world.run(1900);
    assertEquals(waiting!.statuses, []);
    world.run(300);
    assertEquals(waiting!.statuses, [503]);
    assertEquals(world.log[1]!.error, "queueTimeout");
    assertEquals(waiting!.ended, false);
    answerNext();
    world.settle();
    assertEquals(served!.statuses, [200]);
  });
});

Deno.test("Exchange leaves the queue when its client does, and the next in line is served", () => {
  for (const how of ["end", "reset"] as const) {
    everyWay((way) =>
      simulate({ ...way, servers: ONE }, (world) => {
        const answerNext = holding(world);
        const [first, leaving, last] = ["/a", "/b", "/c"].map((path) => {
          const client = world.connect().get(path);
          world.settle();
          return client;
        });
        leaving!.peer[how]();
        world.run(4000);
        assertEquals(world.memory.queue.waiting(0), 1);
        answerNext();
        world.settle();
        answerNext();
        world.settle();
        assertEquals([first!.statuses, leaving!.statuses, last!.statuses], [[200], [], [200]]);
      }), 5);
  }
});

Deno.test("Exchange gives its place up when the client is gone, within seconds", () => {
  for (const how of ["end", "hangUp", "reset"] as const) {
    for (const stage of ["connecting", "connected"] as const) {
      simulate({ servers: 1, pool: { timeouts: { connectMs: 10_000 } } }, (world) => {
        const server = world.servers[0]!;
        server.answer = () => {};
        if (stage === "connecting") server.accepts = "silent";
        const client = world.connect().get("/");
        world.settle();
        assertEquals(world.active, 1);
        client.peer[how]();
        world.run(how === "reset" ? 0 : 3200);
        assertEquals(world.active, 0);
        assertEquals(world.log[0]!.error, "clientGone");
      });
    }
  }
});

Deno.test("Exchange gives up a half-closed client's request even when it moved on meanwhile", () => {
  simulate({ servers: ONE }, (world) => {
    const answerNext = holding(world);
    world.connect().get("/a");
    world.settle();
    const leaving = world.connect().get("/b");
    world.settle();
    leaving.peer.end();
    world.settle();
    // Its turn comes, which sets other deadlines.
    answerNext();
    world.settle();
    assertEquals(world.active, 1);
    world.run(3200);
    assertEquals(world.active, 0);
    assertEquals(world.log.at(-1)!.error, "clientGone");
  });
});

Deno.test("Exchange still answers a client that only half-closed", () => {
  everyWay((way) =>
    simulate(way, (world) => {
      const client = world.connect().get("/1").get("/2");
      client.peer.end();
      world.settle();
      assertEquals(client.statuses, [200, 200]);
      assertEquals(client.ended, true);
    }), 10);
});

Deno.test("Exchange never gives one client's answer to another", () => {
  everyWay((way) =>
    simulate({ ...way, servers: [{ maxConnections: 2 }, { maxConnections: 1 }] }, (world) => {
      for (const server of world.servers) {
        server.answer = (request, connection) => {
          const path = request.line.split(" ")[1]!;
          const delay = Math.floor(world.network.random() * 30);
          world.network.schedule.in(delay, () => {
            const end = world.network.random() < 0.1;
            connection.send(reply(200, path, end ? "Connection: close\r\n" : ""));
            if (end) connection.peer.end();
          });
        };
      }
      const clients = Array.from({ length: 8 }, () => world.connect());
      for (let round = 0; round < 20; round++) {
        for (const [index, client] of clients.entries()) {
          if (world.network.random() < 0.7) client.get(`/${index}/${round}`);
        }
        world.run(10);
        const index = Math.floor(world.network.random() * clients.length);
        if (world.network.random() < 0.2) {
          clients[index]!.peer.reset();
          clients[index] = world.connect();
        }
      }
      world.run(4000);
      for (const [index, client] of clients.entries()) {
        for (const answer of client.answers) assertEquals(answer.body.split("/")[1], String(index));
        assertEquals(client.reader.methods!.length, 0, "every request has its answer");
      }
    }), 30);
});
