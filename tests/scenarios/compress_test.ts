/**
 * Compression as clients see it: curl with what browsers send, the programs that read each encoding, nginx's gzip module
 * as the measure, and a stream of events that must get through at once, over HTTP/1.1 and HTTP/2.
 */
import { nginxPaths } from "../../bench/backends_io.ts";
import { accepting, type Running, start } from "../../bench/process_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { Certificates } from "../lab/certificates.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { eventually, freePort, Node } from "./node.ts";
import { RawServer } from "./raw_server.ts";

const TEXT = Array.from({ length: 3000 }, (_, at) => `<p>line ${at * at % 977}</p>\n`).join("");
const READERS = { gzip: ["gzip", "-dc"], br: ["brotli", "-dc"], zstd: ["zstd", "-dc", "-q"] } as const;
const NONE = undefined;

interface Case {
  readonly path: string;
  readonly accept?: string;
  readonly more?: readonly string[];
}

/** What Tandem and nginx must agree on, with gzip alone. */
const CASES: readonly Case[] = [
  { path: "/page.html", accept: "gzip" },
  { path: "/page.html" },
  { path: "/page.html", accept: "identity" },
  { path: "/page.html", accept: "deflate" },
  { path: "/page.html", accept: "gzip;q=0" },
  { path: "/page.html", accept: "gzip;q=0.001, deflate" },
  { path: "/page.html", accept: "deflate, gzip" },
  { path: "/page.html", accept: "gzip", more: ["--range", "5-20"] },
  { path: "/page.html", accept: "gzip", more: ["-X", "POST"] },
  { path: "/small.html", accept: "gzip" },
  { path: "/image.png", accept: "gzip" },
  { path: "/data.json", accept: "gzip" },
  { path: "/missing", accept: "gzip" },
  { path: "/encoded.html", accept: "gzip" },
];

labTest("compress: what nginx's gzip compresses, and nothing else", ["nginx", "curl", "gzip"], async () => {
  const directory = await Deno.makeTempDir({ prefix: "tandem-compress-" });
  const [server, theirs, ours] = [freePort(), freePort(), freePort()];
  await using _nginx = await nginxWith(directory, server, theirs);
  await using _node = await Node.start(
    config(ours, server, "encodings: gzip, types: [text/html, application/json]"),
  );
  const differences: string[] = [];
  for (const each of CASES) {
    const [our, their] = [await ask(ours, each), await ask(theirs, each)];
    const shown = (
      answer: Answer,
    ) => [
      answer.status,
      answer.headers.get("content-encoding"),
      // nginx says it of what it compresses alone, and not of a part of that.
      answer.status === 206 ? null : answer.headers.get("vary"),
      answer.headers.get("etag"),
    ];
    if (JSON.stringify(shown(our)) !== JSON.stringify(shown(their))) {
      differences.push(`${JSON.stringify(each)}: ${shown(our)}, nginx: ${shown(their)}`);
    }
    if (our.status < 300) assertEquals(await read(our), await read(their), JSON.stringify(each));
  }
  assertEquals(differences, []);
  // A renewal of what was compressed, by the tag that the client has.
  const etag = (await ask(ours, { path: "/page.html", accept: "gzip" })).headers.get("etag")!;
  assert(etag.startsWith('W/"'));
  const renewed = await ask(ours, {
    path: "/page.html",
    accept: "gzip",
    more: ["-H", `If-None-Match: ${etag}`],
  });
  assertEquals([renewed.status, renewed.headers.get("etag")], [304, etag]);
  await Deno.remove(directory, { recursive: true });
});

labTest(
  "compress: what browsers accept gets the best of it, and the programs read it",
  ["nginx", "curl", "gzip", "brotli", "zstd"],
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "tandem-compress-" });
    const [server, port] = [freePort(), freePort()];
    await using _nginx = await nginxWith(directory, server, freePort());
    await using node = await Node.start(config(port, server, ""));
    const chosen: [string, string | undefined][] = [
      ["gzip, deflate, br, zstd", "zstd"], // Chrome, Firefox
      ["gzip, deflate, br", "br"], // Safari
      ["gzip, deflate", "gzip"], // without https
      ["deflate, gzip, br;q=0.9", "gzip"],
      ["*", "zstd"],
      ["gzip;q=0, *", "zstd"],
      ["identity", NONE],
      ["", NONE],
    ];
    for (const [accept, encoding] of chosen) {
      for (const http of ["--http1.1", "--http1.0"]) {
        const answer = await ask(port, { path: "/page.html", accept, more: [http] });
        assertEquals(answer.headers.get("content-encoding"), encoding, accept);
        assertEquals(answer.headers.get("vary"), "Accept-Encoding");
        assert(await read(answer) === TEXT, accept);
        const head = await ask(port, { path: "/page.html", accept, more: ["--head"] });
        for (const name of ["content-encoding", "etag", "vary", "content-type"]) {
          assertEquals(head.headers.get(name), answer.headers.get(name), name);
        }
      }
    }
    const { counters } = await node.listener("web");
    assertEquals([counters.compressed, counters.compressedFrom], [12, 12 * TEXT.length]);
    assert(counters.compressedTo < counters.compressedFrom / 4);
    await Deno.remove(directory, { recursive: true });
  },
);

labTest(
  "compress: events get through one by one, over HTTP/1.1 and HTTP/2",
  ["curl", "openssl"],
  async () => {
    let next = () => {};
    await using server = new RawServer(async (conn) => {
      await conn.read(new Uint8Array(4096));
      await RawServer.send(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
      for (let event = 0; event < 5; event++) {
        await RawServer.send(conn, `data: event ${event}\n\n`);
        await new Promise<void>((resolve) => next = resolve);
      }
    });
    using certificates = new Certificates();
    const { cert, key } = certificates.authority("edge");
    const [plain, tls] = [freePort(), freePort()];
    await using _node = await Node.start(`
listeners:
  - { name: web, bind: "127.0.0.1:${plain}", pool: app, compress: { types: text/event-stream } }
  - name: tls
    bind: "127.0.0.1:${tls}"
    tls: { certificates: [{ cert: "${cert}", key: "${key}" }] }
    compress: { types: text/event-stream }
    pool: app
pools:
  app: { servers: ["127.0.0.1:${server.port}"] }
`);
    for (const url of [`http://127.0.0.1:${plain}/`, `https://127.0.0.1:${tls}/`]) {
      for (const encoding of ["gzip", "br", "zstd"]) {
        const args = ["-skN", "--compressed", "-H", `Accept-Encoding: ${encoding}`, url];
        const child = new Deno.Command("curl", { args, stdout: "piped" }).spawn();
        let text = "";
        const reading = (async () => {
          for await (const bytes of child.stdout) text += new TextDecoder().decode(bytes);
        })();
        for (let event = 0; event < 5; event++) {
          await eventually(
            () => text.endsWith(`data: event ${event}\n\n`),
            () => `${url} ${encoding}: ${text}`,
          );
          next();
        }
        await reading;
        assert((await child.status).success);
      }
    }
  },
);

function config(port: number, server: number, compress: string): string {
  return `
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    compress: { ${compress} }
    pool: app
pools:
  app: { servers: ["127.0.0.1:${server}"] }
`;
}

/** Files at one port, and nginx's own gzip over them at the other. */
async function nginxWith(
  directory: string,
  server: number,
  proxy: number,
): Promise<Running & AsyncDisposable> {
  const tool = requireTool("nginx");
  if ("skip" in tool) throw new Error(tool.skip);
  await Deno.mkdir(`${directory}/www`);
  const files = {
    "page.html": TEXT,
    "small.html": "small",
    "image.png": TEXT,
    "data.json": TEXT,
    "encoded.html": TEXT,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${directory}/www/${name}`, text);
  }
  const file = `${directory}/nginx.conf`;
  await Deno.writeTextFile(
    file,
    `daemon off; master_process off; ${Deno.uid() === 0 ? "user root;" : ""} pid ${directory}/pid;
events {}
http {
  ${nginxPaths(`${directory}/nginx`)}
  include /etc/nginx/mime.types; access_log off;
  server {
    listen 127.0.0.1:${server}; root ${directory}/www;
    location /encoded.html { add_header Content-Encoding x-own; }
    error_page 405 =200 /page.html;
  }
  server {
    listen 127.0.0.1:${proxy};
    gzip on; gzip_vary on; gzip_proxied any; gzip_min_length 1024; gzip_types application/json;
    location / { proxy_pass http://127.0.0.1:${server}; proxy_http_version 1.1; }
  }
}
`,
  );
  const running = start(tool.path, ["-e", "stderr", "-c", file], `${directory}/nginx.log`);
  await accepting(proxy, running);
  return Object.assign(running, { [Symbol.asyncDispose]: () => running.stop() });
}

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

async function ask(port: number, { path, accept, more = [] }: Case): Promise<Answer> {
  const fields = accept === undefined
    ? []
    : ["-H", accept === "" ? "Accept-Encoding;" : `Accept-Encoding: ${accept}`];
  const args = ["-sS", "-i", "--max-time", "20", ...fields, ...more, `http://127.0.0.1:${port}${path}`];
  const { stdout, stderr, success } = await new Deno.Command("curl", { args }).output();
  if (!success) throw new Error(`curl ${path}: ${new TextDecoder().decode(stderr)}`);
  const end = new TextDecoder("latin1").decode(stdout).indexOf("\r\n\r\n");
  const [line, ...lines] = new TextDecoder("latin1").decode(stdout.subarray(0, end)).split("\r\n");
  return {
    status: Number(line!.split(" ")[1]),
    headers: new Map(lines.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    })),
    body: stdout.subarray(end + 4),
  };
}

/** The text of an answer, read by the program for its encoding. */
async function read({ headers, body }: Answer): Promise<string> {
  const encoding = headers.get("content-encoding");
  if (encoding === undefined || !Object.hasOwn(READERS, encoding)) return new TextDecoder().decode(body);
  const [program, ...args] = READERS[encoding as keyof typeof READERS];
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(body);
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout);
}
