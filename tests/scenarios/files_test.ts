/** Files of a real disk by a real client, beside nginx: the same requests to both, the same answers. */
import { nginxPaths } from "../../bench/backends_io.ts";
import { accepting, type Running, start, tree } from "../../bench/process_io.ts";
import { assert, assertEquals } from "../assert.ts";
import { labTest, requireTool } from "../lab/tools.ts";
import { eventually, freePort, Node } from "./node.ts";

const LARGE = 3_000_017;

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

interface Case {
  readonly path: string;
  readonly method?: string;
  /** `{etag}` stands for the tag that this server gives the file at `of` (or at `path`). */
  readonly headers?: readonly string[];
  readonly of?: string;
  /** What Tandem does differently, and why: its status. */
  readonly differs?: number;
}

/** Every file is of this second; nginx counts no smaller ones. */
const DATE = new Date(Date.UTC(2024, 4, 6, 7, 8, 9));
const HTTP_DATE = DATE.toUTCString();

const CASES: readonly Case[] = [
  { path: "/a.txt" },
  { path: "/a.txt", method: "HEAD" },
  { path: "/a.txt?x=1&y=2" },
  { path: "/a%2Etxt" },
  { path: "/docs/../a.txt" },
  { path: "/docs/%2e%2e/a.txt" },
  { path: "/with%20space%20%C3%A9.html" },
  { path: "/empty" },
  { path: "/empty", headers: ["Range: bytes=0-"] },
  { path: "/no-extension" },
  { path: "/image.png" },
  { path: "/style.css" },
  { path: "/data.json" },
  { path: "/large.bin" },
  { path: "/nothing" },
  { path: "/a.txt/" },
  { path: "/a.txt/b" },
  { path: "/" },
  { path: "/docs/" },
  { path: "/docs" },
  { path: "/docs?a=b" },
  { path: "/bare/" },
  // There is nothing at the other end of the redirect.
  { path: "/bare", differs: 403 },
  { path: "/static/a.txt" },
  { path: "/static/docs" },
  { path: "/static/" },
  { path: "/static/../a.txt" },
  { path: "/a.txt", method: "POST", headers: ["Content-Length: 0"] },
  { path: "/a.txt", method: "DELETE" },
  // A link out of the root, names that begin with a dot, a second name for a file.
  { path: "/out.txt", differs: 404 },
  { path: "/.hidden", differs: 404 },
  { path: "//a.txt", differs: 404 },
  { path: "/docs%2Findex.html", differs: 404 },
  { path: "/in.txt" },
  { path: "/../../../etc/passwd", differs: 404 },
  { path: "/..%2f..%2fetc/passwd", differs: 404 },
  { path: "/a.txt%00.html", differs: 404 },
  ...["bytes=0-0", "bytes=2-4", "bytes=5-", "bytes=-3", "bytes=-100", "bytes=5-1000", "bytes=10-", "bytes=-0"]
    .map((range) => ({ path: "/a.txt", headers: [`Range: ${range}`] })),
  { path: "/large.bin", headers: ["Range: bytes=1000000-2999999"] },
  { path: "/large.bin", headers: ["Range: bytes=0-9,1000000-1999999,-1"] },
  { path: "/a.txt", headers: ["Range: bytes=0-1,4-5"] },
  { path: "/a.txt", headers: ["Range: bytes=0-1,20-30"] },
  { path: "/a.txt", headers: ["Range: bytes=0-9,0-9"] },
  { path: "/a.txt", headers: ["Range: lines=1-2"] },
  // RFC 9110 section 14.2 allows both; and knows ranges for GET alone.
  { path: "/a.txt", headers: ["Range: bytes=5-2"], differs: 200 },
  { path: "/a.txt", headers: ["Range: bytes=x"], differs: 200 },
  { path: "/a.txt", method: "HEAD", headers: ["Range: bytes=2-4"], differs: 200 },
  { path: "/a.txt", headers: ["Range: bytes=2-4", "If-Range: {etag}"] },
  { path: "/a.txt", headers: ["Range: bytes=2-4", 'If-Range: "other"'] },
  { path: "/a.txt", headers: ["Range: bytes=2-4", `If-Range: ${HTTP_DATE}`] },
  { path: "/a.txt", headers: ["Range: bytes=2-4", "If-Range: Mon, 06 May 2024 07:08:08 GMT"] },
  { path: "/a.txt", headers: ["If-None-Match: {etag}"] },
  { path: "/a.txt", headers: ['If-None-Match: "x", {etag}'] },
  { path: "/a.txt", headers: ["If-None-Match: W/{etag}"] },
  { path: "/a.txt", headers: ["If-None-Match: *"] },
  { path: "/a.txt", headers: ['If-None-Match: "x"'] },
  { path: "/a.txt", headers: ["If-None-Match: {etag}"], of: "/style.css" },
  { path: "/a.txt", headers: ["If-Match: {etag}"] },
  { path: "/a.txt", headers: ['If-Match: "x"'] },
  { path: "/a.txt", headers: ["If-Match: *"] },
  { path: "/a.txt", headers: [`If-Modified-Since: ${HTTP_DATE}`] },
  // nginx wants exactly the date unless it is told `if_modified_since before`.
  { path: "/a.txt", headers: ["If-Modified-Since: Mon, 06 May 2024 07:08:10 GMT"] },
  { path: "/a.txt", headers: ["If-Modified-Since: Mon, 06 May 2024 07:08:08 GMT"] },
  { path: "/a.txt", headers: ["If-Unmodified-Since: Mon, 06 May 2024 07:08:08 GMT"] },
  { path: "/a.txt", headers: [`If-Unmodified-Since: ${HTTP_DATE}`] },
  { path: "/style.css", headers: ["Accept-Encoding: gzip"] },
  { path: "/style.css", headers: ["Accept-Encoding: gzip;q=0"] },
  { path: "/style.css", headers: ["Accept-Encoding: br, gzip;q=0.5"] },
  // nginx has no ranges of what is precompressed.
  { path: "/style.css", headers: ["Accept-Encoding: gzip", "Range: bytes=0-3"], differs: 206 },
  { path: "/style.css", method: "HEAD", headers: ["Accept-Encoding: gzip"] },
];

/** What must be equal wherever both have it. */
const COMPARED = ["content-length", "last-modified", "content-range", "content-encoding", "location"];

labTest(
  "files: Tandem answers as nginx does, but where a second look was meant",
  ["nginx", "curl", "gzip"],
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "tandem-files-" });
    await fill(directory);
    const [ours, theirs] = [freePort(), freePort()];
    await using _nginx = await nginxOver(directory, theirs);
    await using _node = await Node.start(config(ours, directory));
    const differences: string[] = [];
    for (const each of CASES) {
      const [our, their] = [await ask(ours, each), await ask(theirs, each)];
      const name = `${each.method ?? "GET"} ${each.path} ${each.headers?.join("; ") ?? ""}`;
      const say = (what: string, a: unknown, b: unknown) =>
        differences.push(`${name}: ${what}: ${a}, nginx: ${b}`);
      if (each.differs !== undefined) {
        if (our.status !== each.differs || our.status === their.status) {
          say(
            "status",
            our.status,
            their.status,
          );
        }
        continue;
      }
      if (our.status !== their.status) say("status", our.status, their.status);
      else if (our.status < 400) compare(our, their, say);
    }
    assertEquals(differences, []);
    await Deno.remove(directory, { recursive: true });
  },
);

function compare(our: Answer, their: Answer, say: (what: string, a: unknown, b: unknown) => void): void {
  const several = their.headers.get("content-type")?.startsWith("multipart/") === true;
  for (const header of COMPARED) {
    if (several && header === "content-length" || our.status === 301 && header === "content-length") continue;
    const [a, b] = [our.headers.get(header), their.headers.get(header)?.replace(/^http:\/\/[^/]+/, "")];
    if (a !== b) say(header, a, b);
  }
  const type = (answer: Answer) => answer.headers.get("content-type")?.replace(/;.*/, "");
  if (our.status < 300 && type(our) !== type(their)) say("content-type", type(our), type(their));
  const encoded = their.headers.has("content-encoding");
  if (encoded && our.headers.get("vary") !== their.headers.get("vary")) {
    say("vary", our.headers.get("vary"), "it");
  }
  if (our.status >= 300) return;
  const [a, b] = several ? [parts(our), parts(their)] : [latin1(our.body), latin1(their.body)];
  if (a !== b) say("body", `${our.body.length} bytes`, `${their.body.length} other bytes`);
}

/** Ranges and bytes of a multipart body. */
function parts(answer: Answer): string {
  const boundary = /boundary=(\S+)/.exec(answer.headers.get("content-type")!)![1]!;
  const found = latin1(answer.body).replace(/^(\r\n)?/, "\r\n").split(`\r\n--${boundary}`);
  assertEquals([found[0], found.at(-1)], ["", "--\r\n"]);
  return found.slice(1, -1).map((part) => {
    const [head, ...rest] = part.split("\r\n\r\n");
    return `${/^Content-Range: (.*)$/m.exec(head!)![1]!.trim()} ${rest.join("\r\n\r\n")}`;
  }).join("\n");
}

labTest(
  "files: what is not to be sent is not, and what changes is broken off",
  ["curl", "mkfifo"],
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "tandem-files-" });
    const root = `${directory}/public`;
    await Deno.mkdir(`${root}/sub`, { recursive: true });
    await Deno.writeTextFile(`${directory}/secret`, "secret");
    await Deno.writeTextFile(`${root}/a.txt`, "a");
    for (
      const [name, to] of [["up", ".."], ["out", "../secret"], ["etc", "/etc"], ["zero", "/dev/zero"], [
        "loop",
        "loop",
      ]]
    ) {
      await Deno.symlink(to!, `${root}/${name}`);
    }
    await new Deno.Command("mkfifo", { args: [`${root}/fifo`] }).output();
    await Deno.writeFile(`${root}/large`, new Uint8Array(200 * 1024 * 1024));
    const port = freePort();
    await using node = await Node.start(config(port, directory));
    for (
      const path of [
        "/up/secret",
        "/out",
        "/etc/passwd",
        "/zero",
        "/loop",
        "/fifo",
        "/fifo.br",
        `/${"x".repeat(300)}`,
      ]
    ) {
      assertEquals((await ask(port, { path })).status, 404, path);
    }
    assertEquals((await ask(port, { path: "/sub/" })).status, 403);
    assertEquals((await ask(port, { path: "/a.txt" })).status, 200);

    const opened = (times: number) =>
      eventually(() => openedTimes(node.program.pid, `${root}/large`) === times, () => node.program.text);
    const slow = download(port, "/large");
    const gone = download(port, "/large");
    await opened(2);
    gone.kill("SIGKILL");
    await gone.status;
    await opened(1);
    await Deno.truncate(`${root}/large`, 1024 * 1024);
    // 18: the transfer ended early.
    assertEquals((await slow.status).code, 18);
    await opened(0);
    const { counters } = await node.listener("web");
    assert(counters.fileChanged >= 1);
    // A file that was not there a moment ago, and one that is another now.
    assertEquals((await ask(port, { path: "/new" })).status, 404);
    await Deno.writeTextFile(`${root}/new`, "new");
    await Deno.writeTextFile(`${root}/a.txt`, "another");
    await eventually(async () => latin1((await ask(port, { path: "/new" })).body) === "new");
    await eventually(async () => latin1((await ask(port, { path: "/a.txt" })).body) === "another");
    await Deno.remove(directory, { recursive: true });
  },
);

function config(port: number, directory: string): string {
  const root = `${directory}/public`;
  return `
listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes:
      - match: { path: "/static/*" }
        files: { root: "${root}", stripPrefix: /static }
      - files: { root: "${root}", precompressed: gzip }
`;
}

async function fill(directory: string): Promise<void> {
  const root = `${directory}/public`;
  await Deno.mkdir(`${root}/docs`, { recursive: true });
  await Deno.mkdir(`${root}/bare`);
  const files: Record<string, string | Uint8Array> = {
    "a.txt": "0123456789",
    "empty": "",
    "no-extension": "what is it",
    "image.png": Uint8Array.from({ length: 5000 }, (_, at) => at % 256),
    "style.css": "body { color: red }\n".repeat(1000),
    "data.json": "{}",
    "index.html": "<h1>root</h1>",
    "docs/index.html": "<h1>docs</h1>",
    "with space é.html": "<p>é</p>",
    ".hidden": "hidden",
    "large.bin": Uint8Array.from({ length: LARGE }, (_, at) => (at * 31 + (at >> 10)) % 256),
  };
  for (const [name, content] of Object.entries(files)) {
    if (typeof content === "string") await Deno.writeTextFile(`${root}/${name}`, content);
    else await Deno.writeFile(`${root}/${name}`, content);
  }
  await new Deno.Command("gzip", { args: ["--keep", `${root}/style.css`] }).output();
  await Deno.writeTextFile(`${directory}/outside.txt`, "outside");
  for (const name of [...Object.keys(files), "style.css.gz"]) await Deno.utime(`${root}/${name}`, DATE, DATE);
  await Deno.symlink("../outside.txt", `${root}/out.txt`);
  await Deno.symlink("a.txt", `${root}/in.txt`);
}

async function nginxOver(directory: string, port: number): Promise<Running & AsyncDisposable> {
  const tool = requireTool("nginx");
  if ("skip" in tool) throw new Error(tool.skip);
  const file = `${directory}/nginx.conf`;
  await Deno.writeTextFile(
    file,
    `daemon off; master_process off; ${Deno.uid() === 0 ? "user root;" : ""} pid ${directory}/pid;
events {}
http {
  ${nginxPaths(`${directory}/nginx`)}
  include /etc/nginx/mime.types; default_type application/octet-stream;
  access_log off; sendfile on; gzip_static on; gzip_vary on; absolute_redirect off; if_modified_since before;
  server {
    listen 127.0.0.1:${port}; root ${directory}/public;
    location /static/ { alias ${directory}/public/; gzip_static off; }
  }
}
`,
  );
  const running = start(tool.path, ["-e", "stderr", "-c", file], `${directory}/nginx.log`);
  await accepting(port, running);
  return Object.assign(running, { [Symbol.asyncDispose]: () => running.stop() });
}

async function ask(port: number, { path, method, headers = [], of }: Case): Promise<Answer> {
  const tag = headers.some((header) => header.includes("{etag}"))
    ? (await ask(port, { path: of ?? path })).headers.get("etag")!
    : "";
  const verb = method === "HEAD" ? ["--head"] : method === undefined ? [] : ["-X", method];
  const fields = headers.flatMap((header) => ["-H", header.replace("{etag}", tag)]);
  const args = [
    "-sS",
    "-i",
    "--path-as-is",
    "--max-time",
    "20",
    ...verb,
    ...fields,
    `http://127.0.0.1:${port}${path}`,
  ];
  const { stdout, stderr, success } = await new Deno.Command("curl", { args }).output();
  if (!success) throw new Error(`curl ${path}: ${new TextDecoder().decode(stderr)}`);
  const text = latin1(stdout);
  const end = text.indexOf("\r\n\r\n");
  const [line, ...lines] = text.slice(0, end).split("\r\n");
  return {
    status: Number(line!.split(" ")[1]),
    headers: new Map(lines.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    })),
    body: stdout.subarray(end + 4),
  };
}

/** A download to nowhere, of a large file in no less than half a minute. */
function download(port: number, path: string): Deno.ChildProcess {
  const args = ["-s", "-o", "/dev/null", "--limit-rate", "5M", `http://127.0.0.1:${port}${path}`];
  return new Deno.Command("curl", { args, stdout: "null", stderr: "null" }).spawn();
}

/** How often the processes of a node have a file open. */
function openedTimes(pid: number, path: string): number {
  let times = 0;
  for (const member of tree(pid)) {
    for (const { name } of Deno.readDirSync(`/proc/${member}/fd`)) {
      try {
        if (Deno.readLinkSync(`/proc/${member}/fd/${name}`) === path) times++;
      } catch {
        // It was closed meanwhile.
      }
    }
  }
  return times;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
