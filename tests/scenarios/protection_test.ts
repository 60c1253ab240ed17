/** Protection with real clients and servers: what nginx does with the same rules, we do. */
import { assertEquals } from "../assert.ts";
import { labTest } from "../lab/tools.ts";
import { freePorts, Node } from "./node.ts";
import { curl, Peers } from "./peers.ts";

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
    assertEquals(/: (52|56) /.test(said), true, said);
    assertEquals(await status(behind, "/", "--haproxy-protocol"), "200");
    const { counters } = await node.listener("raw");
    assertEquals(counters.accessDenied, 1);
  });
});
