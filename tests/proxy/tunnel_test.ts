/** Upgrades: a connection that becomes a tunnel, with whatever was sent early on either side. */
import { assert, assertEquals } from "../assert.ts";
import { everyWay, simulate, type World } from "../sim/world.ts";

const ASK = "Connection: Upgrade\r\nUpgrade: chat\r\n";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";

/** The server switches and sends back what it gets, with `early` in the same breath as its 101. */
function chatting(world: World, early = ""): void {
  for (const server of world.servers) {
    server.answer = (_, connection) => {
      server.onBytes = (view) => {
        let text = "";
        for (const byte of view) text += String.fromCharCode(byte);
        connection.send(text.toUpperCase());
        return true;
      };
      connection.send(SWITCH + early);
    };
  }
}

Deno.test("ClientConnection.tunnel() carries bytes both ways, early ones included", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 1 }, (world) => {
      chatting(world, "welcome ");
      const client = world.connect().get("/chat", ASK).send("early ");
      world.settle();
      client.send("late");
      world.settle();
      assertEquals(client.statuses, [101]);
      assertEquals(client.answers[0]!.headers.get("upgrade"), "chat");
      assertEquals(client.reader.tunnel, "welcome EARLY LATE");
      client.peer.end();
      world.settle();
      assertEquals(client.ended, true, "the server ends in turn");
      assertEquals(world.sessions.size, 0);
      const [logged] = world.log;
      assertEquals([world.log.length, logged!.status, logged!.error], [1, 101, ""]);
      assert(logged!.bytesIn >= "early late".length && logged!.bytesOut >= "welcome EARLY LATE".length);
    }), 20);
});

Deno.test("ClientConnection.tunnel() passes on a FIN that came before the answer", () => {
  everyWay((way) =>
    simulate({ ...way, servers: 1 }, (world) => {
      const server = world.servers[0]!;
      server.answer = (_, connection) => {
        world.network.schedule.in(500, () => {
          connection.send(SWITCH + "only this");
        });
      };
      const client = world.connect().get("/chat", ASK);
      client.peer.end();
      world.run(2000);
      assertEquals(server.connections[0]!.peer.gotEnd, true);
      assertEquals(client.reader.tunnel, "only this");
      assertEquals(world.sessions.size, 0);
    }), 5);
});

Deno.test("ClientConnection.tunnel() ends with a reset of either side at once", () => {
  for (const side of ["client", "server"] as const) {
    simulate({ servers: 1 }, (world) => {
      chatting(world);
      const client = world.connect().get("/chat", ASK);
      world.settle();
      const server = world.servers[0]!.connections[0]!;
      (side === "client" ? client : server).peer.reset();
      world.settle();
      assertEquals([client.peer.gotEnd || side === "client", server.peer.gotEnd || side === "server"], [
        true,
        true,
      ]);
      assertEquals(world.log[0]!.error, side === "client" ? "clientGone" : "responseReset");
    });
  }
});

Deno.test("ClientConnection.close() ends a tunnel and accounts for it once", () => {
  simulate({ servers: 1 }, (world) => {
    chatting(world);
    const client = world.connect().get("/chat", ASK).send("x");
    world.settle();
    world.drain();
    world.settle();
    assertEquals(client.peer.gotEnd, false, "a tunnel runs on until the deadline of the drain");
    for (const session of world.sessions) session.close();
    world.settle();
    assertEquals([client.peer.gotEnd, world.log.length], [true, 1]);
    assertEquals(world.log[0]!.error, "draining");
  });
});

Deno.test("Exchange refuses a switch that nobody asked for, or in the middle of a body", () => {
  simulate({ servers: 1 }, (world) => {
    chatting(world);
    const client = world.connect().get("/chat");
    world.settle();
    assertEquals(client.statuses, [502]);
    assertEquals(world.log[0]!.error, "badResponse");
  });
  simulate({ servers: 1 }, (world) => {
    world.servers[0]!.onHead = (connection) => connection.send(SWITCH);
    const client = world.connect().request("POST", "/", `${ASK}Content-Length: 10000\r\n`, "abc");
    world.settle();
    assertEquals(client.statuses, [502]);
  });
});
