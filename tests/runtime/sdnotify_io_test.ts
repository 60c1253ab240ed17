/** A real node, and what it tells the service manager that started it: by messages and events, never by the clock. */
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { freePort } from "../cli/tandem.ts";
import { NotifySocket } from "./notify_socket.ts";
import { Program } from "./process.ts";

const PROGRAM = new URL("../../main.ts", import.meta.url).pathname;
const FLAGS = ["net", "read", "write", "env", "sys", "run", "ffi"].map((name) => `--allow-${name}`);

interface Bench {
  readonly manager: NotifySocket;
  readonly file: string;
  readonly config: string;
  start(env?: Record<string, string>): Program;
}

async function withManager(
  name: (directory: string) => string,
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-notify-" });
  const file = `${directory}/tandem.yaml`;
  const config = `listeners: [{ name: web, bind: "127.0.0.1:${freePort()}", routes: [{ respond: {} }] }]\n`;
  Deno.writeTextFileSync(file, config);
  const env = { RUNTIME_DIRECTORY: directory };
  const args = ["run", "--quiet", "--no-prompt", ...FLAGS, PROGRAM, "run", "--node", "n1", "-c", file];
  try {
    using manager = new NotifySocket(name(directory));
    const start = (more: Record<string, string> = {}) =>
      new Program(args, {
        socket: `${directory}/n1.sock`,
        env: { ...env, NOTIFY_SOCKET: manager.name, ...more },
      });
    await use({ manager, file, config, start });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const PATH = (directory: string) => `${directory}/notify`;
const ABSTRACT = (directory: string) => `@${directory}/notify`;

Deno.test("ServiceManager() is told of the start, of reloads good and bad, and of the end", async () => {
  await withManager(PATH, async ({ manager, file, config, start }) => {
    await using node = start();
    await manager.until(() => manager.lines().includes("READY=1"));
    assertEquals(manager.lines(), ["STATUS=starting", "READY=1", "STATUS=configuration 1"]);
    // It serves when it says so.
    assertEquals((await node.status()).generation, 1);

    const started = manager.messages.length;
    Deno.writeTextFileSync(file, config + "workers: 1\n");
    node.kill("SIGHUP");
    await manager.until(() => manager.lines(started).includes("READY=1"));
    const [reloading, since = "", ...rest] = manager.lines(started);
    assertEquals([reloading, rest.at(-1)], ["RELOADING=1", "STATUS=configuration 2"]);
    // The kernel's clock since it started, as systemd compares it with its own.
    const uptimeUsec = Number((await Deno.readTextFile("/proc/uptime")).split(" ")[0]) * 1e6;
    assertMatch(since, /^MONOTONIC_USEC=\d+$/);
    assert(Math.abs(Number(since.slice("MONOTONIC_USEC=".length)) - uptimeUsec) < 60e6, since);

    const reloaded = manager.messages.length;
    Deno.writeTextFileSync(file, "listeners: [");
    node.kill("SIGHUP");
    await manager.until(() => manager.lines(reloaded).includes("READY=1"));
    assertEquals(manager.lines(reloaded)[0], "RELOADING=1");
    assert(manager.lines(reloaded).at(-1)?.includes("refused"));

    const refused = manager.messages.length;
    node.kill("SIGTERM");
    assertEquals(await node.ended(), 0, node.text);
    await manager.until(() => manager.lines(refused).includes("STATUS=draining"));
    assertEquals(manager.lines(refused).slice(0, 2), ["STOPPING=1", "EXTEND_TIMEOUT_USEC=40000000"]);
    assertEquals(manager.alive, 0);
  });
});

Deno.test("ServiceManager() is fed at an abstract name, and not while the balancer hangs", async () => {
  await withManager(ABSTRACT, async ({ manager, start }) => {
    await using node = start({ WATCHDOG_USEC: "1000000" });
    await manager.until(() => manager.lines().includes("READY=1") && manager.alive >= 3);
    const { balancer } = await node.status();
    Deno.kill(balancer.pid!, "SIGSTOP");
    const before = manager.alive;
    await manager.until(() => manager.lines().some((line) => line.includes("killed as it hung")));
    const hung = manager.messages.findIndex((message) => message.includes("killed as it hung"));
    const fed = manager.messages.slice(0, hung).filter((message) => message.includes("WATCHDOG=1")).length;
    // It hangs for 3 s, in which a node that is well says so six times: some may have been on their way.
    assert(fed <= before + 2, `${fed - before} signs of life of a node that hangs`);
    // Once the keeper has replaced it, all is well again.
    await manager.until(() => manager.alive > fed);
    assertEquals((await node.status()).balancer.restarts, 1);
  });
});

Deno.test("ServiceManager() is not fed by a node that another process is to be watched for", async () => {
  await withManager(PATH, async ({ manager, start }) => {
    await using node = start({ WATCHDOG_USEC: "100000", WATCHDOG_PID: "1" });
    await manager.until(() => manager.lines().includes("READY=1"));
    node.kill("SIGTERM");
    await node.ended();
    assertEquals(manager.alive, 0);
  });
});

Deno.test("ServiceManager() that is gone is a line of the log, and the node serves", async () => {
  await withManager(PATH, async ({ start }) => {
    await using node = start({ NOTIFY_SOCKET: "/nowhere/notify" });
    await node.line("Cannot tell the service manager");
    await node.until(({ generation }) => generation === 1);
  });
});
