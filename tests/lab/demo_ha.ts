/**
 * `deno task demo:ha`: a pair of nodes that elect who holds an address, on one machine, to be broken by keys.
 *
 * Real nodes, a client and backends, each in a network namespace of its own; nothing of the machine's own network is
 * touched. However the demo ends, it takes all of it down; after a kill -9 of the demo itself, the next one does.
 */
import { reasonOf } from "../../mod/base/reason.ts";
import type { ElectionStatus } from "../../mod/observe/election_status.ts";
import { askAdmin } from "../../mod/runtime/admin_socket_io.ts";
import { type Action, Actions, MENU } from "./demo_actions.ts";
import { activeOf, changes, type ClientReport, liveLine, type Word, type Words } from "./demo_line.ts";
import { Lab, LAB_NEEDS } from "./netns.ts";
import { type NodeName, Pair, PAIR_NAMES, VIP } from "./pair.ts";
import { sweep, sweepable } from "./sweep.ts";
import { missing } from "./tools.ts";

const PREFIX = "tandem-demo";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Less than the second between two lines: a frozen node does not hold them up. */
const ASK_MS = 400;
/** Ten times what it takes. */
const START_LIMIT_MS = 30_000;

async function main(): Promise<number> {
  const reasons = [...new Set(LAB_NEEDS.map(missing).filter((reason) => reason !== null))];
  if (reasons.length > 0) {
    console.error(`Cannot show a pair of nodes here: the demo ${reasons.join(", ")}.`);
    console.error("On Linux, where root may make network namespaces: sudo npx --yes deno@2.9.6 task demo:ha");
    return 1;
  }
  const quit = Promise.withResolvers<void>();
  for (const signal of SIGNALS) Deno.addSignalListener(signal, quit.resolve);
  const swept = await sweep(PREFIX);
  if (swept.length > 0) console.log(`Took down what an earlier demo left: ${swept.join(" ")}`);
  const lab = await Lab.named(sweepable(PREFIX), ...PAIR_NAMES);
  let pair: Pair | null = null;
  try {
    console.log("Starting two nodes, a client and two backends, each in its own network namespace …");
    pair = await Promise.race([Pair.start("", lab), quit.promise.then(() => null), lateStart()]);
    if (pair !== null) await show(pair, quit);
  } finally {
    console.log("Taking it all down.");
    await (pair ?? lab)[Symbol.asyncDispose]();
    // What a start that was broken off has left: its files.
    await sweep(PREFIX);
  }
  return 0;
}

function lateStart(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const error = new Error(`Cannot go on as the nodes have not agreed within ${START_LIMIT_MS / 1000} s`);
  Deno.unrefTimer(setTimeout(() => reject(error), START_LIMIT_MS));
  promise.catch(() => undefined);
  return promise;
}

/** Until `quit`: the menu by keys or by HTTP, and what the client and the nodes say. */
async function show(pair: Pair, quit: PromiseWithResolvers<void>): Promise<void> {
  const client = pair.lab.deno("client", "demo_client_program.ts", VIP);
  const anew = client.stdin.getWriter();
  const actions = new Actions(pair);
  const act = oneAtATime(async (action) => {
    const done = await actions.run(action, activeOf(await words(pair))).catch((error) => `failed: ${error}`);
    await anew.write(new TextEncoder().encode("\n"));
    console.log(`> ${action}: ${done}`);
    return done;
  });
  await using control = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => answer(request, act, quit.resolve),
  );
  greet(control.addr.port);
  using _keys = keys(act, quit.resolve);
  await Promise.race([follow(pair, client.stdout), quit.promise]);
}

/** A line for each report of the client, until it ends. */
async function follow(pair: Pair, reports: ReadableStream<Uint8Array>): Promise<void> {
  const hardware = await hardwareAddresses(pair);
  let before: Words = { lb1: null, lb2: null };
  for await (const line of lines(reports)) {
    const now = await words(pair);
    for (const change of changes(before, now)) console.log(change);
    console.log(liveLine(JSON.parse(line) as ClientReport, hardware, now));
    before = now;
  }
  throw new Error("Cannot go on as the demo's client has ended");
}

async function words(pair: Pair): Promise<Words> {
  const [lb1, lb2] = await Promise.all([word(pair, "lb1"), word(pair, "lb2")]);
  return { lb1, lb2 };
}

async function word(pair: Pair, node: NodeName): Promise<Word> {
  try {
    const told = await askAdmin(`${pair.directory}/${node}.sock`, "/status", ASK_MS);
    return (told as { readonly vrrp: ElectionStatus }).vrrp.instances[0] ?? null;
  } catch {
    return null; // killed, frozen, or not there yet
  }
}

async function hardwareAddresses({ lab }: Pair): Promise<Record<string, NodeName>> {
  const found: Record<string, NodeName> = {};
  for (const node of ["lb1", "lb2"] as const) {
    const [link] = JSON.parse(await lab.ip(node, "-json", "link", "show", "eth0")) as { address: string }[];
    found[link!.address] = node;
  }
  return found;
}

type Act = (action: Action) => Promise<string>;

/** A key that is hit during an action waits for its end. */
function oneAtATime(act: Act): Act {
  let last: Promise<unknown> = Promise.resolve();
  return (action) => {
    const done = last.then(() => act(action));
    last = done;
    return done;
  };
}

function greet(port: number): void {
  const terminal = Deno.stdin.isTerminal();
  const items = [...Object.entries(MENU), ["quit", "end the demo"]] as const;
  const how = terminal ? "Keys" : `By curl -X POST http://127.0.0.1:${port}/NAME`;
  console.log(`\n${VIP} is held by one of two nodes, lb1 and lb2; a client asks it 50 times a second.`);
  console.log(
    "Every second: who holds it in the client's neighbour table, who answers, requests, failures and the",
  );
  console.log("longest time without an answer since the last key, and what the nodes say of themselves.");
  console.log(`${how}, done to the node that holds it:`);
  for (const [name, what] of items) console.log(`  ${terminal ? name[0] : name.padEnd(12)}  ${what}`);
  console.log();
}

function isAction(name: string): name is Action {
  return Object.hasOwn(MENU, name);
}

async function answer(request: Request, act: Act, quit: () => void): Promise<Response> {
  const name = new URL(request.url).pathname.slice(1);
  if (request.method !== "POST") {
    return new Response("POST only\n", { status: 405, headers: { allow: "POST" } });
  }
  if (name === "quit") quit();
  if (name === "quit") return new Response("ending\n");
  if (isAction(name)) return new Response(`${await act(name)}\n`);
  return new Response(`there are ${Object.keys(MENU).join(", ")} and quit\n`, { status: 404 });
}

/** An action by its first letter, `q` ends. Disposing gives the terminal back. */
function keys(act: Act, quit: () => void): Disposable {
  if (!Deno.stdin.isTerminal()) return { [Symbol.dispose]() {} };
  Deno.stdin.setRaw(true, { cbreak: true });
  const reader = Deno.stdin.readable.getReader();
  (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      for (const key of new TextDecoder().decode(value)) {
        const action = Object.keys(MENU).find((name) => name[0] === key);
        if (key === "q") quit();
        else if (action !== undefined && isAction(action)) act(action);
      }
    }
  })();
  return {
    [Symbol.dispose]() {
      Deno.stdin.setRaw(false);
      reader.cancel().catch(() => undefined);
    },
  };
}

async function* lines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (
    const text of bytes.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

try {
  Deno.exit(await main());
} catch (error) {
  console.error(`The demo has ended: ${reasonOf(error)}`);
  Deno.exit(1);
}
