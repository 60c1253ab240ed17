/** Functions of a real node: they answer, hand on, fail, and are changed, and nobody else notices. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { freePort, Node } from "./node.ts";

const FUNCTION = `import { format } from "./format.ts";
interface Context { next(pool?: string, changes?: unknown): Response; remoteAddr: { hostname: string } }
const held: unknown[] = [];
async function may(what: () => unknown): Promise<string> {
  try { return "yes " + await what(); } catch (error) { return (error as Error).name; }
}
export default { async fetch(request: Request, context: Context): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  switch (pathname) {
    case "/hello": return new Response(format(context.remoteAddr.hostname));
    case "/upper": return new Response((await request.text()).toUpperCase());
    case "/throw": throw new Error("no such thing");
    case "/exit": Deno.exit(1); break;
    case "/loop": for (;;);
    case "/leak": for (;;) {
      for (let i = 0; i < 50; i++) held.push(new Array(10_000).fill(1.5));
      await new Promise((done) => setTimeout(done));
    }
    case "/log": for (let i = 0; i < 1000; i++) console.warn("line", i); return new Response("logged");
    case "/may": return Response.json({
      read: await may(() => Deno.readTextFile("/etc/hostname")),
      run: await may(() => new Deno.Command("/bin/true").output()),
      admin: await may(() => fetch("http://127.0.0.1:" + searchParams.get("port"))),
      allowed: await may(() => Deno.env.get("ALLOWED")),
      other: await may(() => Deno.env.get("HOME")),
      code: await may(() => eval("1")),
    });
  }
  return context.next("app", { set: { "x-user": "ada" }, remove: ["x-secret"] });
} };
`;

interface Bench {
  readonly node: Node;
  readonly url: string;
  write(file: string, text: string): void;
}

/** A node with two processes of the function above; what the backend gets comes back. */
async function withFunction(use: (bench: Bench) => Promise<void>, settings = ""): Promise<void> {
  await using backend = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { length } = await request.bytes();
    const { headers } = request;
    return Response.json({ user: headers.get("x-user"), secret: headers.get("x-secret"), length });
  });
  const port = freePort();
  const directory = await Deno.makeTempDir({ prefix: "tandem-functions-" });
  const write = (file: string, text: string) => Deno.writeTextFileSync(`${directory}/${file}`, text);
  write("edge.ts", FUNCTION);
  write("format.ts", "export const format = (client: string) => `hello ${client}`;");
  const config = `listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    routes:
      - match: { path: /direct }
        pool: app
      - function: { module: ${directory}/edge.ts, count: 2, timeout: 2s, memory: 32m, env: ALLOWED, next: app ${settings} }
pools:
  app: { servers: ["127.0.0.1:${backend.addr.port}"] }
workers: 1`;
  Deno.env.set("ALLOWED", "allowed");
  try {
    await using node = await Node.start(config);
    await served(node, 2);
    await use({ node, url: `http://127.0.0.1:${port}`, write });
  } finally {
    Deno.env.delete("ALLOWED");
    await Deno.remove(directory, { recursive: true });
  }
}

/** So many processes can be reached. */
async function served(node: Node, count: number): Promise<void> {
  await node.until(({ pools }) =>
    pools.find(({ name }) => name === "function:edge")?.servers.length === count
  );
}

interface FunctionStatus {
  processes: { pid: number; restarts: number; lastDeath: string | null }[];
}

async function processes(node: Node): Promise<FunctionStatus["processes"]> {
  const { functions } = await node.program.status() as unknown as { functions: FunctionStatus[] };
  return functions[0]!.processes;
}

/** A request on a connection of its own. */
async function ask(url: string, init: RequestInit = {}): Promise<{ status: number; body: string }> {
  const headers = new Headers(init.headers);
  headers.set("connection", "close");
  const response = await fetch(url, { ...init, headers });
  return { status: response.status, body: await response.text() };
}

Deno.test("functions answer, read bodies, hand requests on, and write to the log by their name", async () => {
  await withFunction(async ({ url, node: { program } }) => {
    assertEquals(await ask(`${url}/hello`), { status: 200, body: "hello 127.0.0.1" });
    const large = "x".repeat(1_000_000);
    assertEquals((await ask(`${url}/upper`, { method: "POST", body: large })).body, large.toUpperCase());
    for (const body of [null, "small", large]) {
      const init = body === null ? {} : { method: "POST", body };
      const { status, body: got } = await ask(`${url}/other`, { ...init, headers: { "x-secret": "1" } });
      assertEquals([status, JSON.parse(got)], [200, {
        user: "ada",
        secret: null,
        length: body?.length ?? 0,
      }]);
    }
    assertEquals((await ask(`${url}/log`)).body, "logged");
    const line = JSON.parse(await program.line('"line 7"'));
    assertEquals([line.level, line.message, line.function], ["warning", "line 7", "edge"]);
    await program.line("lines of one second were dropped");
    assert(program.lines.filter((one) => one.includes('"line ')).length <= 400);
  });
});

Deno.test("functions may do what their settings say, and nothing else", async () => {
  await withFunction(async ({ url, node }) => {
    assertEquals(JSON.parse((await ask(`${url}/may?port=${node.adminPort}`)).body), {
      ...{
        read: "NotCapable",
        run: "NotCapable",
        admin: "NotCapable",
        other: "NotCapable",
        code: "EvalError",
      },
      allowed: "yes allowed",
    });
    const { pid } = (await processes(node))[0]!;
    const { stdout } = await new Deno.Command("ps", { args: ["-o", "uid=", "-p", `${pid}`] }).output();
    if (Deno.uid() === 0) assertMatch(new TextDecoder().decode(stdout), /^ *65534$/m);
  });
});

Deno.test("functions that throw, end, compute without an end or take all memory cost only themselves", async () => {
  await withFunction(async ({ url, node }) => {
    const { program } = node;
    assertEquals((await ask(`${url}/throw`)).status, 500);
    const thrown = JSON.parse(await program.line("no such thing"));
    assertEquals(thrown.function, "edge");
    assertMatch(thrown.message, /no such thing\n +at Object\.fetch \(edge:\d+:\d+\)$/);
    const fates: [path: string, status: number[], reason: string][] = [
      ["/exit", [500, 502, 503], "the function has ended its process"],
      ["/loop", [504, 502], "it did nothing but compute for more than 2000 ms"],
      ["/leak", [502, 503, 504], "memory"],
    ];
    for (const [path, statuses, reason] of fates) {
      const before = await processes(node);
      const neighbour = load(`${url}/direct`);
      const { status } = await ask(url + path, { method: "POST" });
      assert(statuses.includes(status), `${path} ${status}`);
      await program.until((status) => {
        const [function_] = (status as unknown as { functions: FunctionStatus[] }).functions;
        return function_!.processes.some(({ restarts }, at) => restarts > before[at]!.restarts);
      });
      await served(node, 2);
      assertEquals(await neighbour(), [200], `${path}\n${program.text}`);
      const deaths = (await processes(node)).map(({ lastDeath }) => lastDeath ?? "");
      assert(deaths.some((death) => death.includes(reason)), `${path}: ${deaths}`);
      assertEquals((await ask(`${url}/hello`)).status, 200);
    }
    assertEquals((await program.status()).balancer.restarts, 0);
  });
});

Deno.test("functions are made anew when one of their files changes, without a lost request; bad code changes nothing", async () => {
  await withFunction(async ({ url, node, write }) => {
    const stop = load(`${url}/hello`);
    write("format.ts", "export const format = (client: string) => `goodbye ${client}`;");
    await node.program.until(({ generation }) => generation === 2);
    assertEquals((await ask(`${url}/hello`)).body, "goodbye 127.0.0.1");
    write("format.ts", "export const format = (client: string) => {");
    await node.program.until(({ refused }) => refused !== null);
    assertStringIncludes((await node.program.status()).refused!.problems[0]!, "format.ts:1:");
    write("format.ts", "throw new Error('not today'); export const format = String;");
    await node.program.line("not today");
    await node.program.until(({ refused }) => refused?.problems[0]?.includes("function edge:") ?? false);
    assertEquals((await ask(`${url}/hello`)).body, "goodbye 127.0.0.1");
    assertEquals(await stop(), [200], node.program.text);
  });
});

/** Asks again and again; the answer stops that and gives every status there was, or what went wrong instead. */
function load(url: string): () => Promise<(number | string)[]> {
  let going = true;
  const statuses = new Set<number | string>();
  const done = (async () => {
    while (going) statuses.add(await ask(url).then(({ status }) => status, String));
  })();
  return async () => {
    going = false;
    await done;
    return [...statuses];
  };
}
