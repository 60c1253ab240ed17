/** Memory stays bounded whoever is slow: nothing queues more than the high water and what one read brings. */
import { LARGE_BYTES } from "../../mod/net/buffers.ts";
import { assert, assertEquals, assertLessOrEqual } from "../assert.ts";
import { reply } from "../sim/parties.ts";
import { simulate, type World } from "../sim/world.ts";

const GB = 1024 ** 3;
const HIGH_WATER = 64 * 1024;
/** The high water, what one read brings, and the framing of it. */
const MOST_QUEUED = HIGH_WATER + LARGE_BYTES + 1024;

function mostQueued(world: World): number {
  return Math.max(...world.network.streams.map((stream) => stream.mostQueued));
}

Deno.test("BodyRelay moves 10 GB to a server that reads slowly, in bounded memory", () => {
  simulate({ servers: 1, highWater: HIGH_WATER, delayMs: 2 }, (world) => {
    const server = world.servers[0]!;
    let received = 0;
    server.onConnect = ({ peer }) => {
      peer.keep = false;
      peer.stop();
    };
    server.onBytes = (view, connection) => {
      received += view.length;
      if (received >= 10 * GB) connection.send(reply(200, "thanks"));
      return true;
    };
    const client = world.connect();
    client.request("POST", "/", `Content-Length: ${10 * GB}\r\n`).send(10 * GB);
    world.settle();
    const { peer } = server.connections[0]!;
    assert(peer.stream.blocked, "a server that does not read holds the client up");
    assert(client.peer.available > 9 * GB, "which is not read either");
    for (let i = 0; i < 100; i++) {
      peer.sip(10_000);
      world.settle();
    }
    assertLessOrEqual(world.network.buffers.outstanding, 8);
    peer.go();
    world.settle();
    assertEquals(client.statuses, [200]);
    assertLessOrEqual(mostQueued(world), MOST_QUEUED);
    assert(world.log[0]!.bytesIn > 10 * GB);
  });
});

Deno.test("BodyRelay moves a large answer to a client that reads slowly, in bounded memory", () => {
  for (const framing of ["Content-Length: 100000000\r\n", ""]) {
    simulate({ servers: 1, highWater: HIGH_WATER, delayMs: 2 }, (world) => {
      world.servers[0]!.answer = (_, connection) => {
        connection.send(`HTTP/1.1 200 OK\r\n${framing}\r\n`);
        connection.send(100_000_000);
        connection.peer.end();
      };
      const client = world.connectPeer();
      client.keep = false;
      client.stop();
      client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
      world.settle();
      assert(world.servers[0]!.connections[0]!.peer.available > 90_000_000, "the server is held up");
      for (let i = 0; i < 100; i++) {
        client.sip(3000);
        world.settle();
      }
      client.go();
      world.settle();
      assert(client.receivedBytes > 100_000_000);
      assertLessOrEqual(mostQueued(world), MOST_QUEUED);
    });
  }
});

Deno.test("ClientConnection stops serving a client that pipelines and does not read", () => {
  simulate({ servers: 1, window: 4096 }, (world) => {
    world.servers[0]!.answer = (_, connection) => connection.send(reply(200, "x".repeat(30_000)));
    const client = world.connect();
    client.peer.stop();
    // In pieces, so that there is something to read behind what blocks.
    for (let i = 0; i < 300; i++) {
      client.get(`/${i}-${"p".repeat(1000)}`);
      world.settle();
    }
    assertLessOrEqual(mostQueued(world), MOST_QUEUED);
    assert(client.peer.available > 200_000, "what it sends is not read either");
    assertLessOrEqual(world.servers[0]!.seen.length, 4);
    client.peer.go();
    world.settle();
    assertEquals(client.answers.length, 300, "and goes on when it does");
  });
});

Deno.test("ClientConnection serves what a client that half-closed had pipelined, as far as it reads", () => {
  simulate({ servers: 1, window: 4096 }, (world) => {
    world.servers[0]!.answer = (_, connection) => connection.send(reply(200, "x".repeat(30_000)));
    const client = world.connect();
    client.peer.stop();
    for (let i = 0; i < 20; i++) client.get(`/${i}`);
    client.peer.end();
    world.settle();
    client.peer.go();
    world.settle();
    assertEquals(client.answers.length, 20);
    assertEquals(client.ended, true);
  });
});

Deno.test("ClientConnection ends a client that pipelines and never reads", () => {
  simulate({ servers: 1, window: 4096, listener: { timeouts: { idleMs: 5000 } } }, (world) => {
    world.servers[0]!.answer = (_, connection) => connection.send(reply(200, "x".repeat(90_000)));
    const client = world.connect();
    client.peer.stop();
    client.get("/1").get("/2");
    world.run(6000);
    assertEquals(world.sessions.size, 0);
  });
});

Deno.test("Exchange holds up a server that sends interim responses without end", () => {
  simulate({ servers: 1, window: 4096 }, (world) => {
    world.servers[0]!.answer = (_, connection) => {
      connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(50_000));
      connection.send(reply(200, "at last"));
    };
    const client = world.connect();
    client.peer.stop();
    client.get("/");
    world.settle();
    assertLessOrEqual(mostQueued(world), 2 * MOST_QUEUED);
    client.peer.go();
    world.settle();
    assertEquals([client.statuses, client.answers[0]!.interim.length], [[200], 50_000]);
  });
});

Deno.test("ClientConnection gives a slow reader its last answer to the end", () => {
  for (const version of ["1.0", "1.1"]) {
    simulate({ servers: 1, window: 500 }, (world) => {
      const body = "x".repeat(50_000);
      world.servers[0]!.answer = (_, connection) => connection.send(reply(200, body));
      const client = world.connect();
      client.peer.stop();
      client.send(`GET / HTTP/${version}\r\nHost: a.test\r\nConnection: close\r\n\r\n`, "GET");
      while (!client.ended && world.now < 2_000_000) {
        world.run(3000);
        client.peer.sip(500);
      }
      assertEquals(client.answers.length, 1);
      assertEquals(client.answers[0]!.body === body, true);
    });
  }
});

Deno.test("ClientConnection gives a client that sent FIN behind its request the whole answer", () => {
  simulate({ servers: 1, window: 500 }, (world) => {
    world.servers[0]!.answer = (_, connection) => connection.send(reply(200, "x".repeat(50_000)));
    const client = world.connect();
    client.peer.stop();
    client.get("/");
    world.settle();
    assertEquals(world.active, 0, "the answer is queued for the client");
    client.peer.end();
    world.settle();
    client.peer.go();
    world.settle();
    assertEquals(client.answers.length, 1);
    assertEquals(client.ended, true);
  });
});

Deno.test("Pump moves any amount between streams of any speed, in bounded memory", () => {
  simulate({ servers: 1, protocol: "tcp", highWater: HIGH_WATER, delayMs: 2 }, (world) => {
    const server = world.servers[0]!;
    server.onBytes = () => true;
    server.onConnect = ({ peer }) => {
      peer.keep = false;
      peer.stop();
      peer.send(50_000_000);
    };
    const client = world.connectPeer();
    client.keep = false;
    client.stop();
    client.send(50_000_000);
    world.settle();
    const { peer } = server.connections[0]!;
    assert(client.available > 49_000_000 && peer.available > 49_000_000, "both are held up");
    client.go();
    world.settle();
    assertEquals(client.receivedBytes, 50_000_000);
    peer.go();
    client.end();
    world.settle();
    assertEquals(peer.receivedBytes, 50_000_000);
    assert(peer.gotEnd, "the FIN follows the bytes");
    assertLessOrEqual(mostQueued(world), MOST_QUEUED);
  });
});
