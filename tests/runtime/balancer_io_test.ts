import { configMessages, TO_KEEPER, type ToBalancer, type ToKeeper } from "../../mod/runtime/link.ts";
import { LinkWriter, readLink } from "../../mod/runtime/link_io.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";

const PROGRAM = new URL("./balancer_program.ts", import.meta.url).pathname;
const HELLO: ToBalancer = {
  kind: "hello",
  version: "1",
  node: "n1",
  context: null,
  file: "tandem.yaml",
  exclusive: true,
};

interface Peer {
  readonly link: LinkWriter<ToBalancer>;
  readonly child: Deno.ChildProcess;
  /** The next message of a kind. */
  next<Kind extends ToKeeper["kind"]>(kind: Kind): Promise<Extract<ToKeeper, { kind: Kind }>>;
  /** The exit code and everything on stderr. */
  end(): Promise<{ code: number; words: string }>;
}

/** Plays the keeper for a balancer; nothing but messages may come out of it. */
async function withBalancer(use: (peer: Peer) => Promise<void>): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-all", PROGRAM],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const waiting: ToKeeper[] = [];
  const malformed: string[] = [];
  let wake = () => {};
  const words = new Response(child.stderr).text();
  const reading = readLink(child.stdout, TO_KEEPER, (decoded) => {
    if (decoded.kind === "malformed") malformed.push(decoded.reason);
    else waiting.push(decoded.message);
    wake();
  });
  const link = new LinkWriter<ToBalancer>(child.stdin);
  link.send(HELLO);
  const next = async <Kind extends ToKeeper["kind"]>(kind: Kind) => {
    while (true) {
      for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
        if (message.kind === kind) return message as Extract<ToKeeper, { kind: Kind }>;
      }
      await new Promise<void>((resolve) => wake = resolve);
    }
  };
  const end = async () => ({ code: (await child.status).code, words: await words });
  try {
    await use({ link, child, next, end });
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // Ended already.
    }
    await child.status;
    await Promise.all([reading, words]);
    await link.close();
  }
  assertEquals(malformed, []);
}

function send(link: LinkWriter<ToBalancer>, generation: number, text: string): void {
  for (const message of configMessages(generation, text)) link.send(message);
}

Deno.test("runBalancer() answers a configuration of many parts with ready, a bad one with its problems", async () => {
  await withBalancer(async ({ link, next }) => {
    send(link, 1, "good".repeat(10_000));
    assertEquals(await next("ready"), { kind: "ready", generation: 1 });
    send(link, 2, "bad");
    assertEquals(await next("rejected"), { kind: "rejected", generation: 2, problems: ["Cannot listen"] });
  });
});

Deno.test("runBalancer() gives up starting processes and writing files before anything else", async () => {
  await withBalancer(async ({ link, next }) => {
    send(link, 1, "permissions");
    const { problems } = await next("rejected");
    assertEquals(problems.includes("granted"), false);
    assertEquals(problems.length, 2);
  });
});

Deno.test("runBalancer() sends heartbeats in order, health in parts and counters", async () => {
  await withBalancer(async ({ next }) => {
    const sequences = [(await next("heartbeat")).sequence, (await next("heartbeat")).sequence];
    assertEquals(sequences, [0, 1]);
    assertEquals((await next("health")).pools.length + (await next("health")).pools.length, 40);
    assertEquals((await next("counters")).workersReplaced, 5);
  });
});

Deno.test("runBalancer() tells health as soon as servers change, once for all that do, and not only in turn", async () => {
  await withBalancer(async ({ link, next }) => {
    send(link, 1, "changed");
    await next("ready");
    // In turn, counters follow every health: one that was asked for in between is one more, for good. So is the one
    // that follows when the node is ready.
    const more = [];
    for (let message = 0; message < 6; message++) {
      const { healthy, servers } = (await next("health")).pools[0]!;
      more.push(healthy - servers);
    }
    assertEquals(more.slice(-2), [3, 3]);
  });
});

Deno.test("runBalancer() has the keeper run an exec check", async () => {
  await withBalancer(async ({ link, next }) => {
    send(link, 1, "probe");
    const probe = await next("probe");
    assertEquals([probe.pool, probe.server, probe.host, probe.port], ["app", "one", "127.0.0.1", 80]);
    link.send({ kind: "probeResult", id: probe.id + 1, ok: false, reason: "another's", latencyMs: 1 });
    link.send({ kind: "probeResult", id: probe.id, ok: true, reason: "exit 0", latencyMs: 1 });
    assertEquals((await next("rejected")).problems, ["n1: true exit 0"]);
  });
});

Deno.test("runBalancer() drains to the given deadline and exits with 0, with the console on stderr", async () => {
  await withBalancer(async ({ link, end }) => {
    link.send({ kind: "drain", deadlineMs: 1234 });
    const { code, words } = await end();
    assertEquals(code, 0);
    assertStringIncludes(words, "a library says hello");
    assertStringIncludes(words, "control drains 1234");
  });
});

Deno.test("runBalancer() drains when its stdin ends, and at SIGTERM", async () => {
  await withBalancer(async ({ link, next, end }) => {
    await next("heartbeat");
    await link.close();
    const { code, words } = await end();
    assertEquals(code, 0);
    assertStringIncludes(words, "the keeper is gone");
    assertStringIncludes(words, "control drains 4321");
  });
  await withBalancer(async ({ child, link, next, end }) => {
    send(link, 1, "good");
    await next("ready");
    child.kill("SIGINT");
    child.kill("SIGHUP");
    child.kill("SIGTERM");
    const { code, words } = await end();
    assertEquals(code, 0);
    assertStringIncludes(words, "SIGTERM");
    assertStringIncludes(words, "control drains 4321");
  });
});

Deno.test("runBalancer() ends with 1 when the keeper talks nonsense", async () => {
  await withBalancer(async ({ link, end }) => {
    for (let line = 0; line < 5; line++) {
      link.send({ kind: "config", generation: 1, part: 7, parts: 9, text: "" });
    }
    const { code, words } = await end();
    assertEquals(code, 1);
    assert(words.includes("out of order"));
  });
});
