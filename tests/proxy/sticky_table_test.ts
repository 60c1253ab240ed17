/** Sessions that are remembered in a table: what tells them, how long, and what is learned of answers. */
import { assert, assertEquals } from "../assert.ts";
import type { LearnSource, StickKey } from "../../mod/config/sticky_snapshot.ts";
import { reply } from "../sim/parties.ts";
import { helloBytes } from "../net/hello_bytes.ts";
import type { World } from "../sim/world.ts";
import { ask, serverOf, table, withSessions } from "./sticky_world.ts";

const by = (kind: StickKey["kind"], name = ""): StickKey => ({ kind, name });
const learn = (kind: LearnSource["kind"], name: string): LearnSource => ({ kind, name });

function sessions(world: World) {
  return world.tables.sticks.status(world.state.live.routes[0]!.pool!.snapshot, world.now).sessions!;
}

/** Asks from an address over a new connection; answers which server it was. */
function from(world: World, host: string, more = "", path = "/"): string {
  return serverOf(ask(world, world.connect(host), more, path));
}

Deno.test("sourceIp: a client stays where it was, and others are balanced", () => {
  withSessions(table(), (world) => {
    const hosts = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"];
    const servers = hosts.map((host) => from(world, host));
    assertEquals(servers, ["a", "b", "c", "a", "b"]);
    for (let round = 0; round < 3; round++) assertEquals(hosts.map((host) => from(world, host)), servers);
    const { entries, hits, misses } = sessions(world);
    assertEquals([entries, hits, misses], [5, 15, 5]);
  });
});

Deno.test("sourceIp: of a masked address only the first bits count", () => {
  withSessions(table({ mask: { ipv4: 20, ipv6: 64 } }), (world) => {
    const hosts = [
      "10.1.16.1",
      "10.1.31.255",
      "10.1.32.1",
      "2001:db8::1",
      "2001:db8::ffff:1",
      "2001:db8:0:1::1",
    ];
    assertEquals(hosts.map((host) => from(world, host)), ["a", "a", "b", "c", "c", "a"]);
  });
});

Deno.test("header, cookie and query: by their value, which means the same wherever it stands", () => {
  const keys = [by("cookie", "sid"), by("query", "sid"), by("header", "x-session")];
  withSessions(table({ by: keys }), (world) => {
    assertEquals(from(world, "192.0.2.1", "Cookie: sid=one\r\n"), "a");
    assertEquals(from(world, "192.0.2.1", "Cookie: sid=two\r\n"), "b");
    assertEquals(from(world, "192.0.2.1", "", "/?x=1&sid=one"), "a");
    assertEquals(from(world, "192.0.2.1", "X-Session: two\r\n"), "b");
    // The first that is known counts, not the first that is there.
    assertEquals(from(world, "192.0.2.1", "Cookie: sid=new\r\nX-Session: two\r\n"), "b");
    // Without any of them it is of no session.
    const servers = [1, 2, 3].map(() => from(world, "192.0.2.1"));
    assertEquals(new Set(servers).size, 3);
  });
});

Deno.test("a session is forgotten after its ttl, counted from its last use", () => {
  withSessions(table({ ttlMs: 10_000 }), (world) => {
    const first = from(world, "192.0.2.1");
    for (let n = 0; n < 3; n++) {
      world.run(8000);
      assertEquals(from(world, "192.0.2.1"), first);
    }
    world.run(10_001);
    assertEquals(sessions(world).entries, 0);
    assert(from(world, "192.0.2.1") !== first);
  });
});

Deno.test("learn: a session is on the server that named it", () => {
  const settings = { by: [by("cookie", "sid")], learn: [learn("setCookie", "sid")], storeRequest: false };
  withSessions(table(settings), (world) => {
    for (const [at, server] of world.servers.entries()) {
      const more = `Set-Cookie: other=sid=x\r\nSet-Cookie: sid=s${at}; Path=/\r\n`;
      server.answer = (_, to) => to.send(reply(200, server.name, more));
    }
    const servers = [1, 2, 3].map(() => from(world, "192.0.2.1"));
    assertEquals(servers, ["a", "b", "c"]);
    for (let n = 0; n < 3; n++) assertEquals(from(world, "192.0.2.9", `Cookie: sid=s${n}\r\n`), "abc"[n]);
    const before = sessions(world).entries;
    for (const server of world.servers) server.answer = (_, to) => to.send(reply(200, server.name));
    // What only clients say is not believed.
    from(world, "192.0.2.9", "Cookie: sid=made-up\r\n");
    assertEquals(sessions(world).entries, before);
  });
});

Deno.test("learn: a header of answers is learned from as well, and an empty value is nothing", () => {
  const settings = {
    by: [by("header", "x-session")],
    learn: [learn("header", "x-session")],
    storeRequest: false,
  };
  withSessions(table(settings), (world) => {
    const [a, b] = world.servers;
    a!.answer = (_, to) => to.send(reply(200, "a", "X-Session: \r\n"));
    b!.answer = (_, to) => to.send(reply(200, "b", "x-session: s1\r\n"));
    assertEquals([from(world, "192.0.2.1"), from(world, "192.0.2.1")], ["a", "b"]);
    assertEquals(sessions(world).entries, 1);
    assertEquals([1, 2, 3].map(() => from(world, "192.0.2.1", "X-Session: s1\r\n")), ["b", "b", "b"]);
  });
});

Deno.test("a session whose server is gone stays on the one that it was given then", () => {
  for (const how of ["down", "maint", "refuses"] as const) {
    withSessions(table(), (world) => {
      assertEquals(from(world, "192.0.2.1"), "a");
      const { slots } = world.control;
      if (how === "down") slots.setUp(0, false);
      else if (how === "maint") slots.setAdmin(0, "maint");
      else {
        world.servers[0]!.accepts = "refuses";
        for (const connection of world.servers[0]!.open) connection.peer.end();
        world.settle();
      }
      const other = from(world, "192.0.2.1");
      assert(other !== "a");
      slots.setUp(0, true);
      slots.setAdmin(0, "ready");
      world.servers[0]!.accepts = "yes";
      assertEquals([1, 2, 3].map(() => from(world, "192.0.2.1")), [other, other, other]);
      assertEquals(sessions(world).moved, 1);
    });
  }
});

Deno.test("a server in drain keeps its sessions and gets no new ones", () => {
  withSessions(table(), (world) => {
    assertEquals(from(world, "192.0.2.1"), "a");
    world.control.slots.setAdmin(0, "drain");
    assertEquals(from(world, "192.0.2.1"), "a");
    const fresh = [2, 3, 4, 5].map((n) => from(world, `192.0.2.${n}`));
    assertEquals(fresh.includes("a"), false);
  });
});

Deno.test("a table forgets when it is full, and counts it", () => {
  withSessions(table({ size: 8 }), (world) => {
    for (let n = 1; n <= 20; n++) from(world, `192.0.2.${n}`);
    const { entries, size, evictions } = sessions(world);
    assertEquals([entries, size, evictions], [8, 8, 12]);
  });
});

Deno.test("a reload keeps the sessions, of a table of another size and of other servers too", () => {
  withSessions(table(), (world) => {
    const hosts = Array.from({ length: 9 }, (_, n) => `192.0.2.${n}`);
    const servers = hosts.map((host) => from(world, host));
    world.reload((snapshot) => ({
      ...snapshot,
      pools: snapshot.pools.map((pool) => ({
        ...pool,
        sticky: table({ size: 256, ttlMs: 30_000 }),
        servers: [...pool.servers.slice(1).reverse(), pool.servers[0]!],
      })),
    }));
    assertEquals(hosts.map((host) => from(world, host)), servers);
    assertEquals([sessions(world).size, sessions(world).misses], [256, 9]);
    // A server that is gone takes its sessions with it, and theirs alone.
    world.reload((snapshot) => ({
      ...snapshot,
      pools: snapshot.pools.map((pool) => ({
        ...pool,
        servers: pool.servers.filter(({ name }) => name !== "a"),
      })),
    }));
    const after = hosts.map((host) => from(world, host));
    assertEquals(after.includes("a"), false);
    servers.forEach((server, at) => server !== "a" && assertEquals(after[at], server));
  });
});

Deno.test("tcp: a client stays on its server, and moves when that cannot be connected to", () => {
  withSessions(table(), (world) => {
    for (const server of world.servers) {
      server.onConnect = (connection) => connection.send(server.name);
      server.onBytes = () => true;
    }
    const connect = (host: string): string => {
      const client = world.connectPeer(host);
      world.settle();
      const { text } = client;
      client.end();
      world.settle();
      return text;
    };
    assertEquals(["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.1"].map(connect), ["a", "b", "a", "a"]);
    world.servers[0]!.accepts = "refuses";
    const moved = connect("192.0.2.1");
    assert(moved !== "a");
    world.servers[0]!.accepts = "yes";
    assertEquals(connect("192.0.2.1"), moved);
  }, { protocol: "tcp" });
});

Deno.test("tcp: by what is asked for in TLS, which is read and passed on, also where no route needs it", () => {
  withSessions(table({ by: [by("sni"), by("sourceIp")] }), (world) => {
    for (const server of world.servers) {
      server.onBytes = (view, connection) => {
        connection.send(`${server.name}${view.length}`);
        return true;
      };
    }
    const ask = (sni?: string): string => {
      const hello = Uint8Array.from(helloBytes(sni === undefined ? {} : { sni }));
      const client = world.connectPeer();
      client.send(hello);
      world.settle();
      const { text } = client;
      client.end();
      world.settle();
      assertEquals(text.slice(1), String(hello.length), "all of it has come");
      return text[0]!;
    };
    assertEquals(["one.test", "two.test", "One.test", "two.test"].map(ask), ["a", "b", "a", "b"]);
    // A client that asks for nothing is told by its address.
    assertEquals([undefined, undefined].map(ask), ["c", "c"]);
  }, { protocol: "tcp" });
});

Deno.test("a session that came while its pool's queue was full is on no server yet", () => {
  const servers = [{ id: "ia", maxConnections: 1 }];
  withSessions(table(), (world) => {
    world.servers[0]!.answer = () => {};
    world.connect("192.0.2.1").get("/");
    world.settle();
    const refused = ask(world, world.connect("192.0.2.2"));
    assertEquals(refused.line, "HTTP/1.1 503 Service Unavailable");
    assertEquals(sessions(world).entries, 1);
  }, { servers, pool: { queue: { size: 0, timeoutMs: 1000 } } });
});
