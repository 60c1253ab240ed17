/**
 * The schema of header rules, for requests and responses. Pure.
 */
import { z } from "zod";
import { TEXT_SCOPE } from "../route/rewrite.ts";
import type { Scope } from "../route/template.ts";
import { line, oneOrMore } from "./fields.ts";
import type { HeaderRules, ResponseRules, TemplatePairs } from "./snapshot.ts";
import { expression, replacementIssues, template } from "./template_field.ts";

const ANSWER_SCOPE: Scope = { ...TEXT_SCOPE, answers: true };
const MAX_NAME = 256;

/** Who writes these: they say how long a message is, or are of one connection (RFC 9110 section 7.6.1). */
const RESERVED: ReadonlyMap<string, string> = new Map(
  [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
  ].map((name) => [name, "is about one connection or the length of the body: only Tandem itself writes it"]),
);
const RESERVED_IN_REQUESTS = new Map([
  ...RESERVED,
  ["host", "cannot be changed by a rule: `rewrite` has `host` for it"],
]);

/** The name of a header that rules may touch. */
function headerName(reserved: ReadonlyMap<string, string>, pattern = false) {
  const form = pattern ? /^[!#$%&'+.^_`|~0-9A-Za-z-]+\*?$/ : /^[!#$%&'+.^_`|~0-9A-Za-z-]+$/;
  const hint = pattern ? "must be a header name, or the beginning of one and `*`" : "must be a header name";
  return line(1, MAX_NAME).regex(form, hint).superRefine((name, context) => {
    // Applications that fold `_` and `-` would take one for the other.
    const why = reserved.get(name.toLowerCase().replaceAll("_", "-"));
    if (why !== undefined) context.addIssue({ code: "custom", message: why });
  });
}

const lower = (name: string) => name.toLowerCase();
const ascii = (scope: Scope) => template(scope).regex(/^[^\u0080-\uffff]*$/, "must be ASCII");

/** What both sides have. */
function rulesOf(reserved: ReadonlyMap<string, string>, scope: Scope) {
  const name = headerName(reserved);
  return {
    remove: oneOrMore(headerName(reserved, true).transform(lower)).default([])
      .describe("Headers that are left out, one or a list; `X-Internal-*` is every one that begins so."),
    replace: oneOrMore(replacement(name.transform(lower), scope)).default([])
      .describe("Changes of headers that are there, one or a list, in order."),
    set: z.record(name, ascii(scope)).prefault({}).transform(pairsOf)
      .describe(
        "Headers by name, instead of any that are there; one whose text comes out empty is left out.",
      ),
    add: z.record(name, oneOrMore(ascii(scope))).prefault({})
      .transform((record) =>
        Object.entries(record).flatMap(([key, texts]) => texts.map((text) => [key, text] as const))
      )
      .describe("The same beside those that are there; a name may have a list of texts."),
  };
}

function replacement<T extends z.ZodType<string>>(name: T, scope: Scope) {
  return z.strictObject({
    name: name.describe("The header."),
    match: expression().describe(
      "Regular expression, as in routes; the first part that it matches is replaced.",
    ),
    with: ascii({ ...scope, groups: 10 }).describe("What stands there instead; `$1` is the first group."),
  }).superRefine((rule, context) => {
    for (const issue of replacementIssues(rule.match, rule.with, scope.answers)) {
      context.addIssue({ ...issue, path: ["with"] });
    }
  });
}

const pairsOf = (record: Record<string, string>): TemplatePairs => Object.entries(record);

const substitutions = (text: string) =>
  z.record(line(1, MAX_NAME), ascii(ANSWER_SCOPE)).prefault({}).transform(pairsOf).describe(text);

const request = z.strictObject(rulesOf(RESERVED_IN_REQUESTS, TEXT_SCOPE))
  .transform((rules): HeaderRules => rules);
const response = z.strictObject({
  ...rulesOf(RESERVED, ANSWER_SCOPE),
  location: substitutions(
    "`Location` and `Refresh` of servers: what they begin with, and what stands there instead; the first that fits.",
  ),
  cookieDomain: substitutions("`Domain` of servers' cookies: what it is, and what it becomes."),
  cookiePath: substitutions(
    "`Path` of servers' cookies: what it begins with, and what stands there instead.",
  ),
}).transform((rules): ResponseRules => rules);

export const HeadersSchema = z.strictObject({
  request: request.optional().describe("Of requests, as servers get them."),
  response: response.optional().describe(
    "Of answers, as clients get them; `remove`, `set` and `add` also of Tandem's own.",
  ),
});

export type HeadersConfig = z.output<typeof HeadersSchema>;
