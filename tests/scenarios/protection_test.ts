/** Protection with real clients and servers: what nginx does with the same rules, we do. */
import { SignJWT } from "jose";
import { assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { eventually, freePorts, Node } from "./node.ts";
import { curl, Peers, run } from "./peers.ts";

/** Blocks, as nginx and as Tandem say them. */
const ACCESS = {
  only: ["allow 127.0.0.2; deny all;", "allow: 127.0.0.2"],
  without: ["deny 127.0.0.2;", "deny: 127.0.0.2"],
  exception: ["allow 127.0.0.2; deny 127.0.0.0/8;", "allow: [127.0.0.2, all], deny: 127.0.0.0/8"],
  both: ["deny 127.0.0.2; allow 127.0.0.0/8; deny all;", "deny: 127.0.0.2, allow: 127.0.0.0/8"],
} as const;
const CLIENTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];

labTest("run() lets in by address whom nginx lets in", ["curl", "nginx"], async (t) => {
  await using peers = await Peers.make();
  const [server, theirs, ours, raw, behind] = freePorts(5) as [number, number, number, number, number];
  const locations = Object.entries(ACCESS).map(([name, [rules]]) =>
    `location /${name} { ${rules} proxy_pass http://127.0.0.1:${server}; }`
  );
  // Those that nginx itself sends on look at who was there before, as ours do.
  const realIp = "set_real_ip_from 127.0.0.9; real_ip_header X-Forwarded-For; real_ip_recursive on;";
  await peers.nginx(
    theirs,
    `server { listen 127.0.0.1:${server}; return 200 hello; }
     server { listen 127.0.0.1:${theirs}; ${realIp} ${locations.join("\n")} }`,
  );
  const routes = Object.entries(ACCESS).map(([name, [, rules]]) =>
    `      - { match: { path: "/${name}" }, access: { ${rules} }, pool: app }`
  );
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${ours}"
    trustedProxies: [127.0.0.9]
    routes:
${routes.join("\n")}
  - { name: raw, bind: "127.0.0.1:${raw}", protocol: tcp, access: { deny: 127.0.0.2 }, pool: app }
  - name: behind
    bind: "127.0.0.1:${behind}"
    protocol: tcp
    proxyProtocol: { from: [127.0.0.1] }
    access: { allow: 127.0.0.1 }
    pool: app
pools: { app: { servers: ["127.0.0.1:${server}"] } }
workers: 2
`);
  const status = (port: number, path: string, ...more: string[]) =>
    curl("-o", "/dev/null", "-w", "%{http_code}", ...more, `http://127.0.0.1:${port}${path}`);

  for (const name of Object.keys(ACCESS)) {
    await t.step(name, async () => {
      for (const client of CLIENTS) {
        const from = ["--interface", client];
        assertEquals(
          await status(ours, `/${name}`, ...from),
          await status(theirs, `/${name}`, ...from),
          client,
        );
        const through = [
          "--interface",
          "127.0.0.9",
          "-H",
          `X-Forwarded-For: 127.0.0.2, ${client}, 127.0.0.9`,
        ];
        assertEquals(
          await status(ours, `/${name}`, ...through),
          await status(theirs, `/${name}`, ...through),
          `${client} through a proxy`,
        );
      }
    });
  }

  await t.step("HTTP/2", async () => {
    const asked = ["--http2-prior-knowledge", "--interface"];
    assertEquals(await status(ours, "/only", ...asked, "127.0.0.1"), "403");
    assertEquals(await status(ours, "/only", ...asked, "127.0.0.2"), "200");
  });

  await t.step("a tcp listener closes the connection", async () => {
    assertEquals(await status(raw, "/", "--interface", "127.0.0.1"), "200");
    // 52: nothing came; 56: the connection was reset, as it may be when we close before the request is there.
    const said = await status(raw, "/", "--interface", "127.0.0.2").catch(String);
    assertEquals(/: (7|52|55|56) /.test(said), true, said);
    assertEquals(await status(behind, "/", "--haproxy-protocol"), "200");
    const { counters } = await node.listener("raw");
    assertEquals(counters.accessDenied, 1);
  });
});

/** Zones of an hour's patience, so that nothing leaks during the test: by nginx's key, and by ours. */
const LIMITS = {
  address: ["$binary_remote_addr", "address"],
  host: ["$host", "host"],
  header: ["$http_x_key", "'header:X-Key'"],
  cookie: ["$cookie_k", "'cookie:k'"],
  query: ["$arg_k", "'query:k'"],
  both: ["$binary_remote_addr$uri", "[address, path]"],
} as const;
/** Each is sent six times; what is beyond three is refused if it is counted at all. */
const REQUESTS: readonly string[][] = [
  ["-H", "Host: a.test"],
  ["-H", "Host: b.test", "-H", "X-Key: 1", "-b", "k=1"],
  ["--interface", "127.0.0.2", "-H", "Host: a.test", "-H", "X-Key: 2", "-b", "a=1; k=1"],
];

labTest("run() limits rates as nginx does", ["curl", "nginx"], async (t) => {
  await using peers = await Peers.make();
  const [server, theirs, ours] = freePorts(3) as [number, number, number];
  const kinds = Object.entries(LIMITS);
  await peers.nginx(
    theirs,
    `${kinds.map(([name, [key]]) => `limit_req_zone ${key} zone=${name}:1m rate=1r/m;`).join("\n")}
     server { listen 127.0.0.1:${server}; return 200 hello; }
     server { listen 127.0.0.1:${theirs}; limit_req_status 429;
       ${
      kinds.map(([name]) =>
        `location /${name} { limit_req zone=${name} burst=2 nodelay; proxy_pass http://127.0.0.1:${server}; }`
      ).join("\n")
    } }`,
  );
  const limit = (key: string) => `{ rate: 1/m, burst: 2, key: ${key}, name: NAME }`;
  const config = (more = "") => `
listeners:
  - name: web
    bind: "127.0.0.1:${ours}"
    routes:
${
    kinds.map(([name, [, key]]) =>
      `      - { match: { path: "/${name}*" }, rateLimit: ${limit(key).replace("NAME", name)}, pool: app }`
    ).join("\n")
  }
      - match: { path: /dry }
        rateLimit: { rate: 1/m, dryRun: true, key: route }
        pool: app
      - match: { path: /smooth }
        rateLimit: { rate: 20/s, burst: 10, delay: true, key: host }
        pool: app
pools: { app: { servers: ["127.0.0.1:${server}"] } }
workers: 2
${more}`;
  await using node = await Node.start(config());
  const statuses = async (port: number, path: string, more: readonly string[]): Promise<string[]> => {
    const urls = Array.from({ length: 6 }, () => ["-o", "/dev/null", `http://127.0.0.1:${port}${path}?k=1`]);
    return (await curl("-w", "%{http_code} ", ...more, ...urls.flat())).trim().split(" ");
  };

  for (const [name] of kinds) {
    await t.step(name, async () => {
      for (const more of REQUESTS) {
        assertEquals(
          await statuses(ours, `/${name}`, more),
          await statuses(theirs, `/${name}`, more),
          `${more}`,
        );
      }
    });
  }

  await t.step("every worker counts for all, and a reload keeps what was counted", async () => {
    const before = await statuses(ours, "/address", []);
    assertEquals(before, Array(6).fill("429"));
    await node.reload(config("log: { access: json }"));
    assertEquals(await statuses(ours, "/address", []), before);
    const limit = (await node.status()).limits.find(({ name }) => name === "address")!;
    assertEquals([limit.passed, limit.refused >= 12], [6, true]);
  });

  await t.step("HTTP/2, a dry run, and requests that wait their turn", async () => {
    // This curl cannot send a second request on such a connection, to nobody.
    const http2 = [
      "--http2-prior-knowledge",
      "--interface",
      "127.0.0.5",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
    ];
    const codes: string[] = [];
    for (let n = 0; n < 5; n++) codes.push(await curl(...http2, `http://127.0.0.1:${ours}/address`));
    assertEquals(codes, ["200", "200", "200", "429", "429"]);
    assertEquals(await statuses(ours, "/dry", []), Array(6).fill("200"));
    const many = Array.from(
      { length: 8 },
      () => curl("-o", "/dev/null", "-w", "%{http_code}", `http://127.0.0.1:${ours}/smooth`),
    );
    assertEquals(await Promise.all(many), Array(8).fill("200"));
    const limits = (await node.status()).limits;
    const of = (name: string) => limits.find((limit) => limit.name === name)!;
    assertEquals([of("route web /dry").passed, of("route web /dry").wouldRefuse], [1, 5]);
    const family = (await node.metrics()).get("tandem_limit_requests_total")!;
    const refused = 'tandem_limit_requests_total{kind="rate",limit="address",result="refused"}';
    assertEquals(family.samples.get(refused), of("address").refused);
  });
});

labTest("run() limits what is under way as HAProxy does", ["curl", "haproxy"], async (t) => {
  await using peers = await Peers.make();
  const [theirs, ours, theirRaw, ourRaw] = freePorts(4) as [number, number, number, number];
  // Holds every request until it is let go.
  const held: (() => void)[] = [];
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => new Promise<Response>((resolve) => held.push(() => resolve(new Response("done")))),
  );
  // Else it would wait for them for ever.
  using _release = { [Symbol.dispose]: () => held.splice(0).forEach((release) => release()) };
  const { port } = server.addr;
  await peers.haproxy(
    theirs,
    `frontend f
  mode http
  bind 127.0.0.1:${theirs}
  stick-table type ip size 1k expire 1h store conn_cur
  http-request track-sc0 src
  http-request deny deny_status 429 if { sc_conn_cur(0) gt 2 }
  default_backend b
backend b
  mode http
  server s 127.0.0.1:${port}
frontend raw
  mode tcp
  bind 127.0.0.1:${theirRaw}
  stick-table type ip size 1k expire 1h store conn_cur
  tcp-request connection track-sc0 src
  tcp-request connection reject if { sc_conn_cur(0) gt 2 }
  default_backend b2
backend b2
  mode tcp
  server s 127.0.0.1:${port}`,
  );
  await using node = await Node.start(`
listeners:
  - { name: web, bind: "127.0.0.1:${ours}", concurrencyLimit: { requests: 2 }, pool: app }
  - { name: raw, bind: "127.0.0.1:${ourRaw}", protocol: tcp, connectionLimit: { connections: 2 }, pool: app }
pools: { app: { servers: ["127.0.0.1:${port}"] } }
workers: 2
`);
  const ask = (port: number, from: string) =>
    curl("-o", "/dev/null", "-w", "%{http_code}", "--interface", from, `http://127.0.0.1:${port}/`)
      .catch((error: Error) => /: (7|52|55|56) /.test(error.message) ? "closed" : error.message);

  for (const [name, [first, second]] of Object.entries({ web: [theirs, ours], raw: [theirRaw, ourRaw] })) {
    await t.step(name, async () => {
      for (const port of [first!, second!]) {
        const under = ["127.0.0.2", "127.0.0.2", "127.0.0.3"].map((from) => ask(port, from));
        await eventually(() => held.length === 3);
        const refused = name === "web" ? "429" : "closed";
        assertEquals([await ask(port, "127.0.0.2"), await ask(port, "127.0.0.2")], [refused, refused]);
        for (const release of held.splice(0)) release();
        assertEquals(await Promise.all(under), ["200", "200", "200"]);
        // Both know of a connection that is over as soon as they see its end.
        const again = eventually(async () => {
          const asked = ask(port, "127.0.0.2");
          await Promise.race([asked, eventually(() => held.length === 1)]);
          for (const release of held.splice(0)) release();
          return await asked === "200";
        });
        await again;
      }
    });
  }

  await t.step("HTTP/2", async () => {
    const under = [1, 2].map(() => ask(ours, "127.0.0.4"));
    await eventually(() => held.length === 2, () => held.length);
    const args = [
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "--http2-prior-knowledge",
      "--interface",
      "127.0.0.4",
    ];
    assertEquals(await curl(...args, `http://127.0.0.1:${ours}/`), "429");
    for (const release of held.splice(0)) release();
    assertEquals(await Promise.all(under), ["200", "200"]);
    await node.until(({ limits }) => limits.every(({ entries }) => entries === 0));
  });
});

labTest("run() asks for passwords and tokens, answers other origins, and refuses what is too large", [
  "curl",
  "htpasswd",
], async (t) => {
  await using peers = await Peers.make();
  const [port] = freePorts(1) as [number];
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      // One that is broken off is no matter here.
      await request.arrayBuffer().catch(() => {});
      return new Response(`${request.headers.get("x-user")} ${request.headers.get("x-role")}`);
    },
  );
  const { code, text } = await run("htpasswd", ["-nbB", "-C", "5", "alice", "secret"]);
  assertEquals(code, 0, text);
  peers.write("users", text.trim());
  const secret = "a secret of thirty-two characters";
  const token = await new SignJWT({ role: "admin" }).setProtectedHeader({ alg: "HS256" }).setSubject("bob")
    .sign(new TextEncoder().encode(secret));
  await using _node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    limits: { bodyRate: 100000 }
    timeouts: { body: 1s }
    securityHeaders: true
    cors: { origins: "https://app.test" }
    routes:
      - match: { path: /basic }
        basicAuth: { file: "${peers.directory}/users" }
        headers: { request: { set: { X-User: $user } } }
        pool: app
      - match: { path: /token }
        jwt: { secret: "${secret}", require: { role: admin }, claims: { X-User: sub, X-Role: role } }
        pool: app
      - { match: { path: /small }, limits: { body: 10 }, pool: app }
      - { match: { path: /slow }, tarpit: { delay: 100ms }, respond: { status: 404 } }
      - pool: app
pools: { app: { servers: ["127.0.0.1:${server.addr.port}"] } }
workers: 2
`);
  const url = (path: string) => `http://127.0.0.1:${port}${path}`;
  const status = (path: string, ...args: string[]) =>
    curl("-o", "/dev/null", "-w", "%{http_code}", ...args, url(path));

  await t.step("names and passwords", async () => {
    assertEquals(await status("/basic"), "401");
    assertEquals(await status("/basic", "-u", "alice:wrong"), "401");
    assertEquals(await curl("-u", "alice:secret", "-H", "X-User: root", url("/basic")), "alice null");
    assertEquals(
      await curl("--http2-prior-knowledge", "-u", "alice:secret", "-d", "body", url("/basic")),
      "alice null",
    );
  });

  await t.step("tokens", async () => {
    assertEquals(await status("/token"), "401");
    assertEquals(await status("/token", "-H", `Authorization: Bearer ${token}x`), "401");
    for (let n = 0; n < 2; n++) {
      assertEquals(
        await curl("-H", `Authorization: Bearer ${token}`, "-H", "X-Role: root", url("/token")),
        "bob admin",
      );
    }
  });

  await t.step("sizes, slow bodies, and the tarpit", async () => {
    assertEquals(await status("/small", "-d", "0123456789"), "200");
    assertEquals(await status("/small", "-d", "0123456789x"), "413");
    const slow = ["-H", "Expect:", "--limit-rate", "1k", "--data-binary", "x".repeat(100_000)];
    assertEquals(await status("/", ...slow), "408");
    assertEquals(await status("/slow"), "404");
  });

  await t.step("other origins, and headers for browsers", async () => {
    const asked = [
      "-i",
      "-X",
      "OPTIONS",
      "-H",
      "Origin: https://app.test",
      "-H",
      "Access-Control-Request-Method: PUT",
    ];
    const preflight = (await curl(...asked, url("/token"))).toLowerCase();
    assertEquals(/^http\/1\.1 204/.test(preflight), true, preflight);
    assertEquals(preflight.includes("access-control-allow-origin: https://app.test\r\n"), true, preflight);
    const answer = (await curl("-i", "-H", "Origin: https://evil.test", url("/"))).toLowerCase();
    assertEquals(answer.includes("access-control-allow-origin"), false, answer);
    assertEquals(answer.includes("x-content-type-options: nosniff\r\n"), true, answer);
  });
});
