/** CORS and security headers in answers: of servers, of our own, and of preflights. */
import { assert, assertEquals } from "../assert.ts";
import type { CorsSnapshot } from "../../mod/config/guard_snapshot.ts";
import type { ResponseRules, RouteSnapshot } from "../../mod/config/snapshot.ts";
import { reply } from "../sim/parties.ts";
import { simulate, type World } from "../sim/world.ts";

const ANY = { hosts: [], methods: [], headers: [], query: [] };
const CORS: CorsSnapshot = {
  origins: ["https://app.test", "https://*.app.test"],
  methods: ["GET"],
  headers: null,
  exposeHeaders: [],
  credentials: true,
  maxAgeSeconds: 600,
};
const PRESET: ResponseRules = {
  remove: ["server"],
  replace: [],
  set: [["X-Frame-Options", "SAMEORIGIN"]],
  add: [],
  location: [],
  cookieDomain: [],
  cookiePath: [],
};
const POOL: RouteSnapshot = { match: ANY, action: { kind: "pool", pool: "app" }, guards: { cors: CORS } };

/** The fields of the answer whose names begin so. */
function fields(world: World, origin: string | null, method = "GET", more = ""): string[] {
  const client = world.connect().request(
    method,
    "/",
    (origin === null ? "" : `Origin: ${origin}\r\n`) + more,
  );
  world.settle();
  const { headers, line } = client.answers[0]!;
  const shown = [
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "vary",
  ];
  return [line.split(" ")[1]!, ...shown.map((name) => headers.get(name) ?? "-")];
}

Deno.test("cors: answers of servers name the origin, whatever the servers say of it", () => {
  simulate({ servers: 1, routes: [POOL] }, (world) => {
    const own = "Access-Control-Allow-Origin: *\r\nVary: Accept\r\n";
    world.servers[0]!.answer = (_, connection) => connection.send(reply(200, "x", own));
    for (let round = 0; round < 2; round++) {
      assertEquals(fields(world, "https://app.test"), [
        "200",
        "https://app.test",
        "true",
        "-",
        "Accept, Origin",
      ]);
      assertEquals(fields(world, "https://x.app.test"), [
        "200",
        "https://x.app.test",
        "true",
        "-",
        "Accept, Origin",
      ]);
      assertEquals(fields(world, "https://evil.test"), ["200", "-", "-", "-", "Accept, Origin"]);
      assertEquals(fields(world, null), ["200", "-", "-", "-", "Accept, Origin"]);
    }
    for (let n = 0; n < 200; n++) fields(world, `https://n${n}.app.test`);
  });
});

Deno.test("cors: preflights are answered, on a connection that goes on, and no server hears of them", () => {
  simulate({ routes: [POOL] }, (world) => {
    const asks = "Access-Control-Request-Method: PUT\r\n";
    const [status, origin, credentials, methods] = fields(world, "https://app.test", "OPTIONS", asks);
    assertEquals([status, origin, credentials, methods], ["204", "https://app.test", "true", "GET"]);
    assertEquals(fields(world, "https://evil.test", "OPTIONS", asks).slice(0, 4), ["204", "-", "-", "-"]);
    assertEquals(world.servers.flatMap(({ seen }) => seen).length, 0);
    assertEquals(world.log.map(({ error }) => error), ["", ""]);
    assertEquals(fields(world, "https://app.test", "OPTIONS")[0], "200");
  });
});

Deno.test("cors: our own errors can be read by pages too", () => {
  const listener = { guards: { cors: CORS } };
  simulate({ listener, routes: [] }, (world) => {
    assertEquals(fields(world, "https://app.test").slice(0, 3), ["404", "https://app.test", "true"]);
  });
});

Deno.test("securityHeaders: on answers of servers and our own, before the rules of the route", () => {
  const other: ResponseRules = { ...PRESET, remove: [], set: [["X-Frame-Options", "DENY"]] };
  const routes: RouteSnapshot[] = [
    {
      match: { ...ANY, path: "/deny" },
      action: { kind: "pool", pool: "app" },
      securityHeaders: PRESET,
      headers: { response: other },
    },
    { match: { ...ANY, path: "/plain" }, action: { kind: "pool", pool: "app" } },
    { match: { ...ANY, path: "/app" }, action: { kind: "pool", pool: "app" }, securityHeaders: PRESET },
  ];
  simulate({ servers: 1, listener: { securityHeaders: PRESET }, routes }, (world) => {
    world.servers[0]!.answer = (_, connection) => connection.send(reply(200, "x", "Server: nginx\r\n"));
    const of = (path: string) => {
      const client = world.connect().get(path);
      world.settle();
      const { headers } = client.answers[0]!;
      return [headers.get("x-frame-options") ?? "-", headers.get("server") ?? "-"];
    };
    assertEquals(["/deny", "/plain", "/app", "/nowhere"].map(of), [
      ["DENY", "-"],
      ["-", "nginx"],
      ["SAMEORIGIN", "-"],
      ["SAMEORIGIN", "-"],
    ]);
  });
});

Deno.test("cors: with security headers an answer has both", () => {
  simulate({ routes: [{ ...POOL, securityHeaders: PRESET }] }, (world) => {
    const client = world.connect().get("/", "Origin: https://app.test\r\n");
    world.settle();
    const { headers } = client.answers[0]!;
    assert(headers.has("x-frame-options") && headers.has("access-control-allow-origin"));
  });
});
