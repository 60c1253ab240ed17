/**
 * Templates: text with `$variables`, as it stands in the configuration, compiled to an array of pieces.
 *
 * `$name`, `$name(argument)`, `$(name)` where a letter follows, `$1` to `$9` for the groups of an expression, `$$`
 * for a dollar. In the path of a rewrite and the target of a redirect `:id` and `*` stand for what the route's path
 * took. What stands alone is an error, never text: nobody has to guess what will be sent. Pure.
 */
import { utf8AsLatin1 } from "../http/grammar.ts";
import { type RequestSource, type RequestVariable, type Variable, VARIABLES } from "./variables.ts";

export interface Reference<V extends Variable = Variable> {
  readonly variable: V;
  readonly argument: string;
}

/** One in a template, with the text that it was read from. */
export interface Written extends Reference {
  readonly part: string;
}

/** Text, a variable, or the number of a group. */
export type Piece = string | Written | number;
export type Template = readonly Piece[];

/** What may stand in a template, where it stands. */
export interface Scope {
  /** Whether variables of answers may. */
  readonly answers: boolean;
  /** Groups that there are, the whole match counted; 0: there is no expression. */
  readonly groups: number;
  /** Whether `:name` and `*` are captures of the path. */
  readonly placeholders: boolean;
}

export interface TemplateFault {
  /** The end of a sentence that begins with the field. */
  readonly message: string;
  /** What of the text is meant. */
  readonly part: string;
  /** The name that is none, and those that would have been. */
  readonly unknown?: { readonly name: string; readonly known: readonly string[] };
}

const DOLLAR = /\$(?:(\$)|([0-9])|\(([A-Za-z]\w*)\)|([A-Za-z]\w*)(?:\(([^()]*)\))?)?/;
const PLACEHOLDER = /\*|:([A-Za-z_][A-Za-z0-9_]*)/;
const TOKENS = new RegExp(DOLLAR.source, "g");
const TOKENS_OR_PLACEHOLDERS = new RegExp(`${DOLLAR.source}|${PLACEHOLDER.source}`, "g");

/** What is wrong with a text that is to be a template. */
export interface TemplateFaults {
  readonly faults: readonly TemplateFault[];
}

/** Compiles a text, or says everything that is wrong with it. */
export function parseTemplate(text: string, scope: Scope): Template | TemplateFaults {
  const pieces: Piece[] = [];
  const faults: TemplateFault[] = [];
  const tokens = scope.placeholders ? TOKENS_OR_PLACEHOLDERS : TOKENS;
  let at = 0;
  for (const token of text.matchAll(tokens)) {
    if (token.index > at) pieces.push(text.slice(at, token.index));
    at = token.index + token[0].length;
    const piece = pieceOf(token, scope);
    if (typeof piece === "object" && "message" in piece) faults.push(piece);
    else pieces.push(piece);
  }
  if (faults.length > 0) return { faults };
  if (at < text.length) pieces.push(text.slice(at));
  return joined(pieces);
}

/** The template of a text that has been checked. */
export function templateOf(text: string, scope: Scope): Template {
  const template = parseTemplate(text, scope);
  if ("faults" in template) throw new Error(`Cannot use \`${text}\` as it ${template.faults[0]!.message}`);
  return template;
}

/** The same for a URL, which is bytes of UTF-8: a character of its texts is a byte, as in the values of a request. */
export function urlTemplateOf(text: string, scope: Scope): Template {
  return templateOf(text, scope).map((piece) => typeof piece === "string" ? utf8AsLatin1(piece) : piece);
}

/** Its text when it is nothing but text, else null. */
export function constantOf(template: Template): string | null {
  const [first = ""] = template;
  return template.length < 2 && typeof first === "string" ? first : null;
}

/** The references of a template to what a route takes. */
export function capturesNamed(template: Template): Written[] {
  return referencesOf(template).filter(({ variable }) => variable.name === "capture");
}

/** The variables of a template. */
export function referencesOf(template: Template): Written[] {
  return template.filter((piece) => typeof piece === "object");
}

/** What is wrong with the captures that a template names, on a route that takes `captures` and perhaps what is lost. */
export function captureFaults(
  template: Template,
  captures: readonly string[],
  isLost: (name: string) => boolean = () => false,
): TemplateFault[] {
  const known = captures.length === 0 ? "it takes nothing" : `known: ${captures.join(", ")}`;
  const missing = capturesNamed(template)
    .filter(({ argument }) => !captures.includes(argument) && !isLost(argument));
  return missing.map(({ part }) => {
    if (part === "*") return { part, message: "has a `*`, but the route's path does not end in one" };
    const message = part.startsWith(":")
      ? `has \`${part}\`, which is not a parameter of the route's path (a literal colon is \`%3A\`)`
      : `has ${part}, which the route's match does not take (${known})`;
    return { part, message };
  });
}

/** Its text for a request; `write` makes of each value what may stand there. Groups are of the last expression. */
export function fillTemplate(
  template: Template,
  source: RequestSource,
  write: (value: string, encoded: boolean, variable: RequestVariable) => string,
  groups: readonly string[] = [],
): string {
  let text = "";
  for (const piece of template) {
    if (typeof piece === "string") text += piece;
    else if (typeof piece === "number") text += groups[piece] ?? "";
    else if (piece.variable.of === "request") {
      const { variable, argument } = piece;
      text += write(variable.read(source, argument), variable.encoded(argument), variable);
    }
  }
  return text;
}

function pieceOf(token: RegExpMatchArray, scope: Scope): Piece | TemplateFault {
  const [part, dollar, group, parted, plain, argument, placeholder] = token;
  if (part === "*") return captureOf("path.*", part);
  if (placeholder !== undefined) return captureOf(`path.${placeholder}`, part);
  if (dollar !== undefined) return "$";
  if (group !== undefined) return groupOf(Number(group), part, scope);
  const name = parted ?? plain;
  if (name === undefined) {
    return {
      message: "has a `$` without the name of a variable behind it (`$$` stands for a plain `$`)",
      part,
    };
  }
  const variable = VARIABLES.get(name);
  if (variable === undefined || variable.of === "response" && !scope.answers) {
    return unknown(name, part, scope, variable);
  }
  if (variable.argument === "needed" && (argument ?? "") === "") {
    return { message: `has $${name} without a name: it must be $${name}(NAME)`, part };
  }
  if (variable.argument === "none" && argument !== undefined) {
    return {
      message: `has an argument for $${name}, which takes none ($(${name}) parts it from a "(")`,
      part,
    };
  }
  return { variable, argument: argument ?? "", part };
}

function groupOf(group: number, part: string, { groups }: Scope): Piece | TemplateFault {
  if (groups === 0) {
    return {
      message: `has ${part}, and no expression whose group that could be (\`$$\` is a plain \`$\`)`,
      part,
    };
  }
  if (group < groups) return group;
  const has = groups === 1 ? "no group" : groups === 2 ? "1 group" : `${groups - 1} groups`;
  return { message: `has ${part}, and the expression has ${has}`, part };
}

function unknown(
  name: string,
  part: string,
  { answers }: Scope,
  variable: Variable | undefined,
): TemplateFault {
  if (variable !== undefined) {
    return { message: `has $${name}, which is known only once there is an answer`, part };
  }
  const known = [...VARIABLES.values()].filter((one) => answers || one.of === "request");
  return {
    message: `has $${name}, which is not a variable`,
    part,
    unknown: { name, known: known.map((one) => one.name) },
  };
}

function captureOf(argument: string, part: string): Written {
  return { variable: VARIABLES.get("capture")!, argument, part };
}

/** Neighbouring texts as one. */
function joined(pieces: readonly Piece[]): Template {
  const all: Piece[] = [];
  for (const piece of pieces) {
    const last = all.at(-1);
    if (typeof piece === "string" && typeof last === "string") all[all.length - 1] = last + piece;
    else all.push(piece);
  }
  return all;
}
