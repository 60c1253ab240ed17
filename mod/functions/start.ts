/**
 * What the keeper and a function's process say to each other.
 *
 * In: one line of JSON (`Start`), then nothing until the end of the stream, which means: finish what is under way and
 * end. Out: a line with the port, before any of the code is loaded, then `READY`; everything else, and all
 * of standard error, is for the log, a line each: `LEVEL TEXT`. Pure.
 */
import { z } from "zod";

export const START = z.strictObject({
  /** For messages. */
  name: z.string(),
  /** A module with all that it imports. */
  code: z.string(),
  timeoutMs: z.number().min(1),
  /** Longest time for what is under way when it is to end. */
  drainMs: z.number().min(0),
  memory: z.number().int().min(1),
  /** Variables of the environment that the code may read. */
  env: z.array(z.string()),
  /** Hosts, perhaps with a port, that it may connect to. */
  net: z.array(z.string()),
  /** Pools that it may pass requests on to. */
  next: z.array(z.string()),
});

export type Start = z.infer<typeof START>;

/** Once the code is loaded. */
export const READY = "ready";

/** The line that tells the port. */
export function portLine(port: number): string {
  return `port ${port}`;
}

/** The port that the line tells; null: it is another. */
export function readPortLine(line: string): number | null {
  const port = Number(/^port (\d{1,5})$/.exec(line)?.[1] ?? 0);
  return port > 0 && port < 65536 ? port : null;
}

export type Level = "debug" | "info" | "warning" | "error";

/** What the engine says when its heap is full, which it does not survive. */
export const HEAP_FULL = "JavaScript out of memory";

/** One line for the log, whatever the text has in it. */
export function logLine(level: Level, text: string): string {
  return `${level} ${JSON.stringify(text)}`;
}

/** What a line says; null: it is not ours, but a word of the engine, or written past the console. */
export function readLogLine(line: string): { readonly level: Level; readonly text: string } | null {
  const [, level, text] = /^(debug|info|warning|error) (".*")$/.exec(line) ?? [];
  try {
    if (level !== undefined) return { level: level as Level, text: String(JSON.parse(text!)) };
  } catch {
    // Cut, or not ours.
  }
  return null;
}
