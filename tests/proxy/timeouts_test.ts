/** Every time-out, and that nothing waits longer than it may. */
import { assertEquals } from "../assert.ts";
import { reply } from "../sim/parties.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

/** A tick of the wheel, and one of the network. */
const LATE = 200;

function errors(world: World): string[] {
  return world.log.map(({ error }) => error);
}

Deno.test("head time-out: 408 for a slow head, silence for a connection that never began", () => {
  simulate({}, (world) => {
    const slow = world.connect().send("GET / HTTP/1.1\r\nHost: a.test\r\nX: ", "GET");
    const silent = world.connect();
    for (let i = 0; i < 9; i++) {
      world.run(1000);
      slow.send("x");
    }
    assertEquals([slow.ended, silent.ended], [false, false]);
    world.run(1000 + LATE);
    assertEquals(slow.statuses, [408]);
    assertEquals(errors(world), ["headTimeout"]);
    assertEquals([slow.ended, silent.ended], [true, true]);
    assertEquals(silent.answers.length, 0);
  });
});

Deno.test("keep-alive time-out: an idle connection ends without a word", () => {
  simulate({}, (world) => {
    const client = world.connect().get("/");
    world.run(59_000);
    assertEquals(client.ended, false);
    client.get("/again");
    world.run(60_000 + LATE);
    assertEquals(client.statuses, [200, 200]);
    assertEquals(client.ended, true);
    assertEquals(errors(world), ["", ""]);
  });
});

Deno.test("body time-out: 408 when a body stops coming, none while it does", () => {
  simulate({}, (world) => {
    const client = world.connect().request("POST", "/", "Content-Length: 100\r\n");
    for (let i = 0; i < 50; i++) {
      world.run(20_000);
      client.send("x");
    }
    assertEquals(client.statuses, []);
    world.run(30_000 + LATE);
    assertEquals(client.statuses, [408]);
    assertEquals(errors(world), ["bodyTimeout"]);
    assertEquals(world.active, 0);
  });
});

Deno.test("connect time-out: on to the next server, in the end 503", () => {
  simulate({ servers: 2 }, (world) => {
    for (const server of world.servers) server.accepts = "silent";
    const client = world.connect().get("/");
    world.run(3000 + LATE);
    assertEquals(world.servers.map(({ dials }) => dials), [1, 1]);
    world.run(3000 + LATE);
    assertEquals(client.statuses, [503]);
    assertEquals(errors(world), ["connectTimeout"]);
  });
});

Deno.test("response time-out: 504 when no answer begins, or its reading of the request stops", () => {
  simulate({ servers: 1 }, (world) => {
    world.servers[0]!.answer = () => {};
    const client = world.connect().get("/");
    world.run(60_000 + LATE);
    assertEquals(client.statuses, [504]);
    assertEquals(errors(world), ["responseTimeout"]);
  });
  simulate({ servers: 1 }, (world) => {
    world.servers[0]!.onConnect = ({ peer }) => peer.stop();
    const client = world.connect().request("POST", "/", "Content-Length: 1000000\r\n").send(1_000_000);
    world.run(60_000 + LATE);
    assertEquals(client.statuses, [504]);
    assertEquals(errors(world), ["responseTimeout"]);
  });
});

Deno.test("response time-out: an answer that stops half-way breaks the connection off", () => {
  simulate({ servers: 1 }, (world) => {
    world.servers[0]!.answer = (_, connection) => connection.send(reply(200, "half of it").slice(0, -5));
    const client = world.connect().get("/");
    world.run(59_000);
    assertEquals(client.ended, false);
    world.run(1000 + LATE);
    assertEquals([client.ended, client.answers.length], [true, 0]);
    assertEquals(errors(world), ["upstreamStalled"]);
  });
});

Deno.test("idle time-out: a client that does not read its answer is let go", () => {
  simulate({ servers: 1 }, (world) => {
    const server = world.servers[0]!;
    server.answer = (_, connection) => {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
      connection.send(1_000_000);
    };
    const client = world.connect();
    client.peer.stop();
    client.get("/");
    world.run(299_000);
    assertEquals(world.active, 1);
    world.run(1000 + LATE);
    assertEquals(world.active, 0);
    assertEquals(errors(world), ["clientStalled"]);
  });
});

Deno.test("idle time-out: a client that does not read its last answer is let go", () => {
  simulate({ servers: 1, window: 1000 }, (world) => {
    world.servers[0]!.answer = (_, connection) => connection.send(reply(200, "x".repeat(5000)));
    const client = world.connect();
    client.peer.stop();
    client.get("/", "Connection: close\r\n");
    world.run(290_000);
    assertEquals(world.sessions.size, 1);
    world.run(20_000);
    assertEquals(world.sessions.size, 0);
  });
});

Deno.test("tunnel time-out: nothing moved for so long", () => {
  const options: WorldOptions = { servers: 1, listener: { timeouts: { tunnelMs: 10_000, idleMs: 10_000 } } };
  for (const protocol of ["http", "tcp"] as const) {
    simulate({ ...options, protocol }, (world) => {
      const server = world.servers[0]!;
      const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
      if (protocol === "http") server.answer = (_, connection) => connection.send(switching);
      else server.onBytes = () => true;
      const client = world.connect().get("/", "Connection: upgrade\r\nUpgrade: x\r\n");
      if (protocol === "tcp") client.peer.handler = {};
      world.run(8000);
      server.connections[0]!.send("ping");
      world.run(8000);
      client.send("pong");
      world.run(8000);
      assertEquals(client.peer.gotEnd, false);
      world.run(2000 + LATE);
      assertEquals(client.peer.gotEnd, true);
      assertEquals(errors(world), ["tunnelIdle"]);
      assertEquals(world.active, 0);
    });
  }
});

Deno.test("idle connections to servers end after their time-out, or when the server speaks or leaves", () => {
  const ends: ((world: World) => void)[] = [
    (world) => world.run(60_000 + LATE),
    (world) => world.servers[0]!.connections[0]!.send("HTTP/1.1 408 Request Timeout\r\n\r\n"),
    (world) => world.servers[0]!.connections[0]!.peer.end(),
    (world) => world.servers[0]!.connections[0]!.peer.reset(),
  ];
  for (const end of ends) {
    simulate({ servers: 1, listener: { timeouts: { keepAliveMs: 600_000 } } }, (world) => {
      const client = world.connect().get("/1");
      world.settle();
      assertEquals(world.idle.size, 1);
      end(world);
      world.settle();
      assertEquals(world.idle.size, 0);
      client.get("/2");
      world.settle();
      assertEquals(client.answers[1]!.body, "a GET /2  ");
      assertEquals(world.servers[0]!.connections.length, 2);
    });
  }
});
