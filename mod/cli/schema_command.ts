/** `tandem schema`: the JSON Schema of the configuration, for editors. */
import { editorSchema } from "../config/json_schema.ts";
import { type Command, GOOD, writeOut } from "./command.ts";

export const command: Command = {
  summary: "print the JSON Schema of the configuration",
  usage: "",
  options: {},
  help: `For editors that check YAML as you write.

Example: tandem schema > tandem.schema.json
         and in tandem.yaml: # yaml-language-server: $schema=tandem.schema.json`,
  run: () => {
    writeOut(JSON.stringify(editorSchema(), null, 2) + "\n");
    return Promise.resolve(GOOD);
  },
};
