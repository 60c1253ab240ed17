import { assertEquals } from "../assert.ts";
import { errors, good, routesOf, warnings } from "./reading.ts";

Deno.test("RouteSchema reads a split with its weights and what keeps a client at its pool", async () => {
  const text = routesOf(
    "{ match: { path: /a }, split: { pools: { app: 95, canary: '5' }, hashOn: 'header:X-User' } }",
    "split: { pools: { app: 1 } }",
  );
  const config = await good(
    text.replace(
      "pools: { app: { servers:",
      'pools: { canary: { servers: ["10.0.0.2:80"] }, app: { servers:',
    ),
  );
  assertEquals(config.listeners[0]!.routes.map(({ action }) => action), [
    {
      kind: "split",
      pools: [{ pool: "app", weight: 95 }, { pool: "canary", weight: 5 }],
      hashOn: { kind: "header", name: "x-user" },
    },
    { kind: "split", pools: [{ pool: "app", weight: 1 }], hashOn: null },
  ]);
});

Deno.test("RouteSchema says what is wrong with a split, and where", async () => {
  const routes = [
    "{ match: { path: /a }, split: { pools: { app: 0 } } }",
    "{ match: { path: /b }, split: { pools: { ap: 5, app: 95 } } }",
    "{ match: { path: /c }, split: { pools: { app: 95% } } }",
    "{ match: { path: /d }, split: { pools: { app: 1 }, hashOn: cookie } }",
    "{ match: { path: /e }, split: { pools: { app: 1 } }, pool: app }",
    "{ match: { path: /f }, split: {} }",
  ];
  assertEquals(await errors(routesOf(...routes)), [
    "5:48 «{ app: 0 }» listeners[0].routes[0].split.pools: must have a pool with a weight above 0",
    '6:50 «ap» listeners[0].routes[1].split.pools.ap: names no pool: "ap"; did you mean "app"?',
    '7:55 «95%» listeners[0].routes[2].split.pools.app: must be a whole number from 0 to 1000000, not "95%"',
    '8:68 «cookie» listeners[0].routes[3].split.hashOn: must be sourceIp, uri, path, header:NAME, cookie:NAME or query:NAME, not "cookie"',
    "9:32 «split» listeners[0].routes[4].split: cannot stand beside pool: a route must have exactly one action (pool, split, redirect, respond, files or function)",
    "10:32 «split» listeners[0].routes[5].split.pools: is required: Pools with their weights: `{ app: 95, canary: 5 }`",
  ]);
});

Deno.test("RouteSchema a tcp listener splits by the source address or by chance", async () => {
  const text = (hashOn: string) =>
    routesOf(`split: { pools: { app: 1 }${hashOn} }`).replace("routes:", "protocol: tcp\n    routes:");
  assertEquals(await errors(text("")), []);
  assertEquals(await errors(text(", hashOn: sourceIp")), []);
  assertEquals(await errors(text(", hashOn: uri")), [
    "6:45 «uri» listeners[0].routes[0].split.hashOn: must be sourceIp on a tcp listener, which sees no requests",
  ]);
});

Deno.test("checkPools() a pool that only a split leads to is used", async () => {
  const text = routesOf("split: { pools: { app: 1, canary: 1 } }")
    .replace("pools: { app: { servers:", 'pools: { canary: { servers: ["10.0.0.2:80"] }, app: { servers:');
  assertEquals(await warnings(text), []);
});
