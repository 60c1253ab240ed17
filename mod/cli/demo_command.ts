/** `tandem demo`. */
import { type Command, UsageError } from "./command.ts";
import { runDemo } from "./demo_io.ts";

export const command: Command = {
  summary: "balance over three embedded servers, no file needed",
  usage: "[--port PORT] [--quiet-client]",
  options: { port: { type: "string" }, "quiet-client": { type: "boolean" } },
  help:
    `Starts three small HTTP servers and a Tandem in front of them, sends some requests of its own, and shows
every second where they went. Stop a server and see that nobody notices. Needs no file and no root.

      --port PORT     where to balance (default: 8080)
      --quiet-client  send no requests of our own

Example: tandem demo, then press b`,
  run: ({ values, entry }) => {
    const port = Number(values.port ?? 8080);
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new UsageError(`needs a port between 1 and ${65535}, not "${values.port}"`);
    }
    return runDemo({ port, client: values["quiet-client"] !== true, entry });
  },
};
