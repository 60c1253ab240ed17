/** Limits of routes, bodies that come too slowly, and the tarpit. */
import { assertEquals } from "../assert.ts";
import type { GuardsSnapshot } from "../../mod/config/guard_snapshot.ts";
import type { RequestLimits, RouteSnapshot } from "../../mod/config/snapshot.ts";
import { simulate } from "../sim/world.ts";

/** A tick of the wheel, and one of the network. */
const LATE = 200;

const ANY = { hosts: [], methods: [], headers: [], query: [] };
const route = (path: string | null, more: Partial<RouteSnapshot>): RouteSnapshot => ({
  match: path === null ? ANY : { ...ANY, path },
  action: { kind: "pool", pool: "app" },
  ...more,
});

Deno.test("limits: a route has its own for head, fields and body", () => {
  const limits: RequestLimits = { head: 1024, headers: 4, body: 10 };
  simulate(
    { listener: { limits: { body: 3 } }, routes: [route("/own", { limits }), route(null, {})] },
    (world) => {
      const status = (path: string, more: string, body = "") => {
        const client = world.connect().request("POST", path, more, body);
        world.settle();
        return client.statuses[0];
      };
      const size = (length: number) => `Content-Length: ${length}\r\n`;
      assertEquals([status("/own", size(10), "x".repeat(10)), status("/own", size(11))], [200, 413]);
      assertEquals([status("/", size(3), "abc"), status("/", size(4))], [200, 413]);
      const chunked = "Transfer-Encoding: chunked\r\n";
      assertEquals(status("/own", chunked, "6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n"), 413);
      assertEquals(
        [status("/own", `X: ${"x".repeat(1000)}\r\n`), status("/", `X: ${"x".repeat(1000)}\r\n`)],
        [431, 200],
      );
      const many = "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n";
      assertEquals([status("/own", many), status("/", many)], [431, 200]);
    },
  );
});

Deno.test("bodyRate: a body that comes too slowly over all gets 408, though something always comes", () => {
  simulate({ listener: { limits: { bodyRate: 10 } } }, (world) => {
    const slow = world.connect().request("POST", "/", "Content-Length: 1000\r\n");
    const steady = world.connect().request("POST", "/", "Content-Length: 1000\r\n");
    for (let second = 0; second < 60; second++) {
      world.run(1000);
      if (slow.statuses.length === 0) slow.send("x".repeat(second % 3 === 0 ? 1 : 0));
      steady.send("x".repeat(11));
    }
    assertEquals([slow.statuses, steady.statuses], [[408], []]);
    assertEquals(world.log.map(({ error }) => error), ["bodyTimeout"]);
    steady.send("x".repeat(1000 - 60 * 11));
    world.settle();
    assertEquals(steady.statuses, [200]);
  });
});

Deno.test("bodyRate: what a server does not take is no fault of the client", () => {
  simulate({ servers: 1, listener: { limits: { bodyRate: 1_000_000 } } }, (world) => {
    const [server] = world.servers;
    server!.onConnect = ({ peer }) => peer.stop();
    const client = world.connect().request("POST", "/", "Content-Length: 300000\r\n").send(300_000);
    world.run(50_000);
    assertEquals(client.statuses, []);
    server!.connections[0]!.peer.go();
    world.settle();
    assertEquals(client.statuses, [200]);
  });
});

Deno.test("tarpit: every request waits before its answer, and what would be too many does not", () => {
  const guards: GuardsSnapshot = { tarpit: { delayMs: 5000, most: 2 } };
  const respond = { kind: "respond", status: 403, body: "no", contentType: "text/plain" } as const;
  simulate({ routes: [{ match: ANY, action: respond, guards }] }, (world) => {
    const clients = [1, 2, 3].map(() => world.connect().get("/"));
    world.settle();
    assertEquals(clients.map(({ statuses }) => statuses), [[], [], [403]]);
    world.run(4000);
    clients[0]!.peer.reset();
    world.settle();
    const late = world.connect().get("/");
    world.run(1000 + LATE);
    assertEquals([clients[1]!.statuses, late.statuses], [[403], []]);
    world.run(5000);
    assertEquals(late.statuses, [403]);
  });
});
