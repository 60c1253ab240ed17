/**
 * The body of a fixed answer that has variables. What they hold is a stranger's, and is written as text of the kind
 * that the body is of: in a page it is no markup, in JSON it ends no string. Pure.
 */
import { latin1AsUtf8 } from "../http/grammar.ts";
import { fillTemplate, type Scope, type Template, templateOf } from "./template.ts";
import type { RequestSource } from "./variables.ts";

/** What may stand in a body. */
export const BODY_SCOPE: Scope = { answers: false, groups: 0, placeholders: false };
/** Each may be as long as a request's head, and the answer is made in memory. */
export const MAX_BODY_VARIABLES = 32;

/** A body, compiled. */
export interface FilledBody {
  readonly template: Template;
  escape(value: string): string;
}

/** Compiles a body that has been checked. */
export function filledBodyOf(text: string, contentType: string): FilledBody {
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  const escape = /[/+](?:html|xml)$/.test(type) ? escapeMarkup : /[/+]json$/.test(type) ? escapeJson : asIs;
  return { template: templateOf(text, BODY_SCOPE), escape };
}

/** The text of the body for a request. */
export function filledBody({ template, escape }: FilledBody, source: RequestSource): string {
  return fillTemplate(template, source, (value) => escape(latin1AsUtf8(value)));
}

/** A text within markup, also within a quoted attribute. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A text within a string of JSON. */
function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function asIs(text: string): string {
  return text;
}
