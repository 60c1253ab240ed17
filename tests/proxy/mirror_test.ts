/** Copies of requests for another pool, over simulated streams: what they are, and that nobody waits for them. */
import { LISTENER_COLUMN, SERVER_COLUMN } from "../../mod/base/counters.ts";
import type { MirrorSnapshot, RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { reply } from "../sim/parties.ts";
import { everyWay, simulate, type World, type WorldOptions } from "../sim/world.ts";

const match = { hosts: [], methods: [], headers: [], query: [] };
const MIRROR: MirrorSnapshot = { pool: "shadow", share: 1, body: 64 * 1024, requests: 100 };

/** Two servers; the second gets the copies. */
function world(mirror: Partial<MirrorSnapshot> = {}, more: WorldOptions = {}): WorldOptions {
  const route: RouteSnapshot = {
    match,
    action: { kind: "pool", pool: "app" },
    mirror: { ...MIRROR, ...mirror },
  };
  return { servers: 2, otherPools: { shadow: [1] }, routes: [route], ...more };
}

/** How many copies were answered, failed and were skipped. */
function results({ memory: { counters } }: World): number[] {
  return (["mirrorsAnswered", "mirrorsFailed", "mirrorsSkipped"] as const)
    .map((name) => counters.listener(0, LISTENER_COLUMN[name]));
}

Deno.test("MirrorCopy is the request as its server got it, whatever its body is", () => {
  const body = "x".repeat(5000);
  everyWay((way) =>
    simulate(world({}, way), (world) => {
      const client = world.connect()
        .get("/a?b=c", "X-A: 1\r\n")
        .request("HEAD", "/head")
        .request("POST", "/small", "Content-Length: 4\r\n", "body")
        .request("PUT", "/large", `Content-Length: ${body.length}\r\n`, body)
        .request(
          "POST",
          "/chunked",
          "Transfer-Encoding: chunked\r\n",
          `3\r\nabc\r\n1388\r\n${body}\r\n0\r\n\r\n`,
        );
      world.settle();
      assertEquals(client.statuses, [200, 200, 200, 200, 200]);
      assert(client.answers.every(({ body }) => !body.startsWith("b ")), "answers are of the first server");
      // Whole bodies and others may change places: copies have connections of their own.
      const [seen, copied] = world.servers.map(({ seen }) =>
        seen.map(({ line, headers, body }) => [line, ...headers, body].join("\n")).sort()
      );
      assertEquals(copied, seen);
      assertEquals(results(world), [5, 0, 0]);
      assertEquals(world.log.length, 5, "copies are in no access log");
      assertEquals(
        world.memory.counters.listener(0, LISTENER_COLUMN.requests),
        5,
        "nor in the listener's requests",
      );
    }), 5);
});

Deno.test("LoneRequest nothing that becomes of a copy is seen by the client", () => {
  const answers: ((world: World) => void)[] = [
    ({ servers }) => servers[1]!.accepts = "refuses",
    ({ servers }) => servers[1]!.accepts = "silent",
    ({ servers }) => servers[1]!.answer = () => {},
    ({ servers }) => servers[1]!.answer = (_request, { peer }) => peer.end(),
    ({ servers }) => servers[1]!.answer = (_request, connection) => connection.send("nonsense\r\n\r\n"),
    ({ servers }) => servers[1]!.answer = (_request, connection) => connection.send("HTTP/1.1 101 X\r\n\r\n"),
    ({ servers }) =>
      servers[1]!.answer = (_request, connection) => {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        connection.peer.end();
      },
  ];
  for (const [at, break_] of answers.entries()) {
    everyWay((way) =>
      simulate(world({}, way), (world) => {
        break_(world);
        const client = world.connect().get("/a").request("POST", "/b", "Content-Length: 4\r\n", "body");
        world.settle();
        assertEquals(client.statuses, [200, 200], `${at}`);
        assertEquals(client.ended, false);
        world.run(200_000);
        assertEquals(results(world), [0, 2, 0], `${at}`);
        world.settle();
      }), 3);
  }
});

Deno.test("LoneRequest reads every framing of an answer and keeps the connection where it can", () => {
  const answers: [text: string, ends: boolean, kept: boolean][] = [
    [reply(200, "abc"), false, true],
    [reply(503, ""), false, true],
    ["HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No\r\n\r\n", false, true],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false, true],
    [reply(200, "abc", "Connection: close\r\n"), false, false],
    [reply(200, "abc") + "more", false, false],
    ["HTTP/1.1 200 OK\r\n\r\nuntil the end", true, false],
    // The rest of it is not worth reading.
    [`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(100_000)}`, false, false],
  ];
  for (const [text, ends, kept] of answers) {
    everyWay((way) =>
      simulate(world({}, way), (world) => {
        const shadow = world.servers[1]!;
        shadow.answer = (_request, connection) => {
          connection.send(text);
          if (ends) connection.peer.end();
        };
        world.connect().get("/");
        world.settle();
        assertEquals(results(world), [1, 0, 0], text.slice(0, 99));
        assertEquals(shadow.open.length, kept ? 1 : 0, text.slice(0, 99));
        assertEquals(world.idle.size, kept ? 2 : 1);
        world.connect().get("/");
        world.settle();
        assertEquals(results(world), [2, 0, 0]);
        assertEquals(shadow.dials, kept ? 1 : 2);
      }), 2);
  }
});

Deno.test("MirrorCopy is left out when it would be too much, and the request is not", () => {
  simulate(world({ body: 100 }), (world) => {
    const long = "x".repeat(101);
    const client = world.connect()
      .request("POST", "/a", "Content-Length: 101\r\n", long)
      .request("POST", "/b", "Transfer-Encoding: chunked\r\n", `65\r\n${long}\r\n0\r\n\r\n`)
      .request("POST", "/c", "Content-Length: 100\r\n", long.slice(1))
      .get("/d", "Connection: Upgrade\r\nUpgrade: x\r\n");
    world.settle();
    assertEquals(client.statuses, [200, 200, 200, 200]);
    assertEquals(world.servers[1]!.seen.map(({ line }) => line), ["POST /c HTTP/1.1"]);
    assertEquals(results(world), [1, 0, 3]);
  });
  simulate(world({ requests: 2 }), (world) => {
    world.servers[1]!.answer = () => {};
    const client = world.connect().get("/a").get("/b").get("/c");
    world.settle();
    assertEquals(client.statuses, [200, 200, 200]);
    assertEquals(results(world), [0, 0, 1]);
    world.run(120_000);
    assertEquals(results(world), [0, 2, 1]);
    world.connect().get("/d");
    world.settle();
    assertEquals(world.servers[1]!.seen.length, 3, "places are given back");
    world.run(120_000);
  });
});

Deno.test("MirrorCopy is dropped with a request that never becomes whole", () => {
  for (const way of ["leaves", "breaks", "answered"] as const) {
    simulate(world(), (world) => {
      if (way === "answered") {
        world.servers[0]!.onHead = (connection) => connection.send(reply(413, "", "Connection: close\r\n"));
      }
      const client = world.connect().send(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "POST",
      );
      world.settle();
      if (way === "leaves") client.peer.reset();
      if (way === "breaks") client.send("nonsense\r\n");
      world.settle();
      assertEquals(world.servers[1]!.dials, 0);
      assertEquals(results(world), [0, 0, 1], way);
    });
  }
});

Deno.test("LoneRequest goes on after its client has left, and is a share of the requests", () => {
  simulate(world(), (world) => {
    world.servers[1]!.accepts = "silent";
    const client = world.connect().get("/");
    world.settle();
    client.peer.end();
    world.settle();
    assertEquals(world.sessions.size, 0);
    world.run(10_000);
    assertEquals(results(world), [0, 1, 0]);
    assert(world.memory.counters.server(1, SERVER_COLUMN.connectTimeouts) > 0, "and counts for its server");
  });
  simulate(world({ share: 0.2 }), (world) => {
    const client = world.connect();
    for (let n = 0; n < 500; n++) client.get("/");
    world.settle();
    const copies = world.servers[1]!.seen.length;
    assert(copies > 60 && copies < 140, `${copies} of 500`);
    assertEquals(results(world), [copies, 0, 0]);
  });
});

Deno.test("LoneRequest takes a fresh connection when an idle one turns out to be gone", () => {
  simulate(world(), (world) => {
    const client = world.connect().get("/a");
    world.settle();
    const shadow = world.servers[1]!;
    shadow.connections[0]!.peer.breakReceiving(1, "reset");
    client.get("/b");
    world.settle();
    assertEquals(client.statuses, [200, 200]);
    assertEquals(shadow.connections.length, 2);
    assertEquals(results(world), [2, 0, 0]);
  });
});
