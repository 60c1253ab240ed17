/**
 * What a command of the program is, and what every command is given. A command is a file and a line in `table.ts`.
 */
import type { ParseArgsOptionsConfig } from "node:util";
import { reasonOf } from "../base/reason.ts";

/** Exit codes: the thing asked about is good, is bad, or the question was wrong. */
export const GOOD = 0;
export const BAD = 1;
export const USAGE = 2;

export interface Invocation {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  /** Words that are no options. */
  readonly positionals: readonly string[];
  /** The program's entry file, for commands that start the program again. */
  readonly entry: URL;
}

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Arguments as shown behind the name. */
  readonly usage: string;
  /** How many words without an option it takes at most; absent: none. */
  readonly arguments?: number;
  readonly options: ParseArgsOptionsConfig;
  /** Explanations of the options, and an example or two. */
  readonly help: string;
  /** Resolves to the exit code. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** A wrong use of the command line; its message is shown with a pointer to the help. */
export class UsageError extends Error {}

/** What a command says cannot be written: a full disk, mostly. */
export class OutputError extends Error {}

/** False: whoever read it has gone. Throws an `OutputError`. */
export function writeOut(text: string): boolean {
  return writeAll(Deno.stdout, text);
}

/** Complaints that cannot be written are lost: there is nowhere left to say so. */
export function writeErr(text: string): void {
  try {
    writeAll(Deno.stderr, text);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
  }
}

const encoder = new TextEncoder();

/** A reader that has gone away (`| head`) is no error of ours: it is told as false. */
function writeAll(to: { writeSync(bytes: Uint8Array): number }, text: string): boolean {
  let bytes: Uint8Array = encoder.encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    throw new OutputError(`Cannot write the output: ${reasonOf(error)}`);
  }
}
