/**
 * The schema of a route's conditions. Pure.
 */
import { z } from "zod";
import { isHostName, parseIp } from "../base/address.ts";
import { isExpression, parseExpression } from "../route/expression.ts";
import { patternProblem } from "../route/pattern.ts";
import { cidr, line, oneOrMore, token } from "./fields.ts";
import type { FieldTest, RouteMatch } from "./snapshot.ts";

const host = line(1, 1024).superRefine((text, context) => {
  const problem = isExpression(text) ? expressionProblem(text) : hostProblem(text);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
}).transform((text) => isExpression(text) ? text : text.toLowerCase());

function expressionProblem(text: string): string | null {
  const expression = parseExpression(text);
  return typeof expression === "string" ? expression : null;
}

function hostProblem(text: string): string | null {
  const bare = text.startsWith("*.") ? text.slice(2) : text;
  const good = text.length <= 255 &&
    (isHostName(bare.toLowerCase()) || parseIp(bare.replace(/^\[(.*)\]$/, "$1")) !== null);
  return good ? null : "must be a host name without a port, *.domain, or ~expression";
}

/** A name that a client may send in TLS: RFC 6066 section 3 knows no addresses and no dot at the end. */
const serverName = line(1, 255).transform((text) => text.toLowerCase()).refine((text) => {
  const bare = text.startsWith("*.") ? text.slice(2) : text;
  return isHostName(bare) && !bare.endsWith(".") && parseIp(bare) === null;
}, "must be a host name, or *.domain");

const path = line(1, 1024).superRefine((text, context) => {
  const problem = patternProblem(text);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

const value = line().superRefine((text, context) => {
  const problem = isExpression(text) ? expressionProblem(text) : null;
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
});

const fieldTest = z.union([
  value,
  z.array(line().refine((text) => !isExpression(text), "cannot be an expression in a list: join them with |"))
    .min(1, "must not be an empty list"),
  z.boolean(),
]);

const tests = (record: Record<string, FieldTest>): (readonly [string, FieldTest])[] => Object.entries(record);

const VALUES = "a text, a list of them, `~expression`, `true` (there at all) or `false` (not there)";

const conditions = {
  host: oneOrMore(host).default([])
    .describe(
      "Host name, `*.example.com` for every name below it, or `~expression`; one or a list. Without: any.",
    ),
  path: path.optional()
    .describe(
      "Path: `/exact`, `/static/*`, `/v1*`, `/users/:id`, `/n/:n{[0-9]+}`, or `~expression`. Without: any.",
    ),
  method: oneOrMore(token("an HTTP method").transform((text) => text.toUpperCase())).default([])
    .describe("Method, one or a list. Without: any."),
  headers: z.record(token("a header name"), fieldTest).prefault({})
    .transform((record) => tests(record).map(([key, test]) => [key.toLowerCase(), test] as const))
    .describe(`Headers, each with what its value must be: ${VALUES}.`),
  query: z.record(line(1), fieldTest).prefault({}).transform(tests)
    .describe(`Parameters of the query, each with what its value must be: ${VALUES}.`),
  cookies: z.record(token("the name of a cookie"), fieldTest).prefault({}).transform(tests)
    .describe(`Cookies, each with what its value must be: ${VALUES}.`),
  client: oneOrMore(cidr()).default([])
    .describe("Block of addresses that the client's is in, one or a list. Without: any."),
};

/** Conditions of requests, of which there is one at least. */
export const ConditionsSchema = z.strictObject(conditions).refine(
  (match) => Object.values(match).some((condition) => condition !== undefined && condition.length > 0),
  // Else it would be told as well of what is called wrongly.
  { error: "must have at least one condition", when: ({ issues }) => issues.length === 0 },
);

export const MatchSchema = z.strictObject({
  ...conditions,
  not: oneOrMore(ConditionsSchema).default([])
    .describe("Conditions that must not hold, or not all at once; of a list none may hold."),
  sni: oneOrMore(serverName).default([])
    .describe(
      "Server name of a TLS connection, or `*.example.com` for every name below it; one or a list. (tcp, or with `tls`)",
    ),
  alpn: oneOrMore(line(1, 255)).default([])
    .describe(
      "Protocol that the client of a TLS connection offers, such as `h2`; one or a list, any of which. (tcp)",
    ),
});

export type MatchConfig = z.output<typeof MatchSchema>;
type Conditions = z.output<typeof ConditionsSchema>;

/** A match without conditions. */
export const NO_CONDITIONS: MatchConfig = MatchSchema.parse({});

/** The conditions as the data plane has them. */
export function routeMatch({ not, sni, alpn, ...conditions }: MatchConfig): RouteMatch {
  return {
    ...requestMatch(conditions),
    ...(not.length === 0 ? {} : { not: not.map(requestMatch) }),
    ...(sni.length + alpn.length === 0 ? {} : { tls: { sni, alpn } }),
  };
}

/** What of them is of requests. */
export function requestMatch(
  { host, path, method, headers, query, cookies, client }: Conditions,
): RouteMatch {
  return {
    hosts: host,
    methods: method,
    headers,
    query,
    ...(path === undefined ? {} : { path }),
    ...(cookies.length === 0 ? {} : { cookies }),
    ...(client.length === 0 ? {} : { clients: client }),
  };
}
