/** The http check: one request, over the HTTP that traffic speaks, and what of the answer is looked at. Pure. */
import { z } from "zod";
import { line, oneOrMore, token } from "../../config/fields.ts";
import { quoteText } from "../../config/problem.ts";
import { checkKind } from "../check_kind.ts";
import { wantedText } from "../wanted.ts";
import { host } from "./fields.ts";
import { HttpOver1 } from "./http1_talk.ts";
import { HttpOver2 } from "./http2_talk.ts";

/** What follows from the rest of the check. */
const OWN_FIELDS = ["host", "content-length", "transfer-encoding", "connection"];
const MAX_BODY = 4096;

export type StatusRange = readonly [number, number];

const statusRange = z.union([
  z.int().transform(String),
  z.string(),
]).transform((text, context): StatusRange => {
  const match = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(text);
  const range = match === null ? null : [Number(match[1]), Number(match[2] ?? match[1])] as const;
  if (range !== null && range[0] <= range[1]) return range;
  context.addIssue({
    code: "custom",
    message: `must be a status or a range such as 200-299, not ${quoteText(text)}`,
  });
  return z.NEVER;
}).meta({ kind: "status" });

const fieldName = token("a header name").transform((name) => name.toLowerCase());

const fields = {
  path: line(1, 2048).regex(/^\/[\x21-\x7e]*$/, 'must start with "/" and be ASCII without spaces').prefault(
    "/",
  )
    .describe("Path and query to ask for."),
  method: token("an HTTP method").prefault("GET").describe("Method."),
  host,
  headers: z.record(
    token("a header name").refine(
      (name) => !OWN_FIELDS.includes(name.toLowerCase()),
      `must not be one of ${OWN_FIELDS.join(", ")}, which follow from the rest`,
    ),
    line(0, 1024).regex(/^[^\u0100-\uffff]*$/, "must not have characters beyond U+00FF"),
  ).prefault({}).describe("Headers of the request besides those that it needs."),
  body: z.string().max(MAX_BODY, `must be at most ${MAX_BODY} characters`).prefault("").describe(
    "Body of the request.",
  ),
};

const not = z.strictObject({
  status: oneOrMore(statusRange).optional().describe("Bad statuses, with which all others are good."),
  headers: z.record(fieldName, wantedText()).prefault({}).describe(
    "Headers that a good answer does not have with that value: a text, or `~expression`.",
  ),
  body: wantedText().optional().describe(
    "What does not stand in the body of a good answer, in its first 16 KiB: a text, or `~expression`.",
  ),
});

const expect = {
  status: oneOrMore(statusRange).optional().describe(
    "Good statuses: `200`, `200-299`, or a list. Without: 200-299, or all but `not.status`.",
  ),
  headers: z.record(fieldName, z.union([wantedText(), z.boolean()])).prefault({}).describe(
    "Headers of a good answer, each with its value: a text, `~expression`, `true` (there at all) or `false` (not there).",
  ),
  body: wantedText().optional().describe(
    "What stands in the body of a good answer, in its first 16 KiB: a text, or `~expression`.",
  ),
  not: not.prefault({}).describe("What a bad answer is, whatever else is expected."),
};

type Fields = { readonly [Key in keyof typeof fields]: z.output<(typeof fields)[Key]> };
export type HttpExpected = { readonly [Key in keyof typeof expect]: z.output<(typeof expect)[Key]> };
export type HttpSettings = Fields & { readonly expect: HttpExpected };

export const http = checkKind({
  is: "a request",
  fields,
  expect,
  rules({ method, expect }, complain) {
    for (const [values, ...path] of [[expect, "expect"], [expect.not, "expect", "not"]] as const) {
      if (method !== "HEAD" || values.body === undefined) continue;
      complain("cannot be had with method: HEAD, whose answers have no body", ...path, "body");
    }
  },
  http2: "asPool",
  talk: (settings, target) =>
    target.http2 ? new HttpOver2(settings, target) : new HttpOver1(settings, target),
});
