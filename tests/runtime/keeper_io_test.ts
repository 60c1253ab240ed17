import { dirname } from "node:path";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { alive, Program, untilGone } from "./process.ts";

const KEEPER = new URL("./standin_keeper.ts", import.meta.url).pathname;

interface Node {
  readonly file: string;
  readonly socket: string;
  start(): Program;
  write(text: string): void;
}

async function withNode(text: string, use: (node: Node) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "tandem-keeper-" });
  const file = `${directory}/tandem.yaml`;
  const socket = `${directory}/n1.sock`;
  Deno.writeTextFileSync(file, text);
  try {
    await use({
      file,
      socket,
      start: () => new Program(["run", "--quiet", "--allow-all", KEEPER, file, socket], { socket }),
      write: (next) => Deno.writeTextFileSync(file, next),
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("runKeeper() starts, says so on its 0660 socket, drains at SIGTERM and exits with 0", async () => {
  await withNode("good", async ({ start, socket }) => {
    await using keeper = start();
    await keeper.line("configuration in force");
    const status = await keeper.status();
    assertEquals([status.pid, status.generation, status.balancer.state], [keeper.pid, 1, "running"]);
    assertEquals((Deno.statSync(socket).mode ?? 0) & 0o777, 0o660);
    keeper.kill("SIGTERM");
    await keeper.line("draining");
    assertEquals(await keeper.ended(), 0);
    assertEquals(await alive(status.balancer.pid ?? 0), false);
    const left = [...Deno.readDirSync(dirname(socket))].map(({ name }) => name).sort();
    assertEquals(left, ["tandem.yaml"]);
  });
});

Deno.test("runKeeper() a signal that comes twice at once, as from a terminal through a task runner, drains", async () => {
  await withNode("good slow", async ({ start }) => {
    await using keeper = start();
    await keeper.until((status) => status.generation === 1);
    // Two different ones, as the kernel would make one of two that are the same.
    keeper.kill("SIGINT");
    keeper.kill("SIGTERM");
    await keeper.line("draining 1000");
    assertEquals(await keeper.ended(), 0);
    assertStringIncludes(keeper.text, "drained");
  });
});

Deno.test("runKeeper() drains as long as the configuration in force says, and says that its socket stays", async () => {
  await withNode("good", async ({ start, write }) => {
    await using keeper = start();
    await keeper.until((status) => status.generation === 1);
    write("good, short and moved");
    keeper.kill("SIGHUP");
    await keeper.until((status) => status.generation === 2);
    await keeper.line("the admin socket moves with the next start only");
    keeper.kill("SIGTERM");
    await keeper.line("draining 10");
    assertEquals(await keeper.ended(), 0);
  });
});

Deno.test("runKeeper() SIGHUP with a bad file logs every problem and runs on; with a good one reloads", async () => {
  await withNode("good", async ({ start, write }) => {
    await using keeper = start();
    await keeper.line("configuration in force");
    write("bad");
    keeper.kill("SIGHUP");
    await keeper.line("reload refused");
    assertStringIncludes(keeper.text, "first problem");
    assertStringIncludes(keeper.text, "second problem");
    const refused = await keeper.status();
    assertEquals([refused.generation, refused.refused?.problems], [1, ["first problem", "second problem"]]);
    write("good again");
    keeper.kill("SIGHUP");
    assertEquals((await keeper.until((status) => status.generation === 2)).refused, null);
    write("refuse");
    keeper.kill("SIGHUP");
    await keeper.line("listener `web` cannot bind");
    const status = await keeper.until((status) => !status.reloading);
    assertEquals([status.generation, status.balancer.restarts], [2, 0]);
    assertStringIncludes(status.refused?.problems.join() ?? "", "listener `web` cannot bind");
  });
});

Deno.test("runKeeper() starts another balancer after kill -9, with what ran and not exclusively", async () => {
  await withNode("good", async ({ start }) => {
    await using keeper = start();
    await keeper.line("hello exclusive=true");
    const first = await keeper.until((status) => status.generation === 1);
    Deno.kill(first.balancer.pid ?? 0, "SIGKILL");
    await keeper.line("hello exclusive=false");
    await keeper.line("files of 0");
    const next = await keeper.until((status) =>
      status.balancer.restarts === 1 && status.balancer.state === "running"
    );
    assertEquals(next.generation, 1);
    assertStringIncludes(next.balancer.lastDeath ?? "", "SIGKILL");
    assert(next.balancer.pid !== first.balancer.pid);
  });
});

Deno.test("runKeeper() kills a balancer that is stopped and starts another", async () => {
  await withNode("good", async ({ start }) => {
    await using keeper = start();
    const first = await keeper.until((status) => status.generation === 1);
    Deno.kill(first.balancer.pid ?? 0, "SIGSTOP");
    const next = await keeper.until((status) =>
      status.balancer.restarts === 1 && status.balancer.state === "running"
    );
    assertStringIncludes(next.balancer.lastDeath ?? "", "no heartbeat");
    assertEquals(await alive(first.balancer.pid ?? 0), false);
  });
});

Deno.test("runKeeper() restarts a balancer that writes lines that are no messages", async () => {
  await withNode("nonsense", async ({ start, write }) => {
    await using keeper = start();
    await keeper.until((status) => status.generation === 1 && status.balancer.badLines >= 5);
    write("good");
    const status = await keeper.until((status) => status.balancer.restarts >= 1);
    assertStringIncludes(status.balancer.lastDeath ?? "", "no messages");
  });
});

Deno.test("runKeeper() gives up a reload that kills the balancer and goes back to what ran", async () => {
  await withNode("good", async ({ start, write }) => {
    await using keeper = start();
    await keeper.until((status) => status.generation === 1);
    write("crash");
    keeper.kill("SIGHUP");
    await keeper.line("a reload under way is given up");
    const status = await keeper.until((status) => status.balancer.state === "running");
    assertEquals([status.generation, status.reloading], [1, false]);
  });
});

Deno.test("runKeeper() killed with -9 takes its balancer along, by the end of its stdin", async () => {
  await withNode("good", async ({ start, socket }) => {
    let balancer = 0;
    {
      await using keeper = start();
      balancer = (await keeper.until((status) => status.generation === 1)).balancer.pid ?? 0;
      keeper.kill("SIGKILL");
      await keeper.line("stdin ended");
    }
    await untilGone(balancer);
    Deno.statSync(socket);
    await using next = start();
    await next.until((status) => status.generation === 1);
  });
});

Deno.test("runKeeper() refuses to start beside a live one and leaves that alone", async () => {
  await withNode("good", async ({ start }) => {
    await using keeper = start();
    await keeper.until((status) => status.generation === 1);
    await using second = start();
    assertEquals(await second.ended(), 1);
    assertStringIncludes(second.text, `runs already (process ${keeper.pid})`);
    assertEquals((await keeper.status()).balancer.state, "running");
  });
});

Deno.test("runKeeper() exits with 1 and every problem when the first configuration is bad", async () => {
  await withNode("bad", async ({ start }) => {
    await using keeper = start();
    assertEquals(await keeper.ended(), 1);
    assertEquals(keeper.lines.filter((line) => line.includes("problem")).length, 2);
  });
});

Deno.test("runKeeper() exits with 1 when the balancer refuses the first configuration", async () => {
  await withNode("refuse", async ({ start }) => {
    await using keeper = start();
    assertEquals(await keeper.ended(), 1);
    assertStringIncludes(keeper.text, "listener `web` cannot bind");
  });
});

Deno.test("runKeeper() runs the command of its own configuration for a probe, and none for a pool without", async () => {
  await withNode("probe", async ({ start }) => {
    await using keeper = start();
    assertStringIncludes(await keeper.line("probe 1"), "probe 1 true exit 0: fine");
    assertStringIncludes(await keeper.line("probe 2"), "probe 2 false the pool has no exec check");
  });
});
