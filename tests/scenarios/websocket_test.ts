/** A real WebSocket server and real clients: the package `ws` and Deno's own. */
import { assertEquals } from "../assert.ts";
// @ts-types="./ws.d.ts"
import { WebSocket as WsClient, WebSocketServer } from "ws";
import { labTest } from "../lab/tools.ts";
import { freePort, Node } from "./node.ts";
import { Peers } from "./peers.ts";

const LARGE = 1024 * 1024;

interface Client {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/** What a client hears, in order. */
class Heard {
  #events: unknown[] = [];
  #wake = Promise.withResolvers<void>();

  add(event: unknown): void {
    this.#events.push(event);
    this.#wake.resolve();
  }

  async next(): Promise<unknown> {
    while (this.#events.length === 0) {
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
    return this.#events.shift();
  }
}

function wsClient(url: string, heard: Heard): Client {
  const client = new WsClient(url, ["chat"], { perMessageDeflate: true });
  client.on("open", () => heard.add(`open ${client.protocol}`));
  client.on("message", (data, binary) => heard.add(binary ? new Uint8Array(data) : data.toString()));
  client.on("pong", () => heard.add("pong"));
  client.on("close", (code, reason) => heard.add(`close ${code} ${reason}`));
  client.on("open", () => client.ping());
  return client;
}

function denoClient(url: string, heard: Heard): Client {
  const client = new WebSocket(url, ["chat"]);
  client.binaryType = "arraybuffer";
  client.onopen = () => heard.add(`open ${client.protocol}`);
  client.onmessage = ({ data }) => heard.add(typeof data === "string" ? data : new Uint8Array(data));
  client.onclose = ({ code, reason }) => heard.add(`close ${code} ${reason}`);
  return client;
}

Deno.test("run() WebSockets work through it, through a reload, and end with their close codes", async (t) => {
  await converse(t, (servers) => Promise.resolve({ servers }));
});

labTest("run() WebSockets reach a server of HTTP/2, which is HAProxy, in streams", ["haproxy"], async (t) => {
  await using peers = await Peers.make();
  await converse(t, async (servers) => {
    const port = freePort();
    await peers.haproxy(
      port,
      `  mode http
frontend f
  bind 127.0.0.1:${port} proto h2
  default_backend b
backend b
  server s ${servers}`,
    );
    return { servers: `127.0.0.1:${port}`, protocol: "h2" };
  });
});

/** Talks with two kinds of clients; `pool`: the pool for the address of a server. */
async function converse(
  t: Deno.TestContext,
  pool: (server: string) => Promise<{ readonly servers: string; readonly protocol?: string }>,
): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
  await new Promise<void>((resolve) => server.on("listening", resolve));
  server.on("connection", (socket) => {
    socket.on("message", (data, binary) => {
      if (data.toString() === "leave") socket.close(4001, "as asked");
      else socket.send(data, { binary });
    });
  });
  const port = freePort();
  const { servers, protocol = "http/1.1" } = await pool(`127.0.0.1:${server.address().port}`);
  const config = `
listeners: [{ name: web, bind: "127.0.0.1:${port}", pool: app }]
pools: { app: { servers: ["${servers}"], protocol: ${protocol} } }
workers: 2
`;
  try {
    await using node = await Node.start(config);
    const bytes = new Uint8Array(LARGE).map((_, at) => at * 31);
    for (const [name, connect, greeting] of [["ws", wsClient, ["pong"]], ["Deno", denoClient, []]] as const) {
      await t.step(name, async () => {
        const heard = new Heard();
        const client = connect(`ws://127.0.0.1:${port}/chat`, heard);
        for (const expected of ["open chat", ...greeting]) assertEquals(await heard.next(), expected);
        client.send("hello");
        assertEquals(await heard.next(), "hello");
        client.send(bytes);
        assertEquals(await heard.next(), bytes);
        await node.reload(config);
        client.send("still here");
        assertEquals(await heard.next(), "still here");
        client.send("leave");
        assertEquals(await heard.next(), "close 4001 as asked");

        const another = connect(`ws://127.0.0.1:${port}/chat`, heard);
        for (const expected of ["open chat", ...greeting]) assertEquals(await heard.next(), expected);
        another.close(4002, "enough");
        assertEquals(await heard.next(), "close 4002 enough");
      });
    }
    await node.until(({ listeners, pools }) =>
      listeners[0]!.counters.active === 0 && pools[0]!.servers[0]!.active === 0
    );
    assertEquals((await node.listener("web")).counters.responses1xx, 4);
  } finally {
    await new Promise<void>((resolve) => server.close(resolve));
  }
}
