/**
 * Tandem: two nodes, one address. Parses the arguments, runs one command, maps errors to exit codes.
 */
import { COMMANDS } from "./mod/cli/table.ts";
import { GOOD, USAGE, UsageError, writeErr, writeOut } from "./mod/cli/command.ts";
import { parseArgs } from "node:util";
import { distance } from "fastest-levenshtein";

/** Runs the command line and gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) return usage(writeErr, USAGE);
  if (name === "help" || name === "--help" || name === "-h") {
    return rest[0] === undefined ? usage(writeOut, GOOD) : await main([rest[0], "--help"]);
  }
  if (name === "--version") return await main(["version"]);
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]! : undefined;
  if (entry === undefined) {
    writeErr(`tandem: there is no command "${name}"${nearest(name)}; see tandem help\n`);
    return USAGE;
  }
  const { command } = await entry.load();
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: { ...command.options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
    if (values.help === true) {
      writeOut(`tandem ${name} ${command.usage}\n\n${command.help}\n`);
      return GOOD;
    }
    const invocation = { values: values as Record<string, string | boolean>, positionals };
    return await command.run({ ...invocation, entry: new URL(import.meta.url) });
  } catch (error) {
    if (!isUsage(error)) throw error;
    writeErr(`tandem ${name}: ${error.message}; see tandem ${name} --help\n`);
    return USAGE;
  }
}

function usage(write: (text: string) => void, code: number): number {
  const shown = Object.entries(COMMANDS).filter(([, entry]) => entry.hidden !== true);
  const lines = shown.map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}\n`);
  write(
    `Tandem, an edge load balancer: two nodes, one address.\n\nUsage: tandem COMMAND [OPTIONS]\n\n${
      lines.join("")
    }
tandem COMMAND --help says more. Exit codes: 0 good, 1 the thing asked about is bad, 2 wrong usage.\n`,
  );
  return code;
}

function nearest(name: string): string {
  const names = Object.keys(COMMANDS).filter((each) => distance(each, name) <= 2);
  return names.length === 0 ? "" : `, did you mean ${names.join(" or ")}?`;
}

function isUsage(error: unknown): error is Error {
  const code = (error as { code?: unknown } | null)?.code;
  return error instanceof UsageError || (typeof code === "string" && code.startsWith("ERR_PARSE_ARGS"));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
