/** Rate limits in a worker: refusals, requests that wait their turn, what becomes of them meanwhile, and reloads. */
import { assert, assertEquals } from "../assert.ts";
import type { RateLimitSnapshot } from "../../mod/config/guard_snapshot.ts";
import type { RouteSnapshot } from "../../mod/config/snapshot.ts";
import { rateLimit } from "../guard/limits.ts";
import { everyWay, simulate, type World } from "../sim/world.ts";

/** A tick of the wheel, and one of the network. */
const LATE = 200;

const ANY = { hosts: [], methods: [], headers: [], query: [] };
const limited = (...limits: Partial<RateLimitSnapshot>[]): readonly RouteSnapshot[] => [{
  match: ANY,
  action: { kind: "pool", pool: "app" },
  guards: { rateLimits: limits.map(rateLimit) },
}];

function counts(world: World) {
  const { passed, delayed, refused, wouldRefuse, entries } = world.limits[0]!;
  return { passed, delayed, refused, wouldRefuse, entries };
}

Deno.test("rate limit: 429 and when to come again, on a connection that goes on", () => {
  simulate({ routes: limited({ stepMs: 2000, burst: 1 }) }, (world) => {
    const client = world.connect();
    for (let n = 0; n < 3; n++) client.get("/");
    world.settle();
    assertEquals(client.statuses, [200, 200, 429]);
    const refused = client.answers[2]!;
    assertEquals(refused.headers.get("retry-after"), "2");
    assertEquals(refused.headers.get("cache-control"), "no-store");
    world.run(2000);
    client.get("/");
    world.settle();
    assertEquals([client.statuses[3], client.ended], [200, false]);
    assertEquals(counts(world), { passed: 3, delayed: 0, refused: 1, wouldRefuse: 0, entries: 1 });
  });
});

Deno.test("rate limit: the status is as configured, and its page is one of the error pages", () => {
  const listener = {
    errorPages: { pages: [{ first: 503, last: 503, body: "later", contentType: "text/plain" }] },
  };
  simulate({ listener, routes: limited({ status: 503 }) }, (world) => {
    const client = world.connect().get("/").get("/");
    world.settle();
    assertEquals([client.statuses, client.answers[1]!.body], [[200, 503], "later"]);
    assert(client.answers[1]!.headers.has("retry-after"));
  });
});

Deno.test("rate limit: all limits of a route must allow a request, each by its own key", () => {
  const perPath: Partial<RateLimitSnapshot> = { name: "path", key: [{ kind: "path", name: "" }], burst: 2 };
  simulate({ routes: limited({ burst: 3 }, perPath) }, (world) => {
    const client = world.connect();
    for (const path of ["/a", "/a", "/a", "/a", "/b"]) client.get(path);
    world.settle();
    assertEquals(client.statuses, [200, 200, 200, 429, 429]);
  });
});

Deno.test("rate limit: those of the burst wait their turn, in every way that bytes arrive", () => {
  everyWay((way) => {
    simulate({ ...way, routes: limited({ stepMs: 1000, burst: 2, delay: 0 }) }, (world) => {
      const clients = [1, 2, 3, 4].map(() => world.connect());
      clients[0]!.get("/0");
      clients[1]!.request("POST", "/1", "Content-Length: 4\r\n", "body");
      clients[2]!.request("POST", "/2", "Content-Length: 70000\r\n").send("x".repeat(70_000));
      clients[3]!.get("/3");
      world.settle();
      const answered = () => clients.map(({ answers }) => answers.length);
      assertEquals(answered().filter((count) => count > 0).length, 2, "one passed, and one is refused");
      world.run(1000 + LATE);
      assertEquals(answered().filter((count) => count > 0).length, 3);
      world.run(1000 + LATE);
      assertEquals(answered(), [1, 1, 1, 1]);
      const bodies = world.servers.flatMap(({ seen }) => seen).map(({ body }) => body.length);
      assertEquals(clients.flatMap(({ statuses }) => statuses).sort(), [200, 200, 200, 429]);
      assertEquals(bodies.length, 3);
      assertEquals(counts(world).delayed, 2);
    });
  }, 3);
});

Deno.test("rate limit: requests behind one that waits are answered in their order", () => {
  simulate({ routes: limited({ stepMs: 1000, burst: 5, delay: 0 }) }, (world) => {
    const client = world.connect().get("/1").get("/2").get("/3");
    world.run(2000 + 3 * LATE);
    assertEquals(client.answers.map(({ body }) => body.split(" ")[2]), ["/1", "/2", "/3"]);
  });
});

Deno.test("rate limit: a client that leaves while it waits is told in the log, and leaves nothing behind", () => {
  for (const how of ["end", "reset"] as const) {
    simulate({ routes: limited({ stepMs: 10_000, burst: 5, delay: 0 }) }, (world) => {
      world.connect().get("/first");
      const client = world.connect().get("/waits");
      world.settle();
      if (how === "end") client.peer.end();
      else client.peer.reset();
      world.run(9000);
      assertEquals(world.log.map(({ error, target }) => `${error} ${target}`), [
        " /first",
        "clientGone /waits",
      ]);
      assertEquals(world.servers.flatMap(({ seen }) => seen).length, 1);
    });
  }
});

Deno.test("rate limit: a request that waits goes where it was to go, whatever a reload makes of its route", () => {
  simulate({ routes: limited({ stepMs: 1000, burst: 5, delay: 0 }) }, (world) => {
    const client = world.connect().get("/1").get("/2");
    world.settle();
    world.reload((snapshot) => ({
      ...snapshot,
      listeners: snapshot.listeners.map((one) => ({ ...one, routes: [] })),
    }));
    world.run(1000 + LATE);
    assertEquals(client.statuses, [200, 200]);
  });
});

Deno.test("rate limit: a reload keeps what was counted, of a table of another size too", () => {
  simulate({ routes: limited({ stepMs: 60_000 }) }, (world) => {
    const client = world.connect().get("/");
    world.settle();
    for (const change of [{}, { size: 512 }, { burst: 1, status: 503 }]) {
      world.reload((snapshot) => ({
        ...snapshot,
        listeners: snapshot.listeners.map((one) => ({
          ...one,
          routes: limited({ stepMs: 60_000, ...change }),
        })),
      }));
      client.get("/");
      world.settle();
    }
    assertEquals(client.statuses, [200, 429, 429, 200]);
    assertEquals(counts(world).refused, 2);
  });
});

Deno.test("rate limit: clients behind a proxy that is believed are counted one by one", () => {
  simulate({ listener: { trustedProxies: ["10.0.0.0/8"] }, routes: limited({}) }, (world) => {
    const proxy = world.connect("10.0.0.1");
    for (const client of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
      proxy.get("/", `X-Forwarded-For: ${client}\r\n`);
    }
    world.settle();
    assertEquals(proxy.statuses, [200, 200, 429]);
  });
});
