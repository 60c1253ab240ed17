/** The guards of listeners and routes: what may be said of them, and what it comes to. */
import { assertEquals } from "../assert.ts";
import { buildSnapshot } from "../../mod/config/build.ts";
import { RowAllocator } from "../../mod/config/rows.ts";
import type { ListenerSnapshot } from "../../mod/config/snapshot.ts";
import { errors, good, listenerWith, POOL, warnings } from "./reading.ts";

async function built(...lines: string[]): Promise<ListenerSnapshot> {
  const snapshot = buildSnapshot(await good(listenerWith(...lines)), {
    generation: 1,
    node: "n1",
    directory: ".",
    rows: new RowAllocator({ listeners: 4, pools: 4, servers: 16 }),
    resolve: () => [{ host: "10.0.0.1", port: 80 }],
  });
  return snapshot.listeners[0]!;
}

Deno.test("buildSnapshot() a route is guarded by its listener's access and its own, or by none", async () => {
  const { guards, routes } = await built(
    "access: { allow: [10.0.0.0/8, '::1'] }",
    "routes:",
    "  - { match: { path: /a }, access: { deny: all, allow: 10.1.0.0/16 }, pool: app }",
    "  - { match: { path: /b }, access: false, pool: app }",
    "  - { pool: app }",
  );
  const ofListener = { allow: ["10.0.0.0/8", "::1/128"], deny: [] };
  const own = { allow: ["10.1.0.0/16"], deny: ["0.0.0.0/0", "::/0"] };
  assertEquals(guards, { access: [ofListener] });
  assertEquals(routes.map((route) => route.guards), [
    { access: [ofListener, own] },
    undefined,
    { access: [ofListener] },
  ]);
});

Deno.test("loadConfig() refuses access that says nothing, or no addresses", async () => {
  assertEquals(await errors(listenerWith("access: {}", "pool: app")), [
    "4:13 «{}» listeners[0].access: must have allow or deny",
  ]);
  assertEquals(await errors(listenerWith("access: { allow: 10.0.0.1/8, deny: [everybody] }", "pool: app")), [
    '4:22 «10.0.0.1/8» listeners[0].access.allow: must be a CIDR block, an IP address or all, such as 10.0.0.0/8, not "10.0.0.1/8"',
    '4:41 «everybody» listeners[0].access.deny[0]: must be a CIDR block, an IP address or all, such as 10.0.0.0/8, not "everybody"',
  ]);
  assertEquals(await errors(listenerWith("access: true", "pool: app")), [
    '4:13 «true» listeners[0].access: must be "false" or a map, not true',
  ]);
});

Deno.test("loadConfig() turns guards off only where there are some to turn off", async () => {
  assertEquals(await warnings(listenerWith("access: false", "pool: app")), [
    "4:13 «false» listeners[0].access: has no effect: only a route has something to turn off",
  ]);
  const tcp = listenerWith("protocol: tcp", "routes: [{ access: false, pool: app }]");
  assertEquals(await errors(tcp), [
    "5:24 «false» listeners[0].routes[0].access: must not be false on a tcp listener: its clients are looked at as they come",
  ]);
});

Deno.test("loadConfig() refuses guards where the kernel forwards", async () => {
  const text =
    `listeners: [{ name: web, bind: ":80", protocol: tcp, forward: nat, access: { deny: 10.0.0.1 }, pool: app }]\n${POOL}`;
  assertEquals((await errors(text)).map((one) => one.split(": ").slice(1).join(": ")), [
    "cannot stand on a listener that the kernel forwards",
  ]);
});

Deno.test("buildSnapshot() rate limits are known by where they stand, or by their name", async () => {
  const { guards, routes } = await built(
    "rateLimit: { rate: 100/m }",
    "routes:",
    "  - { match: { path: /a }, rateLimit: [{ rate: 10/s, burst: 20, delay: 5 }, { rate: 1/s, name: slow }], pool: app }",
    "  - match: { path: /a, method: POST }",
    '    rateLimit: { rate: 5000/d, key: ["header:X-Key", route], delay: true, mask: { ipv6: 48 }, size: 8, status: 503, dryRun: true }',
    "    pool: app",
    "  - { match: { host: a.test }, rateLimit: false, pool: app }",
    "  - { pool: app }",
  );
  const ofListener = {
    kind: "rate" as const,
    name: "listener web",
    key: [{ kind: "address" as const, name: "" }],
    mask: { ipv4: 32, ipv6: 64 },
    scope: "listener web",
    size: 102_400,
    status: 429,
    dryRun: false,
    stepMs: 600,
    burst: 0,
    delay: null,
  };
  assertEquals(guards, { rateLimits: [ofListener] });
  const limits = routes.map((route) => route.guards?.rateLimits ?? []);
  assertEquals(limits.map((all) => all.map(({ name }) => name)), [
    ["listener web", "route web /a", "slow"],
    ["listener web", "route web /a #2"],
    [],
    ["listener web"],
  ]);
  assertEquals(limits[0]![1], {
    ...ofListener,
    name: "route web /a",
    scope: "route web /a",
    stepMs: 100,
    burst: 20,
    delay: 5,
  });
  assertEquals(limits[1]![1], {
    ...ofListener,
    name: "route web /a #2",
    scope: "route web /a #2",
    key: [{ kind: "header", name: "x-key" }, { kind: "route", name: "" }],
    mask: { ipv4: 32, ipv6: 48 },
    size: 8,
    status: 503,
    dryRun: true,
    stepMs: 17_280,
    delay: 0,
  });
});

Deno.test("loadConfig() says how a rate and a key are written", async () => {
  assertEquals(await errors(listenerWith("rateLimit: { rate: 10, key: ip }", "pool: app")), [
    "4:24 «10» listeners[0].rateLimit.rate: must be a number a second, minute, hour or day, such as 10/s, 100/m, 1000/h or 5000/d, not 10",
    '4:33 «ip» listeners[0].rateLimit.key: must be address, host, path, route, header:NAME, cookie:NAME or query:NAME, not "ip"',
  ]);
  assertEquals(await errors(listenerWith("protocol: tcp", "rateLimit: { rate: 1/s }", "pool: app")), [
    "5:5 «rateLimit» listeners[0].rateLimit: cannot stand on a tcp listener, which sees no requests",
  ]);
});

Deno.test("loadConfig() limits of one name must count the same", async () => {
  const text = listenerWith(
    "rateLimit: { name: a, rate: 1/s, status: 503 }",
    "routes:",
    "  - { match: { path: /x }, rateLimit: [{ name: a, rate: 1/s, burst: 9 }, { name: a, rate: 2/s }], pool: app }",
    "  - { rateLimit: { name: a, rate: 1/s, key: host }, pool: app }",
  );
  assertEquals(await errors(text), [
    "6:95 «2/s» listeners[0].routes[0].rateLimit[1].rate: must have the rate of listeners[0].rateLimit, which has the same name",
    "7:49 «host» listeners[0].routes[1].rateLimit.key: must have the key of listeners[0].rateLimit, which has the same name",
  ]);
});

Deno.test("buildSnapshot() limits of what is under way, of routes, CORS, tarpit and headers", async () => {
  const { guards, routes, connectionLimit, securityHeaders } = await built(
    "concurrencyLimit: { requests: 5 }",
    "connectionLimit: { connections: 9, mask: { ipv4: 24 }, size: 16 }",
    "cors: { origins: https://a.test, maxAge: 90s }",
    "securityHeaders: true",
    "tarpit: { delay: 1s }",
    "routes:",
    "  - match: { path: /a }",
    "    limits: { body: 5 }",
    "    cors: false",
    "    tarpit: false",
    "    concurrencyLimit: { requests: 1, key: host, status: 503 }",
    "    securityHeaders: { frameOptions: DENY, permissionsPolicy: false, hideServer: false }",
    "    pool: app",
    "  - { pool: app }",
  );
  assertEquals(guards!.concurrencyLimits!.map(({ kind, most, status }) => [kind, most, status]), [[
    "requests",
    5,
    429,
  ]]);
  assertEquals([connectionLimit!.kind, connectionLimit!.most, connectionLimit!.mask.ipv4], [
    "connections",
    9,
    24,
  ]);
  assertEquals(guards!.cors, {
    origins: ["https://a.test"],
    methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    headers: null,
    exposeHeaders: [],
    credentials: false,
    maxAgeSeconds: 90,
  });
  assertEquals(guards!.tarpit, { delayMs: 1000, most: 1000 });
  assertEquals(securityHeaders!.remove, ["server", "x-powered-by"]);
  assertEquals(securityHeaders!.set.map(([name]) => name), [
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
  ]);
  const [own, inherited] = routes;
  assertEquals(own!.limits, { head: 16_384, headers: 100, body: 5 });
  assertEquals([own!.guards!.cors, own!.guards!.tarpit], [undefined, undefined]);
  assertEquals(own!.guards!.concurrencyLimits!.map(({ most, status }) => [most, status]), [[5, 429], [
    1,
    503,
  ]]);
  assertEquals(own!.securityHeaders!.remove, []);
  assertEquals(own!.securityHeaders!.set.slice(1, 2), [["X-Frame-Options", "DENY"]]);
  assertEquals(inherited!.limits, undefined);
  assertEquals([inherited!.guards!.cors, inherited!.guards!.tarpit], [guards!.cors, guards!.tarpit]);
  assertEquals(inherited!.securityHeaders, securityHeaders);
});

Deno.test("loadConfig() refuses origins that are none, credentials for everybody, and limits above the listener's", async () => {
  assertEquals(await errors(listenerWith("cors: { origins: [a.test, 'https://a.test/'] }", "pool: app")), [
    "4:23 «a.test» listeners[0].cors.origins[0]: must be an origin such as https://app.example.com, https://*.example.com, ~expression, null or *",
    "4:31 «'https://a.test/'» listeners[0].cors.origins[1]: must be an origin such as https://app.example.com, https://*.example.com, ~expression, null or *",
  ]);
  assertEquals(await errors(listenerWith("cors: { origins: '*', credentials: true }", "pool: app")), [
    "4:40 «true» listeners[0].cors.credentials: cannot stand beside the origin *: every site could act in the name of its visitors",
  ]);
  assertEquals(await errors(listenerWith("routes: [{ limits: { head: 64k }, pool: app }]")), [
    "4:32 «64k» listeners[0].routes[0].limits.head: must be at most the listener's, which is 16384",
  ]);
  const tcp = await errors(
    listenerWith("protocol: tcp", "routes: [{ limits: { body: 1 }, cors: false, pool: app }]"),
  );
  assertEquals(tcp.map((one) => one.split(": ").slice(-1)[0]), [
    "cannot stand on a tcp listener, which sees no requests",
    "cannot stand on a tcp listener, which sees no requests",
  ]);
});

const HASH = "$2y$04$.yHTdqj71GxEmoTsZItSmOVvuxzWHYA04Hr8dMpBeZrOW.fxSltAy";

Deno.test("buildSnapshot() passwords come from the file and its file, tokens with their keys and headers", async () => {
  const texts = new Map([["u", `# users\nbob:${HASH}:comment\n\n`], ["k", '{ "keys": [{ "kty": "oct" }] }']]);
  const files = { read: (path: string) => ({ text: texts.get(path)!, warning: null }), belong: () => true };
  const text = listenerWith(
    `basicAuth: { users: { alice: '${HASH}' }, file: u }`,
    "jwt: { keys: k, issuer: me, claims: { X-User: sub }, require: { scope: [read, write] } }",
    "routes:",
    "  - { match: { path: /open }, basicAuth: false, jwt: false, pool: app }",
    "  - { pool: app }",
  );
  const config = await good(text, { files });
  const snapshot = buildSnapshot(config, {
    generation: 1,
    node: "n1",
    directory: ".",
    files: texts,
    rows: new RowAllocator({ listeners: 4, pools: 4, servers: 16 }),
    resolve: () => [{ host: "10.0.0.1", port: 80 }],
  });
  const [open, closed] = snapshot.listeners[0]!.routes;
  assertEquals([open!.guards, open!.claims], [undefined, undefined]);
  assertEquals(closed!.guards!.basicAuth, { realm: "tandem", users: [["alice", HASH], ["bob", HASH]] });
  const { terms, require, from } = closed!.guards!.jwt!;
  assertEquals([terms.key.kind, terms.issuers, terms.algorithms[0], terms.leewayMs], [
    "jwks",
    ["me"],
    "RS256",
    30_000,
  ]);
  assertEquals([require, from], [[["scope", ["read", "write"]]], { kind: "header", name: "authorization" }]);
  assertEquals(closed!.claims!.set, [["X-User", "$claim(sub)"]]);
});

Deno.test("loadConfig() refuses passwords as they are, weak hashes, and keys that are none", async () => {
  const last = async (text: string, texts: Record<string, string> = {}) => {
    const files = { read: (path: string) => ({ text: texts[path]!, warning: null }), belong: () => true };
    return (await errors(text, { files })).map((one) => one.split(/«[^»]*» /)[1]);
  };
  const hint = "must be a hash of bcrypt, argon2, sha512-crypt or sha256-crypt, as `htpasswd -B` writes them";
  assertEquals(await last(listenerWith("basicAuth: { users: { a: secret, b: $apr1$x$y } }", "pool: app")), [
    `listeners[0].basicAuth.users.a: ${hint}`,
    `listeners[0].basicAuth.users.b: ${hint}`,
  ]);
  assertEquals(await last(listenerWith("basicAuth: {}", "pool: app")), [
    "listeners[0].basicAuth: must have users or file",
  ]);
  assertEquals(await last(listenerWith("basicAuth: { file: u }", "pool: app"), { u: "a:secret\n" }), [
    `listeners[0].basicAuth.file: u: line 1: the hash of "a" ${hint}`,
  ]);
  assertEquals(await last(listenerWith("jwt: { keys: k }", "pool: app"), { k: "nothing" }), [
    "listeners[0].jwt.keys: k: is neither a JSON Web Key Set nor a public key in PEM",
  ]);
  assertEquals(await last(listenerWith("jwt: {}", "pool: app")), [
    "listeners[0].jwt: must have either keys or secret",
  ]);
  assertEquals(
    await last(listenerWith("jwt: { keys: k, algorithms: HS256 }", "pool: app"), { k: '{"keys":[{}]}' }),
    [
      "listeners[0].jwt.algorithms: must be among RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA here",
    ],
  );
});
