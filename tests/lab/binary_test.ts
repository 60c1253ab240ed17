/** The compiled binary does what the program does from source: the main job, and the election. */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "../assert.ts";
import { freePort } from "../cli/tandem.ts";
import { Certificates, openssl } from "../net/openssl.ts";
import { Program, untilGone } from "../runtime/process.ts";
import { binary } from "./binary.ts";
import { LAB_NEEDS } from "./netns.ts";
import { Pair } from "./pair.ts";
import { labTest } from "./tools.ts";

/** As in the tests of failover from source. */
const LEASE_BOUND_MS = 4000;

interface Bench {
  readonly program: string;
  readonly directory: string;
  readonly file: string;
  readonly url: string;
  readonly adminUrl: string;
  /** Writes a configuration that balances over these ports. */
  write(backends: readonly number[]): void;
  start(): Program;
}

/** Two real servers and a directory of its own; the compiled program is a copy, which a test may replace. */
async function withBench(use: (bench: Bench, backends: number[]) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-compiled-" });
  const program = `${directory}/tandem`;
  await Deno.copyFile(await binary(), program);
  const servers = ["one", "two"].map((name) =>
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      if (new URL(request.url).pathname === "/slow") await new Promise((done) => setTimeout(done, 500));
      return new Response(name);
    })
  );
  const backends = servers.map(({ addr }) => addr.port);
  const port = freePort(), adminPort = freePort();
  const file = `${directory}/tandem.yaml`;
  const write = (to: readonly number[]) =>
    Deno.writeTextFileSync(
      file,
      `listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools:
  app:
    servers: [${to.map((backend) => `"127.0.0.1:${backend}"`).join(", ")}]
    check: { type: exec, command: [/usr/bin/test, -d, /], interval: 100ms }
workers: 2
admin: { bind: "127.0.0.1:${adminPort}" }
`,
    );
  write(backends);
  const start = () =>
    new Program(["run", "--node", "n1", "-c", file], {
      program,
      socket: `${directory}/n1.sock`,
      env: { RUNTIME_DIRECTORY: directory },
    });
  try {
    const [url, adminUrl] = [port, adminPort].map((one) => `http://127.0.0.1:${one}`) as [string, string];
    await use({ program, directory, file, url, adminUrl, write, start }, backends);
  } finally {
    await Promise.all(servers.map((server) => server.shutdown()));
    await Deno.remove(directory, { recursive: true });
  }
}

async function say(program: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const options = { args, stdin: "null", env: { NO_COLOR: "1" } } as const;
  const { code, stdout, stderr } = await new Deno.Command(program, options).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

async function curl(url: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await say("curl", "-sS", "--fail", "--max-time", "10", ...args, url);
  assertEquals(code, 0, `curl ${url}: ${err}`);
  return out;
}

labTest("binary() says what it was built from, and takes its arguments as the program does", [
  "binary",
], async () => {
  const program = await binary();
  const { out } = await say(program, "version");
  assertMatch(out, /^tandem \d+\.\d+\.\d+(\+\d{8}\.[0-9a-f]+(\.changed)?)? \(deno \d+\.\d+\.\d+\)\n$/);
  assertEquals((await say(program, "check", "-c", "/no/such/file")).code, 1);
  const wrong = await say(program, "runn");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.err, "did you mean run?");
});

labTest("binary() balances over two servers, reloads, drains, and exits with 0", [
  "binary",
  "curl",
], async () => {
  await withBench(async ({ start, url, adminUrl, write, program, directory }, backends) => {
    await using node = start();
    await node.until(({ generation, balancer }) => generation === 1 && balancer.pools.app?.healthy === 2);
    // A file of a package, which is inside of the binary.
    assertStringIncludes(await curl(`${adminUrl}/dashboard/uplot.js`), "uPlot");
    const answers = [await curl(url), await curl(url), await curl(url), await curl(url)];
    assertEquals(answers.sort(), ["one", "one", "two", "two"]);
    write(backends.slice(1));
    node.kill("SIGHUP");
    await node.until((status) => status.generation === 2);
    assertEquals([await curl(url), await curl(url)], ["two", "two"]);
    const status = await say(program, "status", "--socket", `${directory}/n1.sock`);
    assertStringIncludes(status.out, "node n1: balancer running");
    const slow = curl(`${url}/slow`);
    await new Promise((done) => setTimeout(done, 200));
    node.kill("SIGTERM");
    await node.line("draining");
    assertEquals(await slow, "two");
    assertEquals(await node.ended(), 0, node.text);
  });
});

labTest("binary() bundles functions, runs them apart, and hands requests on from them", [
  "binary",
  "curl",
], async () => {
  await withBench(async ({ start, url, file, directory }, [backend]) => {
    Deno.writeTextFileSync(
      `${directory}/edge.ts`,
      `export default { fetch(request: Request, context: { next(): Response }) {
  const { pathname } = new URL(request.url);
  if (pathname === "/loop") for (;;);
  return pathname === "/own" ? new Response(Deno.env.get("GREETING") as string) : context.next();
} };`,
    );
    Deno.writeTextFileSync(
      file,
      `listeners:
  - name: web
    bind: "${new URL(url).host}"
    routes: [{ function: { module: edge.ts, next: app, env: GREETING, timeout: 1s } }]
pools: { app: { servers: ["127.0.0.1:${backend}"] } }
`,
    );
    Deno.env.set("GREETING", "hello from the edge");
    await using node = start();
    Deno.env.delete("GREETING");
    await node.until(({ generation, balancer }) =>
      generation === 1 && balancer.pools["function:edge"]?.healthy === 1
    );
    assertEquals(await curl(`${url}/own`), "hello from the edge");
    assertEquals(await curl(`${url}/else`), "one");
    const looping = await say("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", `${url}/loop`);
    // The time-out is sooner than the end of the process, if the machine lets it.
    assertMatch(looping.out, /^50[24]$/);
    await node.line("it did nothing but compute for more than 1000 ms");
    // Another process takes its place: until it is there, who asks is told so.
    while ((await say("curl", "-s", "--fail", `${url}/own`)).out !== "hello from the edge") {
      await new Promise((done) => setTimeout(done, 100));
    }
  });
});

labTest("binary() starts its balancer anew also when its file was replaced meanwhile", [
  "binary",
  "curl",
], async () => {
  await withBench(async ({ start, program, url }) => {
    await using node = start();
    const { balancer } = await node.until(({ generation }) => generation === 1);
    await Deno.copyFile(program, `${program}.new`);
    await Deno.rename(`${program}.new`, program);
    Deno.kill(balancer.pid!, "SIGKILL");
    await untilGone(balancer.pid!);
    await node.until((status) => status.balancer.restarts === 1 && status.balancer.state === "running");
    assertEquals((await curl(url)).length, 3);
  });
});

/** A compiled node that serves clients with a certificate only; `toServer`: its server is spoken to over TLS. */
async function withTls(
  env: Record<string, string>,
  toServer: boolean,
  use: (node: Program, made: Certificates, port: number) => Promise<void>,
): Promise<void> {
  await using made = await Certificates.make();
  await made.issue("authority");
  for (const name of ["shop", "app"]) await made.issue(name, { by: "authority" });
  await made.issue("client", { by: "authority", client: true });
  const certificate = { cert: made.text("app.pem"), key: made.text("app.key") };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, ...certificate, onListen() {} }, (request) => {
    return new Response(`hello ${request.headers.get("x-client")}`);
  });
  const port = freePort();
  const pair = (name: string) => `{ cert: ${made.path(`${name}.pem`)}, key: ${made.path(`${name}.key`)} }`;
  const ca = made.path("authority.pem");
  const tls = toServer ? `, tls: { ca: ${ca}, serverName: app.test }` : "";
  Deno.writeTextFileSync(
    made.path("tandem.yaml"),
    `listeners:
  - name: web
    bind: "127.0.0.1:${port}"
    tls: { certificates: [${pair("shop")}], clientAuth: { ca: ${ca} } }
    headers: { request: { set: { X-Client: "$tlsClientSubject" } } }
    pool: app
pools: { app: { servers: ["127.0.0.1:${server.addr.port}"]${tls} } }
workers: 2
`,
  );
  try {
    await using node = new Program(["run", "--node", "n1", "-c", made.path("tandem.yaml")], {
      program: await binary(),
      socket: `${made.directory}/n1.sock`,
      env: { RUNTIME_DIRECTORY: made.directory, ...env },
    });
    await use(node, made, port);
  } finally {
    await server.shutdown();
  }
}

/** What openssl says of one request. */
async function request(port: number, ...args: string[]): Promise<string> {
  const text = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";
  return (await openssl(["s_client", "-connect", `127.0.0.1:${port}`, ...args], text, "hello")).text;
}

const TLS_NEEDS = ["binary", "openssl"];

labTest(
  "binary() terminates TLS for clients with a certificate only, takes sessions up, and verifies servers",
  TLS_NEEDS,
  async () => {
    await withTls({}, true, async (node, made, port) => {
      await node.until(({ generation }) => generation === 1);
      const show = ["-cert", made.path("client.pem"), "-key", made.path("client.key")];
      const session = made.path("session");
      assertStringIncludes(await request(port, ...show, "-sess_out", session), "hello CN=client.test");
      // The kernel spreads connections over the workers.
      for (let at = 0; at < 6; at++) {
        assertStringIncludes(await request(port, ...show, "-sess_in", session), "Reused");
      }
      const refused = await request(port);
      assert(!refused.includes("hello"), refused);
    });
  },
);

labTest("binary() does not start a listener whose clients it could not verify", TLS_NEEDS, async () => {
  // The runtime's own TLS, which may be one that cannot be used so: then nobody is served.
  await withTls({ TANDEM_TLS: "rustls" }, false, async (node, _made, port) => {
    const started = node.until(({ generation }) => generation === 1).then(() => true, () => false);
    if (await started) return assert(!(await request(port)).includes("hello"));
    assertEquals(await node.ended(), 1);
    assertStringIncludes(node.text, "listener web: Cannot terminate TLS as");
  });
});

labTest("binary() kill -9 of the owner: the other serves, and the address is gone by its lease", [
  ...LAB_NEEDS,
  "binary",
  "curl",
], async () => {
  const program = await binary();
  await using pair = await Pair.start("", undefined, [program]);
  const killedAt = performance.now();
  pair.signal("lb1", "SIGKILL");
  await pair.answers("lb2");
  await pair.holds("lb1", false);
  assertLess(performance.now() - killedAt, LEASE_BOUND_MS);
  assertEquals((await pair.instance("lb2")).state, "active");
  pair.run("lb1");
  await pair.settled("lb1");
  pair.signal("lb1", "SIGTERM");
  assertEquals(await pair.ended("lb1"), 0);
  await pair.answers("lb2");
});
