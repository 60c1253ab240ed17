/** `tandem version`. */
import { type Command, GOOD, writeOut } from "./command.ts";
import { CALLED } from "./version.ts";

export const command: Command = {
  summary: "print the version",
  usage: "[--json]",
  options: { json: { type: "boolean" } },
  help: `The version of Tandem, and of the runtime it runs on.

      --json  as JSON

Example: tandem version --json`,
  run: ({ values }) => {
    const { version } = CALLED, { deno } = Deno.version;
    if (values.json === true) {
      writeOut(JSON.stringify({ version, deno, target: Deno.build.target }, null, 2) + "\n");
    } else writeOut(`tandem ${version} (deno ${deno})\n`);
    return Promise.resolve(GOOD);
  },
};
