/**
 * Hosts as routes name them: exact, `*.example.com` for every name below it, or an expression. Pure.
 */
import { expressionOf, isExpression } from "./expression.ts";

/** What the first wildcard of `hosts` that takes `host` lets its star stand for (`a.b`); null: none takes it. */
export function starOf(hosts: readonly string[], host: string): string | null {
  // At least one label stands before the dot that the wildcard goes on with.
  const wildcard = hosts.find((one) =>
    one.startsWith("*.") && host.length > one.length - 1 && host.endsWith(one.slice(1))
  );
  return wildcard === undefined ? null : host.slice(0, 1 - wildcard.length);
}

/** Whether a host is matched by one of the expressions among `hosts`; null: none of them is one. */
export function hostExpressions(hosts: readonly string[]): ((host: string) => boolean) | null {
  const expressions = hosts.filter(isExpression).map(expressionOf);
  return expressions.length === 0 ? null : (host) => expressions.some((expression) => expression.test(host));
}

/** Whether a host is one that any of `hosts` takes. */
export function hostTest(hosts: readonly string[]): (host: string) => boolean {
  const expressions = hostExpressions(hosts);
  return (host) => hosts.includes(host) || starOf(hosts, host) !== null || (expressions?.(host) ?? false);
}
