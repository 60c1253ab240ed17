/** `tandem status`. */
import { type Command, writeErr, writeOut } from "./command.ts";
import { runStatus } from "./status_io.ts";

/** Where a node answers unless its configuration says otherwise. */
const DEFAULT_URL = "http://127.0.0.1:9900";

export const command: Command = {
  summary: "show what a running node does",
  usage: "[--url URL] [--json]",
  options: { url: { type: "string" }, token: { type: "string" }, json: { type: "boolean" } },
  help: `Asks the admin address of a node (admin.bind in its configuration).

      --url URL      where it answers (default: ${DEFAULT_URL})
      --token TOKEN  for an address that needs one (default: $TANDEM_TOKEN)
      --json         everything, as JSON

Example: tandem status --url http://127.0.0.1:9900`,
  run: ({ values }) =>
    runStatus({
      url: String(values.url ?? DEFAULT_URL),
      token: values.token === undefined ? Deno.env.get("TANDEM_TOKEN") ?? null : String(values.token),
      json: values.json === true,
      out: writeOut,
      err: writeErr,
    }),
};
