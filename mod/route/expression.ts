/**
 * Regular expressions over what strangers send, in RE2's syntax and with its promise: the time grows with the
 * length of the text and never with what stands in it, so no request can hold a worker for long.
 *
 * JavaScript's own expressions try again and again, and a few hundred chosen bytes cost minutes. What RE2 leaves out
 * for its promise (looking around, back references) is refused with the configuration. The text is no longer than a
 * request's head may be; the size of a compiled expression is bounded here, and what it remembers of texts by the
 * library (8 MiB). Pure.
 *
 * Cost: 0.4–0.8 µs a test, 1–2 µs with groups; at worst (a text made for the largest expression) 4 and 20 µs a byte.
 */
import { RE2JS } from "re2js";

export interface Expression {
  /** Of its named groups, in order. */
  readonly names: readonly string[];
  /** True when it matches anywhere in the text. */
  test(text: string): boolean;
  /** Offset behind the first match; -1: there is none. */
  end(text: string): number;
  /** What the named groups took (empty: they took no part), or null when it does not match. */
  groups(text: string): ReadonlyMap<string, string> | null;
  /** Number of groups, named or not. */
  readonly groupCount: number;
  /** The text with the first match replaced by what `replacement` makes of it and of its groups, the match first. */
  replace(text: string, replacement: (groups: readonly string[]) => string): string;
}

/** A text that begins so is an expression, as nginx's `server_name` and `location` write it. */
export const EXPRESSION_SIGN = "~";
/** Behind the sign: without regard to case. */
const IGNORE_CASE_SIGN = "*";
/** Instructions of a compiled expression: a list of thirteen words has 115, a UUID 40. */
const MAX_SIZE = 500;

/** True when a text of the configuration stands for an expression. */
export function isExpression(text: string): boolean {
  return text.startsWith(EXPRESSION_SIGN);
}

/** Reads `~expression` or `~*expression`; a string says what is wrong with it. */
export function parseExpression(text: string): Expression | string {
  const ignoreCase = text.startsWith(IGNORE_CASE_SIGN, EXPRESSION_SIGN.length);
  return ignoreCase ? compile(text.slice(2), RE2JS.CASE_INSENSITIVE) : compile(text.slice(1));
}

/** The same of a text from a configuration that has been checked. */
export function expressionOf(text: string): Expression {
  return checked(text, parseExpression(text));
}

/** The same where the sign may be left out. */
export function bareExpressionOf(text: string): Expression {
  return checked(text, parseBareExpression(text));
}

function checked(text: string, expression: Expression | string): Expression {
  if (typeof expression === "string") throw new Error(`Cannot match \`${text}\` as ${expression}`);
  return expression;
}

/** Reads an expression where nothing else can stand: the sign may be left out. A string as above. */
export function parseBareExpression(text: string): Expression | string {
  return isExpression(text) ? parseExpression(text) : compile(text);
}

/** Reads a bare expression that must match the whole text; a string as above. */
export function parseWholeExpression(source: string): Expression | string {
  const alone = compile(source);
  return typeof alone === "string" ? alone : compile(`^(?:${source})$`);
}

function compile(source: string, flags = 0): Expression | string {
  if (source === "") return "the expression is empty";
  try {
    const compiled = RE2JS.compile(source, flags);
    if (compiled.programSize() > MAX_SIZE) {
      return `the expression is too large (${compiled.programSize()} steps, at most ${MAX_SIZE})`;
    }
    return wrapped(compiled);
  } catch (error) {
    const reason = (error as Error).message.replace(/^error parsing regexp: /, "");
    return `the expression is not one of RE2: ${reason}`;
  }
}

function wrapped(compiled: RE2JS): Expression {
  const names = Object.keys(compiled.namedGroups());
  const groupCount = compiled.groupCount();
  return {
    names,
    test: (text) => compiled.test(text),
    end: (text) => {
      const matcher = compiled.matcher(text);
      return matcher.find() ? matcher.end() : -1;
    },
    groups: (text) => {
      const matcher = compiled.matcher(text);
      return matcher.find() ? new Map(names.map((name) => [name, matcher.group(name) ?? ""])) : null;
    },
    groupCount,
    replace: (text, replacement) => {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return text;
      const groups = Array.from({ length: groupCount + 1 }, (_, at) => matcher.group(at) ?? "");
      return text.slice(0, matcher.start()) + replacement(groups) + text.slice(matcher.end());
    },
  };
}
