/**
 * Sets the log up: LogTape's loggers, our lines, standard error.
 *
 * Each line is one synchronous write, so lines of several threads do not mix and the last words of a dying process
 * are not lost. That is for messages of state, some a second at most; requests go to the access log, which is
 * written in the background (`sink_io.ts`). Called once in every process and worker, before anything logs.
 */
import { configureSync, type LogRecord } from "@logtape/logtape";
import { categoryOf, jsonLine, logLevel, messageOf, ROOT_CATEGORY, textLine } from "./log.ts";
import { Repeats } from "./repeats.ts";

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

function writeStderr(line: string): void {
  let bytes = encoder.encode(line);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  } catch {
    // Nobody reads standard error any more, and there is nowhere left to say so.
  }
}
