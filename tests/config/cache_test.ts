import { buildSnapshot } from "../../mod/config/build.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import { assertEquals, assertNotEquals } from "../assert.ts";
import { errors, good, routesOf, warnings } from "./reading.ts";

const DEFAULTS = {
  ttl: [],
  staleWhileRevalidate: 0,
  staleIfError: 0,
  key: { host: true, query: { kind: "all" as const }, headers: [], cookies: [] },
  bypass: [],
  collapse: { waiting: 1000, timeoutMs: 5000 },
  requestDirectives: false,
  statusHeader: true,
};

Deno.test("CacheSchema reads all of a cache, `true` and `false`", async () => {
  const config = await good(routesOf(
    "{ match: { path: /a }, pool: app, cache: true }",
    "{ match: { path: /b }, pool: app, cache: false }",
    "{ match: { path: /c }, pool: app, cache: { ttl: 5m, maxTtl: 1h, collapse: false, key: { query: none } } }",
    '{ pool: app, cache: { ttl: { "4xx": 10s, "200": 1m, 404: 30s }, staleIfError: 1h, staleWhileRevalidate: 5s, ' +
      "collapse: { waiting: 3, timeout: 1s }, requestDirectives: true, statusHeader: false, " +
      'bypass: { cookies: { session: true } }, key: { host: false, query: { except: ["utm_*"] }, headers: X-A, cookies: [c] } } }',
  ));
  const [a, b, c, d] = config.listeners[0]!.routes.map(({ cache }) => cache);
  assertEquals(a, DEFAULTS);
  assertEquals(b, undefined);
  assertEquals(c, {
    ...DEFAULTS,
    ttl: [{ first: 200, last: 200, ttlMs: 300_000 }],
    maxTtl: 3_600_000,
    collapse: null,
    key: { ...DEFAULTS.key, query: { kind: "none" } },
  });
  const { ttl, bypass, key, collapse } = d!;
  assertEquals(ttl.map(({ first, last, ttlMs }) => [first, last, ttlMs]), [
    [200, 200, 60_000],
    [404, 404, 30_000],
    [400, 499, 10_000],
  ]);
  assertEquals(bypass.map(({ cookies }) => cookies), [[["session", true]]]);
  assertEquals(collapse, { waiting: 3, timeoutMs: 1000 });
  assertEquals(key, {
    host: false,
    query: { kind: "except", names: ["utm_*"] },
    headers: ["x-a"],
    cookies: ["c"],
  });
  assertEquals(config.cache, { maxSize: 64 * 1024 * 1024, maxObjectSize: 1024 * 1024 });
});

Deno.test("CacheSchema says what is wrong with a cache, and where", async () => {
  assertEquals(
    await errors(routesOf(
      "{ match: { path: /a }, respond: {}, cache: true }",
      "{ match: { path: /b }, pool: app, cache: { ttl: { 100: 1s } } }",
      "{ match: { path: /c }, pool: app, cache: { bypass: {} } }",
      "{ match: { path: /d }, pool: app, cache: { key: { query: { only: [] } } } }",
      "{ match: { path: /e }, pool: app, cache: { key: { query: { only: [a], except: [b] } } } }",
      "{ match: { path: /f }, pool: app, cache: { maxAge: 1s } }",
      "{ match: { path: /g }, function: { module: ./guard.ts, next: app }, cache: true }",
      "{ match: { path: /h }, function: { module: ./page.ts }, cache: true }",
    )),
    [
      "5:45 «cache» listeners[0].routes[0].cache: has nothing to store beside respond; it stands beside pool, split or function",
      '6:59 «100» listeners[0].routes[1].cache.ttl["100"]: must be a status (404), a class (4xx) or a range (200-203)',
      "7:60 «{}» listeners[0].routes[2].cache.bypass: must have at least one condition",
      "8:74 «[]» listeners[0].routes[3].cache.key.query.only: must not be an empty list",
      "9:66 «{ only: [a], except: [b] }» listeners[0].routes[4].cache.key.query: must have either only or except",
      "10:52 «maxAge» listeners[0].routes[5].cache.maxAge: is not a known key (known: ttl, maxTtl, staleWhileRevalidate, staleIfError, key, bypass, collapse, requestDirectives, statusHeader)",
      "11:77 «cache» listeners[0].routes[6].cache: cannot stand beside a function with next: it would answer what the function may refuse",
    ],
  );
});

Deno.test("checkCacheStore() holds the object against the whole, and knows whether it is used", async () => {
  const text = routesOf("{ pool: app, cache: true }");
  assertEquals(await errors(`${text}\ncache: { maxSize: 1m, maxObjectSize: 2m }`), [
    "7:38 «2m» cache.maxObjectSize: must be at most maxSize, which is 1m",
  ]);
  assertEquals(await warnings(`${routesOf("{ pool: app }")}\ncache: { maxSize: 1m, maxObjectSize: 1m }`), [
    "7:8 «{ maxSize: 1m, maxObjectSize: 1m }» cache: has no effect: no route has a `cache`",
  ]);
});

Deno.test("cacheSnapshot() tells apart what makes something else of requests, and not what does not", async () => {
  const identities = async (...routes: string[]) => {
    const config = await good(
      routesOf(...routes.map((route, at) => `{ match: { path: /${at} }, pool: app, ${route} }`)),
    );
    const snapshot = buildSnapshot(config, {
      generation: 1,
      node: "n",
      directory: ".",
      rows: new RowAllocator({ servers: 8, listeners: 8, pools: 8 }),
      resolve: () => [{ host: "10.0.0.1", port: 80 }],
    });
    assertEquals(snapshot.cache, { maxBytes: 64 * 1024 * 1024, maxObjectBytes: 1024 * 1024 });
    return snapshot.listeners[0]!.routes.map(({ cache }) => cache!.identity);
  };
  const [plain, ttl, rewritten, header, response] = await identities(
    "cache: true",
    "cache: { ttl: 1m, staleIfError: 1h }",
    "cache: true, rewrite: { path: /x }",
    "cache: true, headers: { request: { set: { X-A: b } } }",
    "cache: true, headers: { response: { set: { X-A: b } } }",
  );
  assertEquals([ttl, response], [plain, plain]);
  assertNotEquals(rewritten, plain);
  assertNotEquals(header, plain);
});
