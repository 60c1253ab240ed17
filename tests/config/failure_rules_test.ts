/** What a route does where something takes too long or fails: what may be said of it, and what it comes to. */
import { buildSnapshot } from "../../mod/config/build.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import type { ListenerSnapshot, Snapshot } from "../../mod/config/snapshot.ts";
import { assert, assertEquals } from "../assert.ts";
import { errors, good, listenerWith, poolWith, routesOf, warnings } from "./reading.ts";

const SORRY = 'pools: { sorry: { servers: ["10.0.0.2:80"] }, app: {';

async function built(...lines: string[]): Promise<ListenerSnapshot> {
  return (await snapshotOf(listenerWith(...lines).replace("pools: { app: {", SORRY))).listeners[0]!;
}

async function snapshotOf(text: string): Promise<Snapshot> {
  return buildSnapshot(await good(text), {
    files: new Map([["sorry.html", "<p>sorry"]]),
    generation: 1,
    node: "n1",
    directory: ".",
    rows: new RowAllocator({ listeners: 4, pools: 4, servers: 16 }),
    resolve: () => [{ host: "10.0.0.1", port: 80 }],
  });
}

Deno.test("buildSnapshot() a route has the time-outs that it names and the listener's for the rest", async () => {
  const { timeouts, routes } = await built(
    "timeouts: { request: 2m, body: 5s }",
    "routes:",
    "  - { match: { path: /a }, timeouts: { request: 0s, response: 1s, queue: 2s }, pool: app }",
    "  - { match: { path: /b }, timeouts: { tunnel: 3s }, pool: app }",
    "  - { pool: app }",
  );
  assertEquals([timeouts.requestMs, timeouts.bodyMs], [120_000, 5000]);
  assertEquals(routes.map((route) => route.timeouts), [
    { requestMs: 0, bodyMs: 5000, tunnelMs: 3_600_000 },
    { requestMs: 120_000, bodyMs: 5000, tunnelMs: 3000 },
    undefined,
  ]);
  assertEquals(routes.map((route) => route.terms), [
    { timeouts: { responseMs: 1000 }, queue: { timeoutMs: 2000 }, retry: {} },
    undefined,
    undefined,
  ]);
});

Deno.test("loadConfig() refuses time-outs of routes where there are no requests", async () => {
  const tcp = listenerWith("protocol: tcp", "routes: [{ timeouts: { connect: 1s }, pool: app }]");
  assertEquals(await errors(tcp), [
    "5:16 «timeouts» listeners[0].routes[0].timeouts: cannot stand on a tcp listener, which sees no requests",
  ]);
  assertEquals(await warnings(listenerWith("protocol: tcp", "timeouts: { request: 1s }", "pool: app")), [
    "5:17 «request» listeners[0].timeouts.request: has no effect on a tcp listener",
  ]);
});

Deno.test("loadConfig() warns of time-outs towards servers beside what needs none", async () => {
  const text = listenerWith(
    "routes: [{ respond: { status: 204 }, timeouts: { request: 1s, response: 1s, queue: 1s } }]",
  );
  assertEquals(await warnings(text), [
    "4:67 «response» listeners[0].routes[0].timeouts.response: has no effect beside respond: no server gets the request",
    "4:81 «queue» listeners[0].routes[0].timeouts.queue: has no effect beside respond: no server gets the request",
    "5:10 «app» pools.app: is used by no listener",
  ]);
});

Deno.test("buildSnapshot() a fallback is a pool, or an answer that is whole", async () => {
  const { routes } = await built(
    "routes:",
    "  - { match: { path: /a }, pool: app, fallback: { pool: sorry, statuses: [502, 503] } }",
    "  - { match: { path: /b }, pool: app, fallback: { respond: { file: sorry.html, retryAfter: 90s } } }",
    "  - { split: { pools: { app: 1 } }, fallback: { respond: { status: 200, body: '$$5', contentType: a/b } } }",
  );
  assertEquals(routes.map(({ fallback }) => fallback), [
    { pool: "sorry", statuses: [502, 503] },
    {
      statuses: [],
      answer: {
        status: 503,
        body: "<p>sorry",
        contentType: "text/html; charset=utf-8",
        fields: "Retry-After: 90\r\n",
      },
    },
    { statuses: [], answer: { status: 200, body: "$5", contentType: "a/b" } },
  ]);
});

Deno.test("loadConfig() says what is wrong with a fallback, and where", async () => {
  const text = routesOf(
    "{ match: { path: /a }, pool: app, fallback: {} }",
    "{ match: { path: /b }, pool: app, fallback: { pool: sorri } }",
    "{ match: { path: /c }, pool: app, fallback: { pool: app } }",
    "{ match: { path: /d }, respond: {}, fallback: { pool: sorry } }",
    "{ match: { path: /e }, pool: app, fallback: { respond: { body: 'for $clientAddress' } } }",
    "{ match: { path: /f }, pool: app, fallback: { pool: sorry, statuses: [200] } }",
    "{ match: { path: /g }, pool: app, fallback: { pool: sorry, respond: {} } }",
  ).replace("pools: { app: {", SORRY);
  assertEquals(await errors(text), [
    "5:53 «{}» listeners[0].routes[0].fallback: must have either pool or respond",
    '6:61 «sorri» listeners[0].routes[1].fallback.pool: names no pool: "sorri"; did you mean "sorry"?',
    "7:61 «app» listeners[0].routes[2].fallback.pool: must be another pool than the route's",
    "8:45 «fallback» listeners[0].routes[3].fallback: has nothing to stand in for beside respond, which needs no server",
    "9:72 «'for $clientAddress'» listeners[0].routes[4].fallback.respond.body: must have no variables",
    "10:79 «200» listeners[0].routes[5].fallback.statuses[0]: must be a whole number from 400 to 599, not 200",
    "11:53 «{ pool: sorry, respond: {} }» listeners[0].routes[6].fallback: must have either pool or respond",
  ]);
  const overTcp = (fallback: string) =>
    errors(
      listenerWith("protocol: tcp", `routes: [{ fallback: { ${fallback} }, pool: app }]`)
        .replace("pools: { app: {", SORRY),
    );
  assertEquals(await overTcp("pool: sorry"), []);
  assertEquals(await overTcp("pool: sorry, statuses: [503]"), [
    "5:41 «statuses» listeners[0].routes[0].fallback.statuses: cannot stand on a tcp listener, which sees no requests",
  ]);
  assertEquals(await overTcp("respond: {}"), [
    "5:28 «respond» listeners[0].routes[0].fallback.respond: cannot stand on a tcp listener, which sees no requests",
  ]);
  assertEquals(await overTcp("pool: app"), [
    "5:34 «app» listeners[0].routes[0].fallback.pool: must be another pool than the route's",
  ]);
});

Deno.test("buildSnapshot() spells out the retries of a pool, and what a route does otherwise", async () => {
  const retryOf = async (...lines: string[]) => (await snapshotOf(poolWith(...lines))).pools[0]!.retry;
  assertEquals(
    await retryOf(
      "retry: { on: [reset, 429, timeout], methods: [idempotent, post], perTry: 1s, backoff: { base: 50ms } }",
    ),
    {
      attempts: 2,
      on: ["reset", 429, "timeout"],
      budget: 0.2,
      methods: ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST"],
      perTryMs: 1000,
      backoff: { baseMs: 50, maxMs: 500 },
    },
  );
  assertEquals((await retryOf("retry: { methods: all }")).methods, "all");
  const { routes } = await built("routes: [{ pool: app, retry: { attempts: 0 } }]");
  assertEquals(routes[0]!.terms, { timeouts: {}, queue: {}, retry: { attempts: 0 } });
});

Deno.test("loadConfig() says what is wrong with retries, and where", async () => {
  assertEquals(
    await errors(poolWith("retry: { perTry: 1s, backoff: { base: 2s, max: 1s }, methods: 'a b' }")),
    [
      "5:14 «perTry» pools.app.retry.perTry: needs timeout among what is retried on",
      "5:47 «max» pools.app.retry.backoff.max: must not be less than base",
      `5:67 «'a b'» pools.app.retry.methods: must be an HTTP method, idempotent or all, not "a b"`,
    ],
  );
  const routes = routesOf(
    "{ match: { path: /a }, pool: app, retry: { perTry: 1s } }",
    "{ match: { path: /b }, pool: app, retry: { perTry: 1s, on: [timeout] } }",
  );
  assertEquals(await errors(routes), [
    "5:52 «perTry» listeners[0].routes[0].retry.perTry: needs timeout among what is retried on",
  ]);
  assertEquals(
    (await warnings(routesOf("{ respond: {}, retry: { attempts: 1 } }")))[0],
    "5:24 «retry» listeners[0].routes[0].retry: has no effect beside respond: no server gets the request",
  );
});

Deno.test("buildSnapshot() spells out the breaker of a pool", async () => {
  const breakerOf = async (...lines: string[]) => (await snapshotOf(poolWith(...lines))).pools[0]!.breaker;
  assertEquals(await breakerOf(), undefined);
  assertEquals(await breakerOf("breaker: { maxRequests: 100, failures: 50%, openFor: 30s }"), {
    maxRequests: 100,
    failures: 0.5,
    minRequests: 20,
    windowMs: 10_000,
    openForMs: 30_000,
    trials: 3,
  });
  assertEquals(await errors(poolWith("breaker: { failures: 101, window: 1ms }")), [
    '5:26 «101» pools.app.breaker.failures: must be a share such as 20% or 0.2, not "101"',
    "5:39 «1ms» pools.app.breaker.window: must be at least 100ms",
  ]);
  assertEquals(await errors(poolWith("breaker: { trials: 1 }")), [
    "5:14 «{ trials: 1 }» pools.app.breaker: must have maxRequests or failures",
  ]);
});

Deno.test("RetrySchema reads when a second attempt is made", async () => {
  const hedgeOf = async (hedge: string) =>
    (await snapshotOf(poolWith(`retry: { hedge: ${hedge} }`))).pools[0]!.retry.hedge;
  assertEquals(await hedgeOf("200ms"), { afterMs: 200 });
  assertEquals(await hedgeOf("p99.5"), { quantile: 0.995 });
  assertEquals(await hedgeOf("never"), "never");
  for (const wrong of ["p9", "p100", "0s", "soon", "5"]) {
    const [error = ""] = await errors(poolWith(`retry: { hedge: ${wrong} }`));
    const said = "pools.app.retry.hedge: must be a duration such as 200ms, a quantile such as p95, or never";
    assert(error.startsWith(`5:21 «${wrong}» ${said}`), error);
  }
});
