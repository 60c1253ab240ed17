/** The cache when servers fail, when many ask at once, when clients do not read, and when something changes. */
import type { CacheSnapshot } from "../../mod/config/cache_snapshot.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { reply, type ServedConnection } from "../sim/parties.ts";
import { everyWay, simulate } from "../sim/world.ts";
import { ANY, ask, bodies, CACHE, counting, MINUTE, statusOf, withCache, words } from "./cached_world.ts";

Deno.test("RFC 5861 section 3: stale for a while, it is used while it is renewed once", () => {
  const fields = `Cache-Control: max-age=10, stale-while-revalidate=30\r\nETag: "a"\r\n`;
  withCache(
    (world, asked) => {
      const client = ask(world, ["/"]);
      world.run(15_000);
      client.get("/");
      const other = world.connect().get("/");
      world.settle();
      client.get("/");
      world.settle();
      assertEquals(bodies(client.answers), ["answer 1", "answer 1", "answer 2"]);
      assertEquals(bodies(other.answers), ["answer 1"]);
      assertEquals([asked(), words(world)], [2, "MISS UPDATING UPDATING HIT"]);
      assertEquals(statusOf(client.answers[1]!), "hit; ttl=-5");
      world.run(45_000);
      client.get("/");
      world.settle();
      assertEquals(words(world).split(" ").at(-1), "EXPIRED");
    },
    {},
    counting(fields),
  );
});

Deno.test("RFC 5861 section 3: what cannot be renewed stays what it was", () => {
  for (const failure of ["hangUp", "error"] as const) {
    withCache(
      (world, asked) => {
        const client = ask(world, ["/"]);
        world.run(15_000);
        for (let i = 0; i < 3; i++) {
          client.get("/");
          world.settle();
        }
        assertEquals(bodies(client.answers), Array(4).fill("answer 1"));
        assertEquals(words(world), "MISS UPDATING UPDATING UPDATING");
        assert(asked() >= 4, "each of them tries to renew it");
      },
      { world: { pool: { retry: { attempts: 0 } } } },
      (_request, connection, asked) => {
        if (asked === 1) {
          connection.send(reply(200, "answer 1", "Cache-Control: max-age=10, stale-while-revalidate=30\r\n"));
        } else if (failure === "error") connection.send(reply(500, "no", MINUTE));
        else connection.peer.end();
      },
    );
  }
});

Deno.test("RFC 5861 section 4: stale for a while, it is used when servers fail or answer with errors", () => {
  for (const failure of ["status", "hangUp", "refuses"] as const) {
    withCache(
      (world) => {
        const client = ask(world, ["/"]);
        if (failure === "refuses") {
          for (const connection of world.idle.clear()) connection.close();
          world.servers[0]!.accepts = "refuses";
        }
        world.run(61_000);
        client.get("/");
        world.settle();
        world.run(60_000);
        client.get("/");
        world.settle();
        assertEquals(client.statuses.slice(0, 2), [200, 200], failure);
        assert(client.statuses[2]! >= 500, failure);
        assertEquals(bodies(client.answers).slice(0, 2), ["body", "body"]);
        assertEquals(words(world), "MISS STALE EXPIRED", failure);
      },
      { cache: { staleIfErrorMs: 30_000 }, world: { pool: { retry: { attempts: 0 } } } },
      (_request, connection, asked) => {
        if (asked === 1) connection.send(reply(200, "body", MINUTE));
        else if (failure === "status") connection.send(reply(503, "sorry"));
        else connection.peer.end();
      },
    );
  }
});

Deno.test("Fetches many requests for one answer ask once, and those who wait get it", () => {
  everyWay((way) =>
    withCache((world, asked) => {
      const clients = Array.from({ length: 20 }, () => world.connect().get("/"));
      world.settle();
      assert(clients.every(({ answers }) => bodies(answers).join() === "answer 1"));
      assertEquals(asked(), 1);
      assertEquals(
        clients.map(({ answers }) => statusOf(answers[0]!)).filter((one) => one!.endsWith("collapsed"))
          .length,
        19,
      );
    }, { world: way }), 5);
});

Deno.test("Fetches when the answer is not stored all go on by themselves, and the next do not wait", () => {
  withCache(
    (world, asked) => {
      const clients = Array.from({ length: 5 }, () => world.connect().get("/"));
      world.settle();
      assertEquals(
        clients.map(({ answers }) => bodies(answers)[0]).sort(),
        [1, 2, 3, 4, 5].map((n) => `answer ${n}`),
      );
      assertEquals(asked(), 5);
      assertEquals(world.environment.cache.fetches.size, 0);
    },
    {},
    counting("Cache-Control: private\r\n"),
  );
});

Deno.test("Fetches nobody waits longer than the configuration says, nor more than may", () => {
  let held: ServedConnection | null = null;
  withCache(
    (world, asked) => {
      const clients = Array.from({ length: 4 }, () => world.connect().get("/"));
      world.settle();
      assertEquals(asked(), 2, "two wait, the fourth asks by itself");
      world.run(4900);
      assertEquals(asked(), 2);
      world.run(300);
      assertEquals(asked(), 4);
      held!.send(reply(200, "late", MINUTE));
      world.settle();
      assertEquals(clients.map(({ answers }) => bodies(answers)[0]).sort(), ["2", "3", "4", "late"]);
    },
    { cache: { collapse: { waiting: 2, timeoutMs: 5000 } } },
    (_request, connection, asked) => {
      if (asked === 1) held = connection;
      else connection.send(reply(200, `${asked}`, "Cache-Control: no-store\r\n"));
    },
  );
});

Deno.test("Fetches when what they wait for fails, all get what is stored, and servers are not asked for each", () => {
  withCache(
    (world) => {
      ask(world, ["/"]);
      for (const connection of world.idle.clear()) connection.close();
      world.servers[0]!.accepts = "refuses";
      world.run(61_000);
      const { dials } = world.servers[0]!;
      const clients = Array.from({ length: 10 }, () => world.connect().get("/"));
      world.settle();
      assertEquals(clients.map(({ answers }) => bodies(answers).join()), Array(10).fill("answer 1"));
      assertEquals(words(world), `MISS${" STALE".repeat(10)}`);
      assertEquals(world.servers[0]!.dials - dials, 1);
    },
    { cache: { staleIfErrorMs: 60_000 }, world: { pool: { retry: { attempts: 0 } } } },
  );
});

Deno.test("RFC 5861 section 3: what renews asks for the whole, whatever the client wanted of it", () => {
  const seen: (string | undefined)[] = [];
  withCache(
    (world) => {
      const client = ask(world, ["/"]);
      world.run(15_000);
      client.get("/", "Range: bytes=0-1\r\n");
      world.settle();
      client.get("/");
      world.settle();
      assertEquals(client.statuses, [200, 206, 200]);
      assertEquals([bodies(client.answers), words(world)], [
        ["answer 1", "an", "answer 2"],
        "MISS UPDATING HIT",
      ]);
      assertEquals(seen, [undefined, undefined]);
    },
    {},
    ({ headers }, connection, asked) => {
      seen.push(headers.get("range"));
      const fields = "Cache-Control: max-age=10, stale-while-revalidate=30\r\n";
      connection.send(reply(200, `answer ${asked}`, fields));
    },
  );
});

Deno.test("Fetches when the client leaves who asks first, another one asks", () => {
  withCache(
    (world, asked) => {
      const first = world.connect().get("/");
      world.settle();
      const second = world.connect().get("/");
      world.settle();
      assertEquals(asked(), 1);
      first.peer.reset();
      world.settle();
      assertEquals([asked(), bodies(second.answers)[0]], [2, "answer 2"]);
    },
    {},
    (_request, connection, asked) => {
      if (asked > 1) connection.send(reply(200, `answer ${asked}`, MINUTE));
    },
  );
});

Deno.test("Fetches a client that waits may leave, or be cut off as the node stops", () => {
  withCache(
    (world) => {
      world.connect().get("/");
      world.settle();
      const leaving = world.connect().get("/");
      world.connect().get("/");
      world.settle();
      leaving.peer.reset();
      world.settle();
      assertEquals(world.environment.cache.fetches.size, 1);
    },
    {},
    () => {},
  );
});

Deno.test("RFC 9111 section 4.4: what changes a URL makes what is stored of it wrong, as long as it was no error", () => {
  for (const [status, fresh] of [[200, true], [303, true], [404, false], [500, false]] as const) {
    withCache(
      (world) => {
        const client = ask(world, ["/a"], ["/b"], ["/a", "Content-Length: 0\r\n", "POST"], ["/a"], ["/b"]);
        const [, , , a, b] = bodies(client.answers);
        assertEquals([a, b], fresh ? ["answer 4", "answer 5"] : ["answer 1", "answer 2"], String(status));
      },
      { world: { pool: { retry: { attempts: 0 } } } },
      ({ line }, connection, asked) => {
        const posted = line.startsWith("POST");
        connection.send(
          reply(posted ? status : 200, `answer ${asked}`, posted ? "Location: /b\r\n" : MINUTE),
        );
      },
    );
  }
});

Deno.test("RFC 9111 section 4.4: what changes a URL makes wrong what is stored of it by another key", () => {
  const keys: [posted: string, key: Partial<CacheSnapshot["key"]>][] = [
    ["/a?id=1&utm_x=1", { host: false }],
    ["/a?id=1&utm_x=2", { query: { kind: "none" } }],
    ["/a?id=1&utm_x=2", { query: { kind: "except", names: ["utm_*"] } }],
    ["/a?utm_x=2&id=1", { query: { kind: "only", names: ["id"] }, host: false }],
  ];
  for (const [posted, key] of keys) {
    const route = (methods: readonly string[], counts: CacheSnapshot["key"]) => ({
      match: { ...ANY, methods },
      action: { kind: "pool" as const, pool: "app" },
      cache: { ...CACHE, key: counts },
    });
    const routes = [route(["GET"], { ...CACHE.key, ...key }), route([], CACHE.key)];
    simulate({ servers: 1, routes }, (world) => {
      world.environment.cache.store.resize(65536, 65536);
      let asked = 0;
      world.servers[0]!.answer = (_request, connection) =>
        connection.send(reply(200, `answer ${++asked}`, MINUTE));
      const client = ask(
        world,
        ["/a?id=1&utm_x=1"],
        ["/b"],
        [posted, "Content-Length: 0\r\n", "POST"],
        ["/a?id=1&utm_x=1"],
        ["/b"],
      );
      assertEquals(bodies(client.answers), ["answer 1", "answer 2", "answer 3", "answer 4", "answer 2"]);
    });
  }
});

Deno.test("Fetches requests that get different answers of one URL do not wait for each other, once that is known", () => {
  const held: ServedConnection[] = [];
  withCache(
    (world, asked) => {
      const clients = ["a", "b", "c", "b", "c"].map((one) => world.connect().get("/", `X-A: ${one}\r\n`));
      world.settle();
      assertEquals(asked(), 1, "that they differ is not known yet");
      const answerAll = () => {
        for (const connection of held.splice(0)) {
          connection.send(reply(200, "body", `${MINUTE}Vary: X-A\r\n`));
        }
        world.settle();
      };
      answerAll();
      assertEquals(asked(), 3, "one for each of the others");
      answerAll();
      assertEquals(clients.flatMap(({ statuses }) => statuses), Array(5).fill(200));
      assertEquals(asked(), 3);
    },
    {},
    (_request, connection) => void held.push(connection),
  );
});

Deno.test("Fetches what is answered with a page or by the fallback is not waited for one after the other", () => {
  const held: ServedConnection[] = [];
  const pages = [{ first: 404, last: 404, body: "page", contentType: "text/plain" }];
  const answer = { status: 200, body: "fallback", contentType: "text/plain" };
  const routes: Partial<RouteSnapshot>[] = [
    { errorPages: { intercept: true, pages } },
    { fallback: { statuses: [404], answer } },
  ];
  for (const route of routes) {
    withCache(
      (world, asked) => {
        const clients = Array.from({ length: 5 }, () => world.connect().get("/"));
        world.settle();
        assertEquals(asked(), 1);
        held.pop()!.send(reply(404, "none", MINUTE));
        world.settle();
        assertEquals(asked(), 5, "all at once");
        for (const connection of held.splice(0)) connection.send(reply(404, "none", MINUTE));
        world.settle();
        const given = new Set(clients.flatMap(({ answers }) => bodies(answers)));
        assertEquals([...given], [route.fallback === undefined ? "page" : "fallback"]);
      },
      { route },
      (_request, connection) => void held.push(connection),
    );
  }
});

Deno.test("StoredAnswer a client that does not read is given up, and holds up nothing but itself", () => {
  const LARGE = "x".repeat(600_000);
  withCache(
    (world) => {
      world.environment.cache.store.resize(4_000_000, 1_000_000);
      ask(world, ["/"]);
      const slow = world.connect();
      slow.peer.stop();
      slow.get("/");
      const other = world.connect().get("/");
      world.settle();
      world.environment.cache.store.purge({});
      assert(world.environment.cache.store.bytes >= LARGE.length, "what is still being sent counts");
      world.run(700_000);
      assertEquals(bodies(other.answers), [LARGE]);
      assertEquals(world.log.map(({ error }) => error).sort(), ["", "", "clientStalled"]);
    },
    {},
    (_request, connection) => connection.send(reply(200, LARGE, "Cache-Control: max-age=9999\r\n")),
  );
});
