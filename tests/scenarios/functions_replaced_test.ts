/** Functions of a real node that are replaced while they work: what is under way is finished, and no change is missed. */
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { Buffered } from "./buffered.ts";
import { HttpConnection } from "./http_client.ts";
import { eventually, freePort, Node, pause } from "./node.ts";

const LARGE = "x".repeat(200_000);
const FUNCTION = (word: string) =>
  `let go: () => void;
const going = new Promise<void>((done) => go = done);
async function* counting() {
  for (const part of ["one", "two"]) {
    yield new TextEncoder().encode(part);
    await going;
  }
}
export default { async fetch(request: Request): Promise<Response> {
  switch (new URL(request.url).pathname) {
    case "/go": return new Response(String(go()));
    case "/stream": return new Response(ReadableStream.from(counting()));
    case "/late": await going; return new Response(\`\${(await request.text()).length}\`);
    case "/count": {
      let length = 0;
      for await (const chunk of request.body!) length += chunk.length;
      return new Response(String(length));
    }
    case "/echo": return new Response(request.body);
    case "/socket": {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    }
  }
  return new Response("${word}");
} };
`;

interface Bench {
  readonly node: Node;
  readonly url: string;
  readonly port: number;
  /** The file of the function, or of another name. */
  write(text: string, name?: string): void;
}

async function withFunction(use: (bench: Bench) => Promise<void>): Promise<void> {
  const port = freePort();
  const directory = await Deno.makeTempDir({ prefix: "tandem-replaced-" });
  const write = (text: string, name = "edge.ts") => Deno.writeTextFileSync(`${directory}/${name}`, text);
  write(FUNCTION("first"));
  try {
    await using node = await Node.start(`listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes: [{ function: { module: ${directory}/edge.ts, timeout: 60s, next: app } }]
pools: { app: { servers: ["127.0.0.1:1"] } }
workers: 1`);
    const url = `http://127.0.0.1:${port}`;
    await answers(url, "first");
    await use({ node, url, port, write });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function ask(url: string): Promise<string> {
  return await (await fetch(url, { headers: { connection: "close" } })).text();
}

async function answers(url: string, text: string): Promise<void> {
  await eventually(async () => await ask(url) === text);
}

/** The process that serves now. */
async function process(node: Node): Promise<{ pid: number; port: number }> {
  const status = await node.program.status() as unknown as {
    functions: { processes: { pid: number; port: number }[] }[];
  };
  return status.functions[0]!.processes[0]!;
}

Deno.test("functions that are replaced finish streams, bodies that still wait and WebSockets first", async () => {
  await withFunction(async ({ node, url, port, write }) => {
    const before = await process(node);
    using stream = await HttpConnection.connect(port);
    await stream.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    const parts = new Buffered(stream.conn);
    await parts.through("one");
    const late = fetch(`${url}/late`, { method: "POST", body: LARGE });
    const socket = new WebSocket(`${url.replace("http", "ws")}/socket`);
    await new Promise((done) => socket.onopen = done);
    const said = () => new Promise((done) => socket.onmessage = ({ data }) => done(data));

    write(FUNCTION("second"));
    await answers(url, "second");
    await eventually(async () => (await process(node)).pid !== before.pid);
    // It waits a moment for what may be on its way, and would close everything then.
    await node.program.line("function ends after what it has");
    await pause(500);
    const echo = said();
    socket.send("still there");
    assertEquals(await echo, "still there");
    // The balancer knows its port no more.
    assertEquals(await ask(`http://127.0.0.1:${before.port}/go`), "undefined");
    await parts.through("two");
    const response = await late;
    assertEquals([response.status, await response.text()], [200, `${LARGE.length}`]);
    const closed = new Promise((done) => socket.onclose = done);
    socket.close();
    await closed;
    await eventually(() => !isAlive(before.pid));
  });
});

Deno.test("functions see every save of their files, also of those that could not be bundled before", async () => {
  await withFunction(async ({ node, url, write }) => {
    const at = node.program.lines.length;
    write(FUNCTION("second"));
    await node.program.line("function started", at);
    // It has been read and is being loaded.
    write(FUNCTION("third"));
    for (const wanted of [2, 3]) await node.program.until(({ generation }) => (generation ?? 0) >= wanted);
    await answers(url, "third");
    write('import { word } from "./word.ts";\nexport default { fetch: () => new Response(word) };');
    await node.program.line("is not there", at);
    write("export const word = ;", "word.ts");
    await node.program.line("word.ts:1:21", at);
    assertEquals(await ask(url), "third");
    write('export const word = "fourth";', "word.ts");
    await answers(url, "fourth");
  });
});

Deno.test("functions stream what waits at the balancer back while it comes, and leave bodies of GET alone", async () => {
  await withFunction(async ({ url, port }) => {
    const echoed = await fetch(`${url}/echo`, { method: "PUT", body: LARGE });
    assertEquals([echoed.status, await echoed.text() === LARGE], [200, true]);
    const counted = await fetch(`${url}/count`, { method: "PUT", body: LARGE });
    assertEquals([counted.headers.get("content-length"), await counted.text()], ["6", `${LARGE.length}`]);
    using client = await HttpConnection.connect(port);
    await client.send(`GET /word HTTP/1.1\r\nHost: a\r\nContent-Length: ${LARGE.length}\r\n\r\n${LARGE}`);
    assertStringIncludes(await new Buffered(client.conn).through("first"), "HTTP/1.1 200");
  });
});

Deno.test("functions that the new program cannot load keep it from taking over", async () => {
  await withFunction(async ({ node, url, write }) => {
    const { pid } = await node.program.status();
    write('throw new Error("not today");');
    await node.program.line("not today");
    await node.program.until(({ refused }) => refused !== null);
    const { code, said } = await node.command("upgrade");
    assertEquals(code, 1);
    assertStringIncludes(said, "the new program cannot load function edge, which works here: ");
    assertEquals([(await node.program.status()).pid, await ask(url)], [pid, "first"]);
  });
});

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}
