/** What an operator changes at a running node, with real processes, real sockets and real load. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { freePort, PROGRAM, type Said, tandem } from "../cli/tandem.ts";
import { Program } from "./process.ts";

const FLAGS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env", "--allow-sys", "--allow-run"];
const TOKEN = "0123456789abcdef";

/** A node over servers that count, and clients that never stop asking. */
class World implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "tandem-live-" });
  readonly port = freePort();
  readonly admin = freePort();
  readonly node: Program;
  /** By server: requests that began in the phase that is now. */
  readonly counts = new Map<string, number>();
  readonly failures: string[] = [];
  /** A request to `/held` has come, and may be answered. */
  readonly held = Promise.withResolvers<void>();
  readonly release = Promise.withResolvers<void>();
  readonly #servers: Deno.HttpServer<Deno.NetAddr>[];
  #phase = 0;
  #ended = false;
  #clients: Promise<void>[] = [];

  constructor(names: readonly string[], more = "", servers = "") {
    this.#servers = names.map((name) =>
      Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
        if (Number(request.headers.get("x-phase")) === this.#phase) {
          this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
        }
        const { pathname } = new URL(request.url);
        if (pathname === "/held") {
          this.held.resolve();
          await this.release.promise;
        }
        return new Response(name);
      })
    );
    this.write(
      names.map((name, at) => `{ name: ${name}, address: "${this.address(at)}" }`).join(", ") + servers,
      more,
    );
    this.node = new Program([
      ...["run", "--quiet", "--no-prompt", ...FLAGS, "--allow-ffi", PROGRAM],
      ...["run", "--node", "n1", "-c", `${this.directory}/tandem.yaml`],
    ], { socket: `${this.directory}/n1.sock`, env: { RUNTIME_DIRECTORY: this.directory } });
  }

  address(at: number): string {
    return `127.0.0.1:${this.#servers[at]!.addr.port}`;
  }

  write(servers: string, more = ""): void {
    Deno.writeTextFileSync(
      `${this.directory}/tandem.yaml`,
      `listeners: [{ name: web, bind: "127.0.0.1:${this.port}", pool: app }]
pools:
  app: { servers: [${servers}], check: { type: http, path: /, interval: 200ms } }
admin: { bind: "127.0.0.1:${this.admin}", token: ${TOKEN}${more} }
workers: 2
`,
    );
  }

  /** The command line, as its user has it. */
  tandem(...args: string[]): Promise<Said> {
    return tandem([...args, "--node", "n1"], { env: { RUNTIME_DIRECTORY: this.directory } });
  }

  /** A question by curl over the admin socket. */
  async curl(...args: string[]): Promise<unknown> {
    const { stdout } = await new Deno.Command("curl", {
      args: [
        "-sS",
        "--unix-socket",
        `${this.directory}/n1.sock`,
        ...args.slice(1),
        `http://localhost/api${args[0]}`,
      ],
    }).output();
    return JSON.parse(new TextDecoder().decode(stdout));
  }

  /** A change by curl over the admin socket. */
  async change(method: string, path: string, body?: unknown): Promise<unknown> {
    const json = body === undefined
      ? []
      : ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
    return await this.curl(path, "-X", method, ...json);
  }

  async server(name: string): Promise<{ admin: string; weight: number; state: string }> {
    return await this.curl(`/pools/app/servers/${encodeURIComponent(name)}`) as never;
  }

  /** Begins to ask with so many clients at once. */
  load(clients: number): void {
    this.#clients = Array.from({ length: clients }, async () => {
      while (!this.#ended) {
        try {
          const headers = { "x-phase": String(this.#phase) };
          const response = await fetch(`http://127.0.0.1:${this.port}/`, { headers });
          const text = await response.text();
          if (response.status !== 200) this.failures.push(`${response.status} ${text}`);
        } catch (error) {
          this.failures.push(String(error));
        }
      }
    });
  }

  /** Shares of the requests that begin from now on, of `count` of them. */
  async shares(count: number): Promise<Record<string, number>> {
    this.#phase++;
    this.counts.clear();
    const all = () => [...this.counts.values()].reduce((sum, one) => sum + one, 0);
    while (all() < count) await new Promise((resolve) => setTimeout(resolve, 5));
    const total = all();
    return Object.fromEntries([...this.counts].map(([name, one]) => [name, one / total]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#clients);
    await this.node[Symbol.asyncDispose]();
    await Promise.all(this.#servers.map((server) => server.shutdown()));
    await Deno.remove(this.directory, { recursive: true });
  }
}

Deno.test("drain, maint, ready and weight work at once under load, and lose no request", async () => {
  await using world = new World(["a", "b"]);
  await world.node.line("configuration in force");
  world.load(6);
  await world.shares(20);

  assertEquals(await world.tandem("drain", "app/b"), { code: 0, out: "app/b is in drain\n", err: "" });
  assertEquals(await world.shares(200), { a: 1 });
  assertEquals((await world.server("b")).state, "up", "it is still checked");
  assertEquals((await world.tandem("ready", "app/b")).out, "app/b is ready\n");
  assert((await world.shares(200)).b! > 0.3);

  assertEquals((await world.tandem("weight", "app/b", "9")).out, "app/b has weight 9\n");
  const { a = 0 } = await world.shares(400);
  assert(a > 0.05 && a < 0.15, `a tenth: ${a}`);

  assertEquals((await world.tandem("maint", "app/a")).code, 0);
  assertEquals(await world.shares(200), { b: 1 });
  const out = await world.server("a");
  assertEquals([out.admin, out.state], ["maint", "unchecked"]);
  assertEquals(world.failures, []);
});

Deno.test("what is changed live outlives the balancer and a reload, and status tells it", async () => {
  await using world = new World(["a", "b", "c"]);
  await world.node.line("configuration in force");
  const DONE = { done: true, warnings: [] };
  assertEquals(await world.change("PATCH", "/pools/app/servers/b", { state: "drain" }), DONE);
  assertEquals(await world.change("DELETE", "/pools/app/servers/c"), DONE);
  const added = await world.tandem("server", "add", "app/new", world.address(2), "--weight", "4");
  assertEquals(added.err, "");
  const expected = [["a", "ready", 1], ["b", "drain", 1], ["new", "ready", 4]];
  const servers = async () => {
    const { servers } = await world.curl("/pools/app") as {
      servers: { name: string; admin: string; weight: number }[];
    };
    return servers.map(({ name, admin, weight }) => [name, admin, weight]);
  };
  assertEquals(await servers(), expected);

  const { balancer } = await world.node.status();
  Deno.kill(balancer.pid!, "SIGKILL");
  await world.node.until((status) => status.balancer.restarts === 1 && status.balancer.state === "running");
  assertEquals(await servers(), expected);

  assertEquals(await world.change("POST", "/reload"), DONE);
  assertEquals(await servers(), expected);
  const { out } = await world.tandem("status");
  assertMatch(out, /changed live: app\/b state drain \(file: ready\), \d+s ago by /);
  assertMatch(out, /changed live: app\/c removed/);
  assertMatch(out, /changed live: app\/new added as 127\.0\.0\.1:\d+/);

  // The file says so by now.
  world.write(
    `{ name: a, address: "${world.address(0)}" }, { name: b, address: "${world.address(1)}", state: drain }`,
  );
  assertEquals(await world.curl("/plan"), { problems: [], changes: [] });
  assertEquals(await world.change("POST", "/reload"), DONE);
  const left = await world.curl("/changes") as { of: string }[];
  assertEquals(left.map(({ of }) => of), ["app/new"]);
  assertEquals((await world.tandem("server", "reset")).out, "everything is as the file says\n");
  assertEquals(await servers(), [["a", "ready", 1], ["b", "drain", 1]]);
  assertEquals(await world.curl("/changes"), []);

  world.write(`{ name: a, address: "${world.address(0)}", weight: 2 }, "${world.address(2)}"`);
  assertEquals(await world.tandem("plan"), {
    code: 0,
    out: `+ server app/${world.address(2)}\n- server app/b; what is under way on it is finished\n` +
      "~ server app/a: weight\n",
    err: "",
  });
  world.write(`"${world.address(2)}"`, ", tls: { cert: gone.pem, key: gone.key }");
  const next = `${world.directory}/elsewhere/next.yaml`;
  await Deno.mkdir(`${world.directory}/elsewhere`);
  await Deno.rename(`${world.directory}/tandem.yaml`, next);
  const planned = await world.tandem("plan", next);
  assertEquals([planned.code, planned.out], [1, ""]);
  assertStringIncludes(planned.err, `${next}:4:`);
  const problem = `admin.tls.cert: cannot read ${world.directory}/gone.pem: there is no such file\n`;
  assertStringIncludes(planned.err, problem);

  world.write("nonsense");
  assertEquals((await world.tandem("plan")).code, 1);
});

Deno.test("a reload forgets what was changed live where the file wants it so", async () => {
  await using world = new World(["a", "b"], ", liveChanges: reset");
  await world.node.line("configuration in force");
  await world.change("PATCH", "/pools/app/servers/b", { state: "drain" });
  assertEquals((await world.server("b")).admin, "drain");
  await world.change("POST", "/reload");
  assertEquals((await world.server("b")).admin, "ready");
});

Deno.test("what there is not and what the rules forbid is refused, and changes nothing", async () => {
  await using world = new World(
    ["a"],
    "",
    `, { name: local, dns: localhost, type: A, port: 1 }, "127.0.0.1:2"`,
  );
  await world.node.line("configuration in force");
  const before = await world.node.status();
  const at = "/pools/app/servers";
  const drain = { state: "drain" };
  const refused: [answer: Promise<unknown>, said: string][] = [
    [
      world.change("PATCH", `${at}/zzz`, drain),
      "there is no server zzz in pool app; there is a, local, 127.0.0.1:2",
    ],
    [world.change("PATCH", "/pools/ap/servers/zzz", drain), "there is no pool ap; did you mean app?"],
    [world.change("PATCH", `${at}/local%2310.0.0.1`, drain), "no server has the address local#10.0.0.1 now"],
    [
      world.change("POST", at, { name: "self", address: `127.0.0.1:${world.admin}` }),
      "cannot be the admin address",
    ],
    [
      world.change("POST", at, { name: "again", address: "127.0.0.1:2" }),
      "the file has a server of the name or address of app/again",
    ],
    [world.change("POST", at, { name: "bad", address: "nonsense" }), "must be host:port"],
  ];
  for (const [answer, said] of refused) {
    const { error } = await answer as { error: string };
    assertStringIncludes(error, said);
  }
  const { code, err } = await world.tandem("drain", "app/zzz");
  assertEquals([code, err.split(";")[0]], [1, "Cannot do it as there is no server zzz in pool app"]);
  assertEquals((await world.node.status()).generation, before.generation);
  assertEquals(await world.curl("/changes"), []);
  assertEquals((await world.tandem("weight", "app/a")).code, 2);
});

Deno.test("drain --wait waits for what is under way, and over TCP changes want the token", async () => {
  await using world = new World(["a", "b"]);
  await world.node.line("configuration in force");
  await world.change("PATCH", "/pools/app/servers/a", { state: "maint" });
  const held = fetch(`http://127.0.0.1:${world.port}/held`).then((answer) => answer.text());
  await world.held.promise;
  const waiting = await world.tandem("drain", "app/b", "--wait", "1ms");
  assertEquals([waiting.code, waiting.err], [1, "1 still under way on it\n"]);
  const drained = world.tandem("drain", "app/b", "--wait", "30s");
  world.release.resolve();
  assertEquals(await drained, { code: 0, out: "app/b is in drain\nnothing is under way on it\n", err: "" });
  assertEquals(await held, "b");

  const admin = `http://127.0.0.1:${world.admin}`;
  const none = await world.tandem("ready", "app/b", "--url", admin);
  assertEquals([none.code, none.err], [
    1,
    "Cannot do it as a valid token is needed (Authorization: Bearer)\n",
  ]);
  const json = await world.tandem("ready", "app/b", "--url", admin, "--token", TOKEN, "--json");
  assertEquals([json.code, JSON.parse(json.out)], [0, { done: true, warnings: [] }]);
  await world.node.line("the token from 127.0.0.1: server app/b ready: done");
  await world.node.line("server app/b drain: done");
});

Deno.test("docs/api.md the examples do what they say", async () => {
  await using world = new World(["web1", "web2"]);
  await world.node.line("configuration in force");
  const page = Deno.readTextFileSync(new URL("../../docs/api.md", import.meta.url));
  const shell = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text).join("")
    .replaceAll("/run/tandem/lb1.sock", `${world.directory}/n1.sock`)
    .replaceAll("http://127.0.0.1:9900", `http://127.0.0.1:${world.admin}`)
    .replaceAll(/^curl/gm, "curl -sS --fail-with-body -o /dev/null");
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-exc", shell],
    env: { TANDEM_TOKEN: TOKEN },
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  // The weight was set, and the reset took it back.
  assertEquals(await world.server("web1").then(({ admin, weight }) => [admin, weight]), ["ready", 1]);
});
