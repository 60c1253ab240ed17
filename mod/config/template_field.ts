/**
 * Fields that hold templates and regular expressions: checked when they are read, with the place of what is wrong.
 * Pure.
 */
import { parseBareExpression } from "../route/expression.ts";
import { groupScope } from "../route/rewrite.ts";
import { parseTemplate, type Scope, type TemplateFault } from "../route/template.ts";
import { line } from "./fields.ts";
import { closest } from "./suggest.ts";

const MAX_TEMPLATE = 4096;
const MAX_EXPRESSION = 1024;

/** A text with variables. */
export function template(scope: Scope, minLength = 0) {
  return line(minLength, MAX_TEMPLATE).superRefine((text, context) => {
    for (const issue of templateIssues(text, scope)) context.addIssue(issue);
  });
}

/** What is wrong with a template, as issues of the schema. */
export function templateIssues(text: string, scope: Scope) {
  const template = parseTemplate(text, scope);
  return "faults" in template ? template.faults.map(issueOf) : [];
}

/** What is wrong with the text that stands for what `match` matches, where that is an expression at all. */
export function replacementIssues(match: string, text: string, answers: boolean) {
  const expression = parseBareExpression(match);
  return typeof expression === "string" ? [] : templateIssues(text, groupScope(expression, answers));
}

/** A regular expression; what it begins with elsewhere, `~` or `~*`, may be left out. */
export function expression() {
  return line(1, MAX_EXPRESSION).superRefine((source, context) => {
    const read = parseBareExpression(source);
    if (typeof read === "string") context.addIssue({ code: "custom", message: read });
  });
}

function issueOf({ message, part, unknown }: TemplateFault) {
  const params = { part };
  if (unknown === undefined) return { code: "custom" as const, message, params };
  const near = closest(unknown.name, unknown.known);
  const hint = near === null ? ` (known: ${unknown.known.join(", ")})` : `; did you mean $${near}?`;
  return { code: "custom" as const, message: message + hint, params };
}
