/** `tandem status`. */
import { trustedBy } from "./api_io.ts";
import { BAD, type Command, GOOD, type Invocation, writeErr, writeOut } from "./command.ts";
import type { KeeperView } from "./election_table.ts";
import { askStatus, SOCKET_OPTIONS, socketOf } from "./socket_io.ts";
import { runStatus, showKeeper, type StatusQuestion } from "./status_io.ts";
import { fitLines } from "./fit.ts";
import { wayTo } from "./node_way_io.ts";
import { complain } from "./refusal.ts";
import { askThrough } from "./status_through_io.ts";
import { painter, paintStates } from "./paint.ts";
import { watch } from "./watch_io.ts";

/** Where a node answers unless its configuration says otherwise. */
const DEFAULT_URL = "http://127.0.0.1:9900";

export const command: Command = {
  summary: "show what a running node does",
  usage: "[--node NAME] [--both] [--url URL] [--watch] [--json]",
  options: {
    ...SOCKET_OPTIONS,
    url: { type: "string" },
    token: { type: "string" },
    ca: { type: "string" },
    json: { type: "boolean" },
    both: { type: "boolean" },
    watch: { type: "boolean", short: "w" },
  },
  help:
    `Asks the node on this machine by its admin socket: which node holds which address, since when and why; servers,
connections, requests.

      --url URL      only this admin address, also of another machine (default: ${DEFAULT_URL} if no
                     socket answers and none was named)
      --node NAME    the node (default: $TANDEM_NODE, else the host name); one that does not run on this machine, or
                     "peer" for the other one, is asked through the one that does
      --both         every node of the pair, through this one; exit code 1 when one of them does not answer
      --socket PATH  the admin socket of the node to ask (default: where a node of that name has it)
      --token TOKEN  for an address that needs one (default: $TANDEM_TOKEN)
      --ca FILE      for an https address whose certificate an authority of these (PEM) has signed
      --json         everything, as JSON; without, a terminal gets lines that fit
  -w, --watch        every second until Ctrl-C, also while the node does not answer: drawn anew on a terminal,
                     else one block after another; with --json one document a line

Examples: tandem status
          tandem status --both --watch
          tandem status --url http://127.0.0.1:9900`,
  run: async (invocation) => {
    const { values } = invocation;
    const paint = painter(Deno.stdout.isTerminal(), Deno.env.get("NO_COLOR"));
    const shown = (text: string) => paintStates(fitLines(text, terminal().columns), paint);
    const out = (text: string) => writeOut(values.json === true ? text : shown(text));
    if (values.watch !== true) {
      return values.json === true
        ? await askForProgram(invocation)
        : await ask(invocation, { out, err: writeErr });
    }
    const plain = Deno.stdout.isTerminal() ? "screen" : "blocks";
    return await watch({
      form: values.json === true ? "lines" : plain,
      rows: () => terminal().rows,
      out,
      async ask() {
        let text = "", problem = "";
        const code = await ask(invocation, {
          out: (part) => text += part,
          err: (part) => problem += part,
        });
        return code === GOOD ? { text } : { problem };
      },
    });
  },
};

/** As `ask`: what is wrong is JSON too, where there is no other answer. */
async function askForProgram(invocation: Invocation): Promise<number> {
  let text = "", problem = "";
  const code = await ask(invocation, {
    out: (part) => text += part,
    err: (part) => problem += part,
  });
  if (text === "" && code !== GOOD) return complain(problem.trim(), invocation);
  writeErr(problem);
  writeOut(text);
  return code;
}

const NO_TERMINAL = { columns: null, rows: null };

/** How large the terminal that is written to is; null: it is none. */
function terminal(): { readonly columns: number | null; readonly rows: number | null } {
  try {
    return Deno.stdout.isTerminal() ? Deno.consoleSize() : NO_TERMINAL;
  } catch {
    return NO_TERMINAL;
  }
}

/** Asks once and prints. Gives the exit code. */
async function ask(invocation: Invocation, to: Pick<StatusQuestion, "out" | "err">): Promise<number> {
  const { values } = invocation;
  const trusted = trustedBy(invocation);
  if ("problem" in trusted) {
    to.err(`${trusted.problem}\n`);
    return BAD;
  }
  const question = {
    ...trusted,
    token: values.token === undefined ? Deno.env.get("TANDEM_TOKEN") ?? null : String(values.token),
    json: values.json === true,
    columns: terminal().columns,
    ...to,
  };
  const way = wayTo(invocation);
  if (!("problem" in way) && way.node !== null) return await askThrough(invocation, question);
  if (values.url !== undefined) return await runStatus({ ...question, url: String(values.url) });
  const socket = socketOf(invocation);
  const keeper = "path" in socket ? keeperOf(await askStatus(socket.path)) : null;
  if (keeper === null) {
    const reason = "path" in socket ? `no keeper answers at ${socket.path}` : socket.problem;
    // What answers at the usual address is another node, maybe.
    if (isNamed(values)) {
      to.err(`Cannot read the status as ${reason}, and another node is not asked in its place\n`);
      return BAD;
    }
    to.err(`Only the balancer is asked, as ${reason}: --node and --socket name another\n`);
    return await runStatus({ ...question, url: DEFAULT_URL });
  }
  // By the same socket, which needs no token.
  if (keeper.balancer.state !== "running") return showKeeper(keeper, question);
  return await askThrough(invocation, question);
}

/** Whether one node is meant, and no other. */
function isNamed({ node, socket }: Invocation["values"]): boolean {
  return node !== undefined || socket !== undefined || Boolean(Deno.env.get("TANDEM_NODE"));
}

/** Only the shape that tells a keeper of this version from something else. */
function keeperOf(answer: unknown): KeeperView | null {
  const known = typeof answer === "object" && answer !== null && "vrrp" in answer && "kernel" in answer &&
    "balancer" in answer &&
    "adminUrl" in answer;
  return known ? answer as KeeperView : null;
}
