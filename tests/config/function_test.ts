import { functionsOf, withFunctionPools } from "../../mod/config/functions.ts";
import { loadConfig } from "../../mod/config/load.ts";
import { assertEquals } from "../assert.ts";
import { errors, good, routesOf, warnings } from "./reading.ts";

Deno.test("FunctionSchema a path alone has the defaults, and the name of its file", async () => {
  const { listeners } = await good(
    routesOf("{ match: { path: /a }, function: ./edge/hello.world.ts }", "pool: app"),
  );
  assertEquals(listeners[0]!.routes[0]!.action, {
    kind: "function",
    module: "./edge/hello.world.ts",
    name: "hello.world",
    count: 1,
    timeout: 10_000,
    memory: 128 * 1024 * 1024,
    concurrency: 100,
    env: [],
    net: [],
    next: [],
  });
});

Deno.test("FunctionSchema says what is wrong with a function, and where", async () => {
  const routes = [
    "{ match: { path: /a }, function: ./a.py }",
    "{ match: { path: /b }, function: { module: ./b.ts, next: [ap, app], memory: 1m, net: 'a b' } }",
    "{ match: { path: /c }, function: { module: 'https://x.test/c.ts', env: A-B } }",
    "{ match: { path: /d }, function: ./d.ts, pool: app }",
    "{ match: { path: /e }, function: ./e.ts, mirror: { pool: app } }",
    "{ match: { path: /f }, function: ./one/same.ts }",
    "{ match: { path: /g }, function: { module: ./two/same.ts, count: 17 } }",
    "{ match: { path: /h }, function: ./two/same.ts }",
  ];
  assertEquals(
    (await errors(routesOf(...routes))).map((one) => one.replace(/^.*?» listeners\[0\]\.routes/, "")),
    [
      "[0].function: must end in .ts, .tsx, .mts, .js, .jsx or .mjs",
      '[1].function.next[0]: names no pool: "ap"; did you mean "app"?',
      "[1].function.memory: must be at least 16m",
      "[1].function.net: must be a host or host:port, such as api.example.com:443",
      "[2].function.module: must be a path, not a URL",
      '[2].function.env: must be the name of a variable, not "A-B"',
      "[3].function: cannot stand beside pool: a route must have exactly one action (pool, split, redirect, respond, files or function)",
      "[4].mirror: has nothing to copy beside function; it stands beside pool or split",
      "[6].function.count: must be a whole number from 1 to 16, not 17",
      '[7].function: has the name of listeners[0].routes[5].function, "same", and is another',
    ],
  );
});

Deno.test("checkFunctions() warns of variables that are not set, once for each function", async () => {
  const routes = [
    "{ match: { path: /a }, function: { module: ./a.ts, env: [SET, EMPTY, GONE] } }",
    "{ match: { path: /b }, function: { module: ./a.ts, env: [SET, EMPTY, GONE] } }",
    "{ match: { path: /c }, function: { module: ./c.ts, env: AWAY } }",
    "pool: app",
  ];
  assertEquals(await warnings(routesOf(...routes), { env: { SET: "1", EMPTY: "" } }), [
    "5:78 «GONE» listeners[0].routes[0].function.env[2]: names the environment variable GONE, which is not set",
    "7:65 «AWAY» listeners[0].routes[2].function.env: names the environment variable AWAY, which is not set",
  ]);
});

Deno.test("checkFunctions() modules must be there, processes few, and their pools theirs", async () => {
  const missing = await loadConfig(routesOf("function: ./a.ts"), {
    ...{ file: "tandem.yaml", node: null, context: null, env: () => undefined, pathKind: () => "missing" },
  });
  assertEquals("problems" in missing && missing.problems.map(({ message }) => message), ["is not there"]);
  const many = Array.from(
    { length: 5 },
    (_, at) => `{ match: { path: /${at} }, function: { module: ./${at}.ts, count: 16 } }`,
  );
  assertEquals(
    (await errors(routesOf(...many)))[0]!.replace(/^.*» /, ""),
    "listeners: has functions with 80 processes, and may have 64",
  );
  const taken = routesOf("function: ./a.ts").replace("pools: { app:", 'pools: { "function:a":');
  assertEquals(
    (await errors(taken))[0]!.replace(/^.*» /, ""),
    'pools["function:a"]: is the name of a function\'s own pool',
  );
  assertEquals(
    (await errors(routesOf("function: ./a.ts").replace("routes:", "protocol: tcp\n    routes:")))[0]!.replace(
      /^.*» /,
      "",
    ),
    "listeners[0].routes[0].function: cannot stand on a tcp listener, only pool and split can",
  );
});

Deno.test("withFunctionPools() a function is one pool, wherever it is named", async () => {
  const config = await good(routesOf(
    "{ match: { path: /a }, function: { module: ./f.ts, count: 2, concurrency: 5, timeout: 2s, next: app } }",
    "{ match: { path: /b }, function: { module: ./f.ts, count: 2, concurrency: 5, timeout: 2s, next: app } }",
  ));
  assertEquals(functionsOf(config).map(({ name }) => name), ["f"]);
  const { pools } = withFunctionPools(config);
  assertEquals(Object.keys(pools), ["app", "function:f"]);
  const { servers, timeouts, balance, retry } = pools["function:f"]!;
  assertEquals(servers.map(({ name, maxConnections }) => [name, maxConnections]), [["1", 5], ["2", 5]]);
  assertEquals([timeouts.response, balance, retry.on], [2000, "leastConnections", ["connect"]]);
});
