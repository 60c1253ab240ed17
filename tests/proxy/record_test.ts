/** What is counted and noted of requests: the numbers that metrics and the access log show. */
import { LISTENER_COLUMN, SERVER_COLUMN, TRAFFIC_COLUMN } from "../../mod/base/counters.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { reply } from "../sim/parties.ts";
import { simulate, type World } from "../sim/world.ts";
import { ANY, ask, withCache, words } from "./cached_world.ts";

function server(world: World, slot: number): Partial<Record<keyof typeof SERVER_COLUMN, number>> {
  const columns = Object.entries(SERVER_COLUMN).map(([name, column]) => [
    name,
    world.memory.counters.server(slot, column),
  ]);
  return Object.fromEntries(columns.filter(([, value]) => value !== 0));
}

function listener(world: World, column: keyof typeof LISTENER_COLUMN): number {
  return world.memory.counters.listener(0, LISTENER_COLUMN[column]);
}

Deno.test("Record counts requests, connections, bytes and times of a server", () => {
  simulate({ servers: 1 }, (world) => {
    world.servers[0]!.answer = (_, connection) => {
      world.network.schedule.in(50, () => connection.send(reply(201, "made")));
    };
    const client = world.connect().get("/1").get("/2").request(
      "POST",
      "/3",
      "Content-Length: 6000\r\n",
      "x".repeat(6000),
    );
    world.settle();
    assertEquals(client.statuses, [201, 201, 201]);
    const counted = server(world, 0);
    const sent = world.log.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
    const received = client.peer.receivedBytes;
    assertEquals(counted, {
      requests: 3,
      connections: 1,
      reuses: 2,
      responses2xx: 3,
      bytesIn: sent,
      bytesOut: received,
      firstByteMs: 150,
      totalMs: 150,
    });
    assert(sent > 6000);
    assertEquals([listener(world, "requests"), listener(world, "responses2xx")], [3, 3]);
    assertEquals([listener(world, "bytesIn"), listener(world, "bytesOut")], [sent, received]);
    const { count, sumMs } = world.memory.counters.histogram(0);
    assertEquals([count, sumMs], [3, 150]);
    for (const name of ["firstByteMs", "totalMs"] as const) {
      const { count, sumMs } = world.memory.counters.trafficTimes(0, name);
      assertEquals([count, sumMs], [3, 150], name);
      assertEquals(world.memory.counters.serverTimes(0, name).count, 3);
    }
    const ofPool = (column: keyof typeof TRAFFIC_COLUMN) =>
      world.memory.counters.traffic(0, TRAFFIC_COLUMN[column]);
    assertEquals([ofPool("responses2xx"), ofPool("errors"), ofPool("bytesIn")], [3, 0, sent]);
  });
});

Deno.test("Record counts what went wrong, at the server and at the listener", () => {
  simulate({ servers: 2, pool: { retry: { on: ["connect", "empty", 503] } } }, (world) => {
    world.servers[0]!.accepts = "refuses";
    world.connect().get("/");
    world.settle();
    assertEquals(server(world, 0).connectErrors, 1);
    assertEquals(server(world, 0).retries, 1);
    world.servers[0]!.accepts = "silent";
    world.connect().get("/").get("/");
    world.run(4000);
    assertEquals([server(world, 0).connectErrors, server(world, 0).connectTimeouts], [2, 1]);
    world.servers[0]!.accepts = "yes";
    world.servers[0]!.answer = (_, { peer }) => peer.end();
    world.connect().get("/").get("/");
    world.settle();
    assertEquals(server(world, 0).emptyReplies, 1);
    world.servers[0]!.answer = (_, connection) => connection.send(reply(503, ""));
    world.connect().get("/").get("/");
    world.settle();
    assertEquals(server(world, 0).responses5xx, 1);
    assert(world.log.every(({ status, error }) => status === 200 && error === ""), "clients saw none of it");
    world.servers[0]!.answer = world.servers[1]!.answer = (_, connection) => connection.send("nonsense\r\n");
    world.connect().get("/");
    world.settle();
    assertEquals((server(world, 0).badResponses ?? 0) + (server(world, 1).badResponses ?? 0), 1);
    assertEquals([listener(world, "badResponse"), listener(world, "responses5xx")], [1, 1]);
  });
});

Deno.test("Record counts bytes of a request that was broken off", () => {
  simulate({ servers: 1 }, (world) => {
    world.servers[0]!.answer = (_, connection) => {
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst half");
      world.network.schedule.in(10, () => connection.peer.reset());
    };
    const client = world.connect().get("/");
    world.settle();
    assertEquals(world.log[0]!.bytesOut, client.peer.receivedBytes);
    assertEquals([server(world, 0).resets, world.log[0]!.status], [1, 200]);
  });
});

Deno.test("Record counts what a server answered also when the client gets what is stored instead", () => {
  const fields = `Cache-Control: max-age=10\r\nETag: "a"\r\n`;
  withCache(
    (world) => {
      const client = ask(world, ["/"]);
      for (const _ of ["renewed", "stale"]) {
        world.run(15_000);
        client.get("/");
        world.settle();
      }
      assertEquals([client.statuses, words(world)], [[200, 200, 200], "MISS REVALIDATED STALE"]);
      const { responses2xx, responses3xx, responses5xx } = server(world, 0);
      assertEquals([responses2xx, responses3xx, responses5xx], [1, 1, 1]);
      assertEquals([listener(world, "responses2xx"), listener(world, "responses5xx")], [3, 0]);
    },
    { cache: { staleIfErrorMs: 60_000 } },
    (_, connection, asked) => {
      const answer = asked === 1
        ? reply(200, "body", fields)
        : asked === 2
        ? `HTTP/1.1 304 Not Modified\r\n${fields}\r\n`
        : reply(503, "sorry");
      connection.send(answer);
    },
  );
});

Deno.test("Record counts what a function answered also when it hands the request on, or cannot", () => {
  const routes: RouteSnapshot[] = [{
    match: ANY,
    action: { kind: "pool", pool: "function:f" },
    next: ["app"],
  }];
  simulate({ servers: 2, otherPools: { "function:f": [1] }, routes }, (world) => {
    world.servers[1]!.answer = ({ line }, connection) => {
      const answer = line.includes("/on") ? "tandem-next: app\r\n" : "tandem-next: nobody\r\n";
      connection.send(reply(200, "", answer));
    };
    const client = world.connect().get("/on").get("/nowhere");
    world.settle();
    assertEquals(client.statuses, [200, 502]);
    assertEquals([server(world, 0).responses2xx, server(world, 1).responses2xx], [1, 2]);
  });
});
