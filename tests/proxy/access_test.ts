/** Who may come in, by address: requests, connections, and clients behind proxies. */
import { assertEquals } from "../assert.ts";
import type { AccessSnapshot } from "../../mod/config/guard_snapshot.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { LISTENER_COLUMN } from "../../mod/base/counters.ts";
import { simulate, type World } from "../sim/world.ts";

const ANY = { hosts: [], methods: [], headers: [], query: [] };
const route = (path: string | null, ...access: AccessSnapshot[]): RouteSnapshot => ({
  match: path === null ? ANY : { ...ANY, path },
  action: { kind: "pool", pool: "app" },
  ...(access.length === 0 ? {} : { guards: { access } }),
});
const only = (...allow: string[]): AccessSnapshot => ({ allow, deny: [] });
const not = (...deny: string[]): AccessSnapshot => ({ allow: [], deny });

function status(world: World, host: string, path = "/", more = ""): number {
  const client = world.connect(host).get(path, more);
  world.settle();
  return client.statuses[0]!;
}

function denied(world: World): number {
  return world.memory.counters.listener(0, LISTENER_COLUMN.accessDenied);
}

Deno.test("access: 403 for whom a route does not let in, and no server hears of it", () => {
  const routes = [route("/admin", not("192.0.2.0/24"), only("192.0.0.0/16", "198.51.100.0/24")), route(null)];
  simulate({ routes }, (world) => {
    const hosts = ["192.0.2.1", "192.0.3.1", "::ffff:192.0.2.1", "203.0.113.1"];
    assertEquals(hosts.map((host) => status(world, host, "/admin")), [403, 200, 403, 403]);
    assertEquals(hosts.map((host) => status(world, host, "/")), [200, 200, 200, 200]);
    assertEquals(world.servers.flatMap(({ seen }) => seen).length, 5);
    assertEquals(denied(world), 3);
    assertEquals(world.log.filter(({ error }) => error === "accessDenied")[0]!.target, "/admin");
  });
});

Deno.test("access: the listener's holds for requests that no route takes", () => {
  const listener = { guards: { access: [not("192.0.2.0/24")] } };
  simulate({ listener, routes: [route("/here")] }, (world) => {
    assertEquals([status(world, "192.0.2.1"), status(world, "192.0.3.1")], [403, 404]);
  });
});

Deno.test("access: a connection goes on behind a 403, its small body included", () => {
  simulate({ routes: [route("/admin", not("192.0.2.0/24")), route(null)] }, (world) => {
    const client = world.connect("192.0.2.1").request("POST", "/admin", "Content-Length: 4\r\n", "body");
    world.settle();
    client.get("/");
    world.settle();
    assertEquals([client.statuses, client.ended], [[403, 200], false]);
  });
});

Deno.test("access: proxies that are believed tell the address, others do not", () => {
  const listener = { trustedProxies: ["10.0.0.0/8"] };
  simulate({ listener, routes: [route(null, not("192.0.2.0/24"))] }, (world) => {
    const from = (host: string, forwarded: string) =>
      status(world, host, "/", `X-Forwarded-For: ${forwarded}\r\n`);
    assertEquals(from("10.0.0.1", "192.0.2.1"), 403);
    assertEquals(from("10.0.0.1", "192.0.2.1, 203.0.113.1"), 200);
    assertEquals(from("10.0.0.1", "203.0.113.1, 192.0.2.1, 10.0.0.2"), 403);
    assertEquals(from("203.0.113.1", "192.0.2.1"), 200);
    assertEquals(from("192.0.2.1", "203.0.113.1"), 403);
  });
});

Deno.test("access: a reload changes it for connections that are open", () => {
  simulate({}, (world) => {
    const client = world.connect("192.0.2.1").get("/");
    world.settle();
    const routes = [route(null, not("192.0.2.1/32"))];
    world.reload((snapshot) => ({
      ...snapshot,
      listeners: snapshot.listeners.map((one) => ({ ...one, routes })),
    }));
    client.get("/");
    world.settle();
    assertEquals(client.statuses, [200, 403]);
  });
});

Deno.test("access: a tcp listener closes the connection at once, by the address of a PROXY header too", () => {
  const listener = {
    guards: { access: [not("192.0.2.0/24")] },
    proxyProtocol: { from: ["10.0.0.0/8"] },
  };
  simulate({ protocol: "tcp", listener }, (world) => {
    for (const server of world.servers) {
      server.onConnect = (connection) => connection.send("hello");
      server.onBytes = () => true;
    }
    const text = (host: string, first = "") => {
      const peer = world.connectPeer(host);
      if (first !== "") peer.send(first);
      world.settle();
      return peer.text;
    };
    const header = (host: string) => `PROXY TCP4 ${host} 10.0.0.9 1000 80\r\n`;
    assertEquals([text("192.0.2.1"), text("203.0.113.1")], ["", "hello"]);
    assertEquals([text("10.0.0.1", header("192.0.2.1")), text("10.0.0.1", header("203.0.113.1"))], [
      "",
      "hello",
    ]);
    assertEquals(world.servers.reduce((sum, { dials }) => sum + dials, 0), 2);
    assertEquals(denied(world), 2);
    assertEquals(world.log.map(({ error, clientHost }) => `${error} ${clientHost}`), [
      "accessDenied 192.0.2.1",
      "accessDenied 192.0.2.1",
    ]);
  });
});

Deno.test("access: a route of a tcp listener has its own", () => {
  simulate({ protocol: "tcp", routes: [route(null, not("192.0.2.0/24"))] }, (world) => {
    for (const server of world.servers) server.onConnect = (connection) => connection.send("hello");
    const [bad, good] = [world.connectPeer("192.0.2.1"), world.connectPeer("203.0.113.1")];
    world.settle();
    assertEquals([bad.text, good.text, denied(world)], ["", "hello", 1]);
  });
});
