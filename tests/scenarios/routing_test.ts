/** Routes by real requests: the same conditions here and in HAProxy, the same requests to both, the same choice. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { HttpConnection } from "./http_client.ts";
import { Nginx } from "./nginx.ts";
import { eventually, freePort, Node } from "./node.ts";
import { curl, Peers } from "./peers.ts";

/** What answers with its own number when the condition before it did not hold. */
const CONDITIONS: readonly [tandem: string, haproxy: string][] = [
  [`path: "/admin/*", not: { client: [127.0.0.2, "fd00::/8"] }`, "{ path_dir /admin } !{ src 127.0.0.2 }"],
  [`host: '~^(?<tenant>[a-z]+)\\.a\\.test$'`, "{ req.hdr(host),field(1,:) -m reg -i ^[a-z]+\\.a\\.test$ }"],
  [`path: '~*\\.(gif|png)$'`, "{ path_reg -i \\.(gif|png)$ }"],
  [`path: "/v1*", method: POST`, "{ path_beg /v1 } { method POST }"],
  [`headers: { x-beta: true, x-kind: [a, b] }`, "{ req.hdr(x-beta) -m found } { req.hdr(x-kind) a b }"],
  [
    `headers: { user-agent: '~*bot' }, not: [{ path: /robots.txt }, { query: { human: true } }]`,
    "{ req.hdr(user-agent) -m sub -i bot } !{ path /robots.txt } !{ urlp(human) -m found }",
  ],
  [
    `query: { v: '~^[0-9]+$' }, headers: { x-old: false }`,
    "{ urlp(v) -m reg ^[0-9]+$ } !{ req.hdr(x-old) -m found }",
  ],
  [`cookies: { beta: "1" }`, "{ req.cook(beta) 1 }"],
];

/** Arguments of curl; the path is the last. */
const REQUESTS: readonly string[] = [
  "/",
  "/admin/x",
  "--interface 127.0.0.2 /admin/x",
  "--interface 127.0.0.2 /%61dmin/x",
  "/administration",
  "-H Host:acme.a.test /",
  "-H Host:ACME.a.test:80 /",
  "-H Host:a.test /",
  "-H Host:acme.a.test.b /",
  "/x.PNG",
  "/x.png?a=b",
  "/x.pngs",
  "-X POST /v1/a",
  "-X POST /v12",
  "/v1/a",
  "-H x-beta: -H x-kind:b /",
  "-H x-beta:1 -H x-kind:b /",
  "-H x-beta:1 -H x-kind:c /",
  "-A GoogleBot/2 /",
  "-A GoogleBot/2 /robots.txt",
  "-A GoogleBot/2 /?human=1",
  "/?v=12",
  "/?v=1x",
  "-H x-old:1 /?v=12",
  "--cookie beta=1;a=2 /",
  "--cookie a=2;beta=1 /",
  "--cookie a=2;beta=12 /",
];

labTest("run() routes by every condition as HAProxy does", ["curl", "nginx", "haproxy"], async (t) => {
  await using peers = await Peers.make();
  const [port, haproxy, server] = [freePort(), freePort(), freePort()];
  await peers.nginx(server, `server { listen 127.0.0.1:${server}; return 200 "server $request_uri"; }`);
  const acls = CONDITIONS.map(([, acl], at) =>
    `http-request return status 200 content-type text/plain string ${at} if ${acl}`
  );
  await peers.haproxy(
    haproxy,
    [
      "frontend f",
      "  mode http",
      `  bind 127.0.0.1:${haproxy}`,
      ...acls.map((acl) => `  ${acl}`),
      "  default_backend b",
      "backend b",
      "  mode http",
      `  server s 127.0.0.1:${server}`,
    ].join("\n"),
  );
  const routes = CONDITIONS.map(([match], at) =>
    `      - { match: { ${match} }, respond: { body: "${at}" } }`
  );
  await using _node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes:
${routes.join("\n")}
      - match: { host: '~^(?<tenant>[a-z]+)\\.c\\.test$', path: '~^/(?<from>[a-z]+)/(?<rest>.*)$' }
        redirect: { to: "/:rest?from=:from" }
      - pool: app
pools:
  app: { servers: ["127.0.0.1:${server}"] }
`);

  for (const request of REQUESTS) {
    await t.step(request, async () => {
      const args = request.split(" ");
      const path = args.pop();
      const [ours, theirs] = await Promise.all(
        [port, haproxy].map((each) => curl(...args, `http://127.0.0.1:${each}${path}`)),
      );
      assertEquals(ours, theirs);
    });
  }

  await t.step("a redirect is written with what an expression took", async () => {
    const url = `http://127.0.0.1:${port}/old/a%20b/c`;
    const answer = await curl("-i", "-H", "Host: x.c.test", url);
    assertMatch(answer, /^location: \/a%20b\/c\?from=old\r$/mi);
  });
});

labTest("run() splits requests between pools, and whoever had the canary keeps it when it grows", [
  "nginx",
], async () => {
  await using peers = await Peers.make();
  const [port, app, canary] = [freePort(), freePort(), freePort()];
  await peers.nginx(
    app,
    `server { listen 127.0.0.1:${app}; return 200 app; } server { listen 127.0.0.1:${canary}; return 200 canary; }`,
  );
  const config = (weights: string) => `
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes:
      - split: { pools: ${weights}, hashOn: cookie:user }
pools:
  app: { servers: ["127.0.0.1:${app}"] }
  canary: { servers: ["127.0.0.1:${canary}"] }
workers: 2
`;
  await using node = await Node.start(config("{ app: 80, canary: 20 }"));
  const users = Array.from({ length: 60 }, (_, n) => `u${n}`);
  /** The pool of each user, over a connection of its own so that any worker may have it. */
  const pools = () =>
    Promise.all(users.map(async (user) => {
      using connection = await HttpConnection.connect(port);
      const { body } = await connection.exchange(`GET / HTTP/1.1\r\nHost: a\r\nCookie: user=${user}\r\n\r\n`);
      return body;
    }));
  const before = await pools();
  assertEquals(await pools(), before);
  assertEquals(new Set(before), new Set(["app", "canary"]));
  await node.reload(config("{ app: 40, canary: 60 }"));
  const after = await pools();
  const count = (all: readonly string[]) => all.filter((pool) => pool === "canary").length;
  assert(count(after) > count(before), `${count(before)} and then ${count(after)} of ${users.length}`);
  before.forEach((pool, at) => pool === "canary" && assertEquals(after[at], "canary", users[at]));
});

labTest("run() mirrors requests to another pool, and what becomes of it there is nobody's trouble", [
  "nginx",
  "curl",
], async (t) => {
  await using app = await Nginx.start("app");
  await using shadow = await Nginx.start("shadow");
  const port = freePort();
  await using node = await Node.start(`
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes:
      - { pool: app, mirror: { pool: shadow, body: 100k, requests: 2 } }
pools:
  app: { servers: ["127.0.0.1:${app.port}"] }
  shadow: { servers: ["127.0.0.1:${shadow.port}"], timeouts: { connect: 1s, response: 1s }, passive: false }
workers: 1
`);
  const url = `http://127.0.0.1:${port}`;
  const counted = async (result: string) => {
    const { samples } = (await node.metrics()).get("tandem_listener_mirrors_total")!;
    return samples.get(`tandem_listener_mirrors_total{listener="web",result="${result}"}`)!;
  };
  const written = (nginx: Nginx, name: string) => Deno.readTextFile(`${nginx.directory}/files/${name}`);

  await t.step("bodies of both framings arrive there as well", async () => {
    const text = "0123456789".repeat(9000);
    const file = `${app.directory}/upload`;
    await Deno.writeTextFile(file, text);
    await curl("-T", file, `${url}/files/fixed`);
    await curl("-T", file, "-H", "Transfer-Encoding: chunked", `${url}/files/chunked`);
    await eventually(async () => await counted("answered") === 2);
    for (const name of ["fixed", "chunked"]) {
      assertEquals(await written(app, name), text);
      assertEquals(await written(shadow, name), text);
    }
    await Deno.writeTextFile(file, text.repeat(2));
    await curl("-T", file, `${url}/files/larger`);
    assertEquals(await counted("skipped"), 1);
  });

  await t.step("a pool that hangs or is gone costs nobody an answer", async () => {
    Deno.kill(shadow.pid, "SIGSTOP");
    using connection = await HttpConnection.connect(port);
    for (let n = 0; n < 50; n++) assertEquals((await connection.request("/")).body, "app\n");
    await eventually(async () => await counted("failed") + await counted("skipped") === 51);
    assert(await counted("skipped") > 1, "no more copies than allowed wait for it");
    await shadow.kill();
    const before = await counted("failed");
    for (let n = 0; n < 10; n++) assertEquals((await connection.request("/")).body, "app\n");
    await eventually(async () => await counted("failed") > before);
    await shadow.start();
    await connection.request("/");
    await eventually(async () => {
      await connection.request("/");
      return await counted("answered") > 2;
    });
  });
});
