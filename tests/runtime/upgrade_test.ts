/** The real keeper, upgraded to itself, around a stand-in balancer. */
import { askAdmin } from "../../mod/runtime/admin_socket_io.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { NotifySocket } from "./notify_socket.ts";
import { alive, Program, untilGone } from "./process.ts";

const KEEPER = new URL("./standin_keeper.ts", import.meta.url).pathname;

interface Node {
  readonly keeper: Program;
  readonly socket: string;
  readonly directory: string;
  write(text: string): void;
  upgrade(): Promise<{ done?: boolean; pid?: number; error?: string }>;
}

async function withNode(use: (node: Node) => Promise<void>, env: Record<string, string> = {}): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-upgrade-" });
  const file = `${directory}/tandem.yaml`;
  const socket = `${directory}/n1.sock`;
  const write = (text: string) => Deno.writeTextFileSync(file, text);
  write("good");
  try {
    await using keeper = new Program(["run", "--quiet", "--allow-all", KEEPER, file, socket], {
      socket,
      env,
    });
    await keeper.until(({ generation }) => generation === 1);
    const upgrade = () =>
      askAdmin(socket, "/upgrade", 60_000, "POST") as Promise<{ done?: boolean; error?: string }>;
    await use({ keeper, socket, directory, write, upgrade });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("upgrade() another process is the node, with what the balancer knew; the old one drains and exits with 0", async () => {
  await withNode(async ({ keeper, upgrade, directory }) => {
    const before = await keeper.status();
    const { done, pid } = await upgrade();
    assertEquals(done, true, keeper.text);
    const after = await keeper.status();
    assertEquals([after.pid, after.generation, after.balancer.state], [pid, 1, "running"]);
    assertEquals((await keeper.child.status).code, 0);
    await untilGone(before.balancer.pid!);
    await keeper.line("hello exclusive=false");
    await keeper.line("carried what it knew");
    await keeper.line("draining 1000 replaced");
    // It is a keeper like any other: it can be upgraded, and stopped.
    assertEquals((await upgrade()).done, true, keeper.text);
    const last = await keeper.status();
    await untilGone(after.pid);
    Deno.kill(last.pid, "SIGTERM");
    await untilGone(last.pid);
    const left = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assertEquals(left, ["tandem.yaml"]);
  });
});

Deno.test("upgrade() to a program that refuses its configuration leaves everything as it was, and says why", async () => {
  await withNode(async ({ keeper, upgrade, write, directory }) => {
    const { pid, balancer } = await keeper.status();
    for (
      const [text, problem] of [["bad", "first problem; second problem"], ["refuse", "cannot bind"]] as const
    ) {
      write(text);
      assertStringIncludes((await upgrade()).error ?? "", problem);
      await keeper.line(`upgrade given up: `);
      const after = await keeper.status();
      assertEquals([after.pid, after.balancer.pid, after.generation], [pid, balancer.pid, 1]);
    }
    const left = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assertEquals(left, ["n1.sock", "n1.sock.lock", "tandem.yaml"]);
    // Nothing stands in the way of the next.
    write("good");
    assertEquals((await upgrade()).done, true, keeper.text);
  });
});

Deno.test("upgrade() a stop meanwhile gives it up, and a reload is the new program's", async () => {
  await withNode(async ({ keeper, upgrade, write }) => {
    write("good, second");
    const upgraded = upgrade();
    await keeper.until((status) => status.upgrading === true);
    assertStringIncludes((await upgrade()).error ?? "", "an upgrade is under way");
    keeper.kill("SIGHUP");
    assertEquals((await upgraded).done, true);
    assertEquals((await keeper.until(({ generation }) => generation === 2)).generation, 2);
  });
  await withNode(async ({ keeper, upgrade }) => {
    const upgraded = upgrade().then(({ error }) => error, () => "no answer");
    await keeper.line("upgrade: starting the new program");
    keeper.kill("SIGTERM");
    assertEquals((await keeper.child.status).code, 0);
    assert(await upgraded !== undefined);
    assertEquals(await keeper.ended(), 0, "nothing is left that holds the log");
  });
});

Deno.test("upgrade() SIGUSR2 asks for it too", async () => {
  await withNode(async ({ keeper }) => {
    keeper.kill("SIGUSR2");
    assert((await keeper.until(({ pid }) => pid !== keeper.pid)).pid !== keeper.pid);
  });
});

Deno.test("upgrade() the service manager is told which process the node is, and then by that one how it is", async () => {
  const directory = await Deno.makeTempDir({ prefix: "tandem-notify-" });
  try {
    using manager = new NotifySocket(`${directory}/notify`);
    await withNode(async ({ keeper, upgrade }) => {
      await manager.until(() => manager.lines().includes("READY=1"));
      const said = manager.messages.length;
      const { pid } = await upgrade();
      await manager.until(() => manager.lines(said).includes("READY=1"));
      await keeper.child.status;
      const lines = manager.lines(said);
      assertEquals(lines.slice(0, 2), [`MAINPID=${pid}`, "READY=1"]);
      assert(!lines.includes("STOPPING=1"), lines.join());
      const alive = manager.alive;
      await manager.until(() => manager.alive > alive);
    }, { NOTIFY_SOCKET: manager.name, WATCHDOG_USEC: "1000000" });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("upgrade() a new program that dies while the old one drains ends that too, so that the node can be started", async () => {
  await withNode(async ({ keeper, upgrade, write }) => {
    write("good slow");
    keeper.kill("SIGHUP");
    await keeper.until(({ generation }) => generation === 2);
    const { pid } = await upgrade();
    Deno.kill(pid!, "SIGKILL");
    assertEquals((await keeper.child.status).code, 1);
    assert(!await alive(pid!));
  });
});
