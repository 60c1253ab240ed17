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
import { type Condition, conditionsOf } from "../mod/route/condition.ts";
import { isExpression } from "../mod/route/expression.ts";
import { hostExpressions } from "../mod/route/host.ts";
import type { FactNeeds, RequestFacts, RouteTable } from "../mod/route/match.ts";
import { canonicalPath } from "../mod/route/path.ts";
import { parsePattern, type Pattern } from "../mod/route/pattern.ts";

/** Makes the router of one part for that many paths. Tests give each of hono's routers alone. */
export type RouterFactory = (paths: number) => Router<Candidate>;

/** A route inside a router. */
export interface Candidate {
  readonly index: number;
  /** Empty: any. */
  readonly methods: readonly string[];
  /** Only when the router's word is not enough. */
  readonly pattern: Pattern | null;
  readonly conditions: readonly Condition[];
  /** True when its place in the table says all there is to check. */
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
    if (match.hosts.length === 0 && isCatchAll(match)) break; // nothing behind it can be reached
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

/** True when a route takes everything of its hosts. */
function isCatchAll(match: RouteMatch): boolean {
  return match.path === undefined && match.methods.length === 0 && conditionsOf(match).length === 0;
}

/** The routes that share one host, one wildcard, or none of either. */
class Part {
  /** Lowest index in this part, to know when asking is useless. */
  first = NONE;
  /** Index of the route that takes what no other takes; nothing is added behind it. */
  #catchAll = NONE;
  /** Routes for which no router is asked, and those with a path that one finds. */
  readonly #unrouted: Candidate[] = [];
  readonly #methods = new Set<string>();
  readonly #paths: { readonly method: string; readonly path: string; readonly candidate: Candidate }[] = [];
  #router: Router<Candidate> | null = null;

  /** `conditions`: what the candidate has to be asked for. */
  add(index: number, { path, methods }: RouteMatch, conditions: readonly Condition[]): void {
    if (this.#catchAll !== NONE) return;
    if (this.first === NONE) this.first = index;
    const pattern = path === undefined ? null : patternOf(path);
    if (pattern === null && methods.length === 0 && conditions.length === 0) this.#catchAll = index;
    else if (pattern === null || pattern.routerPaths.length === 0) {
      this.#unrouted.push({ index, methods, pattern, conditions, plain: false });
    } else {
      this.#addPath({
        index,
        methods,
        pattern: pattern.constrained ? pattern : null,
        conditions,
        plain: conditions.length === 0 && !pattern.constrained && !methods.includes(ANY_METHOD),
      }, pattern.routerPaths);
    }
  }

  #addPath(candidate: Candidate, paths: readonly string[]): void {
    const { methods } = candidate;
    for (const method of methods.length === 0 ? [ANY_METHOD] : methods) {
      this.#methods.add(method);
      for (const path of paths) this.#paths.push({ method, path, candidate });
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
    const best = Math.min(bound, this.#catchAll);
    const found = this.#found(method, path, best);
    const unrouted = this.#unrouted;
    // In the order of the configuration, so that no condition is looked at behind a route that matches.
    for (let routed = 0, rest = 0;;) {
      const one = found[routed]?.[0], other = unrouted[rest];
      const candidate = other === undefined || one !== undefined && one.index < other.index ? one : other;
      if (candidate === undefined || candidate.index >= best) return best;
      if (candidate.plain || holds(candidate, facts, method, path)) return candidate.index;
      if (candidate === one) routed++;
      else rest++;
    }
  }

  /** What the router finds, in order. */
  #found(method: string, path: string, best: number): readonly (readonly [Candidate, unknown])[] {
    // A target that is no path (`OPTIONS *`) has no business in a router of paths.
    if (this.#router === null || this.#paths[0]!.candidate.index >= best || path.charCodeAt(0) !== SLASH) {
      return NOTHING;
    }
    // Only methods that were added: hono looks them up in plain objects, where `constructor` is found as well.
    return this.#router.match(this.#methods.has(method) ? method : ANY_METHOD, path)[0];
  }
}

const NOTHING: readonly (readonly [Candidate, unknown])[] = [];
const SLASH = 0x2f;

function patternOf(path: string): Pattern {
  const pattern = parsePattern(path);
  if (typeof pattern === "string") throw new Error(`Cannot build the route for \`${path}\` as ${pattern}`);
  return pattern;
}

/** Everything of a candidate that its place in the table does not say already. */
function holds(candidate: Candidate, facts: RequestFacts, method: string, path: string): boolean {
  const { methods, pattern, conditions } = candidate;
  if (methods.length > 0 && !methods.includes(method)) return false;
  if (pattern !== null && !pattern.matches(path)) return false;
  for (const condition of conditions) if (!condition(facts)) return false;
  return true;
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
    const conditions = conditionsOf(match);
    if (match.hosts.length === 0) this.#anyHost.add(index, match, conditions);
    const expressions = hostExpressions(match.hosts);
    if (expressions !== null) {
      this.#anyHost.add(index, match, [({ host }) => expressions(host), ...conditions]);
    }
    for (const host of match.hosts) if (!isExpression(host)) this.#partOf(host).add(index, match, conditions);
  }

  #partOf(host: string): Part {
    const wildcard = host.startsWith("*.");
    const parts = wildcard ? this.#suffixes : this.#exact;
    const key = wildcard ? host.slice(1) : host;
    let part = parts.get(key);
    if (part === undefined) parts.set(key, part = new Part());
    return part;
  }

  finish(routes: readonly RouteSnapshot[]): RouteTable {
    for (const part of [this.#anyHost, ...this.#exact.values(), ...this.#suffixes.values()]) {
      part.build(this.#router);
    }
    const needs = needsOf(routes.slice(0, this.#reachable));
    const conditional = needs.method || needs.host || needs.path || needs.more;
    return {
      needs,
      constant: conditional ? null : routes.length > 0 ? 0 : -1,
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
  const matches = routes.flatMap(({ match }) => [match, ...match.not ?? []]);
  return {
    method: matches.some(({ methods }) => methods.length > 0),
    host: matches.some(({ hosts }) => hosts.length > 0),
    path: matches.some(({ path }) => path !== undefined),
    more: matches.some(({ headers, query, cookies = [], clients = [], tls }) =>
      headers.length + query.length + cookies.length + clients.length > 0 || tls !== undefined
    ),
  };
}
