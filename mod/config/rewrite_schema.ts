/**
 * The schema of what a route makes of path, query and host. Pure.
 */
import { z } from "zod";
import { validMadeHost } from "../http1/request.ts";
import { canonicalPath } from "../route/path.ts";
import { PATH_SCOPE, TEXT_SCOPE } from "../route/rewrite.ts";
import { constantOf, parseTemplate } from "../route/template.ts";
import { acrossIssue, line, oneOrMore } from "./fields.ts";
import type { QueryRules, RewriteSnapshot, TemplatePairs } from "./snapshot.ts";
import { expression, replacementIssues, template } from "./template_field.ts";

const prefix = line(0, 1024)
  .regex(/^(\/[!-~]*)?$/, "must be a path that begins with a slash")
  .regex(/^[^?#]*$/, "must be a path without a query")
  .transform((text) => canonicalPath(text).replace(/\/+$/, ""));

const replacement = z.strictObject({
  match: expression().describe(
    "Regular expression, as in routes; the first part that it matches is replaced.",
  ),
  with: template({ ...TEXT_SCOPE, groups: 10 }).describe(
    "What stands there instead; `$1` is the first group.",
  ),
}).superRefine((rule, context) => {
  for (const issue of replacementIssues(rule.match, rule.with, false)) {
    context.addIssue({ ...issue, path: ["with"] });
  }
});

const parameters = z.record(line(1, 256), template(TEXT_SCOPE)).prefault({})
  .transform((record): TemplatePairs => Object.entries(record));
const parameterName = line(1, 256).regex(/^[^*]+\*?$/, "may have a `*` only at its end");

const query = z.strictObject({
  set: parameters.describe("Parameters by name, instead of any that are there."),
  add: parameters.describe("Parameters by name, beside those that are there."),
  remove: oneOrMore(parameterName).default([])
    .describe("Parameters that are left out, one or a list; `utm_*` is every one that begins so."),
}).transform((rules): QueryRules => rules);

const host = template(TEXT_SCOPE, 1).superRefine((text, context) => {
  const parsed = parseTemplate(text, TEXT_SCOPE);
  const constant = "faults" in parsed ? null : constantOf(parsed);
  if (constant === null) return;
  if (/^[!-~]+$/.test(constant) && validMadeHost(constant)) return;
  context.addIssue({ code: "custom", message: "must be a host name, with or without a port" });
});

export const RewriteSchema = z.strictObject({
  path: template(PATH_SCOPE, 1).regex(/^\//, "must begin with a slash")
    .regex(/^[^?#]*$/, "must be a path alone (`query` is for the rest)").optional()
    .describe("The whole path: `:id` and `*` stand for what the route's path took."),
  stripPrefix: prefix.prefault("").describe("Prefix of the path that is taken off."),
  replace: oneOrMore(replacement).default([])
    .describe("Then changes of the path, one or a list, in order."),
  addPrefix: prefix.prefault("").describe("Then a prefix that is put in front."),
  query: z.union([template(TEXT_SCOPE), query]).optional()
    .describe("The whole query, or what is changed of it."),
  host: host.optional().describe("The `Host` that servers get. Without: the client's."),
}).transform(({ path = null, query = null, host = null, ...rest }, context): RewriteSnapshot => {
  const partly = rest.stripPrefix !== "" || rest.replace.length > 0 || rest.addPrefix !== "";
  if (path === null || !partly) return { path, query, host, ...rest };
  context.addIssue(
    acrossIssue("is the whole path, and cannot stand beside stripPrefix, replace or addPrefix", "path"),
  );
  return z.NEVER;
});
