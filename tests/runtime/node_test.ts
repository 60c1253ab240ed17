/** The real tree of processes and threads, with real sockets. */
import { dirname } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { Program, untilGone } from "./process.ts";

const PROGRAM = new URL("../../main.ts", import.meta.url).pathname;
const FLAGS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env", "--allow-sys", "--allow-run"];
const RUN = ["run", "--node", "n1", "-c"];

interface Bench {
  readonly directory: string;
  readonly file: string;
  readonly port: number;
  readonly url: string;
  readonly backend: number;
  write(text: string): void;
  start(): Program;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

function config(port: number, backend: number, extra = ""): string {
  return `
listeners:
  - { name: web, bind: "127.0.0.1:${port}", pool: app }
pools:
  app: { servers: ["127.0.0.1:${backend}"] }
workers: 2
${extra}`;
}

async function withBench(use: (bench: Bench) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-node-" });
  const file = `${directory}/tandem.yaml`;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/slow") await new Promise((resolve) => setTimeout(resolve, 500));
    return new Response(`backend ${pathname}`);
  });
  const backend = server.addr.port;
  const port = freePort();
  const write = (text: string) => Deno.writeTextFileSync(file, text);
  write(config(port, backend));
  try {
    await use({
      directory,
      file,
      port,
      url: `http://127.0.0.1:${port}`,
      backend,
      write,
      start: () =>
        new Program(["run", "--quiet", "--no-prompt", ...FLAGS, "--allow-ffi", PROGRAM, ...RUN, file], {
          socket: `${directory}/n1.sock`,
          env: { RUNTIME_DIRECTORY: directory },
        }),
    });
  } finally {
    await server.shutdown();
    await Deno.remove(directory, { recursive: true });
  }
}

/** One request on a connection of its own. */
async function get(url: string): Promise<string> {
  const response = await fetch(url, {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(10_000),
  });
  return await response.text();
}

async function refused(url: string): Promise<boolean> {
  return await get(url).then(() => false, () => true);
}

Deno.test("run() balances, drains what is under way at SIGTERM and exits with 0", async () => {
  await withBench(async ({ start, url }) => {
    await using node = start();
    await node.line("configuration in force");
    assertEquals(await get(`${url}/one`), "backend /one");
    const slow = get(`${url}/slow`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    node.kill("SIGTERM");
    await node.line("draining");
    assertEquals(await slow, "backend /slow");
    assertEquals(await node.ended(), 0, node.text);
    assert(await refused(url));
  });
});

Deno.test("run() a reload opens and closes listeners while a request is under way on another", async () => {
  await withBench(async ({ start, url, port, backend, write }) => {
    await using node = start();
    await node.line("configuration in force");
    const slow = get(`${url}/slow`);
    const other = freePort();
    write(
      config(port, backend).replace(
        "pools:",
        `  - { name: more, bind: "127.0.0.1:${other}", pool: app }\npools:`,
      ),
    );
    node.kill("SIGHUP");
    await node.until((status) => status.generation === 2);
    assertEquals(await get(`http://127.0.0.1:${other}/two`), "backend /two");
    write(config(port, backend));
    node.kill("SIGHUP");
    await node.until((status) => status.generation === 3);
    assert(await refused(`http://127.0.0.1:${other}/`));
    assertEquals(await slow, "backend /slow");
    assertEquals(await get(`${url}/still`), "backend /still");
  });
});

Deno.test("run() a reload with a taken address or a bad file changes nothing", async () => {
  await withBench(async ({ start, url, port, backend, write }) => {
    await using node = start();
    await node.line("configuration in force");
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port: takenPort } = taken.addr as Deno.NetAddr;
    write(
      config(port, backend).replace(
        "pools:",
        `  - { name: more, bind: "127.0.0.1:${takenPort}", pool: app }\npools:`,
      ),
    );
    node.kill("SIGHUP");
    await node.line(`Cannot listen on 127.0.0.1:${takenPort} for the listener \`more\``);
    assertEquals(await get(`${url}/a`), "backend /a");
    write("listeners: [");
    node.kill("SIGHUP");
    await node.line("reload refused");
    assertEquals((await node.status()).generation, 1);
    assertEquals(await get(`${url}/b`), "backend /b");
  });
});

Deno.test("run() exits with 1 and names the listener whose address is taken, even by one that shares it", async () => {
  await withBench(async ({ start, port }) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port, reusePort: true });
    await using node = start();
    assertEquals(await node.ended(), 1);
    assertStringIncludes(node.text, `Cannot listen on 127.0.0.1:${port} for the listener \`web\``);
    assertEquals((taken.addr as Deno.NetAddr).port, port);
  });
});

Deno.test("run() balances again after kill -9 of the balancer", async () => {
  await withBench(async ({ start, url }) => {
    await using node = start();
    const { balancer } = await node.until((status) => status.generation === 1);
    Deno.kill(balancer.pid ?? 0, "SIGKILL");
    await node.until((status) => status.balancer.restarts === 1 && status.balancer.state === "running");
    assertEquals(await get(`${url}/again`), "backend /again");
  });
});

Deno.test("run() kill -9 of the keeper ends the balancer, which finishes what is under way", async () => {
  await withBench(async ({ start, url }) => {
    await using node = start();
    const { balancer } = await node.until((status) => status.generation === 1);
    const slow = get(`${url}/slow`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    node.kill("SIGKILL");
    assertEquals(await slow, "backend /slow");
    await untilGone(balancer.pid ?? 0);
    assert(await refused(url));
  });
});

Deno.test("run() a second one of the same name refuses to start", async () => {
  await withBench(async ({ start, url }) => {
    await using node = start();
    await node.until((status) => status.generation === 1);
    await using second = start();
    assertEquals(await second.ended(), 1);
    assertStringIncludes(second.text, "runs already");
    assertEquals(await get(`${url}/first`), "backend /first");
  });
});

Deno.test("run() 50 reloads under load fail no request", async () => {
  await withBench(async ({ start, url, port, backend, write }) => {
    await using node = start();
    await node.until((status) => status.generation === 1);
    let done = false;
    const clients = Array.from({ length: 4 }, async (_, client) => {
      let answers = 0;
      // Half of them with a new connection for every request.
      const headers: Record<string, string> = client % 2 === 0 ? { connection: "close" } : {};
      while (!done) {
        const response = await fetch(`${url}/load`, { headers });
        assertEquals([response.status, await response.text()], [200, "backend /load"]);
        answers++;
      }
      return answers;
    });
    const other = freePort();
    const more = `  - { name: more, bind: "127.0.0.1:${other}", pool: app }\npools:`;
    for (let reload = 1; reload <= 50; reload++) {
      write(config(port, backend).replace("pools:", reload % 2 === 0 ? "pools:" : more));
      node.kill("SIGHUP");
      await node.until((status) => status.generation === 1 + reload);
    }
    done = true;
    for (const answers of await Promise.all(clients)) assert(answers > 0);
  });
});

Deno.test("run() tells status and health on the admin address, moves it at a reload, and logs requests", async () => {
  await withBench(async ({ start, url, port, backend, write }) => {
    const [first, second] = [freePort(), freePort()];
    const admin = (at: number) =>
      config(port, backend, `admin: { bind: "127.0.0.1:${at}" }\nlog: { access: json }`);
    write(admin(first));
    await using node = start();
    await node.until((status) => status.generation === 1);
    await get(`${url}/logged`);
    const status = JSON.parse(await get(`http://127.0.0.1:${first}/status`));
    assertEquals([status.state, status.workers.length, status.pools[0].servers[0].state], [
      "serving",
      2,
      "unchecked",
    ]);
    await node.line('"/logged"');
    write(admin(second));
    node.kill("SIGHUP");
    await node.until((status) => status.generation === 2);
    assertEquals(await get(`http://127.0.0.1:${second}/healthz`), "serving\n");
    assert(await refused(`http://127.0.0.1:${first}/healthz`));
  });
});

Deno.test("run() the keeper runs an exec check and learns of health; a name of the hosts file is a server", async () => {
  await withBench(async ({ start, url, port, backend, write, directory }) => {
    const flag = `${directory}/healthy`;
    const check = `{ type: exec, command: [/usr/bin/test, -e, "${flag}"], interval: 50ms, rise: 1, fall: 1 }`;
    write(
      config(port, backend).replace(
        /servers: .*/,
        `servers: ["localhost:${backend}"], check: ${check}, retry: { attempts: 2 } }`,
      ),
    );
    await using node = start();
    await node.until(({ balancer }) => balancer.pools.app?.healthy === 0 && balancer.pools.app.servers > 0);
    const response = await fetch(url);
    assertEquals(response.status, 503);
    await response.body?.cancel();
    Deno.writeTextFileSync(flag, "");
    await node.until(({ balancer }) => (balancer.pools.app?.healthy ?? 0) > 0);
    assertEquals(await get(`${url}/up`), "backend /up");
  });
});

Deno.test("run() without the right to run anything says so and does not start twice", async () => {
  await withBench(async ({ file, directory }) => {
    const flags = FLAGS.filter((flag) => flag !== "--allow-run");
    await using node = new Program(["run", "--quiet", "--no-prompt", ...flags, PROGRAM, ...RUN, file], {
      socket: `${dirname(file)}/n1.sock`,
      env: { RUNTIME_DIRECTORY: directory },
    });
    assertEquals(await node.ended(), 1);
    assertStringIncludes(node.text, "giving up");
  });
});
