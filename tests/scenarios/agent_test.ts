/** Agents beside real servers: what they say is what traffic sees, and it outlives a reload. */
import { assertEquals, assertMatch } from "../assert.ts";
import { get } from "./http_client.ts";
import { freePort, Node, serverOf } from "./node.ts";
import { Buffered } from "./buffered.ts";
import { RawServer } from "./raw_server.ts";

/** An agent in HAProxy's syntax that says the same line to everybody, after what it is told. */
class Agent implements AsyncDisposable {
  line = "up ready 100%";
  readonly told = new Set<string>();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #ended = this.#answer();

  get port(): number {
    return this.#listener.addr.port;
  }

  async #answer(): Promise<void> {
    for await (const conn of this.#listener) {
      const buffer = new Uint8Array(100);
      const size = await conn.read(buffer).catch(() => null) ?? 0;
      this.told.add(new TextDecoder().decode(buffer.subarray(0, size)));
      await conn.write(new TextEncoder().encode(`${this.line}\n`)).catch(() => {});
      conn.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#ended;
  }
}

Deno.test("run() what the agent of a server says: weight, drain, down and up again", async () => {
  await using a = new RawServer(async (conn) => {
    const input = new Buffered(conn);
    while (true) {
      await input.through("\r\n\r\n");
      await RawServer.answer(conn, "a");
    }
  });
  await using agent = new Agent();
  const port = freePort();
  const config = (more: string) => `
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools:
  app:
    servers: [{ name: a, address: "127.0.0.1:${a.port}", weight: 4 }]
    agent: { port: ${agent.port}, send: "which?\\n", interval: 20ms, timeout: 10s }
    check: { interval: 100ms, timeout: 10s }
${more}
workers: 1
`;
  await using node = await Node.start(config(""));
  const until = async (line: string, wanted: (server: ReturnType<typeof serverOf>) => boolean) => {
    agent.line = line;
    return serverOf(await node.until((status) => wanted(serverOf(status, "a"))), "a");
  };
  const served = async () => (await get(port, "/")).status;
  const halved = await until("up 50% maxconn:9", ({ weight }) => weight === 2);
  assertMatch(halved.reason, /; the agent says 50% of its weight, at most 9 at a time$/);
  assertEquals(await served(), 200);
  await until("drain", ({ admin }) => admin === "drain");
  assertEquals(await served(), 503);
  await node.reload(config("drainTimeout: 1s"));
  assertEquals([(await node.server("a")).admin, await served()], ["drain", 503]);
  const stopped = await until("ready stopped#patching", ({ state }) => state === "down");
  assertEquals(stopped.reason, "the agent says stopped: patching, 50% of its weight, at most 9 at a time");
  assertEquals(await served(), 503);
  await until("up 100%", ({ state, weight }) => state === "up" && weight === 4);
  assertEquals(await served(), 200);
  assertEquals(agent.told, new Set(["which?\n"]));
});
