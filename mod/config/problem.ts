/**
 * What can be wrong with a configuration, and how it is shown: `file:line:column: path: message`, the line, a caret.
 *
 * Findings are made without positions (a path into the source is enough); only when there are any is the source
 * read again for positions. Pure.
 */

/** Keys and indexes from the root of the file to a value. */
export type Path = readonly (string | number)[];

export interface Finding {
  readonly severity: "error" | "warning";
  /** Where it stands in the source. */
  readonly path: Path;
  /** Whether the key or the value is meant. */
  readonly at: "key" | "value";
  /** The end of a sentence that begins with the path. */
  readonly message: string;
  /** A part of the value that is meant, such as `${NAME}`. */
  readonly part?: string;
}

/** Something that keeps the text from being read at all. */
export interface SyntaxFault {
  readonly offset: number;
  readonly length: number;
  readonly message: string;
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Finds where a path stands in the text; the nearest parent when it is not there. */
export interface Positions {
  find(path: Path, at: "key" | "value"): Span;
}

export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** As written in the file, such as `listeners[0].bind`; empty for a syntax error. */
  readonly path: string;
  readonly message: string;
  /** The offending line, shortened when it is very long, and where the caret stands in it. */
  readonly source: string;
  readonly caret: number;
  readonly caretLength: number;
}

/** Terminals wrap far below it; minified JSON is one line. */
const MAX_SOURCE = 120;
const MAX_QUOTED = 60;

/** The problem of a span in the text. */
export function problemAt(file: string, text: string, span: Span, path: Path, message: string): Problem {
  const offset = Math.min(span.start, text.length);
  const lineStart = lineStartAt(text, offset);
  const newline = text.indexOf("\n", lineStart);
  const lineText = text.slice(lineStart, newline < 0 ? text.length : newline).replace(/\r$/, "");
  const column = Math.min(offset - lineStart, lineText.length);
  const from = column > MAX_SOURCE - 20 ? column - MAX_SOURCE / 2 : 0;
  const source = printable(lineText.slice(from, from + MAX_SOURCE));
  const caret = column - from;
  const length = Math.min(span.end - offset, lineText.length - column, MAX_SOURCE - caret);
  return {
    file,
    line: countLines(text, lineStart),
    column: column + 1,
    path: formatPath(path),
    message,
    source,
    caret,
    caretLength: Math.max(1, length),
  };
}

/** A text of the file within a message, shortened when nobody would read it. */
export function quoteText(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

/** Where the line begins that has this offset. */
export function lineStartAt(text: string, offset: number): number {
  // `lastIndexOf` takes a negative start for 0, where a line feed may be.
  return offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}

/** Where and what in one line, for a log. */
export function problemLine(problem: Problem, kind: "error" | "warning" = "error"): string {
  const where = `${problem.file}:${problem.line}:${problem.column}: `;
  const what = `${kind === "warning" ? "warning: " : ""}${
    problem.path === "" ? "" : `${problem.path}: `
  }${problem.message}`;
  return printable(where + what);
}

/** Three lines: where and what, the source line, the caret under it. */
export function formatProblem(problem: Problem, kind: "error" | "warning" = "error"): string {
  const caret = " ".repeat(problem.caret) + "^".repeat(problem.caretLength);
  return `${problemLine(problem, kind)}\n    ${problem.source}\n    ${caret}`;
}

/** `listeners[0].bind`; keys that are not plain words are quoted. */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step.length > 80 ? `${step.slice(0, 80)}…` : step)}]`;
  }
  return text;
}

/** Control characters of a file must not reach a terminal; each becomes one character, so that carets fit. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => char === "\t" ? " " : "\ufffd");
}

function countLines(text: string, end: number): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
