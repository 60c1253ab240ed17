/**
 * Where a redirect points: the `to` of the configuration, filled with what the route's path captured.
 *
 * Captured text is data of a stranger: it is percent-encoded, may not make a new authority (`//host`), and stands
 * only behind the authority of `to`, which `redirectProblem` holds at configuration time. The query follows
 * nginx's `rewrite`: it is passed on, behind the arguments of `to` if there are any, unless `to` ends in `?`.
 */
import type { RouteAction, RouteSnapshot } from "../config/snapshot.ts";
import type { RequestFacts } from "./match.ts";
import { canonicalPath } from "./path.ts";
import { parsePattern } from "./pattern.ts";

type Redirect = Extract<RouteAction, { kind: "redirect" }>;

/**
 * Value of the `Location` field for a request that `route` matched. Printable ASCII without spaces, whatever came.
 *
 * @throws Error when the route's path is not a pattern, which the configuration never lets through.
 */
export function redirectTarget(action: Redirect, route: RouteSnapshot, facts: RequestFacts): string {
  const values = capture(route.match.path, canonicalPath(facts.path));
  const filled = action.to.replace(PLACEHOLDER, (text, name: string | undefined) => {
    return values.get(name ?? "*") ?? text;
  });
  const target = encodeTarget(withQuery(filled, facts.query));
  // `to: /*` and the path `/old//evil.example` must not become a redirect to another host.
  return AUTHORITY.test(action.to) ? target : target.replace(/^\/{2,}/, "/");
}

/** Value of `Location` for the same place under https; null: the request names no host. */
export function httpsTarget(port: number, { host, path, query }: RequestFacts): string | null {
  if (host === "") return null;
  const authority = port === 443 ? host : `${host}:${port}`;
  return encodeTarget(`https://${authority}${path === "*" ? "/" : path}${query === "" ? "" : `?${query}`}`);
}

/** What is wrong with a redirect's `to` on a route with this path, as a sentence, or null. */
export function redirectProblem(to: string, path: string | undefined): string | null {
  const pattern = path === undefined ? null : parsePattern(path);
  if (typeof pattern === "string") return null; // the path's own problem is told already
  if (!/^(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/?#]|^\/(?!\/)/.test(to)) {
    return "must be a URL with a host, or a path that begins with one `/`";
  }
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\x00-\x20\x7f]/.test(to)) return "must not hold spaces or control characters";
  const authority = AUTHORITY.exec(to)?.[0] ?? "";
  if (authority.includes("*") || authority.replace(/^[^/]*\/\//, "").match(PLACEHOLDER) !== null) {
    return "a placeholder may stand only behind the host, else a request could choose where it is sent";
  }
  for (const [text, name] of to.slice(authority.length).matchAll(PLACEHOLDER)) {
    if (name === undefined && pattern !== null && !pattern.wildcard) {
      return "has a `*`, but the route's path does not end in one";
    }
    if (name !== undefined && !(pattern?.names.includes(name) ?? false)) {
      return `\`${text}\` is not a parameter of the route's path (a literal colon is \`%3A\`)`;
    }
  }
  return null;
}

const PLACEHOLDER = /\*|:([A-Za-z_][A-Za-z0-9_]*)/g;
const AUTHORITY = /^(?:[A-Za-z][A-Za-z0-9+.-]*:)?\/\/[^/?#]*/;

function capture(pattern: string | undefined, path: string): ReadonlyMap<string, string> {
  // A route without a path takes every path, and so does its `*`.
  const parsed = parsePattern(pattern ?? "/*");
  if (typeof parsed === "string") throw new Error(`Cannot redirect from \`${pattern}\` as ${parsed}`);
  return parsed.capture(path) ?? new Map([["*", ""], ...parsed.names.map((name) => [name, ""] as const)]);
}

/** The request's query goes before a fragment and behind the arguments that are there. */
function withQuery(to: string, query: string): string {
  const hash = to.indexOf("#");
  const fragment = hash < 0 ? "" : to.slice(hash);
  const base = hash < 0 ? to : to.slice(0, hash);
  if (base.endsWith("?")) return base.slice(0, -1) + fragment;
  if (query === "") return to;
  return base + (base.includes("?") ? "&" : "?") + query + fragment;
}

/** What cannot stand in a URI (RFC 3986) is percent-encoded; up to U+00FF a character is a byte of the wire. */
export function encodeTarget(target: string): string {
  return target.replace(/[^!#-;=?-[\]_a-z~]/gu, (character) => {
    const code = character.codePointAt(0)!;
    if (code > 0xff) return code >= 0xd800 && code <= 0xdfff ? "%EF%BF%BD" : encodeURIComponent(character);
    return "%" + code.toString(16).toUpperCase().padStart(2, "0");
  });
}
