/** Rules by real clients before real servers: beside nginx, which gets the same rules, and with what TLS knows. */
import { nginxPaths } from "../../bench/backends_io.ts";
import { accepting, start } from "../../bench/process_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { Certificates } from "../net/openssl.ts";
import { Buffered } from "./buffered.ts";
import { freePort, Node } from "./node.ts";
import { RawServer } from "./raw_server.ts";

/** What both are asked, on the host `shop.test`. */
const CASES: readonly (readonly string[])[] = [
  ["/app/x/y?a=1"],
  ["/app/"],
  // Not `%2f`, which nginx takes for a slash and Tandem never does.
  ["/app/%41%20b?b=%20"],
  ["/app/x", "-H", "X-Debug: 1", "-H", "X-Client: forged"],
  ["/app/x", "-d", "body=1"],
  ["/app/redirect"],
  ["/app/redirect-path"],
  ["/users/7"],
  ["/users/x"],
  ["/intercept/missing"],
  ["/intercept/fine"],
  ["/passed/missing"],
  ["/old?a=1"],
  ["/old2"],
  ["/dead"],
  ["/nowhere/at/all"],
];

/** Rules in nginx's words, and what stands behind both. */
function nginxConfig(directory: string, front: number, back: number, dead: number): string {
  const toBack = `proxy_pass http://127.0.0.1:${back}`;
  return `daemon off; master_process off; ${Deno.uid() === 0 ? "user root;" : ""} pid ${directory}/pid;
events {}
http {
  ${nginxPaths(`${directory}/nginx`)}
  access_log off; default_type text/plain; absolute_redirect off;
  server {
    listen 127.0.0.1:${back};
    add_header Set-Cookie "s=/; Domain=app.internal; Path=/; HttpOnly" always;
    add_header X-Powered-By php always;
    location = /redirect { return 302 http://app.internal:8080/there?x=1; }
    location = /redirect-path { add_header Location /there; return 302; }
    location /intercept/missing { return 404 "of the server"; }
    location /passed/missing { return 404 "of the server"; }
    location / { return 200 "$request_method $request_uri $http_host client=$http_x_client debug=$http_x_debug\\n"; }
  }
  server {
    listen 127.0.0.1:${front};
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
    add_header X-Frame-Options DENY always;
    error_page 404 /404.html;
    error_page 502 503 504 /50x.html;
    location = /404.html { root ${directory}; }
    location = /50x.html { root ${directory}; }
    location /app/ {
      ${toBack}/;
      proxy_set_header Host app.internal; proxy_set_header X-Client $remote_addr; proxy_set_header X-Debug "";
      proxy_hide_header X-Powered-By;
      proxy_redirect http://app.internal:8080/ /app/; proxy_redirect / /app/;
      proxy_cookie_domain app.internal $host; proxy_cookie_path / /app/;
    }
    location /users/ { rewrite ^/users/(\\d+)$ /profile?id=$1 break; ${toBack}; }
    location /intercept/ { ${toBack}; proxy_intercept_errors on; }
    location /passed/ { ${toBack}; }
    location = /old { return 301 https://$host/new; }
    location = /old2 { return 307 https://$host$request_uri; }
    location = /dead { proxy_pass http://127.0.0.1:${dead}; }
    location / { return 404; }
  }
}
`;
}

/** The same rules. */
function tandemConfig(directory: string, front: number, back: number, dead: number): string {
  return `
listeners:
  - name: web
    bind: "127.0.0.1:${front}"
    headers: { response: { set: { X-Frame-Options: DENY } } }
    errorPages: { 404: ${directory}/404.html, 5xx: ${directory}/50x.html }
    routes:
      - match: { path: "/app/*" }
        pool: app
        rewrite: { stripPrefix: /app, host: app.internal }
        headers:
          request: { set: { X-Client: $clientAddress }, remove: X-Debug }
          response:
            remove: X-Powered-By
            location: { "http://app.internal:8080/": /app/, /: /app/ }
            cookieDomain: { app.internal: $host }
            cookiePath: { /: /app/ }
      - match: { path: "/users/:id{[0-9]+}" }
        pool: app
        rewrite: { path: /profile, query: "id=$capture(path.id)" }
      - { match: { path: "/users/*" }, pool: app }
      - { match: { path: "/intercept/*" }, pool: app, interceptErrors: true }
      - { match: { path: "/passed/*" }, pool: app }
      - { match: { path: /old }, redirect: { to: "https://$host/new?", status: 301 } }
      - { match: { path: /old2 }, redirect: { to: "https://$host$uri", status: 307 } }
      - { match: { path: /dead }, pool: dead }
pools:
  app: { servers: ["127.0.0.1:${back}"] }
  dead: { servers: ["127.0.0.1:${dead}"] }
workers: 1
`;
}

/** Status, headers that matter and body. */
async function ask(port: number, [path, ...args]: readonly string[]): Promise<string> {
  const url = `http://shop.test${path}`;
  const command = new Deno.Command("curl", {
    args: ["-sSi", "--path-as-is", "--max-time", "10", "--connect-to", `::127.0.0.1:${port}`, ...args, url],
  });
  const text = new TextDecoder().decode((await command.output()).stdout);
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const [first = "", ...fields] = head.split("\r\n");
  const status = first.split(" ")[1];
  const kept = fields.filter((field) => /^(location|set-cookie|x-[a-z-]+|content-type):/i.test(field)).sort();
  // nginx puts pages of its own under redirects.
  const shown = status!.startsWith("3")
    ? kept.filter((field) => !/^content-type/i.test(field))
    : [...kept, body];
  return [status, ...shown].join("\n").replace("; charset=utf-8", "");
}

labTest(
  "rewriting: servers and clients see what they see of nginx with the same rules",
  ["nginx", "curl"],
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "tandem-rewriting-" });
    await Deno.writeTextFile(`${directory}/404.html`, "<h1>lost</h1>");
    await Deno.writeTextFile(`${directory}/50x.html`, "<h1>sorry</h1>");
    const [ours, theirs, back, dead] = [freePort(), freePort(), freePort(), freePort()];
    await Deno.writeTextFile(`${directory}/nginx.conf`, nginxConfig(directory, theirs, back, dead));
    const tool = requireTool("nginx");
    if ("skip" in tool) throw new Error(tool.skip);
    const nginx = start(tool.path, ["-e", "stderr", "-c", `${directory}/nginx.conf`], `${directory}/log`);
    try {
      for (const port of [theirs, back]) await accepting(port, nginx);
      await using _node = await Node.start(tandemConfig(directory, ours, back, dead));
      for (const each of CASES) {
        const [our, their] = [await ask(ours, each), await ask(theirs, each)];
        // A connection that is refused is a bad gateway to one and no service to the other, with the same page.
        const expected = each[0] === "/dead" ? their.replace(/^502/, "503") : their;
        assertEquals(our, expected, each.join(" "));
      }
    } finally {
      await nginx.stop();
      await Deno.remove(directory, { recursive: true });
    }
  },
);

labTest("rewriting: servers hear of TLS what variables know, and pages change with a reload", [
  "openssl",
  "curl",
], async () => {
  await using made = await Certificates.make();
  await made.issue("authority");
  await made.issue("shop", { names: ["shop.test"], by: "authority" });
  await made.issue("client", { by: "authority", client: true, subject: '/CN=Jörg; \\Quoted"/O=Org' });
  await using server = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) await RawServer.answer(conn, await input.through("\r\n\r\n"));
  });
  const port = freePort();
  const page = made.path("page.txt");
  await Deno.writeTextFile(page, "one");
  const config = `
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    tls:
      certificates: [{ cert: "${made.path("shop.pem")}", key: "${made.path("shop.key")}" }]
      clientAuth: { mode: optional, ca: "${made.path("authority.pem")}" }
    routes:
      - { match: { path: /page }, respond: { file: "${page}" } }
      - pool: app
        headers:
          request:
            set:
              X-TLS: "$scheme $tlsVersion $tlsCipher $tlsServerName $tlsAlpn"
              X-Client-Subject: $tlsClientSubject
              X-Client-Print: $tlsClientFingerprint
pools: { app: { servers: ["127.0.0.1:${server.port}"] } }
workers: 1
`;
  await using node = await Node.start(config);
  const asked = async (path: string, ...args: string[]) => {
    const url = `https://shop.test${path}`;
    const common = [
      "-sS",
      "--max-time",
      "10",
      "--connect-to",
      `::127.0.0.1:${port}`,
      "--cacert",
      made.path("authority.pem"),
    ];
    const { stdout } = await new Deno.Command("curl", { args: [...common, ...args, url] }).output();
    return new TextDecoder().decode(stdout);
  };
  for (const [version, protocol] of [["--http1.1", "http/1.1"], ["--http2", "h2"]] as const) {
    const pair = ["--cert", made.path("client.pem"), "--key", made.path("client.key")];
    const known = await asked("/", version, ...pair);
    const tls = new RegExp(`^X-TLS: https TLSv1\\.3 TLS_[A-Z0-9_]+ shop\\.test ${protocol}\r$`, "m");
    assert(tls.test(known), known);
    assert(/^X-Client-Subject: .*Org.*\r$/m.test(known), known);
    assert(/^X-Client-Print: [0-9a-f]{64}\r$/m.test(known), known);
  }
  const stranger = await asked("/", "-H", "X-Client-Subject: CN=forged", "-H", "X_Client_Subject: CN=forged");
  assert(!/subject/i.test(stranger), stranger);
  assertEquals(await asked("/page"), "one");
  await Deno.writeTextFile(page, "two");
  await node.reload(config);
  assertEquals(await asked("/page"), "two");
});
