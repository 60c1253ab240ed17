/**
 * A text that a check wants to see, or an expression that must match, in what a server says. Both are about bytes: a
 * text of the configuration stands for its UTF-8, and what a server says is read as latin-1. Pure.
 */
import { z } from "zod";
import { utf8AsLatin1 } from "../http/grammar.ts";
import { type Expression, expressionOf, isExpression, parseExpression } from "../route/expression.ts";

/**
 * Times that an expression is tried on what came so far. A server that sends byte by byte would else have it tried on
 * all of them each time.
 */
const MAX_TRIES = 64;
const MAX_WANTED = 1024;
const MAX_SHOWN = 120;

export interface Wanted {
  /** For a reason: `"text"` or `~expression`. */
  readonly words: string;
  /** Offset behind the first place in `text`, as latin-1, that is as wanted; -1: none is. */
  find(text: string): number;
  /** The same of a whole value. */
  is(text: string): boolean;
}

/** The field of the configuration. */
export function wantedText() {
  return z.string().min(1, "must not be empty").max(MAX_WANTED, `must be at most ${MAX_WANTED} characters`)
    .superRefine((text, context) => {
      const problem = isExpression(text) ? parseExpression(text) : null;
      if (typeof problem === "string") context.addIssue({ code: "custom", message: problem });
    });
}

/** From a text of a configuration that has been checked. */
export function wantedOf(text: string): Wanted {
  if (!isExpression(text)) return wantedBytes(utf8AsLatin1(text), `"${shown(text)}"`);
  const expression = compiled(utf8AsLatin1(text));
  let tries = 0;
  return {
    words: shown(text),
    find: (said) => ++tries > MAX_TRIES ? -1 : expression.end(said),
    is: (value) => expression.test(value),
  };
}

/** Without what would break a line of a log. */
function shown(text: string): string {
  const short = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return short.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));
}

/** A probe must not cost what it costs to compile (0.1 ms), and there are hardly more expressions than checks. */
const expressions = new Map<string, Expression>();
const MAX_EXPRESSIONS = 1000;

function compiled(text: string): Expression {
  const known = expressions.get(text);
  if (known !== undefined) return known;
  if (expressions.size >= MAX_EXPRESSIONS) expressions.clear();
  const expression = expressionOf(text);
  expressions.set(text, expression);
  return expression;
}

/** The same for bytes as latin-1. */
export function wantedBytes(bytes: string, words: string): Wanted {
  return {
    words,
    find: (said) => {
      const at = said.indexOf(bytes);
      return at < 0 ? -1 : at + bytes.length;
    },
    is: (value) => value === bytes,
  };
}
