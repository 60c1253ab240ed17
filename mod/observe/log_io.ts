/**
 * Sets the log up: LogTape's loggers, our lines, standard error.
 *
 * Lines are written in the background, each in one write: a reader that stalls (a full pipe, a paused terminal)
 * would otherwise hold up the thread that speaks, and with it the heartbeat or the election. What does not fit into
 * the backlog is lost, counted and told as soon as there is room. Who ends the process lets the last lines out
 * first (`flushLog`). Called once in every process, before anything logs; workers speak through the control thread.
 */
import { configureSync, type LogRecord } from "@logtape/logtape";
import { categoryOf, jsonLine, logger, logLevel, messageOf, ROOT_CATEGORY, textLine } from "./log.ts";
import { Repeats } from "./repeats.ts";
import { Sink } from "./sink_io.ts";

/** Bytes of lines that wait for a reader: some thousands. */
const BACKLOG_BYTES = 1024 * 1024;

export type LogFormat = "auto" | "text" | "json";

export interface LogOptions {
  /** As in the configuration: `debug`, `info`, `warn`, `error`. Anything else is taken as `info`. */
  readonly level: string;
  /** auto: text on a terminal, JSON otherwise. */
  readonly format: LogFormat;
  /** Where lines go; standard error unless a test or a parent wants them. */
  readonly write?: (line: string) => void;
}

/** Starts or changes the log of this thread. What it returns tells at once what is held back, before an end. */
export function setUpLog(options: LogOptions): () => void {
  const write = options.write ?? writeStderr;
  const format = resolveLogFormat(options.format) === "text" ? textLine : jsonLine;
  const limit = limited((record) => write(format(record)));
  configureSync({
    reset: true,
    sinks: { main: limit.sink },
    loggers: [
      { category: [ROOT_CATEGORY], lowestLevel: logLevel(options.level) ?? "info", sinks: ["main"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["main"] },
    ],
  });
  return limit.flush;
}

/** What `auto` means for this process's standard error. */
export function resolveLogFormat(format: LogFormat): "text" | "json" {
  if (format !== "auto") return format;
  return Deno.stderr.isTerminal() ? "text" : "json";
}

/** Fields that make two messages of the same words different ones. */
const IDENTITY = ["listener", "pool", "server", "worker"] as const;

function limited(write: (record: LogRecord) => void) {
  const repeats = new Repeats<LogRecord>();
  let timer: ReturnType<typeof setTimeout> | null = null;

  function tell(until: number): void {
    const now = Date.now();
    for (const { sample, count, windowMs } of repeats.summaries(until)) {
      const properties = { ...sample.properties, repeated: count, windowMs };
      const rawMessage = `${messageOf(sample)} (and ${count} more in the last ${windowMs / 1000} s)`;
      write({ ...sample, timestamp: now, rawMessage, properties });
    }
  }

  function arm(now: number): void {
    const deadline = repeats.deadline();
    if (timer !== null || deadline === Infinity) return;
    timer = setTimeout(() => {
      timer = null;
      tell(Date.now());
      arm(Date.now());
    }, Math.max(0, deadline - now));
    Deno.unrefTimer(timer); // a summary is no reason to stay alive
  }

  function sink(record: LogRecord): void {
    const identity = IDENTITY.map((name) => String(record.properties[name] ?? ""));
    const key = [record.level, categoryOf(record), messageOf(record), ...identity].join("\0");
    if (repeats.admit(key, record, record.timestamp)) write(record);
    else arm(record.timestamp);
  }

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    tell(Infinity);
  }

  return { sink, flush };
}

const encoder = new TextEncoder();
/** A process has one standard error. */
const stderr = new Sink(Deno.stderr, BACKLOG_BYTES);
let lostBefore = 0;

function writeStderr(line: string): void {
  if (stderr.idle) tellLost();
  stderr.push(encoder.encode(line));
}

function tellLost(): void {
  const lost = stderr.droppedLines - lostBefore;
  lostBefore += lost;
  if (lost > 0) logger("log").warning("lines were lost, as nobody read the log", { lines: lost });
}

/** Resolves when all lines are written, at the latest after `withinMs`: before the end of a process. */
export async function flushLog(withinMs?: number): Promise<void> {
  await stderr.flush(withinMs);
}

/** Ends the process when all lines are written, at the latest after `withinMs`. */
export async function exitLogged(code: number, withinMs?: number): Promise<never> {
  await flushLog(withinMs);
  Deno.exit(code);
}
