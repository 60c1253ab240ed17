/** `tandem weight POOL/SERVER N`. */
import { MAX_WEIGHT } from "../config/pool_schema.ts";
import { act, BOTH_HELP, BOTH_OPTIONS } from "./api_io.ts";
import { type Command, UsageError } from "./command.ts";
import { serverOf } from "./server_io.ts";

export const command: Command = {
  summary: "set a server's share of the traffic",
  usage: "POOL/SERVER WEIGHT [--both]",
  arguments: 2,
  options: BOTH_OPTIONS,
  help:
    `From now on the server gets a share of that weight, 0 to ${MAX_WEIGHT}, relative to the other servers of its pool; one of
weight 0 gets traffic only when no other can. It stays so as \`tandem drain\` says.

${BOTH_HELP}

Examples: tandem weight app/web1 10
          tandem weight app/web1 10 --both`,
  run: async (invocation) => {
    const [word, text = ""] = invocation.positionals;
    const { path } = serverOf(word);
    const weight = Number(text);
    if (!/^\d+$/.test(text) || weight > MAX_WEIGHT) {
      throw new UsageError(`needs a weight from 0 to ${MAX_WEIGHT}`);
    }
    return await act(invocation, { method: "PATCH", path, body: { weight } }, `${word} has weight ${weight}`);
  },
};
