/** `tandem import`: a configuration of keepalived as one of Tandem, on stdout. */
import { reasonOf } from "../base/reason.ts";
import { globSync } from "node:fs";
import { importKeepalived, isKeepalived } from "../import/keepalived.ts";
import type { Source } from "../import/keepalived_lines.ts";
import { BAD, type Command, GOOD, UsageError, writeErr, writeOut } from "./command.ts";

class Unreadable extends Error {}

/** Throws Unreadable. */
function read(file: string): Source {
  try {
    return { file, text: Deno.readTextFileSync(file) };
  } catch (error) {
    throw new Unreadable(`Cannot read ${file}: ${reasonOf(error)}`);
  }
}

/** In the order of keepalived's glob(3). */
function include(pattern: string, directory: string): Source[] {
  const found = globSync(pattern, { cwd: directory }).map((path) =>
    path.startsWith("/") || directory === "." ? path : `${directory}/${path}`
  );
  return found.toSorted().filter((path) => Deno.statSync(path).isFile).map(read);
}

export const command: Command = {
  summary: "convert a configuration of keepalived",
  usage: "FILE [--json]",
  arguments: 1,
  options: { id: { type: "string" }, json: { type: "boolean" } },
  help:
    `Writes a tandem.yaml to stdout: VRRP instances with what they track, and virtual servers as TCP listeners with
their pools, included files too. What has no equivalent stands in comments, each with the number of its line.

      --id NAME       take the lines that begin with @NAME, as keepalived -i does; without: those of this host
      --json          the file as \`yaml\`, and what has no equivalent as \`notes\`

Example: tandem import /etc/keepalived/keepalived.conf > tandem.yaml
         tandem check -c tandem.yaml`,
  run: ({ positionals: [file], values }) =>
    Promise.try(() => {
      if (file === undefined) throw new UsageError("needs the name of a file");
      const id = typeof values.id === "string" ? values.id : Deno.hostname().replace(/\..*$/, "");
      try {
        const source = read(file);
        if (!isKeepalived(source, { id, include })) {
          throw new Unreadable(`Cannot import ${file} as this is not a keepalived configuration`);
        }
        const yaml = importKeepalived(source, { id, include });
        const notes = yaml.split("\n").flatMap((line) => /^\s*# (\S*\d: .*)/.exec(line)?.[1] ?? []);
        writeOut(values.json === true ? JSON.stringify({ yaml, notes }, null, 2) + "\n" : yaml);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        if (values.json === true) writeOut(JSON.stringify({ error: error.message }, null, 2) + "\n");
        else writeErr(`${error.message}\n`);
        return BAD;
      }
      return GOOD;
    }),
};
