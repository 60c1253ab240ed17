/** `tandem version`. */
import { type Command, GOOD, writeOut } from "./command.ts";
import { CALLED } from "./version.ts";

export const command: Command = {
  summary: "print the version",
  usage: "",
  options: {},
  help: "The version of Tandem, and of the runtime it runs on.",
  run: () => {
    writeOut(`tandem ${CALLED.version} (deno ${Deno.version.deno})\n`);
    return Promise.resolve(GOOD);
  },
};
