/** `tandem maintenance [on|off]`. */
import { act, BOTH_HELP, BOTH_OPTIONS, show } from "./api_io.ts";
import { type Command, UsageError } from "./command.ts";

export const command: Command = {
  summary: "keep a node out of every election",
  usage: "[on|off]",
  arguments: 1,
  options: BOTH_OPTIONS,
  help:
    `With \`on\` the node hands every address over and takes none, until \`off\` or its next start; it warns of
addresses that no other node is ready for. Without a word it tells which of the two it is.

It can be begun on one node only, as both would leave the addresses to nobody; --both is for \`off\`, and to be told.

${BOTH_HELP}

Examples: tandem maintenance on
          tandem maintenance on --node peer
          tandem maintenance off --both`,
  run: (invocation) => {
    const [word] = invocation.positionals;
    if (word === undefined) return show(invocation, "/maintenance", describeMaintenance);
    if (word !== "on" && word !== "off") throw new UsageError("needs on, off or nothing");
    if (word === "on" && invocation.values.both === true) {
      throw new UsageError(
        "takes no --both with on, which would leave the addresses to nobody: name one node",
      );
    }
    const body = { on: word === "on" };
    return act(invocation, { method: "PUT", path: "/maintenance", body }, `maintenance is ${word}`);
  },
};

function describeMaintenance(value: unknown): string {
  return `maintenance is ${(value as { readonly on: boolean }).on ? "on" : "off"}\n`;
}
