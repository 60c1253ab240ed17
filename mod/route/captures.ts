/**
 * What a route's conditions took of a request, by name, for whatever is written with it: `path.id` and `path.*` of
 * the path, `host.*` of a wildcard, and of expressions their named groups: `path.NAME`, `host.NAME`, `header.NAME`,
 * `query.NAME` and `cookie.NAME`.
 *
 * Taken after the match and only for routes that use it, as a route that is remembered by its bytes matches without
 * a string. Values are data of a stranger, as they were matched: of the path canonical and percent-encoded, of the
 * host in lower case, of the query decoded (it may hold a line break). Whoever writes one encodes it for where it is
 * written. Pure.
 */
import type { RouteMatch } from "../config/snapshot.ts";
import { cookieValue } from "./cookie.ts";
import { type Expression, expressionOf, isExpression } from "./expression.ts";
import { starOf } from "./host.ts";
import type { RequestFacts } from "./match.ts";
import { canonicalPath } from "./path.ts";
import { parsePattern } from "./pattern.ts";
import { queryFind } from "./query.ts";

/** Has every name of its `Capturing`; what took nothing is empty. */
export type Captures = ReadonlyMap<string, string>;

/** Takes the captures of one route. */
export interface Capturing {
  /** Known from the configuration alone, so that a name that is none can be refused there. */
  readonly names: readonly string[];
  /** Of a request that the route matched; good only while `facts` are, so what is needed later is kept. */
  take(facts: RequestFacts): Captures;
}

/** What one condition captures. */
interface Source {
  readonly names: readonly string[];
  /** Null when it does not match, which only one of several hosts may. */
  take(facts: RequestFacts): ReadonlyMap<string, string> | null;
}

/**
 * What the conditions of `match` capture. Of the same name in two of them the first counts.
 *
 * @throws Error when it has a path or an expression that is none, which the configuration never lets through.
 */
export function capturesOf(match: RouteMatch): Capturing {
  const sources = [...hostSources(match.hosts), pathSource(match.path), ...fieldSources(match)]
    .filter(({ names }) => names.length > 0);
  const names = [...new Set(sources.flatMap((source) => source.names))];
  return {
    names,
    take: (facts) => {
      const values = new Map(names.map((name) => [name, ""]));
      for (const source of sources.toReversed()) {
        for (const [name, value] of source.take(facts) ?? []) values.set(name, value);
      }
      return values;
    },
  };
}

function hostSources(hosts: readonly string[]): Source[] {
  const sources: Source[] = [];
  if (hosts.some((host) => host.startsWith("*."))) {
    sources.push(source("host", ["*"], ({ host }) => new Map([["*", starOf(hosts, host) ?? ""]])));
  }
  const expressions = hosts.filter(isExpression).map(expressionOf);
  return [...sources, ...expressions.map((one) => source("host", one.names, ({ host }) => one.groups(host)))];
}

/** A route without a path takes every path, and so does its `*`. */
function pathSource(path: string | undefined): Source {
  const pattern = parsePattern(path ?? "/*");
  if (typeof pattern === "string") throw new Error(`Cannot capture from \`${path}\` as ${pattern}`);
  const names = pattern.wildcard ? [...pattern.names, "*"] : pattern.names;
  return source("path", names, (facts) => pattern.capture(canonicalPath(facts.path)));
}

function fieldSources({ headers, query, cookies = [] }: RouteMatch): Source[] {
  return [
    ...expressionsOf(headers).map(([name, one]) =>
      source("header", one.names, (facts) => one.groups(facts.header(name) ?? ""))
    ),
    ...expressionsOf(query).map(([name, one]) =>
      source("query", one.names, (facts) => one.groups(queryFind(facts.query, name, one.test) ?? ""))
    ),
    ...expressionsOf(cookies).map(([name, one]) =>
      source("cookie", one.names, (facts) => one.groups(cookieValue(facts.header("cookie"), name) ?? ""))
    ),
  ];
}

function expressionsOf(fields: RouteMatch["headers"]): [name: string, expression: Expression][] {
  return fields.flatMap(([name, test]) =>
    typeof test === "string" && isExpression(test) ? [[name, expressionOf(test)]] : []
  );
}

/** A source of names below `prefix`. */
function source(prefix: string, names: readonly string[], take: Source["take"]): Source {
  const full = (name: string) => `${prefix}.${name}`;
  return {
    names: names.map(full),
    take: (facts) => {
      const taken = take(facts);
      return taken === null ? null : new Map([...taken].map(([name, value]) => [full(name), value]));
    },
  };
}
