/** `tandem import`: a configuration of keepalived as one of Tandem, on stdout. */
import { importKeepalived } from "../import/keepalived.ts";
import { BAD, type Command, GOOD, UsageError, writeErr, writeOut } from "./command.ts";

export const command: Command = {
  summary: "convert a configuration of keepalived",
  usage: "FILE",
  arguments: 1,
  options: { id: { type: "string" } },
  help:
    `Writes a tandem.yaml to stdout: VRRP instances with what they track, and virtual servers as TCP listeners with
their pools. What has no equivalent stands in comments, each with the number of its line.

      --id NAME       take the lines that begin with @NAME, as keepalived -i does

Example: tandem import /etc/keepalived/keepalived.conf > tandem.yaml
         tandem check -c tandem.yaml`,
  run: async ({ positionals: [file], values }) => {
    if (file === undefined) throw new UsageError("needs the name of a file");
    const text = await Deno.readTextFile(file).catch((error: Error) => {
      writeErr(`Cannot read ${file}: ${error.message}\n`);
      return null;
    });
    if (text === null) return BAD;
    writeOut(importKeepalived(text, { file, id: typeof values.id === "string" ? values.id : null }));
    return GOOD;
  },
};
