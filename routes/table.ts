/**
 * Traffic routes in hono's router: built once a snapshot, asked once a request.
 *
 * Routes are parted by host first (exact names and wildcards in maps, the rest in one part), and each part has a
 * SmartRouter over RegExpRouter and TrieRouter for method and path. The lowest index over the few parts that a
 * host belongs to wins, which is the first match of the configuration. So 500 virtual hosts cost two map look-ups.
 * It must not know what a route does, nor where the facts come from.
 */
import type { Router } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import type { RouteMatch, RouteSnapshot } from "../mod/config/snapshot.ts";
import { type FactNeeds, fieldsMatch, type RequestFacts, type RouteTable } from "../mod/route/match.ts";
import { canonicalPath } from "../mod/route/path.ts";
import { parsePattern, type Pattern } from "../mod/route/pattern.ts";

/** Makes the router of one part for that many paths. Tests give each of hono's routers alone. */
export type RouterFactory = (paths: number) => Router<Candidate>;

/** A route inside a router. */
export interface Candidate {
  readonly index: number;
  readonly match: RouteMatch;
  /** Only when the router's word is not enough. */
  readonly pattern: Pattern | null;
  /** True when host, method and path are all there is to check. */
  readonly plain: boolean;
}

/**
 * Builds the table of one listener.
 *
 * @throws Error when a path is not a pattern (`patternProblem` tells it beforehand) or hono refuses it.
 */
export function buildRouteTable(
  routes: readonly RouteSnapshot[],
  router: RouterFactory = smartRouter,
): RouteTable {
  const parts = new Parts(router);
  for (const [index, { match }] of routes.entries()) {
    parts.add(index, match);
    if (isUnconditional(match)) break; // nothing behind it can be reached
  }
  return parts.finish(routes);
}

/**
 * Where a path is tried against one expression of all paths, that is the fastest for few and grows with them
 * (measured: 0.1 µs for one, 3.8 µs for 500), while a walk of the trie stays at 0.6 µs. What `RegExpRouter` cannot
 * express (it says so) goes to the trie as well.
 */
const REGEXP_PATHS = 50;

function smartRouter(paths: number): Router<Candidate> {
  const trie = new TrieRouter<Candidate>();
  return new SmartRouter({ routers: paths > REGEXP_PATHS ? [trie] : [new RegExpRouter(), trie] });
}

/** hono's word for any method. A request's method that no route names is asked for as this one. */
const ANY_METHOD = "ALL";
const NONE = Infinity;

function isUnconditional(match: RouteMatch): boolean {
  return match.hosts.length === 0 && isCatchAll(match);
}

/** True when a route takes everything of its hosts. */
function isCatchAll(match: RouteMatch): boolean {
  return match.path === undefined && match.methods.length === 0 && isPlain(match);
}

function isPlain(match: RouteMatch): boolean {
  return match.headers.length === 0 && match.query.length === 0;
}

/** The routes that share one host, one wildcard, or none of either. */
class Part {
  /** Lowest index in this part, to know when asking is useless. */
  first = NONE;
  /** Index of the route that takes what no other takes; nothing is added behind it. */
  #catchAll = NONE;
  /** Routes without a path, which need no router, and those with one. */
  readonly #pathless: Candidate[] = [];
  readonly #methods = new Set<string>();
  readonly #paths: { readonly method: string; readonly path: string; readonly candidate: Candidate }[] = [];
  #router: Router<Candidate> | null = null;

  add(index: number, match: RouteMatch): void {
    if (this.#catchAll !== NONE) return;
    if (this.first === NONE) this.first = index;
    if (isCatchAll(match)) this.#catchAll = index;
    else if (match.path === undefined) {
      this.#pathless.push({ index, match, pattern: null, plain: false });
    } else {
      this.#addPath(index, match, match.path);
    }
  }

  #addPath(index: number, match: RouteMatch, text: string): void {
    const pattern = parsePattern(text);
    if (typeof pattern === "string") throw new Error(`Cannot build the route for \`${text}\` as ${pattern}`);
    const candidate = {
      index,
      match,
      pattern: pattern.constrained ? pattern : null,
      plain: isPlain(match) && !pattern.constrained && !match.methods.includes(ANY_METHOD),
    };
    const methods = match.methods.length === 0 ? [ANY_METHOD] : match.methods;
    for (const method of methods) {
      this.#methods.add(method);
      for (const path of pattern.routerPaths) this.#paths.push({ method, path, candidate });
    }
  }

  /** Makes the router, once everything is added. */
  build(factory: RouterFactory): void {
    if (this.#paths.length === 0) return;
    const router = factory(this.#paths.length);
    for (const { method, path, candidate } of this.#paths) router.add(method, path, candidate);
    // hono builds at the first match: done now, so that what it refuses is known now.
    router.match(ANY_METHOD, "/");
    this.#router = router;
  }

  /** The lowest index below `bound` of a route that matches, or `bound`. */
  match(facts: RequestFacts, method: string, path: string, bound: number): number {
    let best = Math.min(bound, this.#catchAll);
    for (const candidate of this.#pathless) {
      if (candidate.index >= best) break;
      if (holds(candidate, facts, method, path)) best = candidate.index;
    }
    // A target that is no path (`OPTIONS *`) has no business in a router of paths.
    if (this.#router === null || this.#paths[0]!.candidate.index >= best || path.charCodeAt(0) !== SLASH) {
      return best;
    }
    // Only methods that were added: hono looks them up in plain objects, where `constructor` is found as well.
    const known = this.#methods.has(method) ? method : ANY_METHOD;
    for (const [candidate] of this.#router.match(known, path)[0]) {
      if (candidate.index >= best) break;
      if (candidate.plain || holds(candidate, facts, method, path)) return candidate.index;
    }
    return best;
  }
}

const SLASH = 0x2f;

/** Everything of a candidate that its place in the table does not say already. */
function holds({ match, pattern }: Candidate, facts: RequestFacts, method: string, path: string): boolean {
  if (match.methods.length > 0 && !match.methods.includes(method)) return false;
  if (pattern !== null && pattern.capture(path) === null) return false;
  return fieldsMatch(match, facts);
}

class Parts {
  readonly #router: RouterFactory;
  readonly #exact = new Map<string, Part>();
  /** By what follows the star: `.example.com`. */
  readonly #suffixes = new Map<string, Part>();
  readonly #anyHost: Part = new Part();
  #reachable = 0;

  constructor(router: RouterFactory) {
    this.#router = router;
  }

  add(index: number, match: RouteMatch): void {
    this.#reachable = index + 1;
    if (match.hosts.length === 0) this.#anyHost.add(index, match);
    for (const host of match.hosts) {
      const wildcard = host.startsWith("*.");
      const parts = wildcard ? this.#suffixes : this.#exact;
      const key = wildcard ? host.slice(1) : host;
      let part = parts.get(key);
      if (part === undefined) parts.set(key, part = new Part());
      part.add(index, match);
    }
  }

  finish(routes: readonly RouteSnapshot[]): RouteTable {
    for (const part of [this.#anyHost, ...this.#exact.values(), ...this.#suffixes.values()]) {
      part.build(this.#router);
    }
    const needs = needsOf(routes.slice(0, this.#reachable));
    const conditional = needs.method || needs.host || needs.path || needs.header || needs.query;
    return {
      needs,
      constant: conditional ? null : routes.length > 0 ? 0 : -1,
      cacheable: !needs.header && !needs.query,
      match: (facts) => this.#match(facts, needs),
    };
  }

  #match(facts: RequestFacts, needs: FactNeeds): number {
    const method = needs.method ? facts.method : ANY_METHOD;
    const path = needs.path ? canonicalPath(facts.path) : "/";
    let best = NONE;
    if (needs.host) {
      const host = facts.host;
      best = this.#exact.get(host)?.match(facts, method, path, best) ?? best;
      if (this.#suffixes.size > 0) best = this.#matchSuffixes(host, facts, method, path, best);
    }
    if (this.#anyHost.first < best) best = this.#anyHost.match(facts, method, path, best);
    return best === NONE ? -1 : best;
  }

  #matchSuffixes(host: string, facts: RequestFacts, method: string, path: string, best: number): number {
    // From 1: the star stands for at least one label.
    for (let dot = host.indexOf(".", 1); dot > 0; dot = host.indexOf(".", dot + 1)) {
      const part = this.#suffixes.get(host.slice(dot));
      if (part !== undefined && part.first < best) best = part.match(facts, method, path, best);
    }
    return best;
  }
}

function needsOf(routes: readonly RouteSnapshot[]): FactNeeds {
  return {
    method: routes.some(({ match }) => match.methods.length > 0),
    host: routes.some(({ match }) => match.hosts.length > 0),
    path: routes.some(({ match }) => match.path !== undefined),
    header: routes.some(({ match }) => match.headers.length > 0),
    query: routes.some(({ match }) => match.query.length > 0),
  };
}
