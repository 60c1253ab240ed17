/**
 * What keepalived makes of its files before it reads words: comments go, included files come in, lines for another id
 * are left out, and `$NAME`, `~SEQ` and `~LST` are replaced by what they stand for. Pure: files are read by who calls.
 *
 * Nothing is an error. What makes no sense stays as it is, and is a statement that nobody knows. A few lines can stand
 * for any number of them, so there are limits.
 */

export interface Source {
  readonly file: string;
  readonly text: string;
}

/** Where a line stands. */
export interface Place {
  /** Grows from line to line, over all files. */
  readonly at: number;
  /** For a person: the number of the line, after its file if that is an included one. */
  readonly label: string;
}

export interface Line {
  readonly text: string;
  readonly place: Place;
}

export interface LinesOptions {
  /** The one of keepalived -i; null: none. */
  readonly id: string | null;
  /** The files of an `include`, whose pattern is relative to a directory. */
  readonly include: (pattern: string, directory: string) => readonly Source[];
}

export interface Expanded {
  readonly lines: readonly Line[];
  /** Lines that hold for another id than the one asked for. */
  readonly skipped: readonly Line[];
  /** What could not be done; the text says why. */
  readonly problems: readonly Line[];
}

/** keepalived has no bounds; of instances there are 255 a LAN. */
const MAX_LINES = 50_000;
const MAX_LENGTH = 10_000;
const MAX_DEPTH = 30;

/** A line on its way. */
interface Raw {
  readonly text: string;
  readonly label: string;
  readonly directory: string;
  readonly depth: number;
}

export function expandLines(source: Source, options: LinesOptions): Expanded {
  const expander = new Expander(options);
  expander.file(source, "", 0);
  return expander;
}

class Expander implements Expanded {
  readonly lines: Line[] = [];
  readonly skipped: Line[] = [];
  readonly problems: Line[] = [];
  readonly #options: LinesOptions;
  /** By name: one line, or several. */
  readonly #defined = new Map<string, readonly string[]>();
  #taken = 0;

  constructor(options: LinesOptions) {
    this.#options = options;
    if (options.id !== null) this.#defined.set("_INSTANCE", [options.id]);
    this.#defined.set("_HASH", ["#"]).set("_BANG", ["!"]);
  }

  /** `prefix` stands before the numbers of its lines. */
  file({ file, text }: Source, prefix: string, depth: number): void {
    const directory = file.includes("/") ? file.replace(/\/[^/]*$/, "") || "/" : ".";
    const all = text.split(/\r?\n/).map(withoutComment);
    for (let at = 0; at < all.length; at++) {
      const raw = { text: all[at]!, label: `${prefix}${at + 1}`, directory, depth };
      const several = /^\s*(?:(@\S+)\s+)?\$(\w+)=\s*\\$/.exec(raw.text);
      if (several === null) {
        this.#take(raw);
        continue;
      }
      const body: string[] = [];
      for (let goesOn = true; goesOn && at + 1 < all.length;) {
        const line = all[++at]!;
        if (line === "") continue;
        goesOn = line.endsWith("\\");
        body.push(line.replace(/\s*\\$/, ""));
      }
      if (this.#holds(several[1], raw)) this.#defined.set(several[2]!, body);
    }
  }

  #take(raw: Raw): void {
    const { text, depth, label, directory } = raw;
    if (text.trim() === "") return;
    if (++this.#taken > MAX_LINES || depth > MAX_DEPTH || text.length > MAX_LENGTH) {
      return this.#problem(raw, "is more than tandem import takes");
    }
    const included = /^\s*include[armwb]?\s+(.+)$/.exec(text);
    if (included !== null) return this.#include(unquoted(included[1]!), raw);
    const only = /^\s*(@\S+)(.*)$/.exec(text);
    if (only !== null) {
      if (this.#holds(only[1], raw)) this.#take({ ...raw, text: only[2]!, depth: depth + 1 });
      return;
    }
    const definition = /^\s*\$(\w+)=(.*)$/.exec(text);
    if (definition !== null) return void this.#defined.set(definition[1]!, [definition[2]!.trim()]);
    this.#defined.set("_PWD", [directory]);
    const repeated = /^\s*~(SEQx?|LST)\(([^)]*)\)\s*(.*)$/.exec(text);
    if (repeated !== null) return this.#repeat(raw, repeated[1]!, repeated[2]!, repeated[3]!);
    const used = this.#firstUse(text);
    if (used === null) return void this.lines.push({ text, place: this.#place(label) });
    const lines = used.value.map((line, at) =>
      (at === 0 ? used.before : "") + line + (at === used.value.length - 1 ? used.after : "")
    );
    for (const line of lines) this.#take({ ...raw, text: line, depth: depth + 1 });
  }

  /** Whether a line with this condition, or none, holds; one that does not is told. */
  #holds(condition: string | undefined, { text, label }: Raw): boolean {
    if (condition === undefined) return true;
    const other = condition.startsWith("@^");
    if ((condition.slice(other ? 2 : 1) === this.#options.id) !== other) return true;
    this.skipped.push({ text: text.trim(), place: this.#place(label) });
    return false;
  }

  #include(pattern: string, raw: Raw): void {
    const files = this.#options.include(pattern, raw.directory);
    if (files.length === 0) this.#problem(raw, "there is no such file");
    for (const source of files) this.file(source, `${source.file}:`, raw.depth + 1);
  }

  #repeat(raw: Raw, kind: string, given: string, text: string): void {
    const rounds = kind === "LST" ? listOf(this.#replaced(given)) : sequenceOf(this.#replaced(given), kind);
    if (rounds === null) return this.#problem(raw, "makes no sense");
    for (const [names, values] of rounds) {
      if (this.#taken > MAX_LINES) return;
      for (const [at, name] of names.entries()) this.#defined.set(name, [values[at] ?? ""]);
      this.#take({ ...raw, text, depth: raw.depth + 1 });
    }
  }

  /** What is defined at this moment and used in a text: the first of it. */
  #firstUse(text: string): { before: string; value: readonly string[]; after: string } | null {
    for (const found of text.matchAll(/\$(?:\{(\w+)\}|([A-Za-z_]\w*)(?=\s|$))/g)) {
      const value = this.#defined.get(found[1] ?? found[2]!);
      if (value === undefined) continue;
      const end = found.index + found[0].length;
      return { before: text.slice(0, found.index), value, after: text.slice(end) };
    }
    return null;
  }

  #replaced(text: string): string {
    return text.replace(/\$\{?(\w+)\}?/g, (whole, name) => this.#defined.get(name)?.[0] ?? whole);
  }

  #problem({ text, label }: Raw, reason: string): void {
    // One is enough, of what may be many.
    if (this.problems.length < 100) {
      this.problems.push({ text: `${text.trim().slice(0, 200)}: ${reason}`, place: this.#place(label) });
    }
  }

  #place(label: string): Place {
    return { at: this.lines.length + this.skipped.length + this.problems.length, label };
  }
}

type Round = readonly [names: readonly string[], values: readonly string[]];

/** `NAME, [START, [STEP,]] END`. */
function sequenceOf(given: string, kind: string): Round[] | null {
  const [name = "", ...numbers] = given.split(",").map((part) => part.trim());
  const parsed = numbers.map(Number);
  const end = parsed.at(-1);
  if (end === undefined || parsed.length > 3 || !parsed.every(Number.isInteger)) return null;
  const start = parsed.length > 1 ? parsed[0]! : Math.sign(end);
  const step = parsed.length > 2 ? parsed[1]! : start <= end ? 1 : -1;
  const count = Math.floor((end - start) / step) + 1;
  if (!(count >= 1 && count <= MAX_LINES)) return null;
  return Array.from(
    { length: count },
    (_, at) => [[name], [(start + at * step).toString(kind === "SEQx" ? 16 : 10)]],
  );
}

/** `NAME, VALUE, …`, or `{NAME, …}, {VALUE, …}, …`. */
function listOf(given: string): Round[] | null {
  const [names, ...values] = [...given.matchAll(/\{([^}]*)\}|[^,{}]+/g)]
    .filter(([whole]) => whole.trim() !== "")
    .map(([whole, inner]) => (inner ?? whole).split(",").map((part) => part.trim()));
  return names === undefined || values.length === 0 ? null : values.map((one) => [names, one] as const);
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, "$2");
}

/** A comment goes from `#` or `!` to the end, but in quotes. */
function withoutComment(line: string): string {
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const mark = line[at]!;
    if (quote !== "" && mark === "\\") at++;
    else if (mark === quote) quote = "";
    else if (quote === "" && (mark === '"' || mark === "'")) quote = mark;
    else if (quote === "" && (mark === "#" || mark === "!")) return line.slice(0, at).trimEnd();
  }
  return line.trimEnd();
}
