/** TLS connections that are passed on unread, in every way bytes may arrive. */
import { LISTENER_COLUMN } from "../../mod/base/counters.ts";
import { latin1 } from "../../mod/http/grammar.ts";
import type { RouteSnapshot, TlsMatch } from "../../mod/config/snapshot.ts";
import { LARGE_BYTES } from "../../mod/net/buffers.ts";
import { readProxyHeader, TLV_AUTHORITY } from "../../mod/net/proxy_protocol.ts";
import { assert, assertEquals } from "../assert.ts";
import { extension, helloBytes } from "../net/hello_bytes.ts";
import { everyWay, simulate, type World, type WorldOptions } from "../sim/world.ts";

const ANY = { hosts: [], methods: [], headers: [], query: [] };

function route(pool: string, tls?: Partial<TlsMatch>): RouteSnapshot {
  const match = tls === undefined ? ANY : { ...ANY, tls: { sni: [], alpn: [], ...tls } };
  return { match, action: { kind: "pool", pool } };
}

const NAMED = [route("app", { sni: ["a.test"] }), route("app", { sni: ["*.b.test"], alpn: ["h2"] })];
const WITH_DEFAULT = [...NAMED, route("app")];
const tcp = (routes: readonly RouteSnapshot[], more: WorldOptions = {}): WorldOptions => {
  return { protocol: "tcp", servers: 1, routes, ...more };
};
const asText = (bytes: Uint8Array) => latin1(bytes, 0, bytes.length);
const A = asText(helloBytes({ sni: "A.test", alpn: ["h2"] }));

function echoing(world: World): void {
  for (const server of world.servers) {
    server.onBytes = (view, connection) => {
      connection.send(view.slice());
      return true;
    };
  }
}

Deno.test("HelloStage passes on what came, byte for byte, and logs the name", () => {
  const large = asText(
    helloBytes({ sni: "a.test", more: [extension(21, Array.from({ length: 9000 }, () => 1))] }, 4000),
  );
  for (const hello of [A, large]) {
    everyWay((way) =>
      simulate(tcp(NAMED, way), (world) => {
        echoing(world);
        const client = world.connectPeer();
        client.send(`${hello}and more `);
        world.settle();
        client.send("x".repeat(10_000));
        client.end();
        world.settle();
        assertEquals(client.text, `${hello}and more ${"x".repeat(10_000)}`);
        assert(client.gotEnd);
        const [logged] = world.log;
        const size = client.text.length;
        assertEquals([logged!.host, logged!.error, logged!.bytesIn, logged!.bytesOut], [
          "a.test",
          "",
          size,
          size,
        ]);
      })
    );
  }
});

Deno.test("HelloStage takes the first route that matches, each to its pool", () => {
  const routes = [route("app", { sni: ["a.test"] }), route("other", { sni: ["*.b.test"] }), route("app")];
  simulate(tcp(routes, { servers: 2 }), (world) => {
    echoing(world);
    world.reload((snapshot) => {
      const [pool] = snapshot.pools;
      const [one, two] = pool!.servers;
      return {
        ...snapshot,
        pools: [{ ...pool!, servers: [one!] }, { ...pool!, name: "other", servers: [two!] }],
      };
    });
    for (const sni of ["x.b.test", "a.test", "c.test"]) {
      const client = world.connectPeer();
      client.send(helloBytes({ sni }));
      client.end();
      world.settle();
    }
    assertEquals(world.log.map(({ host, server }) => [host, server]), [
      ["x.b.test", "b"],
      ["a.test", "a"],
      ["c.test", "a"],
    ]);
  });
});

Deno.test("HelloStage without a route: closed, counted, and logged with its reason", () => {
  const cases: [sends: string, error: "noRoute" | "notTls" | "badClientHello", host: string][] = [
    [asText(helloBytes({ sni: "c.test" })), "noRoute", "c.test"],
    [asText(helloBytes({ sni: "x.b.test", alpn: ["http/1.1"] })), "noRoute", "x.b.test"],
    [asText(helloBytes({})), "noRoute", ""],
    [asText(helloBytes({ sni: "10.0.0.1" })), "noRoute", ""],
    ["GET / HTTP/1.1\r\n\r\n", "notTls", ""],
    [asText(helloBytes({ sni: "a.test." })), "badClientHello", ""],
    [
      asText(helloBytes({ more: [extension(21, Array.from({ length: 20_000 }, () => 1))] })),
      "badClientHello",
      "",
    ],
  ];
  for (const [sends, error, host] of cases) {
    everyWay((way) =>
      simulate(tcp(NAMED, way), (world) => {
        const client = world.connectPeer();
        client.send(sends);
        world.settle();
        assert(client.gotEnd);
        assertEquals(world.log.map((logged) => [logged.error, logged.host]), [[error, host]]);
        assertEquals(world.memory.counters.listener(0, LISTENER_COLUMN[error]), 1);
        assertEquals(world.servers[0]!.dials, 0);
      }), 2);
    // With a default, the server gets it all the same.
    simulate(tcp(WITH_DEFAULT), (world) => {
      echoing(world);
      const client = world.connectPeer();
      client.send(sends);
      client.end();
      world.settle();
      assertEquals(client.text, sends);
      assertEquals([world.log[0]!.error, world.log[0]!.host], ["", host]);
    });
  }
});

Deno.test("HelloStage ends with its client, its time-out or its node", () => {
  const part = A.slice(0, 30);
  const cases: [sends: string, then: (world: World) => void, errors: string[]][] = [
    ["", ({ network }) => network.streams[0]!.peer.end(), []],
    [part, ({ network }) => network.streams[0]!.peer.end(), ["clientGone"]],
    [part, ({ network }) => network.streams[0]!.peer.reset(), ["clientGone"]],
    ["", (world) => world.run(10_200), ["headTimeout"]],
    [part, (world) => world.run(10_200), ["headTimeout"]],
    ["", (world) => (world.drain(), world.run(1200)), ["draining"]],
    [part, ({ sessions }) => sessions.forEach((session) => session.close()), ["draining"]],
  ];
  for (const [sends, then, errors] of cases) {
    simulate(tcp(WITH_DEFAULT), (world) => {
      world.connectPeer().send(sends);
      world.settle();
      then(world);
      world.settle();
      assertEquals(world.log.map(({ error }) => error as string), errors);
      assertEquals(world.sessions.size, 0);
    });
  }
});

Deno.test("HelloStage survives a client that breaks off at any byte, and servers that refuse", () => {
  for (const how of ["end", "hangUp", "reset"] as const) {
    for (let at = 0; at <= A.length + 5; at++) {
      simulate(tcp(NAMED, { seed: at, split: "random", delayMs: at % 3 * 3, servers: 2 }), (world) => {
        echoing(world);
        if (at % 2 === 0) world.servers[0]!.accepts = "refuses";
        const client = world.connectPeer();
        client.breakSending(at, how);
        client.send(`${A}more`);
        world.settle();
        world.run(20_000);
        assert(`${A}more`.startsWith(client.text), "no byte is changed");
        if (how === "end" && at >= A.length) assertEquals(client.text, `${A}more`.slice(0, at));
      });
    }
  }
});

Deno.test("HelloStage keeps what came while no server has a place", () => {
  const options = { servers: [{ maxConnections: 1 }], pool: { queue: { size: 2, timeoutMs: 5000 } } };
  everyWay((way) =>
    simulate(tcp(NAMED, { ...options, ...way }), (world) => {
      echoing(world);
      const [first, second, third] = [1, 2, 3].map((n) => {
        const client = world.connectPeer();
        client.send(`${A}${n}`);
        world.settle();
        return client;
      });
      third!.send(500_000);
      world.settle();
      assert(third!.available >= 500_000 - 2 * LARGE_BYTES, "a client that waits is not read from");
      first!.end();
      world.settle();
      assertEquals([second!.text, third!.text], [`${A}2`, ""]);
      world.run(5200);
      assertEquals(world.log.at(-1)!.error, "queueTimeout");
    }), 5);
});

Deno.test("HelloStage behind a PROXY header, before a server that wants one with the name", () => {
  const line = "PROXY TCP6 2001:db8::1 2001:db8::2 77 443\r\n";
  const options = {
    listener: { proxyProtocol: { from: ["192.0.2.7"] } },
    pool: { proxyProtocol: "v2" as const },
  };
  everyWay((way) =>
    simulate(tcp(NAMED, { ...options, ...way }), (world) => {
      world.servers[0]!.onBytes = () => true;
      const client = world.connectPeer();
      client.send(`${line}${A}more`);
      client.end();
      world.settle();
      const got = Uint8Array.from(world.servers[0]!.connections[0]!.peer.text, (char) => char.charCodeAt(0));
      const read = readProxyHeader(got, 0, got.length);
      assert(read.kind === "header");
      const { size, addresses, tlvs } = read.header;
      assertEquals(addresses, {
        source: { host: "2001:db8::1", port: 77 },
        destination: { host: "2001:db8::2", port: 443 },
      });
      assertEquals(tlvs.map(({ type, value }) => [type, asText(value)]), [[TLV_AUTHORITY, "a.test"]]);
      assertEquals(asText(got.subarray(size)), `${A}more`);
      assertEquals([world.log[0]!.clientHost, world.log[0]!.host], ["2001:db8::1", "a.test"]);
    })
  );
});

Deno.test("HelloStage decides by the routes of the time when its hello is whole", () => {
  const other = `${A.slice(0, 5)}\x02${A.slice(6)}`;
  const reloads: [routes: RouteSnapshot[], sent: string, got: string | null][] = [
    [[route("app", { sni: ["c.test"] }), route("app", { sni: ["a.test"] })], A, A],
    [[route("app", { sni: ["c.test"] })], A, null],
    [[route("app")], A, A],
    [[route("app")], other, other],
  ];
  for (const [routes, sent, got] of reloads) {
    simulate(tcp(NAMED), (world) => {
      echoing(world);
      const client = world.connectPeer();
      client.send(sent.slice(0, 5));
      world.settle();
      world.reload((snapshot) => {
        return { ...snapshot, listeners: snapshot.listeners.map((listener) => ({ ...listener, routes })) };
      });
      client.send(sent.slice(5));
      world.settle();
      assertEquals([client.text, world.log[0]?.error], [got ?? "", got === null ? "noRoute" : undefined]);
      client.end();
      world.settle();
    });
  }
});

Deno.test("HelloStage is not there where no route needs it", () => {
  simulate(tcp([route("app")]), (world) => {
    world.servers[0]!.onConnect = (connection) => connection.send("220 the server speaks first");
    const client = world.connectPeer();
    world.settle();
    assertEquals(client.text, "220 the server speaks first");
  });
});
