/**
 * Redirects that plainly lead to where they are: a sample of what the route takes is redirected, and comes back to the
 * same route. It errs on the side of "no": where anything else could have a say, nothing is said. Pure.
 */
import { capturesOf } from "../route/captures.ts";
import { isExpression } from "../route/expression.ts";
import { hostTest } from "../route/host.ts";
import type { RequestFacts } from "../route/match.ts";
import { parsePattern } from "../route/pattern.ts";
import { redirectOf, redirectTarget } from "../route/redirect.ts";
import { referencesOf } from "../route/template.ts";
import type { RequestSource } from "../route/variables.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import { routeMatch } from "./match_schema.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RouteAction } from "./snapshot.ts";

type Match = RouteConfig["match"];
export type RedirectAction = Extract<RouteAction, { kind: "redirect" }>;

/** A host that no `to` names by itself. */
const ANY_HOST = "any.invalid";
/** What a sample says of itself. */
const KNOWN = new Set(["scheme", "host", "authority", "path", "uri", "query", "capture"]);

/** Whether the redirect of the route at `index`, which is without faults, leads to this route again. */
export function leadsBack({ tls, routes }: ListenerConfig, index: number, action: RedirectAction): boolean {
  const { match } = routes[index]!;
  const path = samplePath(match.path);
  if (path === null || asksMore(match)) return false;
  const { to } = redirectOf(action.to);
  if (!referencesOf(to).every(({ variable }) => KNOWN.has(variable.name))) return false;
  const scheme = tls === undefined ? "http" : "https";
  const hosts = match.host.length === 0 ? [ANY_HOST] : match.host;
  return hosts.filter((host) => !isExpression(host)).some((pattern) => {
    const host = pattern.replace(/^\*/, "x");
    const [method = "GET"] = match.method;
    const facts = { method, host, path, query: "", client: "", header: () => null };
    const target = URL.parse(
      redirectTarget(redirectOf(action.to), sampleSource(match, facts, scheme)),
      `${scheme}://${host}${path}`,
    );
    if (target === null || target.protocol !== `${scheme}:` || target.port !== "") return false;
    // A name that only `to` has may be anybody's.
    if (match.host.length === 0 && target.hostname !== host) return false;
    const later = action.status > 303 || method === "HEAD" ? method : "GET";
    const takes = (one: Match) => mayTake(one, later, target.hostname, target.pathname);
    return takes(match) && !routes.slice(0, index).some((route) => takes(route.match));
  });
}

/** A path that the pattern takes; null: that would have to be guessed. */
function samplePath(pattern = "/*"): string | null {
  return isExpression(pattern) || pattern.includes("{") ? null : pattern.replace(/:\w+\??|\*/g, "x");
}

/** Conditions that may not hold for the request that follows. */
function asksMore({ headers, query, cookies, client, not, sni }: Match): boolean {
  return [headers, query, cookies, client, not, sni].some((conditions) => conditions.length > 0);
}

function mayTake({ host, method, path }: Match, asked: string, name: string, target: string): boolean {
  const pattern = parsePattern(path ?? "/*");
  return (host.length === 0 || hostTest(host)(name)) && (method.length === 0 || method.includes(asked)) &&
    typeof pattern !== "string" && pattern.matches(target);
}

function sampleSource(match: Match, facts: RequestFacts, scheme: "http" | "https"): RequestSource {
  const captures = capturesOf(routeMatch(match)).take(facts);
  const tls = { version: "", cipher: "", serverName: "", alpn: "", client: null };
  return {
    facts,
    authority: facts.host,
    clientAddress: "",
    clientPort: 0,
    listener: "",
    listenerAddress: "",
    listenerPort: 0,
    tls: scheme === "https" ? tls : null,
    requestId: "",
    user: "",
    claim: () => "",
    capture: (name) => captures.get(name) ?? "",
  };
}
