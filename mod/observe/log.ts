/**
 * The log as everyone sees it: `logger(category).info(message, fields)`, and how a record becomes one line.
 *
 * A message is a fixed sentence and never a template; what varies goes into fields, so that lines can be counted
 * and searched. A line is one line whatever a field holds: control characters are escaped. Pure: where lines go,
 * and when, is `log_io.ts`.
 */
import { getLogger, type LogLevel, type LogRecord, parseLogLevel } from "@logtape/logtape";

/** Values a field may have; an Error is told by its message and its causes. */
export type LogField = string | number | boolean | bigint | null | undefined | Error | readonly string[];
export type LogFields = Readonly<Record<string, LogField>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** The part of the product that speaks: `config`, `health`, `proxy`, `keeper` … */
export function logger(category: string): Log {
  const target = getLogger([ROOT_CATEGORY, category]);
  return {
    debug: (message, fields = {}) => target.debug(message, fields),
    info: (message, fields = {}) => target.info(message, fields),
    warning: (message, fields = {}) => target.warning(message, fields),
    error: (message, fields = {}) => target.error(message, fields),
  };
}

export const ROOT_CATEGORY = "tandem";

/** Level of the configuration (`debug`, `info`, `warn` or `warning`, `error`), or null when there is no such level. */
export function logLevel(name: string): LogLevel | null {
  if (name === "warn") return "warning";
  try {
    return parseLogLevel(name);
  } catch {
    return null;
  }
}

/** `2026-01-31T10:00:00.000Z info    health: server is up pool=app server=a`, with its newline. */
export function textLine(record: LogRecord): string {
  let line = `${isoTime(record.timestamp)} ${record.level.padEnd(7)} ${categoryOf(record)}: `;
  line += escapeControls(messageOf(record));
  for (const [name, value] of Object.entries(record.properties)) {
    if (value !== undefined) line += ` ${bareName(name)}=${quoted(fieldText(value))}`;
  }
  return line + "\n";
}

/** One JSON object with `time`, `level`, `category`, `message` and the fields beside them, and its newline. */
export function jsonLine(record: LogRecord): string {
  const line: Record<string, unknown> = {
    time: isoTime(record.timestamp),
    level: record.level,
    category: categoryOf(record),
    message: messageOf(record),
  };
  for (const [name, value] of Object.entries(record.properties)) {
    line[Object.hasOwn(line, name) ? name + "_" : name] = jsonValue(value);
  }
  return JSON.stringify(line) + "\n";
}

/** The category below the root; what other libraries log keeps its whole one. */
export function categoryOf(record: LogRecord): string {
  const [first, ...rest] = record.category;
  return first === ROOT_CATEGORY ? rest.join(".") : record.category.join(".");
}

/** The message as it was written: LogTape's own filling-in of braces is passed by. */
export function messageOf(record: LogRecord): string {
  return typeof record.rawMessage === "string" ? record.rawMessage : record.rawMessage.join("…");
}

function isoTime(timestamp: number): string {
  return new Date(timestamp).toISOString();
}

function jsonValue(value: unknown): unknown {
  if (value instanceof Error || typeof value === "bigint") return fieldText(value);
  return value;
}

function fieldText(value: unknown): string {
  if (!(value instanceof Error)) return Array.isArray(value) ? value.join(",") : String(value);
  // Bounded, as a chain of causes may be a ring.
  const messages = [value.message];
  for (let cause = value.cause; cause instanceof Error && messages.length < 5; cause = cause.cause) {
    messages.push(cause.message);
  }
  return messages.join(": ");
}

function bareName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/g, "_");
}

/** Quotes only what would not read back as one word. */
function quoted(text: string): string {
  return /^[^\s"=\\\p{Cc}\p{Cf}]+$/u.test(text)
    ? text
    : `"${escapeControls(text.replace(/["\\]/g, "\\$&"))}"`;
}

/** Control and format characters (also those that turn text around or colour a terminal) as `\u001b`. */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    return "\\u" + character.codePointAt(0)!.toString(16).padStart(4, "0");
  });
}
