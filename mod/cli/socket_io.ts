/**
 * How a command reaches the keeper of a node on this machine: by its socket, which also answers while the balancer is
 * down.
 */
import type { ParseArgsOptionsConfig } from "node:util";
import { adminSocketPath } from "../runtime/admin_path.ts";
import { askAdmin } from "../runtime/admin_socket_io.ts";
import { GOOD, type Invocation, writeErr, writeOut } from "./command.ts";
import { complain, refused, whyUnanswered } from "./refusal.ts";

export const SOCKET_OPTIONS: ParseArgsOptionsConfig = {
  node: { type: "string" },
  socket: { type: "string" },
};

export const SOCKET_HELP =
  `      --node NAME    the node on this machine (default: $TANDEM_NODE, else the host name)
      --socket PATH  its admin socket (default: where a node of that name has it)`;

/** A keeper that does not answer within this is as good as down for whoever asks. */
const ANSWER_MS = 5000;

export function socketOf({ values }: Invocation): { path: string } | { problem: string } {
  return socketAt(values.socket, values.node);
}

/** Where the node of that name has its socket, or the usual node of this machine. */
export function socketAt(
  socket: string | boolean | undefined,
  node?: string | boolean,
): { path: string } | { problem: string } {
  return adminSocketPath({
    configured: String(socket ?? ""),
    node: String(node ?? (Deno.env.get("TANDEM_NODE") || Deno.hostname())),
    uid: Deno.uid(),
    env: (name) => Deno.env.get(name),
  });
}

interface Answer {
  readonly error?: string;
  readonly warnings?: readonly string[];
}

/** Asks the keeper to do something; `done` is said when it did. The answer is the exit code. */
export async function command(
  invocation: Invocation,
  request: string,
  done: string,
  withinMs = ANSWER_MS,
): Promise<number> {
  const socket = socketOf(invocation);
  if ("problem" in socket) return complain(socket.problem, invocation);
  try {
    const answer = await askAdmin(socket.path, request, withinMs, "POST") as Answer;
    if (answer.error !== undefined) return complain(refused(answer.error), invocation);
    if (invocation.values.json === true) {
      writeOut(JSON.stringify(answer, null, 2) + "\n");
      return GOOD;
    }
    for (const warning of answer.warnings ?? []) writeErr(`warning: ${warning}\n`);
    writeOut(`${done}\n`);
    return GOOD;
  } catch (error) {
    return complain(`Cannot ask the keeper at ${socket.path}: ${whyUnanswered(error, withinMs)}`, invocation);
  }
}

/** What the keeper says of itself; null: nobody answers. */
export async function askStatus(path: string): Promise<unknown> {
  return await askAdmin(path, "/status", ANSWER_MS).catch(() => null);
}
