/**
 * `tandem demo`: three embedded servers, a real keeper and balancer in front of them, and a line a second.
 *
 * The demo is a user like any other: it gives the keeper a configuration, and reads the admin address.
 */
import type { NodeStatus } from "../observe/status.ts";
import { BAD, writeErr, writeOut } from "./command.ts";
import { run } from "./run.ts";
import { summaryLine } from "./demo_summary.ts";

/** Requests a second that the demo sends by itself. */
const OWN_RATE = 40;
const NAMES = ["a", "b", "c"] as const;
type Name = (typeof NAMES)[number];

export interface DemoOptions {
  readonly port: number;
  /** Send requests of our own. */
  readonly client: boolean;
  readonly entry: URL;
}

/** Runs until Ctrl-C or `q`. The answer is the exit code. */
export async function runDemo({ port, client, entry }: DemoOptions): Promise<number> {
  if (isTaken(port)) {
    writeErr(`Cannot start the demo as port ${port} is in use; try: tandem demo --port ${port + 1000}\n`);
    return BAD;
  }
  const servers = new Map<Name, DemoServer>(NAMES.map((name) => [name, new DemoServer(name)]));
  for (const server of servers.values()) server.start();
  const adminPort = freePort();
  const control = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const name = new URL(request.url).pathname.slice(1) as Name;
    const server = servers.get(name);
    if (server === undefined) return new Response("there are servers a, b and c\n", { status: 404 });
    return new Response(`${await server.toggle()}\n`);
  });
  greet(port, control.addr.port, adminPort);
  const stopLive = live(adminPort, `http://127.0.0.1:${port}/`, client);
  const stopKeys = keys(async (name) => writeOut(`${await servers.get(name)!.toggle()}\n`));
  const code = await run({
    file: "demo.yaml",
    node: `demo-${port}`,
    context: null,
    entry,
    text: configuration(port, adminPort, [...servers.values()]),
  });
  stopKeys();
  stopLive();
  await control.shutdown();
  for (const server of servers.values()) await server.stop();
  return code;
}

/** One embedded server. */
class DemoServer {
  /** Found by the first start, and kept. */
  port = 0;
  /** Keys come faster than a server stops. */
  #turns: Promise<unknown> = Promise.resolve();
  #server: Deno.HttpServer<Deno.NetAddr> | null = null;

  constructor(readonly name: Name) {}

  start(): void {
    const answer = () => new Response(`hello from server ${this.name}\n`);
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: this.port, onListen() {} }, answer);
    this.port = this.#server.addr.port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.shutdown();
  }

  toggle(): Promise<string> {
    const turn = this.#turns.then(() => this.#toggle());
    this.#turns = turn.catch(() => undefined);
    return turn;
  }

  async #toggle(): Promise<string> {
    if (this.#server === null) {
      this.start();
      return `server ${this.name} is started again`;
    }
    await this.stop();
    return `server ${this.name} is stopped: watch its share go to the others, without an error`;
  }
}

function isTaken(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return true;
    throw error;
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

function configuration(port: number, adminPort: number, servers: readonly DemoServer[]): string {
  return `
listeners:
  - { name: web, bind: "127.0.0.1:${port}", pool: app }
pools:
  app:
    servers:
${servers.map(({ name, port }) => `      - { name: ${name}, address: "127.0.0.1:${port}" }`).join("\n")}
    check: { interval: 500ms, timeout: 300ms, rise: 1, fall: 1 }
admin: { bind: "127.0.0.1:${adminPort}" }
workers: 1
log: { level: warning }
`;
}

function greet(port: number, controlPort: number, adminPort: number): void {
  const how = Deno.stdin.isTerminal()
    ? ["press a, b or c", "stop that server or start it; q ends the demo"]
    : [`curl -X POST http://127.0.0.1:${controlPort}/b`, "stop server b, or start it again (a and c too)"];
  const tries = [
    [`curl http://127.0.0.1:${port}/`, "ask, several times"],
    how,
    [`curl http://127.0.0.1:${adminPort}/status`, "what the node knows; or /metrics"],
  ];
  const width = Math.max(...tries.map(([what]) => what!.length));
  writeOut(`Tandem balances http://127.0.0.1:${port} over three servers, a, b and c. Try:
${tries.map(([what, why]) => `  ${what!.padEnd(width)}  ${why}`).join("\n")}
Every second: requests, errors, and each server's share.\n`);
}

/** Prints a line a second, and sends requests; the answer stops both. */
function live(adminPort: number, url: string, client: boolean): () => void {
  let before: NodeStatus | null = null;
  const show = setInterval(async () => {
    const status = await readStatus(adminPort);
    if (status !== null && before !== null) writeOut(summaryLine(before, status) + "\n");
    before = status;
  }, 1000);
  const send = client ? setInterval(() => request(url), 1000 / OWN_RATE) : undefined;
  return () => {
    clearInterval(show);
    clearInterval(send);
  };
}

async function readStatus(adminPort: number): Promise<NodeStatus | null> {
  try {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/status`);
    if (answer.ok) return await answer.json();
    await answer.body?.cancel();
    return null; // it has nothing to tell yet
  } catch {
    return null; // not there yet, or not any more
  }
}

async function request(url: string): Promise<void> {
  try {
    await (await fetch(url)).body?.cancel();
  } catch {
    // The node's own counters tell of what went wrong.
  }
}

/** Calls back for the keys a, b and c; q and Ctrl-C end the demo. The answer gives the terminal back. */
function keys(onKey: (name: Name) => void): () => void {
  if (!Deno.stdin.isTerminal()) return () => {};
  Deno.stdin.setRaw(true, { cbreak: true });
  const reader = Deno.stdin.readable.getReader();
  (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      for (const key of new TextDecoder().decode(value)) {
        if (key === "q") Deno.kill(Deno.pid, "SIGINT");
        else if (NAMES.includes(key as Name)) onKey(key as Name);
      }
    }
  })();
  return () => {
    Deno.stdin.setRaw(false);
    reader.cancel();
  };
}
