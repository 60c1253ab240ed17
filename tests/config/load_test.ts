import { keysAt, plainSchema } from "../../mod/config/json_schema.ts";
import { MAX_CONFIG_CHARS } from "../../mod/config/load.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { errors, good, LISTENER, load, POOL, SMALLEST, warnings } from "./reading.ts";

/** What a listener may say, in the order of the schema. */
const OF_LISTENERS = keysAt(plainSchema(), ["listeners", 0]).join(", ");

Deno.test("loadConfig() takes YAML, JSON, JSONC and a deno.json alike", async () => {
  const json = JSON.stringify({
    listeners: [{ name: "web", bind: ":80", pool: "app" }],
    pools: { app: { servers: ["10.0.0.1:80"] } },
  });
  const config = await good(SMALLEST);
  assertEquals(await good(json, { file: "tandem.json" }), config);
  assertEquals(await good(`// a comment\n${json.slice(0, -1)},}`, { file: "tandem.jsonc" }), config);
  assertEquals(await good(`{ "tasks": {}, "tandem": ${json} }`, { file: "/etc/deno.json" }), config);
  assertEquals(await good(json), config);
});

Deno.test("loadConfig() takes a byte order mark and lines that end in CR LF, and counts lines right", async () => {
  assertEquals(await errors(`\uFEFF${SMALLEST}`), []);
  assertEquals(await errors(`${LISTENER}\r\n${POOL}\r\nadmn: 1\r\n`), [
    '3:1 «admn» admn: is not a known key; did you mean "admin"?',
  ]);
});

Deno.test("loadConfig() says where YAML is malformed", async () => {
  assertEquals(await errors("listeners:\n  - { name: web\npools: {}"), [
    "3:1 «p» flow map in block collection must be sufficiently indented and end with a }",
  ]);
  assertEquals(await errors('listeners: "a\npools: 1'), ['2:9 «» missing closing "quote']);
  assertEquals(await errors("a: b: c"), ["1:4 «b» nested mappings are not allowed in compact mappings"]);
  assertEquals(await errors("listeners:\n  - a\n\t- b"), [
    "3:1 « » tabs are not allowed as indentation",
  ]);
  assertEquals(await errors("listeners: *nowhere"), [
    '1:20 «» cannot read alias: unidentified alias "nowhere"',
  ]);
  assertEquals(await errors(`${SMALLEST}\n${POOL}`), ["3:1 «p» map keys must be unique"]);
  assertEquals(await errors(`${LISTENER}\n---\n${POOL}`), [
    "2:1 «-» found more than 1 document in the stream: expected a single document",
  ]);
  assertEquals(await errors('a: "\u0007"'), ['1:6 «"» expected valid JSON character: received "7"']);
  assertEquals(await errors("%YAML 9\n---\na: 1"), ["1:7 «9» unsupported YAML version 9"]);
});

Deno.test("loadConfig() says that a variable in braces wants quotes", async () => {
  assertEquals(await errors(`${SMALLEST}\nadmin: { bind: \${ADDRESS} }`), [
    "3:17 «{» unexpected flow-map-start at node end (inside { } and [ ] put ${NAME} in quotes)",
  ]);
});

Deno.test("loadConfig() says where JSON is malformed", async () => {
  assertEquals(await errors('{"listeners": [,], "a" 5}', { file: "a.json" }), [
    "1:16 «,» the JSON is malformed: value expected",
    "1:24 «5» the JSON is malformed: colon expected",
  ]);
  assertEquals(await errors('{"a": 1,\n "a": 2}', { file: "a.json" }), [
    '2:2 «"a"» the key "a" is there twice',
  ]);
  assertEquals(await errors("", { file: "a.jsonc" }), ["1:1 «» the JSON is malformed: value expected"]);
  assertEquals(
    await errors('{"listeners": [{"name": "web", "bind": ":80", "pool": "ap"}], "pools": {}}', {
      file: "a.json",
    }),
    ['1:55 «"ap"» listeners[0].pool: names no pool: "ap" (there are none)'],
  );
});

Deno.test("loadConfig() says what a file without a configuration lacks", async () => {
  assertEquals(await errors(""), ["1:1 «» is empty"]);
  assertEquals(await errors("# nothing but a comment\n"), ["1:1 «#» is empty"]);
  assertEquals(await errors("null"), ["1:1 «null» is empty"]);
  assertEquals(await errors("- a list"), ["1:1 «- a list» must be a map with listeners, not a list"]);
  assertEquals(await errors("5"), ["1:1 «5» must be a map with listeners, not 5"]);
  assertEquals(await errors('{ "tasks": {} }', { file: "deno.jsonc" }), [
    '1:1 «{» tandem: is missing: a deno.json has the configuration under the key "tandem"',
  ]);
  assertEquals(await errors('{ "tandem": 5 }', { file: "etc/deno.json" }), [
    "1:13 «5» tandem: must be a map with listeners, not 5",
  ]);
  assertEquals(await errors(POOL), ["1:1 «p» listeners: is required"]);
});

Deno.test("loadConfig() points into the tandem key of a deno.json", async () => {
  const text = `{
  "tandem": {
    "listeners": [{ "name": "web", "bind": 80, "pool": "app" }],
    "pools": { "app": { "servers": [] } }
  }
}`;
  assertEquals(await errors(text, { file: "deno.json" }), [
    "3:44 «80» tandem.listeners[0].bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080 or a list, not 80",
    "4:36 «[]» tandem.pools.app.servers: must have at least one server",
  ]);
});

Deno.test("loadConfig() tells every problem at once, in the order of the lines", async () => {
  const text = `a: 1
listeners:
  - { name: web, bind: x, pool: nope, timeouts: { head: 1 } }
  - { name: web, bind: ":81", pool: app, zzz: 1 }
pools:
  app: { servers: [x], check: { type: ftp }, balanse: first }
admin: { bind: "0.0.0.0:1" }
log: { level: "\${LEVEL}" }`;
  assertEquals(await errors(text), [
    "1:1 «a» a: is not a known key (known: listeners, pools, checks, kernel, vrrp, acme, cache, admin, log, tracing, workers, drainTimeout, nodes, contexts)",
    '3:24 «x» listeners[0].bind: must be ip:port, [v6]:port or :port, such as 0.0.0.0:8080, not "x"',
    '3:33 «nope» listeners[0].pool: names no pool: "nope" (known: app)',
    "3:57 «1» listeners[0].timeouts.head: must be a duration with a unit, such as 250ms, 2s, 5m or 1h, not 1",
    '4:13 «web» listeners[1].name: is the name of another listener already: "web"',
    `4:42 «zzz» listeners[1].zzz: is not a known key (known: ${OF_LISTENERS})`,
    '6:20 «x» pools.app.servers[0]: must be host:port or [v6]:port, such as 10.0.0.11:8080, not "x"',
    '6:39 «ftp» pools.app.check.type: must be one of http, tcp, tls, udp, grpc, dns, smtp, redis, postgres, mysql, exec, not "ftp"',
    '6:46 «balanse» pools.app.balanse: is not a known key; did you mean "balance"?',
    '7:16 «"0.0.0.0:1"» admin.bind: needs admin.token as it is not a loopback address (such as 127.0.0.1:9900)',
    "8:16 «${LEVEL}» log.level: needs the environment variable LEVEL, which is not set",
  ]);
});

Deno.test("loadConfig() gives warnings beside a good configuration and beside errors, never as errors", async () => {
  const text = `${SMALLEST}\n  other: { servers: ["10.0.0.2:80"] }`.replace(
    'pools: { app: { servers: ["10.0.0.1:80"] } }',
    'pools:\n  app: { servers: ["10.0.0.1:80"] }',
  );
  const result = await load(text);
  assert("config" in result);
  assertEquals(result.warnings.map((one) => one.path), ["pools.other"]);
  const both = await load(`${text}\nlog: 5`);
  assert("problems" in both);
  assertEquals([both.problems.length, both.warnings.length], [1, 1]);
});

Deno.test("loadConfig() reads aliases and merge keys, and finds problems behind them", async () => {
  const listener = "listeners:\n  - &web { name: web, bind: ':80', pool: app, limits: { head: 5 } }";
  assertEquals(await errors(`${listener}\n  - { <<: *web, name: other, bind: ":81" }\n${POOL}`), [
    "2:63 «5» listeners[0].limits.head: must be at least 1k",
    "2:63 «5» listeners[1].limits.head: must be at least 1k",
  ]);
  const config = await good(
    `listeners:\n  - &web { name: web, bind: ":80", pool: app, limits: { headers: 7 } }\n` +
      `  - { <<: *web, name: other, bind: ":81" }\n${POOL}`,
  );
  assertEquals(config.listeners.map(({ name, limits }) => [name, limits.headers]), [["web", 7], [
    "other",
    7,
  ]]);
});

Deno.test("loadConfig() keys that are no text are unknown keys", async () => {
  assertEquals(await errors(`? [a, b]\n: 1\n? { x: y }\n: 2\n1: 3\ntrue: 5\n~: 6\n${SMALLEST}`), [
    '1:3 «[a, b]» ["a,b"]: is not a known key (known: listeners, pools, checks, kernel, vrrp, acme, cache, admin, log, tracing, workers, drainTimeout, nodes, contexts)',
    '3:3 «{ x: y }» ["[object Object]"]: is not a known key (known: listeners, pools, checks, kernel, vrrp, acme, cache, admin, log, tracing, workers, drainTimeout, nodes, contexts)',
    '5:1 «1» ["1"]: is not a known key (known: listeners, pools, checks, kernel, vrrp, acme, cache, admin, log, tracing, workers, drainTimeout, nodes, contexts)',
    "6:1 «true» true: is not a known key (known: listeners, pools, checks, kernel, vrrp, acme, cache, admin, log, tracing, workers, drainTimeout, nodes, contexts)",
    "7:1 «~» null: is not a known key (known: listeners, pools, checks, kernel, vrrp, acme, cache, admin, log, tracing, workers, drainTimeout, nodes, contexts)",
  ]);
});

Deno.test("loadConfig() takes a text that its two readers understand differently", async () => {
  // To one it is a text over two lines, to the other it ends there, and an alias to nowhere is a key.
  assertEquals(await errors(`listeners:\n  - { host: "---\n*a", path: x }\nadmin: 5\n`), [
    "1:1 «l» admin: must be a map, not 5",
    '2:5 «{ host: "---» listeners[0].name: is required: Name in logs, metrics and overlays',
    '2:5 «{ host: "---» listeners[0].bind: is required: `ip:port`, `[v6]:port`, or `:port` for every address of both families; one or a list; in the kernel also a range, as in `203.0.113.10:8000-8100`',
    `2:5 «{ host: "---» listeners[0].path: is not a known key (known: ${OF_LISTENERS})`,
    `2:7 «host» listeners[0].host: is not a known key (known: ${OF_LISTENERS})`,
  ]);
});

Deno.test("loadConfig() keys that every object has are unknown keys too", async () => {
  assertEquals(await errors(`__proto__: { a: 1 }\nconstructor: 1\ntoString: 2\n${SMALLEST}`), [
    "1:1 «__proto__» __proto__: is not a key that can be used",
    "2:1 «constructor» constructor: is not a known key (known: listeners, pools, checks, kernel, vrrp, acme, cache, admin, log, tracing, workers, drainTimeout, nodes, contexts)",
    "3:1 «toString» toString: is not a known key (known: listeners, pools, checks, kernel, vrrp, acme, cache, admin, log, tracing, workers, drainTimeout, nodes, contexts)",
  ]);
  assertEquals(await errors(`${SMALLEST}\nlog: { __proto__: { level: debug } }`), [
    "3:8 «__proto__» log.__proto__: is not a key that can be used",
  ]);
  assertEquals(await errors(`{"__proto__": 1, "listeners": []}`, { file: "a.json" }), [
    '1:2 «"__proto__"» __proto__: is not a key that can be used',
    "1:31 «[]» listeners: must have at least one listener",
  ]);
  assertEquals(await errors(SMALLEST.replaceAll("app", "constructor")), []);
});

Deno.test("loadConfig() a document without an end, or too large, is one problem", async () => {
  assertEquals(await errors("listeners: &a [*a]"), [
    "1:16 «*a» listeners[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: is nested more than 32 levels deep",
  ]);
  const bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 8; level++) {
    bomb.push(`a${level}: &a${level} [${Array(10).fill(`*a${level - 1}`).join(", ")}]`);
  }
  const [problem, ...others] = await errors(bomb.join("\n"));
  assertEquals(others, []);
  assertStringIncludes(problem ?? "", "values (aliases?)");
  for (const file of ["a.yaml", "a.json"]) {
    for (const depth of [40, 20_000]) {
      const [deep, ...more] = await errors("[".repeat(depth) + "]".repeat(depth), { file });
      assertEquals(more, []);
      assert(/nested/.test(deep ?? "") || /must be a map/.test(deep ?? ""), deep);
    }
  }
  const maps = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  assertEquals(await errors(maps(40), { file: "a.json" }), [
    '1:166 «{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}» a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a: is nested more than 32 levels deep',
  ]);
  assertStringIncludes((await errors(maps(20_000), { file: "a.json" })).join(), "nested");
  assertStringIncludes((await errors(`#${"x".repeat(MAX_CONFIG_CHARS)}`)).join(), "is longer than");
});

Deno.test("loadConfig() reads thousands of routes and servers", async () => {
  const routes = Array.from(
    { length: 5000 },
    (_, at) => `      - { match: { path: "/r${at}/*" }, pool: app }`,
  );
  const servers = Array.from({ length: 1000 }, (_, at) => `"10.0.${at >> 8}.${at & 255}:80"`);
  const config = await good(
    `listeners:\n  - name: web\n    bind: ":80"\n    routes:\n${routes.join("\n")}\n` +
      `pools: { app: { servers: [${servers.join(", ")}] } }`,
  );
  assertEquals([config.listeners[0]?.routes.length, config.pools.app?.servers.length], [5000, 1000]);
});

Deno.test("loadConfig() shows at most 200 problems", async () => {
  const text = SMALLEST + Array.from({ length: 500 }, (_, at) => `\nkey${at}: 1`).join("");
  assertEquals((await errors(text)).length, 200);
  assertEquals(await warnings(text), []);
});
