/**
 * The console of a function: lines for the keeper's log on standard error, bounded in number and length.
 */
import { format } from "node:util";
import { type Level, logLine } from "./start.ts";

/** A log is for people: nobody reads more. What is written past the console is bounded by the keeper. */
const LINES_PER_SECOND = 200;
const TEXT_CHARS = 4096;

const LEVELS: Readonly<Record<string, Level>> = {
  ...{ debug: "debug", trace: "debug", log: "info", info: "info", dir: "info", table: "info" },
  ...{ warn: "warning", error: "error" },
};

const encoder = new TextEncoder();
const write = Deno.stderr.writeSync.bind(Deno.stderr);
let lines = 0;

/** Writes a line, unless there were too many in this second. */
export function say(level: Level, text: string): void {
  if (++lines <= LINES_PER_SECOND) write(encoder.encode(logLine(level, text.slice(0, TEXT_CHARS)) + "\n"));
}

/** From now on the console is the log. */
export function replaceConsole(): void {
  for (const [name, level] of Object.entries(LEVELS)) {
    Reflect.set(console, name, (...values: unknown[]) => say(level, format(...values)));
  }
  setInterval(() => {
    const dropped = lines - LINES_PER_SECOND;
    lines = 0;
    if (dropped > 0) say("warning", `${dropped} lines of one second were dropped`);
  }, 1000);
}
