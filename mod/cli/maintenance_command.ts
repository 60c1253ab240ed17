/** `tandem maintenance on|off`. */
import { type Command, UsageError } from "./command.ts";
import { command as ask, SOCKET_HELP, SOCKET_OPTIONS } from "./socket_io.ts";

export const command: Command = {
  summary: "keep this node out of every election",
  usage: "on|off",
  arguments: 1,
  options: SOCKET_OPTIONS,
  help:
    `With \`on\` the node on this machine hands every address over and takes none, until \`off\` or its next
start.

${SOCKET_HELP}

Example: tandem maintenance on`,
  run: (invocation) => {
    const [word] = invocation.positionals;
    if (word !== "on" && word !== "off") throw new UsageError("needs on or off");
    return ask(invocation, `/maintenance?on=${word === "on"}`, `maintenance is ${word}`);
  },
};
