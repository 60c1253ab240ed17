/**
 * The conditions of a route that no router decides, each made ready once: headers, query, cookies, the client's
 * address, and what must not hold. Pure.
 */
import { blockTest } from "../base/address.ts";
import type { FieldTest, RouteMatch } from "../config/snapshot.ts";
import { cookieValue } from "./cookie.ts";
import { expressionOf, isExpression } from "./expression.ts";
import { hostTest } from "./host.ts";
import type { RequestFacts } from "./match.ts";
import { canonicalPath } from "./path.ts";
import { parsePattern } from "./pattern.ts";
import { queryFind, queryValue } from "./query.ts";

export type Condition = (facts: RequestFacts) => boolean;

/** The conditions on fields and on the client, and those that must not hold, in the order of their cost. */
export function conditionsOf(
  { headers, query, cookies = [], clients = [], not = [], tls }: RouteMatch,
): Condition[] {
  const conditions: Condition[] = [];
  const isClient = blockTest(clients);
  if (clients.length > 0) conditions.push(({ client }) => isClient(client));
  const isName = hostTest(tls?.sni ?? []);
  if (tls !== undefined) conditions.push(({ serverName = "" }) => isName(serverName));
  for (const [name, test] of headers) conditions.push(valueCondition((facts) => facts.header(name), test));
  for (const [name, test] of cookies) {
    conditions.push(valueCondition((facts) => cookieValue(facts.header("cookie"), name), test));
  }
  for (const [name, test] of query) conditions.push(queryCondition(name, test));
  for (const match of not) {
    const all = wholeCondition(match);
    conditions.push((facts) => !all(facts));
  }
  return conditions;
}

/** All of a match, without any table. */
export function wholeCondition(match: RouteMatch): Condition {
  const { hosts, methods, path } = match;
  const conditions = conditionsOf(match);
  const isHost = hostTest(hosts);
  if (hosts.length > 0) conditions.unshift(({ host }) => isHost(host));
  if (path !== undefined) conditions.unshift(pathCondition(path));
  if (methods.length > 0) conditions.unshift(({ method }) => methods.includes(method));
  return (facts) => conditions.every((condition) => condition(facts));
}

function pathCondition(text: string): Condition {
  const pattern = parsePattern(text);
  if (typeof pattern === "string") throw new Error(`Cannot match \`${text}\` as ${pattern}`);
  return ({ path }) => pattern.matches(canonicalPath(path));
}

function valueCondition(valueOf: (facts: RequestFacts) => string | null, test: FieldTest): Condition {
  if (typeof test === "boolean") return (facts) => (valueOf(facts) !== null) === test;
  const holds = valueTest(test);
  return (facts) => {
    const value = valueOf(facts);
    return value !== null && holds(value);
  };
}

/** Of a repeated parameter any may be the one. */
function queryCondition(name: string, test: FieldTest): Condition {
  if (typeof test === "boolean") return ({ query }) => (queryValue(query, name) !== null) === test;
  const holds = valueTest(test);
  return ({ query }) => queryFind(query, name, holds) !== null;
}

function valueTest(test: string | readonly string[]): (value: string) => boolean {
  if (typeof test !== "string") return (value) => test.includes(value);
  if (!isExpression(test)) return (value) => value === test;
  const expression = expressionOf(test);
  return (value) => expression.test(value);
}
