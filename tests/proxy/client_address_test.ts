/** That everything sees the same client behind proxies that are believed. */
import type { ListenerSnapshot, RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { simulate, type World } from "../sim/world.ts";
import { seenBy } from "./changes.ts";
import { table } from "./sticky_world.ts";

const CLIENT: Partial<ListenerSnapshot> = { trustedProxies: ["192.0.2.0/24"] };
const ANY: RouteSnapshot["match"] = { hosts: [], methods: [], headers: [], query: [] };
const from = (...addresses: string[]) => `X-Forwarded-For: ${addresses.join(", ")}\r\n`;

function ask(world: World, more: string, host?: string): number[] {
  const client = world.connect(host).get("/", more);
  world.settle();
  return client.statuses;
}

Deno.test("ClientConnection matches, logs and tells the client that a trusted proxy tells of", () => {
  const body = { contentType: "text/plain", body: "" };
  const routes: RouteSnapshot[] = [
    { match: { ...ANY, clients: ["198.51.100.0/24"] }, action: { kind: "respond", status: 403, ...body } },
    { match: ANY, action: { kind: "pool", pool: "app" } },
  ];
  simulate({ routes, listener: CLIENT, servers: 1 }, (world) => {
    assertEquals(ask(world, from("198.51.100.9")), [403]);
    assertEquals(ask(world, from("203.0.113.1")), [200]);
    assertEquals(ask(world, ""), [200]);
    assertEquals(ask(world, from("198.51.100.9"), "203.0.113.2"), [200], "a stranger is not believed");
    assertEquals(world.log.map(({ clientHost }) => clientHost), [
      "198.51.100.9",
      "203.0.113.1",
      "192.0.2.7",
      "203.0.113.2",
    ]);
    const told = seenBy(world).map(({ headers }) => [
      headers.get("x-real-ip"),
      headers.get("x-forwarded-for"),
    ]);
    assertEquals(told, [
      ["203.0.113.1", "203.0.113.1, 192.0.2.7"],
      ["192.0.2.7", "192.0.2.7"],
      ["203.0.113.2", "203.0.113.2"],
    ]);
  });
});

Deno.test("ClientConnection knows the client of each request of a connection", () => {
  simulate({ listener: CLIENT, servers: 1 }, (world) => {
    const client = world.connect();
    client.get("/", from("198.51.100.9")).get("/", from("198.51.100.8")).get("/");
    client.send("GET / HTTP/1.1\r\n\r\n", "GET");
    world.settle();
    assertEquals(client.statuses, [200, 200, 200, 400]);
    assertEquals(world.log.map(({ clientHost }) => clientHost), [
      "198.51.100.9",
      "198.51.100.8",
      "192.0.2.7",
      "192.0.2.7",
    ]);
  });
});

Deno.test("ClientConnection takes the client from the header that the configuration names", () => {
  simulate({ listener: { ...CLIENT, clientAddress: "x-real-ip" }, servers: 1 }, (world) => {
    ask(world, `${from("198.51.100.9")}X-Real-IP: 198.51.100.8\r\n`);
    ask(world, from("198.51.100.9"));
    assertEquals(world.log.map(({ clientHost }) => clientHost), ["198.51.100.8", "192.0.2.7"]);
  });
});

Deno.test("sessions and hashes are those of the client that a trusted proxy tells of", () => {
  const serversOf = (world: World) => {
    for (const client of [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]) ask(world, from(`198.51.100.${client}`));
    return world.log.map(({ server }) => server);
  };
  simulate({ listener: CLIENT, servers: 3, pool: { balance: "maglev" } }, (world) => {
    const servers = serversOf(world);
    assertEquals(servers.slice(0, 6), servers.slice(6));
    assert(new Set(servers).size > 1);
  });
  const servers = ["a", "b", "c"].map((name, slot) => ({ name, slot, id: `i${name}` }));
  simulate({ listener: CLIENT, servers, pool: { sticky: table() } }, (world) => {
    const seen = serversOf(world);
    assertEquals(seen.slice(0, 6), seen.slice(6));
    assertEquals(new Set(seen).size, 3);
  });
});

Deno.test("a PROXY header to a server names the client, and no other client uses that connection", () => {
  simulate({ listener: CLIENT, servers: 1, pool: { proxyProtocol: "v1" } }, (world) => {
    const lines: string[] = [];
    world.servers[0]!.onBytes = (view, connection) => {
      const text = new TextDecoder().decode(view);
      const proxied = /^PROXY TCP4 (\S+)/.exec(text);
      if (proxied !== null) lines.push(proxied[1]!);
      if (text.includes("\r\n\r\n")) connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      return true;
    };
    const client = world.connect();
    for (const address of ["198.51.100.9", "198.51.100.9", "198.51.100.8"]) {
      client.get("/", from(address));
      world.settle();
    }
    assertEquals(client.statuses, [200, 200, 200]);
    assertEquals(lines, ["198.51.100.9", "198.51.100.8"]);
  });
});
