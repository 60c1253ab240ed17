/**
 * The schema of CORS and of the preset of security headers. Pure.
 */
import { z } from "zod";
import { parseWholeExpression } from "../route/expression.ts";
import { duration, flag, line, off, oneOrMore, token } from "./fields.ts";
import type { CorsSnapshot } from "./guard_snapshot.ts";
import type { ResponseRules } from "./snapshot.ts";

const ORIGIN = /^(?:\*|null|[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?[a-z0-9._\-[\]:]{1,255})$/;

const origin = line(1, 1024).superRefine((text, context) => {
  if (text.startsWith("~")) {
    const problem = parseWholeExpression(text.slice(1));
    if (typeof problem === "string") context.addIssue({ code: "custom", message: problem });
  } else if (!ORIGIN.test(text)) {
    context.addIssue({
      code: "custom",
      message:
        "must be an origin such as https://app.example.com, https://*.example.com, ~expression, null or *",
    });
  }
});

const cors = z.strictObject({
  origins: oneOrMore(origin).describe(
    "Origins whose pages may read answers: `https://app.example.com`, `https://*.example.com`, `~expression`, `*` for all; one or a list.",
  ),
  methods: oneOrMore(token("an HTTP method").transform((text) => text.toUpperCase()))
    .prefault(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]).describe("Methods that pages may use."),
  headers: oneOrMore(token("a header name")).optional()
    .describe("Headers that pages may send. Without: those that they ask for."),
  exposeHeaders: oneOrMore(token("a header name")).default([])
    .describe("Headers of answers that pages may read besides the usual ones."),
  credentials: flag().prefault(false).describe("Whether pages may send cookies and passwords."),
  maxAge: duration(0).prefault("10m").describe("How long browsers remember the answer to a preflight."),
}).superRefine(({ origins, credentials }, context) => {
  if (!credentials || !origins.includes("*")) return;
  context.addIssue({
    code: "custom",
    path: ["credentials"],
    message: "cannot stand beside the origin *: every site could act in the name of its visitors",
  });
}).transform(({ maxAge, headers, ...rest }): CorsSnapshot => ({
  ...rest,
  headers: headers ?? null,
  maxAgeSeconds: Math.floor(maxAge / 1000),
}));

export const corsSetting = z.union([off(), cors]).optional().describe(
  "Let pages of other origins read answers: preflights are answered, and answers say so. A route's stands in the " +
    "place of the listener's; `false`: not there.",
);

/** A value, or `false` for none. */
const value = z.union([off(), line(1, 4096).regex(/^[^\u0080-\uffff$]*$/, "must be ASCII, without $")]);
const header = (preset: string) => value.prefault(preset);

const securityHeaders = z.strictObject({
  contentTypeOptions: header("nosniff").describe("`X-Content-Type-Options`."),
  frameOptions: header("SAMEORIGIN").describe("`X-Frame-Options`."),
  referrerPolicy: header("strict-origin-when-cross-origin").describe("`Referrer-Policy`."),
  openerPolicy: header("same-origin").describe("`Cross-Origin-Opener-Policy`."),
  resourcePolicy: header("same-origin").describe("`Cross-Origin-Resource-Policy`."),
  permissionsPolicy: header("camera=(), geolocation=(), microphone=()").describe("`Permissions-Policy`."),
  contentSecurityPolicy: value.optional().describe(
    "`Content-Security-Policy`. Without: none, as every site needs its own.",
  ),
  hideServer: flag().prefault(true).describe("Whether `Server` and `X-Powered-By` are left out."),
});

const FIELDS = {
  contentTypeOptions: "X-Content-Type-Options",
  frameOptions: "X-Frame-Options",
  referrerPolicy: "Referrer-Policy",
  openerPolicy: "Cross-Origin-Opener-Policy",
  resourcePolicy: "Cross-Origin-Resource-Policy",
  permissionsPolicy: "Permissions-Policy",
  contentSecurityPolicy: "Content-Security-Policy",
} as const;

type Preset = z.output<typeof securityHeaders>;

export const securityHeadersSetting = z.union([flag(), securityHeaders]).optional().transform((value) =>
  value === undefined || value === false ? value : rulesOf(value === true ? securityHeaders.parse({}) : value)
).describe(
  "Headers that make browsers careful: `true`, or a map with what is to be otherwise. They come before the rules of " +
    "`headers`. A route's stand in the place of the listener's; `false`: none.",
);

function rulesOf({ hideServer, ...values }: Preset): ResponseRules {
  const set = (Object.keys(FIELDS) as (keyof typeof FIELDS)[]).flatMap((key): [string, string][] => {
    const value = values[key];
    return value === undefined || value === false ? [] : [[FIELDS[key], value]];
  });
  const remove = hideServer ? ["server", "x-powered-by"] : [];
  return { remove, replace: [], set, add: [], location: [], cookieDomain: [], cookiePath: [] };
}
