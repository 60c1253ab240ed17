/**
 * The schema of an answer that stands in the configuration. Pure.
 */
import { z } from "zod";
import { BODY_SCOPE, MAX_BODY_VARIABLES } from "../route/respond.ts";
import { constantOf, parseTemplate, referencesOf, templateOf } from "../route/template.ts";
import { acrossIssue, duration, integer, line } from "./fields.ts";
import { templateIssues } from "./template_field.ts";

/** Statuses that never have a body (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5). */
const BODILESS = [204, 205, 304];
/** An answer from the configuration is held in every worker. */
const MAX_BODY = 256 * 1024;

const fields = {
  body: z.string().max(MAX_BODY, `must be at most ${MAX_BODY} characters`).superRefine(checkBody).prefault("")
    .describe("Text of the answer; variables in it are filled in, `$$` is a plain `$`."),
  file: line(1, 4096).optional().describe(
    "Instead of the body: the file that has it, read with the configuration and relative to its directory.",
  ),
  contentType: line(1, 256).optional().describe(
    "Its `Content-Type`. Without: plain text, or what the ending of the file says.",
  ),
};

/** An action: the answer to every request of the route. */
export const respond = z.strictObject({
  status: integer(200, 599).prefault(200).describe("Status of the answer."),
  ...fields,
}).superRefine(checkWhole).describe("Answer at once, without a server.");

/** The answer to requests that could not be answered otherwise. What they were is not known any more. */
export const sorry = z.strictObject({
  status: integer(200, 599).prefault(503).describe("Status of the answer."),
  ...fields,
  body: fields.body.describe("Text of the answer, without variables; `$$` is a plain `$`."),
  retryAfter: duration(1000).optional().describe(
    "When the client may try again (`Retry-After`), in seconds.",
  ),
}).superRefine(checkWhole).superRefine(({ body }, context) => {
  const template = parseTemplate(body, BODY_SCOPE);
  if ("faults" in template || constantOf(templateOf(body, BODY_SCOPE)) !== null) return;
  context.addIssue({ code: "custom", path: ["body"], message: "must have no variables" });
}).describe("Answer with a page.");

function checkWhole(
  { status, body, file }: { status: number; body: string; file?: string | undefined },
  context: z.RefinementCtx,
): void {
  if (body !== "" && file !== undefined) context.addIssue(acrossIssue("cannot stand beside a body", "file"));
  if (body === "" && file === undefined || !BODILESS.includes(status)) return;
  const field = file === undefined ? "body" : "file";
  context.addIssue(acrossIssue(`must be empty as status ${status} has no body`, field));
}

function checkBody(text: string, context: z.RefinementCtx): void {
  for (const issue of templateIssues(text, BODY_SCOPE)) context.addIssue(issue);
  const template = parseTemplate(text, BODY_SCOPE);
  if ("faults" in template || referencesOf(template).length <= MAX_BODY_VARIABLES) return;
  context.addIssue({ code: "custom", message: `must have at most ${MAX_BODY_VARIABLES} variables` });
}
