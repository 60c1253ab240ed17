/** `tandem check`: every problem of a configuration at once, or a summary of what it says. */
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import type { Config } from "../config/schema.ts";
import { BAD, type Command, GOOD, UsageError, writeErr, writeOut } from "./command.ts";
import { SELECTION_HELP, SELECTION_OPTIONS, selectionOf } from "./selection.ts";

export const command: Command = {
  summary: "check a configuration and show every problem",
  usage: "[-c FILE]",
  options: { ...SELECTION_OPTIONS, json: { type: "boolean" } },
  help: `Exit code 0: the file can be run; 1: it cannot, and every problem is shown.

${SELECTION_HELP}
      --json          problems and warnings as JSON

Example: tandem check -c tandem.yaml --node lb2`,
  run: async (invocation) => {
    const { file, node, context } = selectionOf(invocation);
    if (invocation.positionals.length > 0) {
      throw new UsageError(
        `takes no arguments, but was given "${invocation.positionals[0]}" (the file is -c FILE)`,
      );
    }
    const text = await read(file);
    if (text === null) return BAD;
    const result = await loadConfig(text, { file, node, context, env: (name) => Deno.env.get(name) });
    const problems = "problems" in result ? result.problems : [];
    if (invocation.values.json === true) {
      writeOut(
        JSON.stringify({ good: problems.length === 0, problems, warnings: result.warnings }, null, 2) + "\n",
      );
      return problems.length === 0 ? GOOD : BAD;
    }
    for (const warning of result.warnings) writeErr(formatProblem(warning, "warning") + "\n");
    for (const problem of problems) writeErr(formatProblem(problem) + "\n");
    if ("problems" in result) {
      writeErr(`${file}: ${problems.length} ${problems.length === 1 ? "problem" : "problems"}\n`);
      return BAD;
    }
    writeOut(summary(file, node, result.config));
    return GOOD;
  },
};

async function read(file: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : (error as Error).message;
    writeErr(`Cannot read ${file}: ${reason}\n`);
    return null;
  }
}

function summary(file: string, node: string, { listeners, pools }: Config): string {
  const servers = Object.values(pools).reduce((sum, pool) => sum + pool.servers.length, 0);
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  return `${file}: good for node ${node}: ${count(listeners.length, "listener")}, ` +
    `${count(Object.keys(pools).length, "pool")}, ${count(servers, "server")}\n`;
}
