/** `tandem maintenance [on|off]`. */
import { act, API_HELP, API_OPTIONS, callApi, complain, showJson } from "./api_io.ts";
import { type Command, GOOD, type Invocation, UsageError, writeOut } from "./command.ts";

export const command: Command = {
  summary: "keep this node out of every election",
  usage: "[on|off]",
  arguments: 1,
  options: API_OPTIONS,
  help:
    `With \`on\` the node hands every address over and takes none, until \`off\` or its next start; it warns of
addresses that no other node is ready for. Without a word it tells which of the two it is.

${API_HELP}

Example: tandem maintenance on`,
  run: (invocation) => {
    const [word] = invocation.positionals;
    if (word === undefined) return tell(invocation);
    if (word !== "on" && word !== "off") throw new UsageError("needs on, off or nothing");
    const body = { on: word === "on" };
    return act(invocation, { method: "PUT", path: "/maintenance", body }, `maintenance is ${word}`);
  },
};

async function tell(invocation: Invocation): Promise<number> {
  const answer = await callApi(invocation, { method: "GET", path: "/maintenance" });
  if ("problem" in answer) return complain(answer.problem);
  if (invocation.values.json === true) return showJson(answer.value);
  writeOut(`maintenance is ${(answer.value as { readonly on: boolean }).on ? "on" : "off"}\n`);
  return GOOD;
}
