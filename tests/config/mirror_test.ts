import { assertEquals } from "../assert.ts";
import { errors, good, routesOf, warnings } from "./reading.ts";

Deno.test("RouteSchema reads a mirror beside a pool or a split", async () => {
  const config = await good(routesOf(
    "{ match: { path: /a }, pool: app, mirror: { pool: app, share: 5%, body: 1k, requests: 7 } }",
    "{ split: { pools: { app: 1 } }, mirror: { pool: app } }",
  ));
  assertEquals(config.listeners[0]!.routes.map(({ mirror }) => mirror), [
    { pool: "app", share: 0.05, body: 1024, requests: 7 },
    { pool: "app", share: 1, body: 65_536, requests: 100 },
  ]);
});

Deno.test("RouteSchema says what is wrong with a mirror, and where", async () => {
  const routes = [
    "{ match: { path: /a }, pool: app, mirror: {} }",
    "{ match: { path: /b }, pool: app, mirror: { pool: ap } }",
    "{ match: { path: /c }, pool: app, mirror: { pool: app, share: 0%, body: 2m, requests: 0 } }",
    "{ match: { path: /d }, respond: {}, mirror: { pool: app } }",
    "{ match: { path: /e }, pool: app, mirror: { pool: old } }",
  ];
  const text = routesOf(...routes)
    .replace("pools: { app: {", 'pools: { old: { servers: ["10.0.0.2:80"], proxyProtocol: v1 }, app: {');
  assertEquals(await errors(text), [
    "5:43 «mirror» listeners[0].routes[0].mirror.pool: is required: Pool that gets the copies",
    '6:59 «ap» listeners[0].routes[1].mirror.pool: names no pool: "ap"; did you mean "app"?',
    "7:71 «0%» listeners[0].routes[2].mirror.share: must be above 0",
    "7:81 «2m» listeners[0].routes[2].mirror.body: must be at most 1m",
    "7:95 «0» listeners[0].routes[2].mirror.requests: must be a whole number from 1 to 10000, not 0",
    "8:45 «mirror» listeners[0].routes[3].mirror: has nothing to copy beside respond; it stands beside pool or split",
    "9:59 «old» listeners[0].routes[4].mirror.pool: cannot be one with proxyProtocol: a copy has no client",
  ]);
  assertEquals(await warnings(routesOf("{ pool: app, mirror: { pool: app } }")), [
    "5:38 «app» listeners[0].routes[0].mirror.pool: gets the requests themselves as well",
  ]);
  const tcp = routesOf("{ pool: app, mirror: { pool: app } }");
  assertEquals(await errors(tcp.replace("routes:", "protocol: tcp\n    routes:")), [
    "6:22 «mirror» listeners[0].routes[0].mirror: cannot stand on a tcp listener, which sees no requests",
  ]);
});
