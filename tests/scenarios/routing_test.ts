/** Routes by real requests: the same conditions here and in HAProxy, the same requests to both, the same choice. */
import { assertEquals, assertMatch } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { freePort, Node } from "./node.ts";
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
