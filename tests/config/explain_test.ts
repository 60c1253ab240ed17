import { assertEquals, assertNotMatch } from "../assert.ts";
import { errors, listenerWith, poolWith, routesOf, SMALLEST } from "./reading.ts";

Deno.test("explainIssue() an unknown key: what was meant, or what is known", async () => {
  assertEquals(await errors(`${SMALLEST}\nlistner: 1\nzzz: 2`), [
    '3:1 «listner» listner: is not a known key; did you mean "listeners"?',
    "4:1 «zzz» zzz: is not a known key (known: listeners, pools, checks, kernel, vrrp, acme, cache, admin, log, tracing, workers, drainTimeout, nodes, contexts)",
  ]);
  assertEquals(await errors(listenerWith("pool: app", "protcol: http", "timeouts: { keepalive: 5s }")), [
    '5:5 «protcol» listeners[0].protcol: is not a known key; did you mean "protocol"?',
    '6:17 «keepalive» listeners[0].timeouts.keepalive: is not a known key; did you mean "keepAlive"?',
  ]);
  assertEquals(await errors(poolWith("check: { intervall: 5s }", "healthcheck: {}")), [
    '5:14 «intervall» pools.app.check.intervall: is not a known key; did you mean "interval"?',
    "6:5 «healthcheck» pools.app.healthcheck: is not a known key (known: balance, hashOn, hashMethod, servers, protocol, tls, proxyProtocol, check, agent, passive, retry, breaker, timeouts, queue, sticky, whenAllDown)",
  ]);
  assertEquals(await errors(routesOf("{ match: { hots: a }, pool: app }")), [
    "5:20 «hots» listeners[0].routes[0].match.hots: is not a known key (known: host, path, method, headers, query, cookies, client, not, sni, alpn)",
  ]);
});

Deno.test("explainIssue() an action that is none", async () => {
  assertEquals(
    await errors(routesOf("{ file: { root: x } }")),
    [
      "5:9 «{ file: { root: x } }» listeners[0].routes[0]: must have exactly one action (pool, split, redirect, respond, files or function), and has none",
      '5:11 «file» listeners[0].routes[0].file: is not a known key; did you mean "files"?',
    ],
  );
});

Deno.test("explainIssue() a wrong type: what is allowed and what is there", async () => {
  const text = "listeners: 5\npools: [a]\nadmin: 5\nlog: off\nworkers: many\nnodes: 5\ncontexts: [a]\n";
  assertEquals(await errors(text), [
    "1:12 «5» listeners: must be a list, not 5",
    "2:8 «[a]» pools: must be a map, not a list",
    "3:8 «5» admin: must be a map, not 5",
    '4:6 «off» log: must be a map, not "off"',
    '5:10 «many» workers: must be "auto" or a whole number from 1 to 64, not "many"',
    "6:8 «5» nodes: must be a map of node names, not 5",
    "7:11 «[a]» contexts: must be a map of context names, not a list",
  ]);
  assertEquals(
    await errors(listenerWith(
      "pool: app",
      "timeouts: { head: 10, body: 5x, keepAlive: 2020-01-01, idle: 0s, tunnel: [1h] }",
      "limits: { head: 1k, headers: 0, body: -1, connections: 1.5 }",
    )),
    [
      "5:23 «10» listeners[0].timeouts.head: must be a duration with a unit, such as 250ms, 2s, 5m or 1h, not 10",
      '5:33 «5x» listeners[0].timeouts.body: must be a duration with a unit, such as 250ms, 2s, 5m or 1h, not "5x"',
      "5:48 «2020-01-01» listeners[0].timeouts.keepAlive: must be a duration with a unit, such as 250ms, 2s, 5m or 1h, not a date (put it in quotes)",
      "5:66 «0s» listeners[0].timeouts.idle: must be at least 1ms",
      "5:78 «[1h]» listeners[0].timeouts.tunnel: must be a duration with a unit, such as 250ms, 2s, 5m or 1h, not a list",
      "6:34 «0» listeners[0].limits.headers: must be a whole number from 1 to 1000, not 0",
      '6:43 «-1» listeners[0].limits.body: must be a size such as 512, 64k or 1m, not "-1"',
      "6:60 «1.5» listeners[0].limits.connections: must be a whole number from 1 to 1000000, not 1.5",
    ],
  );
  assertEquals(await errors(listenerWith("pool: app", "limits: { head: 100 }")), [
    "5:21 «100» listeners[0].limits.head: must be at least 1k",
  ]);
  assertEquals(
    await errors(poolWith("passive: yes", "retry: { attempts: 11, on: [conect], budget: 120% }")),
    [
      '5:14 «yes» pools.app.passive: must be true or false or a map, not "yes"',
      "6:24 «11» pools.app.retry.attempts: must be a whole number from 0 to 10, not 11",
      '6:33 «conect» pools.app.retry.on[0]: must be one of 401, 403, 404, 408, 425, 429, 500, 501, 502, 503, 504, connect, empty, reset, malformed, timeout, not "conect"; did you mean "connect"?',
      '6:50 «120%» pools.app.retry.budget: must be a share such as 20% or 0.2, not "120%"',
    ],
  );
  assertEquals(await errors(routesOf("{ match: { query: { v: 2 } }, pool: app }")), [
    "5:32 «2» listeners[0].routes[0].match.query.v: must be text (in quotes if it looks like something else) or a list or true or false, not 2",
  ]);
});

Deno.test("explainIssue() a choice: the words, and the one that was meant", async () => {
  assertEquals(await errors(`${SMALLEST}\nlog: { level: warn, format: xml, access: comon }`), [
    '3:15 «warn» log.level: must be one of debug, info, warning, error, not "warn"; did you mean "warning"?',
    '3:29 «xml» log.format: must be one of auto, text, json, not "xml"',
    '3:42 «comon» log.access: must be one of off, json, combined, haproxy, not "comon"',
  ]);
  assertEquals(await errors(poolWith("balance: roundrobin", "whenAllDown: maybe")), [
    '5:14 «roundrobin» pools.app.balance: must be one of roundRobin, leastConnections, random, fastest, first, hash, maglev, not "roundrobin"; did you mean "roundRobin"?',
    '6:18 «maybe» pools.app.whenAllDown: must be one of fail, try, not "maybe"',
  ]);
});

Deno.test("explainIssue() a field that is missing or empty", async () => {
  assertEquals(await errors("listeners: [{}]\npools: { app: {} }"), [
    "1:13 «{}» listeners[0].name: is required: Name in logs, metrics and overlays",
    "1:13 «{}» listeners[0].bind: is required: `ip:port`, `[v6]:port`, or `:port` for every address of both families; one or a list; in the kernel also a range, as in `203.0.113.10:8000-8100`",
    "2:10 «app» pools.app.servers: is required: The pool's servers: `host:port`, or an object",
  ]);
  assertEquals(await errors(listenerWith("pool: app", "timeouts:")), [
    "5:14 «» listeners[0].timeouts: is empty: give it a value or remove the key",
  ]);
  assertEquals(await errors(routesOf("{ redirect: {} }")), [
    "5:11 «redirect» listeners[0].routes[0].redirect.to: is required: Where to: a URL or a path. `*` stands for what the `*` of the path took, `:id` for a parameter",
  ]);
});

Deno.test("explainIssue() never shows a token, wherever it comes from", async () => {
  const admin = (token: string) => `${SMALLEST}\nadmin: { bind: "0.0.0.0:9900", token: ${token} }`;
  const told = await errors(admin('"${TOKEN}"'), { env: { TOKEN: "hunter2" } });
  assertEquals(told, ['3:39 «"${TOKEN}"» admin.token: must be at least 16 characters']);
  assertNotMatch(told.join(), /hunter2/);
});
