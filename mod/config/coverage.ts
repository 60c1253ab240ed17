/**
 * Whether one route takes everything that another would: then the other, standing later, is never reached. Pure.
 *
 * It errs on the side of "no": expressions and parameters are compared as text only. Routes are filed by the paths
 * and hosts they take, so that thousands of them are not compared each with each.
 */
import { isExpression } from "../route/expression.ts";
import type { RouteConfig } from "./route_schema.ts";

type Match = RouteConfig["match"];

/** The routes of a listener so far. */
export class Coverage {
  readonly #filed = new Map<string, { readonly match: Match; readonly index: number }[]>();

  /** Files a route that stands at `index`, in rising order. */
  add(match: Match, index: number): void {
    for (const host of match.host.length === 0 ? [""] : match.host) {
      const key = keyOf(match.path, host);
      const filed = this.#filed.get(key) ?? [];
      this.#filed.set(key, filed);
      filed.push({ match, index });
    }
  }

  /** The index of the first route that surely takes every request that `later` would match, or null. */
  coveredBy(later: Match): number | null {
    let first: number | null = null;
    for (const path of coveringPaths(later.path)) {
      for (const host of coveringHosts(later.host[0])) {
        const found = this.#filed.get(keyOf(path, host))?.find(({ match }) => covers(match, later));
        if (found !== undefined && (first === null || found.index < first)) first = found.index;
      }
    }
    return first;
  }
}

function keyOf(path: string | undefined, host: string): string {
  return `${host} ${path ?? ""}`;
}

/** Every path of a route that takes all of what a path takes. */
function coveringPaths(later: string | undefined): (string | undefined)[] {
  // A route without a path also takes `OPTIONS *`, which no path does.
  if (later === undefined) return [undefined];
  const paths = [undefined, later, "*", "/*"];
  if (isExpression(later)) return paths;
  for (let slash = later.indexOf("/", 1); slash > 0; slash = later.indexOf("/", slash + 1)) {
    paths.push(`${later.slice(0, slash)}/*`);
  }
  // `/static/*` also takes `/static`.
  paths.push(`${later}/*`);
  // What stands before the `/*` is compared as text, so it must be nothing but text.
  return paths.filter((path) => path === later || path === undefined || !/[:{*]/.test(path.slice(0, -2)));
}

/** Every host of a route that takes all of what a host takes; of several hosts each is looked at by `covers`. */
function coveringHosts(later: string | undefined): string[] {
  if (later === undefined) return [""];
  const hosts = ["", later];
  if (isExpression(later)) return hosts;
  for (let dot = later.indexOf("."); dot > 0; dot = later.indexOf(".", dot + 1)) {
    hosts.push(`*${later.slice(dot)}`);
  }
  return hosts;
}

/** True when every request that `later` matches is surely matched by `earlier`, given that the path is. */
function covers(earlier: Match, later: Match): boolean {
  return coversHosts(earlier.host, later.host) && coversWords(earlier.method, later.method) &&
    coversWords(earlier.client, later.client) && coversHosts(earlier.sni, later.sni) &&
    isSubset(earlier.headers, later.headers) &&
    isSubset(earlier.query, later.query) && isSubset(earlier.cookies, later.cookies) &&
    isSubset(earlier.not, later.not);
}

function coversHosts(earlier: readonly string[], later: readonly string[]): boolean {
  if (earlier.length === 0) return true;
  if (later.length === 0) return false;
  return later.every((host) => coveringHosts(host).some((one) => earlier.includes(one)));
}

function coversWords(earlier: readonly string[], later: readonly string[]): boolean {
  return earlier.length === 0 || later.length > 0 && later.every((word) => earlier.includes(word));
}

/** Every condition of the earlier route is one of the later's too. */
function isSubset(earlier: readonly unknown[], later: readonly unknown[]): boolean {
  const given = new Set(later.map((condition) => JSON.stringify(condition)));
  return earlier.every((condition) => given.has(JSON.stringify(condition)));
}
