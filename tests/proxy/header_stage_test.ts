/** PROXY headers before sessions, in every way bytes may arrive, and those that Tandem sends itself. */
import { LISTENER_COLUMN } from "../../mod/base/counters.ts";
import { latin1 } from "../../mod/http/grammar.ts";
import { localProxyHeader, writeProxyHeader, writeProxyLine } from "../../mod/net/proxy_protocol.ts";
import { assert, assertEquals } from "../assert.ts";
import type { ServedConnection } from "../sim/parties.ts";
import { everyWay, simulate, type World, type WorldOptions } from "../sim/world.ts";

const FROM = { proxyProtocol: { from: ["192.0.2.0/24"] } };
const CLIENT = { host: "203.0.113.9", port: 4711 }, SERVICE = { host: "198.51.100.1", port: 443 };
const LINE = text(writeProxyLine(CLIENT, SERVICE)), BINARY = text(writeProxyHeader(CLIENT, SERVICE));
const GET = "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n";

function text(bytes: Uint8Array): string {
  return latin1(bytes, 0, bytes.length);
}

/** Servers answer with what they were told of the client. */
function telling(world: World): void {
  for (const server of world.servers) {
    server.answer = ({ headers }, connection) => {
      const body = headers.get("x-forwarded-for")!;
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    };
  }
}

Deno.test("HeaderStage gives an http connection the client's address, for servers and log", () => {
  for (const header of [LINE, BINARY]) {
    everyWay((way) =>
      simulate({ ...way, listener: FROM }, (world) => {
        telling(world);
        const client = world.connect();
        client.send(`${header}${GET}`, "GET").get("/b");
        world.settle();
        assertEquals(client.answers.map(({ body }) => body), ["203.0.113.9", "203.0.113.9"]);
        assertEquals(world.log.map(({ clientHost, clientPort }) => [clientHost, clientPort]), [
          ["203.0.113.9", 4711],
          ["203.0.113.9", 4711],
        ]);
      })
    );
  }
});

Deno.test("HeaderStage hands on a large body with its buffers, and a header that comes alone", () => {
  const body = "b".repeat(50_000);
  everyWay((way) =>
    simulate({ ...way, listener: FROM }, (world) => {
      const client = world.connect();
      client.send(
        LINE + `PUT /up HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        "PUT",
      );
      world.settle();
      assertEquals(client.statuses, [200]);
      assertEquals(world.servers.flatMap(({ seen }) => seen.map((request) => request.body)), [body]);
      const other = world.connect().send(BINARY);
      world.run(500);
      other.get("/late");
      world.settle();
      assertEquals(other.statuses, [200]);
    }), 5);
});

Deno.test("HeaderStage leaves a connection as it is that its sender makes for itself", () => {
  for (const header of ["PROXY UNKNOWN\r\n", text(localProxyHeader())]) {
    simulate({ listener: FROM }, (world) => {
      telling(world);
      const client = world.connect().send(header + GET, "GET");
      world.settle();
      assertEquals(client.answers[0]!.body, "192.0.2.7");
    });
  }
});

Deno.test("HeaderStage requires a header of those who are named, and believes nobody else's", () => {
  simulate({ listener: FROM }, (world) => {
    const client = world.connect().send(GET, "GET");
    world.settle();
    assert(client.ended);
    assertEquals([client.answers.length, world.log[0]!.error], [0, "badProxyHeader"]);
  });
  simulate({ listener: { proxyProtocol: { from: ["10.0.0.0/8"] } } }, (world) => {
    telling(world);
    const client = world.connect().send(GET, "GET");
    const liar = world.connect().send(LINE + GET, "GET");
    world.settle();
    assertEquals(client.answers[0]!.body, "192.0.2.7");
    assertEquals(liar.statuses, [400]);
  });
});

Deno.test("HeaderStage whose client says it is a trusted proxy takes over what that client forwards", () => {
  const listener = { ...FROM, trustedProxies: ["203.0.113.0/24"] };
  simulate({ listener }, (world) => {
    telling(world);
    const client = world.connect().send(
      `${LINE}GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 8.8.8.8\r\n\r\n`,
      "GET",
    );
    world.settle();
    assertEquals(client.answers[0]!.body, "8.8.8.8, 203.0.113.9");
  });
});

Deno.test("HeaderStage on a tcp listener: the header is not passed on, what follows is, to its end", () => {
  everyWay((way) =>
    simulate({ ...way, protocol: "tcp", servers: 1, listener: FROM }, (world) => {
      world.servers[0]!.onBytes = (view, connection) => {
        connection.send(view.slice());
        return true;
      };
      const client = world.connectPeer();
      client.send(`${BINARY}early `);
      client.send("x".repeat(20_000));
      client.end();
      world.settle();
      assertEquals(client.text, `early ${"x".repeat(20_000)}`);
      assertEquals([world.log[0]!.clientHost, world.log[0]!.bytesIn, world.log[0]!.error], [
        "203.0.113.9",
        20_006,
        "",
      ]);
    })
  );
});

Deno.test("HeaderStage gives the hash policies the client's address", () => {
  for (const protocol of ["http", "tcp"] as const) {
    simulate({ protocol, servers: 4, pool: { balance: "maglev" }, listener: FROM }, (world) => {
      const visit = (host: string) => {
        const client = world.connectPeer();
        client.send(text(writeProxyLine({ host, port: 1 }, SERVICE)) + GET);
        client.end();
        world.settle();
        return world.log.at(-1)!.server;
      };
      const hosts = Array.from({ length: 20 }, (_, at) => `203.0.113.${at}`);
      const first = hosts.map(visit);
      assertEquals(hosts.map(visit), first, "the same client, the same server");
      assert(new Set(first).size > 1, "not all of them the same");
    });
  }
});

Deno.test("HeaderStage ends with its client, its time-out or its node", () => {
  const cases: [sends: string, then: (world: World) => void, errors: string[]][] = [
    ["", ({ network }) => network.streams[0]!.peer.end(), []],
    ["", ({ network }) => network.streams[0]!.peer.reset(), []],
    ["PRO", ({ network }) => network.streams[0]!.peer.end(), ["clientGone"]],
    ["", (world) => world.run(10_200), ["proxyHeaderTimeout"]],
    ["PRO", (world) => world.run(10_200), ["proxyHeaderTimeout"]],
    ["", (world) => (world.drain(), world.run(1200)), ["draining"]],
    ["PRO", ({ sessions }) => sessions.forEach((session) => session.close()), ["draining"]],
  ];
  for (const [sends, then, errors] of cases) {
    for (const protocol of ["http", "tcp"] as const) {
      simulate({ protocol, listener: FROM }, (world) => {
        const client = world.connectPeer();
        client.send(sends);
        world.settle();
        then(world);
        world.settle();
        assertEquals(world.log.map(({ error }) => error as string), errors);
        assertEquals(world.sessions.size, 0);
        assertEquals(world.memory.counters.listener(0, LISTENER_COLUMN.requests), errors.length);
      });
    }
  }
});

Deno.test("HeaderStage survives a client that breaks off at any byte", () => {
  for (const how of ["end", "hangUp", "reset"] as const) {
    for (const header of [LINE, BINARY]) {
      for (const protocol of ["http", "tcp"] as const) {
        const script = header + GET;
        for (let at = 0; at <= script.length; at++) {
          simulate({ seed: at, split: "random", delayMs: at % 3 * 3, protocol, listener: FROM }, (world) => {
            const client = world.connectPeer();
            client.breakSending(at, how);
            client.send(script);
            world.settle();
            world.run(20_000);
          });
        }
      }
    }
  }
});

/** What the server got on each of its connections: the client in the header, and the requests. */
function served(options: WorldOptions, run: (world: World) => void): string[][] {
  let got: string[][] = [];
  simulate({ ...options, servers: 1 }, (world) => {
    const server = world.servers[0]!;
    server.expectsHeader = true;
    const requests = new Map<ServedConnection, string[]>();
    server.onHead = (connection, line) => {
      requests.set(connection, [...requests.get(connection) ?? [], line.split(" ")[1]!]);
    };
    run(world);
    got = server.connections.map((connection) => {
      const { host, port } = connection.header!.addresses!.source;
      return [`${host} ${port}`, ...requests.get(connection)!];
    });
  });
  return got;
}

Deno.test("Exchange tells a server who the client is, on connections that are that client's alone", () => {
  const v1 = { pool: { proxyProtocol: "v1" as const } };
  everyWay((way) => {
    const got = served({ ...v1, ...way }, (world) => {
      const one = world.connect().get("/1");
      world.settle();
      one.get("/2");
      world.settle();
      const two = world.connect().get("/3");
      world.settle();
      one.get("/4");
      world.settle();
      assertEquals([one.statuses, two.statuses], [[200, 200, 200], [200]]);
      assertEquals(world.idle.size, 0, "nothing that others might use");
      one.peer.end();
      world.settle();
      assertEquals(world.servers[0]!.open.length, 1, "a client's connections end with it");
    });
    assertEquals(got, [["192.0.2.7 1000", "/1", "/2", "/4"], ["192.0.2.7 1001", "/3"]]);
  }, 5);
});

Deno.test("Exchange tells the addresses that a header told it, on a fresh connection after a stale one", () => {
  const options = { pool: { proxyProtocol: "v2" as const }, listener: FROM };
  const got = served(options, (world) => {
    const client = world.connect().send(LINE + GET, "GET");
    world.settle();
    world.servers[0]!.connections[0]!.peer.end();
    world.settle();
    client.get("/again");
    world.settle();
    assertEquals(client.statuses, [200, 200]);
  });
  assertEquals(got, [["203.0.113.9 4711", "/a"], ["203.0.113.9 4711", "/again"]]);
});

Deno.test("Exchange takes no connection whose slot went to another server at a reload", () => {
  const got = served({ pool: { proxyProtocol: "v1" } }, (world) => {
    const client = world.connect().get("/1");
    world.settle();
    world.reload((snapshot) => ({
      ...snapshot,
      pools: snapshot.pools.map((pool) => ({
        ...pool,
        servers: pool.servers.map((server) => ({ ...server, host: "10.0.0.2" })),
      })),
    }));
    client.get("/2");
    world.settle();
    assertEquals(client.statuses, [200, 200]);
  });
  assertEquals(got.map(([, ...requests]) => requests), [["/1"], ["/2"]]);
});

Deno.test("TcpConnection tells the server who the client is before the client's first byte", () => {
  for (const version of ["v1", "v2"] as const) {
    everyWay((way) =>
      simulate(
        { ...way, protocol: "tcp", servers: 1, pool: { proxyProtocol: version }, listener: FROM },
        (world) => {
          world.servers[0]!.onBytes = () => true;
          const client = world.connectPeer();
          client.send(`${LINE}hello`);
          client.end();
          world.settle();
          assertEquals(
            world.servers[0]!.connections[0]!.peer.text,
            `${version === "v1" ? LINE : BINARY}hello`,
          );
          assertEquals(world.log[0]!.bytesIn, 5);
        },
      )
    );
  }
});
