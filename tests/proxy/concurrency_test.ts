/** Limits of what is under way at a time: requests on a route, connections of an address. */
import { assertEquals } from "../assert.ts";
import { LISTENER_COLUMN } from "../../mod/base/counters.ts";
import type { ConcurrencySnapshot } from "../../mod/config/guard_snapshot.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { PREFACE } from "../conformance/http2_client.ts";
import { concurrencyLimit } from "../guard/limits.ts";
import { reply } from "../sim/parties.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

const ANY = { hosts: [], methods: [], headers: [], query: [] };
const limited = (more: Partial<ConcurrencySnapshot>): readonly RouteSnapshot[] => [{
  match: ANY,
  action: { kind: "pool", pool: "app" },
  guards: { concurrencyLimits: [concurrencyLimit(more)] },
}];
const connections = (more: Partial<ConcurrencySnapshot>, options: WorldOptions = {}): WorldOptions => ({
  ...options,
  listener: { ...options.listener, connectionLimit: concurrencyLimit({ kind: "connections", ...more }) },
});

/** Nothing is counted as under way. */
function quiet(world: World): void {
  assertEquals(world.limits.map(({ entries }) => entries), [0]);
}

Deno.test("concurrency: what is beyond the limit gets its status, until one is over", () => {
  simulate({ servers: 1, routes: limited({ most: 2, status: 503 }) }, (world) => {
    const [server] = world.servers;
    server!.answer = () => {};
    const [first, second, third] = [1, 2, 3].map(() => world.connect().get("/"));
    world.settle();
    const other = world.connect("192.0.2.99").get("/");
    world.settle();
    assertEquals([first, second, third, other].map((client) => client!.statuses), [[], [], [503], []]);
    assertEquals(world.log[0]!.error, "concurrencyLimited");
    server!.connections[0]!.send(reply(200, "done"));
    world.settle();
    assertEquals(first!.statuses, [200]);
    third!.get("/");
    world.settle();
    assertEquals(third!.statuses, [503]);
    for (const connection of server!.connections) connection.send(reply(200, "done"));
    world.settle();
    assertEquals([second!.statuses, third!.statuses, other.statuses], [[200], [503, 200], [200]]);
    quiet(world);
  });
});

Deno.test("concurrency: however a request ends, its place is given back", () => {
  const endings: readonly ((world: World) => void)[] = [
    (world) => world.network.streams[0]!.peer.reset(),
    (world) => world.servers[0]!.connections[0]!.peer.reset(),
    (world) => world.servers[0]!.connections[0]!.send("nonsense\r\n\r\n"),
    (world) => world.run(61_000),
    (world) => world.servers[0]!.connections[0]!.send(reply(200, "x".repeat(50_000))),
    (world) => {
      const [connection] = world.servers[0]!.connections;
      connection!.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
      world.settle();
      assertEquals(world.limits[0]!.entries, 1, "a tunnel is under way");
      connection!.peer.end();
      world.network.streams[0]!.peer.end();
    },
  ];
  for (const end of endings) {
    simulate({ servers: 1, routes: limited({ most: 1 }) }, (world) => {
      world.servers[0]!.answer = () => {};
      world.connect().get("/", "Connection: upgrade\r\nUpgrade: x\r\n");
      world.settle();
      assertEquals(world.limits[0]!.entries, 1);
      end(world);
      world.settle();
      quiet(world);
    });
  }
});

Deno.test("concurrency: what waits in the queue of a pool is under way", () => {
  const servers = [{ maxConnections: 1 }];
  simulate({ servers, routes: limited({ most: 2 }) }, (world) => {
    world.servers[0]!.answer = () => {};
    const clients = [1, 2, 3].map(() => world.connect().get("/"));
    world.settle();
    assertEquals(clients.map(({ statuses }) => statuses), [[], [], [429]]);
  });
});

Deno.test("concurrency: a reload keeps what is under way, of a table of another size begins anew", () => {
  simulate({ servers: 1, routes: limited({ most: 1 }) }, (world) => {
    world.servers[0]!.answer = () => {};
    const reload = (more: Partial<ConcurrencySnapshot>) =>
      world.reload((snapshot) => ({
        ...snapshot,
        listeners: snapshot.listeners.map((one) => ({ ...one, routes: limited({ most: 1, ...more }) })),
      }));
    world.connect().get("/");
    world.settle();
    reload({ dryRun: false });
    const client = world.connect().get("/");
    world.settle();
    reload({ size: 512 });
    client.get("/");
    world.settle();
    assertEquals(client.statuses, [429]);
    for (const connection of world.servers[0]!.connections) connection.send(reply(200, "done"));
    world.settle();
    quiet(world);
  });
});

Deno.test("connections: those beyond the limit of an address are closed at once, others not", () => {
  for (const protocol of ["http", "tcp"] as const) {
    simulate(connections({ most: 2 }, { protocol, servers: 1 }), (world) => {
      world.servers[0]!.onConnect = (connection) => protocol === "tcp" && connection.send("hello");
      const peers = ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"].map((host) =>
        world.connectPeer(host)
      );
      world.settle();
      assertEquals(peers.map(({ gotEnd }) => gotEnd), [false, false, true, false]);
      assertEquals(world.memory.counters.listener(0, LISTENER_COLUMN.connectionLimited), 1);
      peers[0]!.end();
      world.run(5000);
      const again = [1, 2].map(() => world.connectPeer("192.0.2.1"));
      world.settle();
      assertEquals(again.map(({ gotEnd }) => gotEnd), [false, true]);
      assertEquals(world.limits[0]!.refused, 2);
    });
  }
});

Deno.test("connections: a place is given back whatever stages a connection went through", () => {
  const listener = { proxyProtocol: { from: ["10.0.0.0/8"] }, trustedProxies: ["10.0.9.0/24"] };
  simulate(connections({ most: 1 }, { listener }), (world) => {
    const header = (host: string) => `PROXY TCP4 ${host} 10.0.0.9 1000 80\r\n`;
    const open = (first: string, host = "10.0.0.1") => {
      const peer = world.connectPeer(host);
      peer.send(first);
      world.settle();
      return peer;
    };
    const client = open(`${header("192.0.2.1")}GET / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    assertEquals(client.text.startsWith("HTTP/1.1 200"), true);
    assertEquals(open(header("192.0.2.1")).gotEnd, true);
    // HTTP/2 goes on with the same connection.
    const http2 = open(header("192.0.2.2") + PREFACE);
    assertEquals([http2.gotEnd, open(header("192.0.2.2")).gotEnd], [false, true]);
    const before = world.limits[0]!.entries;
    http2.reset();
    client.reset();
    world.settle();
    assertEquals([before, world.limits[0]!.entries], [2, 0]);
    // Proxies have many clients.
    const proxies = [1, 2, 3].map(() => open(header("10.0.9.1")));
    assertEquals(proxies.map(({ gotEnd }) => gotEnd), [false, false, false]);
  });
});
