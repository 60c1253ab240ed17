/**
 * The cache as clients see it: curl, nginx as the origin, and nginx's own proxy_cache as the measure.
 */
import { nginxPaths } from "../../bench/backends_io.ts";
import { accepting, type Running, start } from "../../bench/process_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { Certificates } from "../lab/certificates.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { eventually, freePort, Node } from "./node.ts";

/** What an origin says, by path, and how often it was asked. */
const ANSWERS: Readonly<Record<string, string>> = {
  "/max-age": "add_header Cache-Control max-age=600;",
  "/s-maxage": "add_header Cache-Control 's-maxage=60, max-age=0';",
  "/expires": "expires 60s;",
  "/past": "expires -60s;",
  "/public": "add_header Cache-Control public;",
  "/private": "add_header Cache-Control 'private, max-age=60';",
  "/no-store": "add_header Cache-Control no-store;",
  "/no-cache": "add_header Cache-Control no-cache;",
  "/cookie": "add_header Cache-Control max-age=60; add_header Set-Cookie sid=1;",
  "/vary-all": "add_header Cache-Control max-age=60; add_header Vary *;",
  "/vary": "add_header Cache-Control max-age=60; add_header Vary Accept-Language;",
  "/silent": "",
};

interface Case {
  readonly path: string;
  readonly more?: readonly string[];
}

/** Each asked in turn, of both. */
const CASES: readonly Case[] = [
  ...Object.keys(ANSWERS).flatMap((path) => [{ path }, { path }]),
  { path: "/max-age?a=1" },
  { path: "/max-age?a=1" },
  { path: "/max-age", more: ["-H", "Cache-Control: no-cache"] },
  { path: "/max-age", more: ["--head"] },
  { path: "/max-age", more: ["-X", "POST", "-H", "Content-Length: 0"] },
  { path: "/vary", more: ["-H", "Accept-Language: de"] },
  { path: "/vary", more: ["-H", "Accept-Language: de"] },
  { path: "/vary", more: ["-H", "Accept-Language: en"] },
  { path: "/file", more: ["-r", "1-2"] },
  { path: "/file" },
  { path: "/file", more: ["-r", "1-2"] },
  { path: "/file", more: ["-r", "99-"] },
  { path: "/file", more: ["-H", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"] },
  { path: "/missing" },
  { path: "/missing" },
  { path: "/silent", more: ["-H", "X-Bypass: 1"] },
];

labTest("cache: hits and misses are those of nginx's proxy_cache", ["nginx", "curl"], async () => {
  await using origin = await Origin.start();
  const port = freePort();
  await using _node = await Node.start(config(port, origin.port, "bypass: { headers: { x-bypass: true } }"));
  const differences: string[] = [];
  for (const each of CASES) {
    const [our, their] = [await ask(port, each), await ask(origin.proxyPort, each)];
    const shown = ({ status, headers }: Answer) => {
      const word = headers.get("x-cache") ?? "";
      // nginx says nothing of methods that it does not cache.
      return `${status} ${word === "BYPASS" ? "" : word} ${headers.get("content-range") ?? ""}`;
    };
    if (shown(our) !== shown(their)) {
      differences.push(`${JSON.stringify(each)}: ${shown(our)}, nginx: ${shown(their)}`);
    }
  }
  assertEquals(differences, [
    // Of a part nothing is stored; nginx asks for the whole.
    '{"path":"/file"}: 200 MISS , nginx: 200 HIT ',
    // nginx wants the very date unless it is told otherwise (`if_modified_since before`).
    '{"path":"/file","more":["-H","If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"]}: 304 HIT , nginx: 200 HIT ',
  ]);
});

labTest("cache: what is old is renewed, used when the origin is gone, kept by a reload, and purged", [
  "nginx",
  "curl",
], async () => {
  await using origin = await Origin.start();
  const port = freePort();
  await using node = await Node.start(config(port, origin.port, "staleIfError: 1h"));
  const word = async (path: string) => {
    const { status, headers } = await ask(port, { path });
    return `${status} ${headers.get("x-cache")}`;
  };
  assertEquals([await word("/short"), await word("/max-age"), await word("/max-age")], [
    "200 MISS",
    "200 MISS",
    "200 HIT",
  ]);
  await eventually(async () => await word("/short") === "200 REVALIDATED");
  assert(origin.asked().some((line) => /^304 GET \/short \\x22/.test(line)), origin.asked().join("\n"));
  await origin.stop();
  await eventually(async () => await word("/short") === "200 STALE");
  await origin.run();
  await node.reload(config(port, origin.port, "maxTtl: 1h, staleIfError: 2h"));
  assertEquals(await word("/max-age"), "200 HIT");
  const refused = await node.command("cache", "purge");
  assertEquals(refused.code, 2);
  const { code, said } = await node.command("cache", "purge", "/max*", "--host", "127.0.0.1");
  assertEquals([code, said], [0, "stored answers are forgotten: 1\n"]);
  assert(node.program.text.includes("purge /max* of 127.0.0.1"), node.program.text);
  assertEquals([await word("/max-age"), await word("/max-age")], ["200 MISS", "200 HIT"]);
  const metrics = await node.metrics();
  assertEquals([...metrics.get("tandem_cache_max_bytes")!.samples.values()][0], 64 * 1024 * 1024);
  const { cache } = await node.until(({ cache }) => cache.stored === 3);
  assertEquals([cache.entries, cache.evicted], [2, 0]);
});

labTest("cache: a purge, and a POST, make all workers forget", ["nginx", "curl"], async () => {
  await using origin = await Origin.start();
  const port = freePort();
  await using node = await Node.start(config(port, origin.port).replace("workers: 1", "workers: 2"));
  /** Asks until each worker has an answer of its own. */
  const fill = async () => {
    const bodies = new Set<string>();
    await eventually(async () => {
      bodies.add((await ask(port, { path: "/max-age" })).body);
      return bodies.size === 2;
    });
    return bodies;
  };
  const before = await fill();
  const { said } = await node.command("cache", "purge", "--all");
  assertEquals(said, "stored answers are forgotten: 2\n");
  const between = await fill();
  assertEquals(before.intersection(between).size, 0);
  assertEquals((await ask(port, { path: "/max-age", more: ["-X", "POST", "-d", "x"] })).status, 200);
  assertEquals(between.intersection(await fill()).size, 0);
});

labTest("cache: over TLS and HTTP/2, from servers of HTTP/2", ["nginx", "curl", "openssl"], async () => {
  using certificates = new Certificates();
  const { cert, key } = certificates.authority("edge");
  await using origin = await Origin.start();
  const port = freePort();
  await using _node = await Node.start(`
workers: 1
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    tls: { certificates: [{ cert: "${cert}", key: "${key}" }] }
    headers: { response: { set: { X-Cache: "$cacheStatus" } } }
    routes: [{ pool: app, cache: { ttl: 1m } }]
pools:
  app: { servers: ["127.0.0.1:${origin.http2Port}"], protocol: h2 }
`);
  const seen: unknown[] = [];
  for (const http of ["--http2", "--http1.1"]) {
    for (
      const more of [[], ["-r", "2-4"], ["--head"], [
        "-H",
        "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
      ]]
    ) {
      const { status, headers, body } = await ask(port, { path: "/file", more: [http, ...more] }, "https");
      seen.push([status, headers.get("x-cache"), headers.get("content-length"), body]);
    }
  }
  const hits = [[206, "HIT", "3", "234"], [200, "HIT", "10", ""], [304, "HIT", undefined, ""]];
  assertEquals(seen, [[200, "MISS", "10", "0123456789"], ...hits, [200, "HIT", "10", "0123456789"], ...hits]);
});

function config(port: number, origin: number, cache = "", more = ""): string {
  return `
workers: 1
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    headers: { response: { set: { X-Cache: "$cacheStatus" } } }
    routes:
      - { pool: app, cache: { ttl: { "200": 1m, "404": 1m }, ${cache} } }
${more}
pools:
  app: { servers: ["127.0.0.1:${origin}"] }
`;
}

/** nginx as the origin at one port, with a log of what it was asked, and with its own cache before that at another. */
class Origin implements AsyncDisposable {
  readonly port = freePort();
  readonly http2Port = freePort();
  readonly proxyPort = freePort();
  #running: Running | null = null;

  private constructor(readonly directory: string) {}

  static async start(): Promise<Origin> {
    const origin = new Origin(await Deno.makeTempDir({ prefix: "tandem-cache-" }));
    await Deno.mkdir(`${origin.directory}/www`);
    await Deno.writeTextFile(`${origin.directory}/www/file`, "0123456789");
    await Deno.writeTextFile(`${origin.directory}/www/short`, "short");
    await Deno.writeTextFile(`${origin.directory}/nginx.conf`, origin.#config());
    await origin.run();
    return origin;
  }

  async run(): Promise<void> {
    const tool = requireTool("nginx");
    if ("skip" in tool) throw new Error(tool.skip);
    const args = ["-e", "stderr", "-c", `${this.directory}/nginx.conf`];
    this.#running = start(tool.path, args, `${this.directory}/log`);
    await accepting(this.proxyPort, this.#running);
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = null;
  }

  /** Status and path of each request that it has answered. */
  asked(): string[] {
    return Deno.readTextFileSync(`${this.directory}/asked`).split("\n").filter((line) => line !== "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.directory, { recursive: true });
  }

  #config(): string {
    const { directory } = this;
    const answers = Object.entries(ANSWERS).map(([path, more]) =>
      `location = ${path} { default_type text/plain; ${more} return 200 "answer $request_id\\n"; }`
    );
    return `daemon off; master_process off; ${Deno.uid() === 0 ? "user root;" : ""} pid ${directory}/pid;
events {}
http {
  ${nginxPaths(`${directory}/nginx`)}
  access_log off;
  log_format asked "$status $request_method $uri $http_if_none_match";
  proxy_cache_path ${directory}/cache keys_zone=zone:1m;
  server {
    listen 127.0.0.1:${this.port}; listen 127.0.0.1:${this.http2Port} http2; root ${directory}/www; access_log ${directory}/asked asked;
    location = /short { add_header Cache-Control max-age=1; }
    ${answers.join("\n    ")}
  }
  server {
    listen 127.0.0.1:${this.proxyPort};
    location / {
      proxy_pass http://127.0.0.1:${this.port};
      proxy_cache zone; proxy_cache_valid 200 1m; proxy_cache_valid 404 1m; proxy_cache_bypass $http_x_bypass;
      proxy_cache_revalidate on;
      add_header X-Cache $upstream_cache_status always;
    }
  }
}
`;
  }
}

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

async function ask(port: number, { path, more = [] }: Case, scheme = "http"): Promise<Answer> {
  const args = ["-sS", "-i", "-k", "--max-time", "20", ...more, `${scheme}://127.0.0.1:${port}${path}`];
  const { stdout, stderr, success } = await new Deno.Command("curl", { args }).output();
  if (!success) throw new Error(`curl ${path}: ${new TextDecoder().decode(stderr)}`);
  const [head = "", body = ""] = new TextDecoder().decode(stdout).split("\r\n\r\n");
  const [line, ...lines] = head.split("\r\n");
  return {
    status: Number(line!.split(" ")[1]),
    headers: new Map(lines.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    })),
    body,
  };
}
