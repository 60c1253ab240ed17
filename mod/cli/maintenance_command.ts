/** `tandem maintenance [on|off]`. */
import { BAD, type Command, GOOD, type Invocation, UsageError, writeErr, writeOut } from "./command.ts";
import type { KeeperView } from "./election_table.ts";
import { askStatus, command as ask, SOCKET_HELP, SOCKET_OPTIONS, socketOf } from "./socket_io.ts";

export const command: Command = {
  summary: "keep this node out of every election",
  usage: "[on|off]",
  arguments: 1,
  options: SOCKET_OPTIONS,
  help:
    `With \`on\` the node on this machine hands every address over and takes none, until \`off\` or its next
start; it warns of addresses that no other node is ready for. Without a word it tells which of the two it is.

${SOCKET_HELP}

Example: tandem maintenance on`,
  run: (invocation) => {
    const [word] = invocation.positionals;
    if (word === undefined) return tell(invocation);
    if (word !== "on" && word !== "off") throw new UsageError("needs on, off or nothing");
    return ask(invocation, `/maintenance?on=${word === "on"}`, `maintenance is ${word}`);
  },
};

async function tell(invocation: Invocation): Promise<number> {
  const socket = socketOf(invocation);
  const keeper = "path" in socket ? await askStatus(socket.path) as KeeperView | null : null;
  if (keeper === null) {
    writeErr("problem" in socket ? `${socket.problem}\n` : `Cannot ask the keeper at ${socket.path}\n`);
    return BAD;
  }
  writeOut(`maintenance is ${keeper.vrrp.maintenance ? "on" : "off"}\n`);
  return GOOD;
}
