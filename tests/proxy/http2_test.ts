/** Clients that speak HTTP/2, over unkind streams: everything arrives, nothing is left behind, nobody waits for others. */
import { assert, assertEquals } from "../assert.ts";
import { block, DATA, END_STREAM, frame, GOAWAY, number, WINDOW } from "../conformance/http2_client.ts";
import { SimHttp2Client } from "../sim/http2_client.ts";
import { reply } from "../sim/parties.ts";
import { simulate, type World } from "../sim/world.ts";

const SEEDS = Array.from({ length: 10 }, (_, seed) => seed);
const WEBSOCKET = block(
  [":method", "CONNECT"],
  [":protocol", "websocket"],
  [":scheme", "http"],
  [":path", "/chat"],
  [":authority", "a.test"],
);

function connect(world: World, window?: number): SimHttp2Client {
  return new SimHttp2Client(world.connectPeer(), window);
}

/** Answers a request for `/N` with a body of N bytes, and one with a body with its size. */
function sized(world: World): void {
  for (const server of world.servers) {
    server.answer = (request, connection) => {
      const [method, path] = request.line.split(" ");
      const body = method === "POST" ? `got ${request.body.length}` : "x".repeat(Number(path!.slice(1)));
      connection.send(reply(200, body));
    };
  }
}

Deno.test("Http2Connection requests and bodies of all sizes arrive whole, many at once", () => {
  for (const seed of SEEDS) {
    simulate({ seed }, (world) => {
      sized(world);
      const client = connect(world);
      const sizes = [0, 1, 100, 16_384, 16_385, 70_000];
      const gets = sizes.map((size) => [client.request(`/${size}`), size] as const);
      const posts = sizes.map((size) => [client.request("/", "y".repeat(size)), size] as const);
      world.run(2000);
      for (const [id, size] of gets) {
        assertEquals([client.log.status(id), client.log.body(id).length, client.log.complete(id)], [
          200,
          size,
          true,
        ]);
      }
      for (const [id, size] of posts) assertEquals(client.log.body(id), `got ${size}`);
      // What is served now has sessions that served before.
      const again = client.request("/5");
      world.run(1000);
      assertEquals([client.log.body(again), client.goneAway], ["xxxxx", false]);
    });
  }
});

Deno.test("Http2Connection a body with a length, chunks from the server, trailers and an answer without a body", () => {
  simulate({}, (world) => {
    const client = connect(world);
    const post = client.request("/a", "hello", ["content-length", "5"]);
    world.settle();
    assertEquals(client.log.body(post), "a POST /a hello ");
    for (const server of world.servers) {
      server.answer = (_, connection) =>
        connection.send(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n",
        );
    }
    const chunked = client.request("/b");
    world.settle();
    const heads = client.log.frames.filter((one) => one.stream === chunked && one.type !== DATA);
    assertEquals(client.log.fields(heads.at(-1)!), ["x-sum: 6"]);
    assertEquals([client.log.body(chunked), client.log.complete(chunked)], ["abc", true]);
    for (const server of world.servers) {
      server.answer = (_, peer) => peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    }
    const empty = client.request("/c");
    world.settle();
    assertEquals([client.log.status(empty), client.log.complete(empty)], [204, true]);
  });
});

Deno.test("Http2Connection what a client resets costs its own stream only", () => {
  for (const seed of SEEDS) {
    simulate({ seed }, (world) => {
      sized(world);
      const client = connect(world);
      const kept: number[] = [];
      for (let i = 0; i < 20; i++) {
        const id = client.request(i % 2 === 0 ? "/20000" : "/", i % 2 === 0 ? null : "y".repeat(20_000));
        world.run(seed % 7);
        if (i % 3 === 0) client.reset(id);
        else kept.push(id);
      }
      world.run(3000);
      for (const id of kept) assertEquals(client.log.complete(id), true, `stream ${id}`);
    });
  }
});

Deno.test("Http2Connection a client that goes leaves nothing behind, whenever it goes", () => {
  for (const seed of SEEDS) {
    simulate({ seed }, (world) => {
      sized(world);
      const client = connect(world);
      for (let i = 0; i < 10; i++) {
        client.request(i % 2 === 0 ? "/20000" : "/", i % 2 === 0 ? null : "y".repeat(20_000));
      }
      world.run(seed);
      if (seed % 2 === 0) client.peer.reset();
      else client.peer.end();
      world.run(1000);
      assertEquals(world.sessions.size, 0);
    });
  }
});

Deno.test("Http2Connection a server that breaks off breaks one stream off", () => {
  simulate({}, (world) => {
    for (const server of world.servers) {
      server.answer = (request, connection) => {
        if (!request.line.includes("/broken")) return connection.send(reply(200, "whole"));
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        connection.peer.end();
      };
    }
    const client = connect(world);
    const broken = client.request("/broken");
    const whole = client.request("/");
    world.run(100);
    assertEquals([client.wasReset(broken), client.log.complete(broken)], [true, false]);
    assertEquals(client.log.body(whole), "whole");
  });
});

Deno.test("Http2Connection a stream that the client does not read is given up, and holds nobody up", () => {
  simulate({}, (world) => {
    sized(world);
    const client = connect(world, 100);
    client.reads = false;
    const stalled = client.request("/300000");
    world.run(1000);
    assertEquals(client.log.body(stalled).length, 100);
    const other = client.request("/50");
    world.run(1000);
    assertEquals(client.log.body(other).length, 50);
    world.run(301_000);
    assertEquals(client.wasReset(stalled), true);
    assertEquals(world.log.at(-1)!.error, "clientStalled");
  });
});

Deno.test("Http2Connection the connection's window is shared in turn", () => {
  simulate({}, (world) => {
    sized(world);
    const client = connect(world, 1_000_000);
    client.reads = false;
    const ids = [client.request("/200000"), client.request("/200000"), client.request("/200000")];
    world.run(1000);
    const got = ids.map((id) => client.log.body(id).length);
    assertEquals(got.reduce((sum, size) => sum + size), 65_535);
    assert(got.every((size) => size > 0), String(got));
    client.peer.send(frame(WINDOW, 0, 0, number(600_000, 4)));
    world.run(1000);
    assertEquals(ids.map((id) => client.log.complete(id)), [true, true, true]);
  });
});

Deno.test("Http2Connection goes when the node drains, after what is under way", () => {
  simulate({}, (world) => {
    for (const server of world.servers) server.answer = () => {};
    const client = connect(world);
    const slow = client.request("/slow");
    world.run(100);
    world.drain();
    world.run(200);
    assertEquals(client.goneAway, true);
    // A request that crossed the GOAWAY is served; one after the grace is refused.
    const crossed = client.request("/crossed");
    world.run(2000);
    const late = client.request("/late");
    world.run(200);
    assertEquals(client.wasReset(late), true);
    for (const { connections } of world.servers) {
      for (const each of connections) each.send(reply(200, "done"));
    }
    world.run(1000);
    assertEquals([client.log.body(slow), client.log.body(crossed)], ["done", "done"]);
    assertEquals(client.log.frames.filter((one) => one.type === GOAWAY).length >= 2, true);
    assertEquals(client.ended, true);
  });
});

Deno.test("Http2Connection an idle connection is closed with a GOAWAY, one in use is not", () => {
  simulate({}, (world) => {
    sized(world);
    const client = connect(world);
    client.request("/1");
    world.run(55_000);
    client.request("/1");
    world.run(55_000);
    assertEquals(client.goneAway, false);
    world.run(10_000);
    assertEquals([client.goneAway, client.ended], [true, true]);
  });
});

Deno.test("Http2Connection RFC 8441: a WebSocket is opened, bytes go both ways, and both ends end it", () => {
  for (const seed of SEEDS) {
    simulate({ seed }, (world) => {
      for (const server of world.servers) {
        server.answer = (request, connection) => {
          assertEquals(request.line, "GET /chat HTTP/1.1");
          connection.send(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi ",
          );
          server.onBytes = (view, { peer }) => {
            peer.send(view.slice());
            return true;
          };
        };
      }
      const client = connect(world);
      const id = client.open(WEBSOCKET, false);
      client.peer.send(frame(DATA, 0, id, "early "));
      world.run(100);
      client.peer.send(frame(DATA, 0, id, "late"));
      world.run(100);
      assertEquals([client.log.status(id), client.log.body(id)], [200, "hi early late"]);
      client.peer.send(frame(DATA, END_STREAM, id));
      world.run(1000);
      assertEquals(client.log.complete(id), true);
      const { 0: connection } = world.servers.flatMap(({ connections }) => connections);
      assertEquals(connection!.peer.stream.closed, true);
    });
  }
});

Deno.test("Http2Connection RFC 8441: a key of the client's own does not reach the server beside ours", () => {
  simulate({}, (world) => {
    const keys: string[] = [];
    for (const server of world.servers) {
      server.answer = (request, connection) => {
        keys.push(
          request.headers.get("sec-websocket-key") ?? "",
          request.headers.get("sec-websocket-version")!,
        );
        connection.send(reply(403, "no"));
      };
    }
    const client = connect(world);
    const own = block(["sec-websocket-key", "own"], ["sec-websocket-version", "13"]);
    const id = client.open(WEBSOCKET + own, false);
    world.run(100);
    assertEquals(client.log.status(id), 403);
    assertEquals(keys, ["VGFuZGVtIGlzIGhlcmUuLg==", "13"]);
  });
});

Deno.test("Http2Connection RFC 8441: what follows a WebSocket that is refused is no request", () => {
  simulate({}, (world) => {
    const seen: string[] = [];
    for (const server of world.servers) {
      server.answer = (request, connection) => {
        seen.push(request.line);
        connection.send(reply(403, "no"));
      };
    }
    const client = connect(world);
    const id = client.open(WEBSOCKET, false);
    client.peer.send(frame(DATA, 0, id, "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n"));
    world.run(1000);
    assertEquals([client.log.status(id), seen], [403, ["GET /chat HTTP/1.1"]]);
    const next = client.request("/next");
    world.run(1000);
    assertEquals([client.log.status(next), seen.at(-1)], [403, "GET /next HTTP/1.1"]);
  });
});

Deno.test("Http2Connection answers without a body end their streams, however many there are", () => {
  simulate({}, (world) => {
    for (const server of world.servers) {
      server.answer = (_, peer) => peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    }
    const client = connect(world);
    for (let i = 0; i < 250; i++) {
      const id = client.request("/");
      world.run(10);
      assertEquals([client.log.status(id), client.log.complete(id)], [204, true], `request ${i}`);
    }
  });
});

Deno.test("Http2Connection a client that reads quickly in small steps, and pings for it, is no flood", () => {
  simulate({}, (world) => {
    sized(world);
    const client = connect(world);
    client.onFrame = (one) => {
      if (one.type === DATA) client.peer.send(frame(6, 0, 0, "12345678"));
    };
    const id = client.request("/8000000");
    world.run(3000);
    assertEquals([client.log.complete(id), client.goneAway], [true, false]);
  });
});

Deno.test("Http2Connection trailers behind a body that was answered early are none of the others' business", () => {
  simulate({}, (world) => {
    for (const server of world.servers) {
      server.onHead = (connection) => connection.send(reply(401, "no"));
      server.answer = () => {};
    }
    const client = connect(world);
    const id = client.open(
      block([":method", "POST"], [":scheme", "http"], [":path", "/"], [":authority", "a"]),
      false,
    );
    client.peer.send(frame(DATA, 0, id, "part"));
    world.run(100);
    assertEquals([client.log.status(id), client.log.complete(id)], [401, true]);
    client.peer.send(frame(DATA, 0, id, "more") + frame(1, 5, id, block(["x-sum", "1"])));
    world.run(100);
    assertEquals([client.goneAway, client.wasReset(id)], [false, false]);
  });
});

Deno.test("Http2Connection names, paths and hosts that are too long together are answered", () => {
  simulate({}, (world) => {
    const client = connect(world);
    const long = "x".repeat(15_000);
    const head = block([":method", long], [":scheme", "http"], [":path", `/${long}`], [":authority", long]);
    const parts = head.match(/[^]{1,16000}/g)!;
    client.peer.send(
      parts.map((part, i) =>
        frame(i === 0 ? 1 : 9, (i === 0 ? 1 : 0) | (i === parts.length - 1 ? 4 : 0), 1, part)
      ).join(""),
    );
    world.run(100);
    assertEquals([client.log.status(1), client.goneAway], [414, false]);
  });
});

Deno.test("Http2Connection an early answer comes whole, and a body goes on for nothing, but not for ever", () => {
  simulate({ listener: { limits: { body: 1000 } } }, (world) => {
    const client = connect(world);
    const some = client.request("/", "x".repeat(500_000));
    const endless = client.request("/", "x".repeat(3_000_000));
    world.run(3000);
    assertEquals([client.log.status(some), client.log.complete(some), client.wasReset(some)], [
      413,
      true,
      false,
    ]);
    assertEquals([client.log.status(endless), client.log.complete(endless)], [413, true]);
    assertEquals([client.wasReset(endless), client.goneAway], [true, false]);
  });
});
