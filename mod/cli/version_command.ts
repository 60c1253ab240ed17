/** `tandem version`. */
import settings from "../../deno.json" with { type: "json" };
import { type Command, GOOD, writeOut } from "./command.ts";

export const command: Command = {
  summary: "print the version",
  usage: "",
  options: {},
  help: "The version of Tandem, and of the runtime it runs on.",
  run: () => {
    writeOut(`tandem ${settings.version} (deno ${Deno.version.deno})\n`);
    return Promise.resolve(GOOD);
  },
};
