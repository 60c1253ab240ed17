/**
 * What a route's conditions took of a request, by name, for whatever is written with it: `path.id` and `path.*` of
 * the path, `host.*` of a wildcard.
 *
 * Taken after the match and only for routes that use it, as a route that is remembered by its bytes matches without
 * a string. Values are data of a stranger, as they were matched: of the path canonical and percent-encoded, of the
 * host in lower case. Whoever writes one encodes it for where it is written. Pure.
 */
import type { RouteMatch } from "../config/snapshot.ts";
import type { RequestFacts } from "./match.ts";
import { canonicalPath } from "./path.ts";
import { parsePattern } from "./pattern.ts";

/** Has every name of its `Capturing`; what took nothing is empty. */
export type Captures = ReadonlyMap<string, string>;

/** Takes the captures of one route. */
export interface Capturing {
  /** Known from the configuration alone, so that a name that is none can be refused there. */
  readonly names: readonly string[];
  /** Of a request that the route matched; good only while `facts` are, so what is needed later is kept. */
  take(facts: RequestFacts): Captures;
}

/** Takes one part of them; what does not match gives nothing. */
type Source = (facts: RequestFacts) => Iterable<readonly [name: string, value: string]>;

/**
 * What the conditions of `match` capture.
 *
 * @throws Error when its path is not a pattern, which the configuration never lets through.
 */
export function capturesOf(match: RouteMatch): Capturing {
  const names: string[] = [];
  const sources: Source[] = [];
  const suffixes = match.hosts.filter((host) => host.startsWith("*.")).map((host) => host.slice(1));
  if (suffixes.length > 0) {
    names.push("host.*");
    sources.push(({ host }) => wildcardOf(host, suffixes));
  }
  // A route without a path takes every path, and so does its `*`.
  const pattern = parsePattern(match.path ?? "/*");
  if (typeof pattern === "string") throw new Error(`Cannot capture from \`${match.path}\` as ${pattern}`);
  names.push(...pattern.names.map((name) => `path.${name}`), ...(pattern.wildcard ? ["path.*"] : []));
  sources.push(({ path }) => {
    const taken = [...pattern.capture(canonicalPath(path)) ?? []];
    return taken.map(([name, value]) => [`path.${name}`, value] as const);
  });
  return { names, take: (facts) => taken(names, sources, facts) };
}

function taken(names: readonly string[], sources: readonly Source[], facts: RequestFacts): Captures {
  const values = new Map(names.map((name) => [name, ""]));
  for (const source of sources) for (const [name, value] of source(facts)) values.set(name, value);
  return values;
}

function wildcardOf(host: string, suffixes: readonly string[]): [string, string][] {
  const suffix = suffixes.find((one) => host.length > one.length && host.endsWith(one));
  return suffix === undefined ? [] : [["host.*", host.slice(0, -suffix.length)]];
}
