/** Servers that speak HTTP/2, over unkind streams: requests of both versions reach them, share connections, and survive them. */
import { assert, assertEquals } from "../assert.ts";
import {
  block,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  FrameLog,
  GOAWAY,
  HEADERS,
  number,
  PREFACE,
  RST,
  SETTINGS,
} from "../conformance/http2_client.ts";
import { latin1 } from "../../mod/http/grammar.ts";
import { POOL_TIMEOUTS } from "../config/timeouts.ts";
import { SimHttp2Client } from "../sim/http2_client.ts";
import { type Http2Answering, type Http2Served, speakHttp2 } from "../sim/http2_server.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

const HTTP2: WorldOptions = { pool: { http2: true } };
const SEEDS = Array.from({ length: 10 }, (_, seed) => seed);

/** Says what came. */
const echo: Http2Answering = ({ id, fields, body, trailer }, connection) => {
  const path = fields.find((line) => line.startsWith(":path: "))!.slice(7);
  const size = /^\/(\d+)$/.exec(path)?.[1];
  const text = size === undefined
    ? `${fields[0]!.slice(9)} ${path} ${body.length} ${trailer}`
    : "x".repeat(Number(size));
  connection.reply(id, text);
};

function speak(
  world: World,
  answer: Http2Answering,
  settings?: readonly (readonly [number, number])[],
): Http2Served[][] {
  return world.servers.map((server) => speakHttp2(server, answer, settings));
}

Deno.test("Http2Dialer requests of HTTP/1 and their bodies reach servers of HTTP/2, on connections that stay", () => {
  for (const seed of SEEDS) {
    simulate({ ...HTTP2, seed }, (world) => {
      const served = speak(world, echo);
      const client = world.connect();
      client.get("/a").request("POST", "/b", "Content-Length: 5\r\n", "hello");
      client.request("POST", "/c", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")
        .get("/50000");
      world.run(1000);
      assertEquals(client.answers.slice(0, 3).map(({ body }) => body), [
        "GET /a 0 ",
        "POST /b 5 ",
        "POST /c 5 x-sum: 1",
      ]);
      assertEquals(client.answers[3]!.body.length, 50_000);
      assertEquals(served.map((connections) => connections.length), [1, 1]);
      const [{ log }] = served[0]! as [Http2Served];
      const first = log.fields(log.frames.find(({ type }) => type === 1)!);
      assertEquals(first.slice(0, 4), [":method: GET", ":scheme: http", ":path: /a", ":authority: a.test"]);
      assert(first.includes("te: trailers") && first.includes("x-forwarded-for: 192.0.2.7"), String(first));
      assert(!first.some((line) => /^(host|connection|transfer-encoding):/.test(line)), String(first));
    });
  }
});

Deno.test("Http2Dialer requests at the same time share a connection, up to what the server allows", () => {
  for (const seed of SEEDS) {
    simulate({ ...HTTP2, servers: 1, seed }, (world) => {
      const waiting: (() => void)[] = [];
      const served = speak(world, ({ id }, connection) => waiting.push(() => connection.reply(id, "late")), [[
        3,
        5,
      ]]);
      const clients = Array.from({ length: 12 }, () => world.connect().get("/"));
      world.run(100);
      assertEquals(served[0]!.length, 3);
      assertEquals(waiting.length, 12);
      for (const reply of waiting) reply();
      world.run(100);
      assertEquals(clients.map(({ statuses }) => statuses), clients.map(() => [200]));
    });
  }
});

Deno.test("Http2Dialer clients and servers both of HTTP/2: sizes, trailers and answers of trailers alone", () => {
  for (const seed of SEEDS) {
    simulate({ ...HTTP2, seed }, (world) => {
      speak(world, (request, connection) => {
        if (request.fields.includes(":path: /grpc")) {
          connection.reply(
            request.id,
            "message",
            [["content-type", "application/grpc"]],
            block(["grpc-status", "0"]),
          );
        } else if (request.fields.includes(":path: /only")) {
          connection.reply(request.id, "", [["grpc-status", "5"]]);
        } else echo(request, connection);
      });
      const client = new SimHttp2Client(world.connectPeer());
      const ids = [0, 1, 20_000, 70_000].map((size) => [client.request(`/${size}`), size] as const);
      const post = client.request("/post", "y".repeat(70_000));
      const [grpc, only] = [client.request("/grpc", "ask"), client.request("/only", "ask")];
      world.run(2000);
      for (const [id, size] of ids) {
        assertEquals([client.log.body(id).length, client.log.complete(id)], [size, true]);
      }
      assertEquals(client.log.body(post), "POST /post 70000 ");
      const heads = (id: number) => client.log.frames.filter((one) => one.type === 1 && one.stream === id);
      assertEquals([client.log.body(grpc), client.log.fields(heads(grpc).at(-1)!)], ["message", [
        "grpc-status: 0",
      ]]);
      assert(client.log.fields(heads(only)[0]!).includes("grpc-status: 5"));
      assertEquals([heads(only).length, client.log.complete(only)], [1, true]);
    });
  }
});

Deno.test("Http2Dialer a server that goes away is asked no more, and what it did not look at is asked again", () => {
  simulate({ ...HTTP2, servers: 1 }, (world) => {
    const served = speak(world, ({ id }, connection) => {
      if (served[0]!.length === 1 && id >= 3) {
        connection.send(frame(GOAWAY, 0, 0, number(1, 4) + number(0, 4)));
      } else if (served[0]!.length > 1) connection.reply(id, "again");
    });
    const [first, second] = [world.connect().get("/1"), world.connect().get("/2")];
    world.run(100);
    assertEquals(second.answers.map(({ body }) => body), ["again"]);
    // The first is still answered on the old connection.
    served[0]![0]!.reply(1, "before");
    world.run(100);
    assertEquals(first.answers.map(({ body }) => body), ["before"]);
    assertEquals(world.servers[0]!.open.length, 1);
  });
});

Deno.test("Http2Dialer a server that resets a stream, or breaks a rule, is an error of that request alone", () => {
  simulate(
    { ...HTTP2, servers: 1, pool: { http2: true, retry: { attempts: 0, on: [], budget: 0 } } },
    (world) => {
      speak(world, ({ id, fields }, connection) => {
        if (fields.includes(":path: /reset")) connection.send(frame(RST, 0, id, number(2, 4)));
        else if (fields.includes(":path: /bad")) {
          connection.send(frame(1, 5, id, block([":status", "200"], ["Bad", "x"])));
        } else connection.reply(id, "fine");
      });
      const client = world.connect().get("/reset").get("/bad").get("/good");
      world.run(100);
      assertEquals(client.statuses, [502, 502, 200]);
      assertEquals(world.servers[0]!.connections.length, 1);
    },
  );
});

Deno.test("Http2Dialer a server whose connections end is asked on new ones, at once", () => {
  for (const seed of SEEDS) {
    simulate({ ...HTTP2, servers: 1, seed }, (world) => {
      speak(world, echo);
      const [server] = world.servers;
      const client = world.connect();
      for (let round = 0; round < 4; round++) {
        client.get("/a");
        world.run(100);
        for (const { peer } of server!.open) round % 2 === 0 ? peer.end() : peer.reset();
        if (seed % 2 === 0) world.run(100);
      }
      client.get("/a");
      world.run(100);
      assertEquals(client.statuses, [200, 200, 200, 200, 200]);
    });
  }
});

Deno.test("Http2Dialer a server that does not speak HTTP/2 is one that cannot be reached", () => {
  simulate({ ...HTTP2, servers: 1 }, (world) => {
    world.servers[0]!.onBytes = (_, connection) => {
      connection.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
      connection.peer.end();
      return true;
    };
    const client = world.connect().get("/");
    world.run(5000);
    assertEquals([client.statuses, world.log[0]!.error], [[503], "connectFailed"]);
  });
});

Deno.test("Http2Dialer a server that leaves as soon as it has greeted is one that cannot be reached", () => {
  const goaway = frame(GOAWAY, 0, 0, number(0, 4) + number(0, 4));
  for (const farewell of [goaway, frame(DATA, 0, 1, "x")]) {
    simulate({ ...HTTP2, servers: 1, pool: { http2: true, retry: { attempts: 0 } } }, (world) => {
      const [server] = world.servers;
      server!.onConnect = (connection) => connection.send(frame(SETTINGS, 0, 0) + farewell);
      const client = world.connect().get("/");
      world.run(5000);
      assertEquals([client.statuses, world.log[0]!.error, server!.dials], [[503], "connectFailed", 1]);
    });
  }
});

Deno.test("Http2Dialer who leaves while a connection is made, or while it waits, leaves nothing behind", () => {
  for (const seed of SEEDS) {
    simulate({ ...HTTP2, servers: 1, seed }, (world) => {
      world.servers[0]!.onBytes = (_, connection) => {
        if (seed % 2 === 0) connection.send(frame(SETTINGS, 0, 0));
        return true;
      };
      const clients = Array.from({ length: 5 }, () => world.connect().get("/"));
      world.run(seed);
      for (const { peer } of clients) peer.reset();
      world.run(1000);
      assertEquals(world.sessions.size, 0);
      assertEquals(world.servers[0]!.open.length, 0);
    });
  }
});

Deno.test("Http2Dialer a connection is closed some time after the last of its streams", () => {
  simulate({ ...HTTP2, servers: 1 }, (world) => {
    speak(world, echo);
    const client = world.connect().get("/a");
    world.run(55_000);
    assertEquals([client.statuses, world.servers[0]!.open.length], [[200], 1]);
    world.run(10_000);
    assertEquals(world.servers[0]!.open.length, 0);
  });
});

Deno.test("Http2Connection our own errors are those of gRPC to who asks in gRPC", () => {
  simulate({ ...HTTP2, servers: 1 }, (world) => {
    world.control.slots.setUp(0, false);
    const client = new SimHttp2Client(world.connectPeer());
    const grpc = client.request("/a.B/C", "ask", ["content-type", "application/grpc+proto"]);
    const plain = client.request("/a.B/C", "ask", ["content-type", "text/plain"]);
    world.run(1000);
    const heads = (id: number) => client.log.frames.filter((one) => one.type === 1 && one.stream === id);
    const fields = client.log.fields(heads(grpc)[0]!);
    assertEquals([client.log.status(grpc), client.log.complete(grpc), client.log.body(grpc)], [
      200,
      true,
      "",
    ]);
    assert(
      fields.includes("grpc-status: 14") && fields.includes("content-type: application/grpc"),
      String(fields),
    );
    assert(fields.includes("grpc-message: no server of the pool is available"), String(fields));
    assertEquals([client.log.status(plain), world.log.map(({ status }) => status)], [503, [503, 503]]);
  });
});

Deno.test("Http2Dialer an answer is over when it is complete, whenever its stream ends: nobody gets another's", () => {
  for (const seed of SEEDS) {
    simulate({ ...HTTP2, servers: 1, seed }, (world) => {
      const seen: string[] = [];
      speak(world, ({ id, fields }, connection) => {
        const path = fields.find((line) => line.startsWith(":path: "))!.slice(7);
        seen.push(path);
        const bodyless = path === "/204";
        const head = block(
          [":status", bodyless ? "204" : "200"],
          ...(bodyless ? [] : [["content-length", "5"] as const]),
        );
        connection.send(frame(1, 4, id, head) + (bodyless ? "" : frame(0, 0, id, path.padEnd(5))));
        if (seed % 2 === 0) connection.send(frame(0, 1, id, ""));
      });
      const client = world.connect().get("/1").get("/204").request("POST", "/3", "Content-Length: 1\r\n", "x")
        .get("/4");
      world.run(1000);
      const others = Array.from({ length: 40 }, (_, i) => world.connect().get(`/${i}`));
      world.run(1000);
      assertEquals(client.statuses, [200, 204, 200, 200]);
      assertEquals(client.answers.map(({ body }) => body.trim()), ["/1", "", "/3", "/4"]);
      assertEquals(seen.slice(0, 4), ["/1", "/204", "/3", "/4"]);
      assertEquals(others.map(({ answers }) => answers[0]!.body.trim()), others.map((_, i) => `/${i}`));
    });
  }
});

Deno.test("Http2Dialer many small bodies both ways do not use the connections' windows up", () => {
  simulate({ ...HTTP2, servers: 1 }, (world) => {
    speak(world, ({ id, body }, connection) => connection.reply(id, "y".repeat(body.length)));
    const client = new SimHttp2Client(world.connectPeer());
    for (let round = 0; round < 900; round++) {
      const id = client.request("/", "x".repeat(10_000));
      world.run(20);
      assertEquals(client.log.body(id).length, 10_000, `request ${round}`);
    }
  });
});

Deno.test("Http2Dialer GOAWAY before the last answer: it arrives, and the next is asked elsewhere", () => {
  simulate({ ...HTTP2, servers: 1 }, (world) => {
    const served = speak(world, ({ id }, connection) => {
      if (served[0]!.length === 1) connection.send(frame(GOAWAY, 0, 0, number(id, 4) + number(0, 4)));
      connection.reply(id, "here");
    });
    const client = world.connect().get("/1");
    world.run(100);
    client.get("/2");
    world.run(100);
    assertEquals(client.answers.map(({ body }) => body), ["here", "here"]);
  });
});

Deno.test("Http2Dialer a connection on which nothing comes any more is not used again", () => {
  simulate({
    ...HTTP2,
    servers: 1,
    pool: { http2: true, timeouts: { ...POOL_TIMEOUTS, responseMs: 1000 } },
  }, (world) => {
    const served = speak(world, (request, connection) => {
      if (served[0]!.length > 1 || request.id === 1) echo(request, connection);
    });
    const client = world.connect().get("/1");
    world.run(100);
    client.get("/2");
    world.run(2000);
    client.get("/3");
    world.run(100);
    assertEquals(client.statuses, [200, 504, 200]);
  });
});

Deno.test("Http2Dialer a server that never says its settings is given up in time, however many come to wait for it", () => {
  const timeouts = { connectMs: 500, responseMs: 5000, idleMs: 5000 };
  const pool = { http2: true, timeouts, retry: { attempts: 0, on: [], budget: 0 } };
  simulate({ pool, servers: 1 }, (world) => {
    const frames: string[] = [];
    world.servers[0]!.onBytes = (view) => {
      frames.push(latin1(view, 0, view.length));
      return true;
    };
    const clients = [];
    for (let at = 0; at < 10; at++) {
      clients.push(world.connect().get("/"));
      world.run(200);
    }
    world.run(1000);
    assertEquals(clients.map(({ statuses }) => statuses), clients.map(() => [503]));
    assert(world.servers[0]!.connections.length > 2, "each connection has its time, and then comes the next");
    const log = new FrameLog();
    log.feed(frames.join("").slice(PREFACE.length));
    assert(log.frames.some(({ type }) => type === GOAWAY));
  });
});

Deno.test("Http2Dialer a GOAWAY is read by a server before the connection is closed", () => {
  for (const seed of SEEDS) {
    simulate({ ...HTTP2, servers: 1, seed }, (world) => {
      const served = speak(world, echo);
      world.connect().get("/1");
      world.run(100_000);
      const [{ log, connection }] = served[0]! as [Http2Served];
      assert(log.frames.some(({ type }) => type === GOAWAY));
      assertEquals(connection.peer.stream.closed, true);
    });
  }
});

const ASK = "Connection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
  "Sec-WebSocket-Version: 13\r\n";
/** Servers that take WebSockets within streams (RFC 8441 section 3). */
const TAKES_WEBSOCKETS = [[8, 1]] as const;

/** The stream on which a server is asked for a WebSocket. */
function asked({ log }: Http2Served): { id: number; fields: string[] } {
  const head = log.frames.findLast(({ type }) => type === HEADERS)!;
  return { id: head.stream, fields: log.fields(head) };
}

Deno.test("Http2Dialer RFC 8441: a WebSocket of HTTP/1 reaches a server of HTTP/2, bytes go both ways, both ends end it", () => {
  for (const seed of SEEDS) {
    simulate({ ...HTTP2, servers: 1, seed }, (world) => {
      const served = speak(world, () => {}, TAKES_WEBSOCKETS);
      const client = world.connect().get("/chat?a=b", ASK);
      world.run(100);
      const [server] = served[0]! as [Http2Served];
      const { id, fields } = asked(server);
      assertEquals(fields.slice(0, 5), [
        ":method: CONNECT",
        ":scheme: http",
        ":path: /chat?a=b",
        ":authority: a.test",
        ":protocol: websocket",
      ]);
      assert(fields.includes("sec-websocket-version: 13") && fields.includes("x-forwarded-for: 192.0.2.7"));
      assert(
        !fields.some((line) => /^(upgrade|connection|sec-websocket-key|te):/.test(line)),
        String(fields),
      );
      server.send(
        frame(
          HEADERS,
          END_HEADERS,
          id,
          block([":status", "200"], ["sec-websocket-accept", "no"], [
            "sec-websocket-protocol",
            "chat",
          ]),
        ),
      );
      server.send(frame(DATA, 0, id, "hello "));
      world.run(100);
      client.send("x".repeat(100_000));
      world.run(1000);
      const [answer] = client.answers;
      assertEquals(client.statuses, [101]);
      assertEquals(answer!.headers.get("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
      assertEquals(answer!.headers.get("sec-websocket-protocol"), "chat");
      assertEquals(server.log.body(id).length, 100_000);
      server.send(frame(DATA, 0, id, "world"));
      world.run(100);
      assertEquals(client.reader.tunnel, "hello world");
      if (seed % 2 === 0) {
        client.peer.end();
        world.run(100);
        assertEquals(server.log.complete(id), true, "the client's end reaches the server");
        server.send(frame(DATA, END_STREAM, id));
      } else {
        server.send(frame(DATA, END_STREAM, id));
        world.run(100);
        assertEquals(client.ended, true, "the server's end reaches the client");
        client.peer.end();
      }
      world.run(1000);
      assertEquals([client.ended, world.sessions.size], [true, 0]);
      assertEquals(world.servers[0]!.open.length, 1, "the connection stays for others");
    });
  }
});

Deno.test("Http2Dialer RFC 8441: a WebSocket passes from HTTP/2 to HTTP/2, or is refused as the server says", () => {
  for (const seed of SEEDS) {
    simulate({ ...HTTP2, servers: 1, seed }, (world) => {
      const served = speak(world, () => {}, TAKES_WEBSOCKETS);
      const client = new SimHttp2Client(world.connectPeer());
      const open = () =>
        client.open(
          block([":method", "CONNECT"], [":protocol", "websocket"], [":scheme", "http"], [":path", "/"], [
            ":authority",
            "a.test",
          ]),
          false,
        );
      const first = open();
      world.run(100);
      const [server] = served[0]! as [Http2Served];
      const { id } = asked(server);
      server.send(frame(HEADERS, END_HEADERS, id, block([":status", "200"])));
      client.peer.send(frame(DATA, 0, first, "ping"));
      world.run(100);
      server.send(frame(DATA, END_STREAM, id, "pong"));
      world.run(100);
      assertEquals([client.log.status(first), client.log.body(first), server.log.body(id)], [
        200,
        "pong",
        "ping",
      ]);
      const second = open();
      world.run(100);
      server.send(frame(HEADERS, END_HEADERS | END_STREAM, asked(server).id, block([":status", "403"])));
      world.run(100);
      assertEquals([client.log.status(second), client.log.complete(second)], [403, true]);
    });
  }
});

Deno.test("Http2Dialer RFC 8441: without the server's word a WebSocket is refused, other upgrades are passed over", () => {
  simulate({ ...HTTP2, servers: 1 }, (world) => {
    speak(world, echo);
    const [socket, other] = [
      world.connect().get("/a", ASK),
      world.connect().get("/b", "Connection: Upgrade\r\nUpgrade: chat\r\n"),
    ];
    world.run(100);
    assertEquals([socket.statuses, other.statuses], [[502], [200]]);
    assertEquals(world.log.map(({ error }) => error).sort(), ["", "upgradeRefused"]);
    assertEquals(world.servers[0]!.open.length, 1);
  });
});
