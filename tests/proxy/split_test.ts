/** Requests that are split between pools, over simulated streams. */
import type { HashOn, RouteSnapshot, SplitAction } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { simulate, type World, type WorldOptions } from "../sim/world.ts";

const match = { hosts: [], methods: [], headers: [], query: [] };

function route(hashOn: HashOn | null): RouteSnapshot {
  const pools = [{ pool: "app", weight: 90 }, { pool: "canary", weight: 10 }];
  return { match, action: { kind: "split", pools, hashOn } };
}

function world(hashOn: HashOn | null, more: WorldOptions = {}): WorldOptions {
  return { servers: 3, otherPools: { canary: [2] }, routes: [route(hashOn)], ...more };
}

/** Of each server. */
const requests = (world: World) => world.servers.map(({ seen }) => seen.length);

Deno.test("Exchange splits requests between pools by weight, each anew where nothing is hashed", () => {
  simulate(world(null), (world) => {
    const client = world.connect();
    for (let n = 0; n < 1000; n++) client.get(`/${n}`);
    world.settle();
    assertEquals(client.statuses.filter((status) => status === 200).length, 1000);
    const [a = 0, b = 0, canary = 0] = requests(world);
    assertEquals(a + b + canary, 1000);
    assert(canary > 60 && canary < 140, `${canary} of 1000`);
    assertEquals(new Set(world.log.map(({ pool }) => pool)), new Set(["app", "canary"]));
  });
});

Deno.test("Exchange keeps whoever has the same cookie at one pool", () => {
  simulate(world({ kind: "cookie", name: "user" }), (world) => {
    for (let user = 0; user < 100; user++) {
      for (let n = 0; n < 3; n++) world.connect().get("/", `Cookie: a=${n}; user=${user}\r\n`);
    }
    world.settle();
    const canary = requests(world)[2]!;
    assertEquals(canary % 3, 0, "all three of a user, or none");
    assert(canary > 0 && canary < 90, `${canary} of 300`);
  });
});

Deno.test("Exchange names the pool of its choice to clients that named no host, and retries there only", () => {
  simulate(world({ kind: "sourceIp", name: "" }), (world) => {
    const action: SplitAction = {
      kind: "split",
      pools: [{ pool: "app", weight: 0 }, { pool: "canary", weight: 1 }],
      hashOn: null,
    };
    world.reload((snapshot) => ({
      ...snapshot,
      listeners: snapshot.listeners.map((each) => ({ ...each, routes: [{ match, action }] })),
    }));
    world.servers[2]!.accepts = "refuses";
    const client = world.connect().get("/");
    world.settle();
    assertEquals(client.statuses, [503]);
    assertEquals(requests(world), [0, 0, 0]);
    world.servers[2]!.accepts = "yes";
    world.connect().send("GET / HTTP/1.0\r\n\r\n", "GET");
    world.settle();
    assertEquals(world.servers[2]!.seen.map(({ headers }) => headers.get("host")), ["canary"]);
  });
});

Deno.test("TcpConnection splits connections between pools", () => {
  simulate(world(null, { protocol: "tcp" }), (world) => {
    for (let n = 0; n < 300; n++) world.connect();
    world.settle();
    const dials = world.servers.map((server) => server.dials);
    assertEquals(dials.reduce((sum, one) => sum + one), 300);
    assert(dials[2]! > 5 && dials[2]! < 80, dials.join(" "));
  });
});
