/**
 * Reads the lines of a keepalived configuration into statements: words, and the block behind them. Pure.
 *
 * It knows quotes and braces, and not what words mean. Nothing is an error: what makes no sense is a statement that
 * nobody knows.
 */
import type { Line, Place } from "./keepalived_lines.ts";

export interface Statement {
  /** At least one; without quotes. */
  readonly words: readonly string[];
  readonly place: Place;
  /** The source, without comment and brace. */
  readonly text: string;
  /** Null: it has none. */
  readonly block: Statement[] | null;
}

/** A statement while it is being read. */
interface Open {
  words: string[];
  place: Place;
  block: Open[] | null;
}

const MAX_DEPTH = 20;

export function parseKeepalived(lines: readonly Line[]): Statement[] {
  const root: Open[] = [];
  const stack: Open[][] = [root];
  for (const { text, place } of lines) take(tokenize(text), place, stack);
  return root.map(finished);
}

function take(tokens: readonly string[], place: Place, stack: Open[][]): void {
  let words: string[] = [];
  const end = () => {
    if (words.length > 0) stack.at(-1)!.push({ words, place, block: null });
    words = [];
  };
  for (const token of tokens) {
    if (token === OPEN) {
      end();
      // Its words may stand on the line before.
      const owner = stack.at(-1)!.at(-1);
      if (owner === undefined || owner.block !== null || stack.length > MAX_DEPTH) continue;
      owner.block = [];
      stack.push(owner.block);
    } else if (token === CLOSE) {
      end();
      if (stack.length > 1) stack.pop();
    } else words.push(token);
  }
  end();
}

function finished({ words, place, block }: Open): Statement {
  return { words, place, text: words.join(" "), block: block?.map(finished) ?? null };
}

/** Not what a word can be: quoted braces are words. */
const OPEN = "\0{";
const CLOSE = "\0}";

/** In quotes: what stands for a mark that cannot be written, or has a meaning. */
const ESCAPE = /^\\(?:x([0-9a-f]{1,2})|([0-7]{1,3})|c(.)|(.))/i;
const CONTROLS: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  e: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

function tokenize(line: string): string[] {
  const tokens: string[] = [];
  // Null: between words; empty quotes are a word.
  let word = null as string | null;
  let quote = "";
  const end = () => {
    if (word !== null) tokens.push(word);
    word = null;
  };
  for (let at = 0; at < line.length; at++) {
    const mark = line[at]!;
    const escape = quote !== "" && mark === "\\" ? ESCAPE.exec(line.slice(at, at + 4)) : null;
    if (escape !== null) {
      word += escaped(escape);
      at += escape[0].length - 1;
    } else if (quote !== "") {
      if (mark === quote) quote = "";
      else word += mark;
    } else if (mark === '"' || mark === "'") {
      quote = mark;
      word ??= "";
    } else if (mark === "{" && word?.endsWith("$") !== true) {
      end();
      tokens.push(OPEN);
    } else if (mark === "}" && word?.includes("${") !== true) {
      end();
      tokens.push(CLOSE);
    } else if (/\s|\0/.test(mark)) end();
    else word = (word ?? "") + mark;
  }
  end();
  return tokens;
}

function escaped([, hex, octal, control, other]: RegExpExecArray): string {
  if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
  if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 0xff);
  if (control !== undefined) return String.fromCharCode(control.charCodeAt(0) & 0x1f);
  return CONTROLS[other!] ?? other!;
}
