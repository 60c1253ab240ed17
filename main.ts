/**
 * Tandem: two nodes, one address. Parses the arguments, runs one command, maps errors to exit codes.
 */
import { COMMANDS } from "./mod/cli/table.ts";
import {
  BAD,
  type Command,
  GOOD,
  OutputError,
  USAGE,
  UsageError,
  writeErr,
  writeOut,
} from "./mod/cli/command.ts";
import { CALLED } from "./mod/cli/version.ts";
import { closest } from "./mod/config/suggest.ts";
import { parseArgs } from "node:util";

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
    writeErr(`tandem: there is no command "${name}"${didYouMean(name, shownNames())}; see tandem help\n`);
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
      writeOut(`${`tandem ${name} ${command.usage}`.trimEnd()}\n\n${command.help}\n`);
      return GOOD;
    }
    const extra = positionals[command.arguments ?? 0];
    if (extra !== undefined) throw new UsageError(unwanted(extra, command));
    return await command.run({
      values: values as Record<string, string | boolean>,
      positionals,
      entry: new URL(import.meta.url),
    });
  } catch (error) {
    const wrong = usageProblem(error, command);
    if (wrong === null) throw error;
    writeErr(`tandem ${name}: ${wrong}; see tandem ${name} --help\n`);
    return USAGE;
  }
}

function usage(write: (text: string) => void, code: number): number {
  const lines = shownNames().map((name) => `  ${name.padEnd(13)}${COMMANDS[name]!.summary}\n`);
  write(
    `Tandem, an edge load balancer: two nodes, one address.\n\nUsage: tandem COMMAND [OPTIONS]\n\n${
      lines.join("")
    }
tandem COMMAND --help says more. Exit codes: 0 good, 1 the thing asked about is bad, 2 wrong usage.\n`,
  );
  return code;
}

function shownNames(): string[] {
  return Object.keys(COMMANDS).filter((name) => COMMANDS[name]!.hidden !== true);
}

function didYouMean(word: string, known: readonly string[]): string {
  const near = closest(word, known);
  return near === null ? "" : ` (did you mean ${near}?)`;
}

function unwanted(argument: string, { options, arguments: taken = 0 }: Command): string {
  if (taken > 0) return `takes ${taken} arguments at most, and was given "${argument}" too`;
  const hint = "config" in options ? " (the file is -c FILE)" : "";
  return `takes no arguments, but was given "${argument}"${hint}`;
}

/** What is wrong with the way a command was called; null when the error is another. */
function usageProblem(error: unknown, { options }: Command): string | null {
  if (error instanceof UsageError) return error.message;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code !== "string" || !code.startsWith("ERR_PARSE_ARGS")) return null;
  // The parser's first sentence says it all; the next explains what no command of ours takes.
  const said = String(message).split(/\.\s/, 1)[0]!;
  const option = /^Unknown option '(--?[^']*)'/.exec(said)?.[1];
  if (option === undefined) return said;
  return said + didYouMean(option, [...Object.keys(options), "help"].map((known) => `--${known}`));
}

/** Of a command that could not say what it was to say. */
function unwritten(error: unknown): number {
  if (!(error instanceof OutputError)) throw error;
  writeErr(`${error.message}\n`);
  return BAD;
}

if (import.meta.main) Deno.exit(await main(CALLED.args).catch(unwritten));
