/**
 * Reads the text of a keepalived configuration into statements: words, and the block behind them. Pure.
 *
 * It knows the language, not what its words mean: comments, quotes, braces, `$NAME=VALUE`, and lines that begin with
 * `@id`, which hold only for keepalived -i id. Nothing is an error: what makes no sense is a statement that nobody knows.
 */

export interface Statement {
  /** At least one; without quotes. */
  readonly words: readonly string[];
  /** Counted from 1. */
  readonly line: number;
  /** The source, without comment and brace. */
  readonly text: string;
  /** Null: it has none. */
  readonly block: Statement[] | null;
}

export interface Parsed {
  readonly statements: readonly Statement[];
  /** Lines that hold for another id than the one asked for. */
  readonly skipped: readonly Statement[];
}

/** A statement while it is being read. */
interface Open {
  words: string[];
  line: number;
  block: Open[] | null;
}

const MAX_DEPTH = 20;

/** `id`: the one of keepalived -i; null: none. */
export function parseKeepalived(text: string, id: string | null): Parsed {
  const root: Open[] = [];
  const skipped: Open[] = [];
  const stack: Open[][] = [root];
  const variables = new Map<string, string>();
  for (const [at, source] of text.split(/\r?\n/).entries()) {
    const tokens = tokenize(substitute(source, variables));
    const line = at + 1;
    const only = /^@(\^?)(\S+)$/.exec(tokens[0] ?? "");
    if (only !== null) {
      tokens.shift();
      if ((only[2] === id) === (only[1] === "^")) {
        skipped.push({ words: [only[0], ...tokens], line, block: null });
        continue;
      }
    }
    const defined = /^\$([A-Za-z_]\w*)=(.*)$/.exec(tokens.join(" "));
    if (defined !== null) variables.set(defined[1]!, defined[2]!);
    else take(tokens, line, stack);
  }
  return { statements: root.map(finished), skipped: skipped.map(finished) };
}

function take(tokens: readonly string[], line: number, stack: Open[][]): void {
  let words: string[] = [];
  const end = () => {
    if (words.length > 0) stack.at(-1)!.push({ words, line, block: null });
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

function finished({ words, line, block }: Open): Statement {
  return { words, line, text: words.join(" "), block: block?.map(finished) ?? null };
}

/** Not what a word can be: quoted braces are words. */
const OPEN = "\0{";
const CLOSE = "\0}";

function tokenize(line: string): string[] {
  const tokens: string[] = [];
  // Null: between words; empty quotes are a word.
  let word = null as string | null;
  let quote = "";
  const end = () => {
    if (word !== null) tokens.push(word);
    word = null;
  };
  for (const mark of line) {
    if (quote !== "") {
      if (mark === quote) quote = "";
      else word += mark;
    } else if (mark === '"' || mark === "'") {
      quote = mark;
      word ??= "";
    } else if (mark === "#" || mark === "!") break;
    else if (mark === "{" && word?.endsWith("$") !== true) {
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

function substitute(line: string, variables: ReadonlyMap<string, string>): string {
  // In its own definition a name is not replaced.
  const value = (whole: string, one: string | undefined, other: string | undefined) =>
    variables.get(one ?? other ?? "") ?? whole;
  return line.replace(/\$(?:\{(\w+)\}|([A-Za-z_]\w*))(?!\w*=)/g, value);
}
