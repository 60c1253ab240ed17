/**
 * Rules about what listeners and routes change of messages: where that has a sense, and which captures there are. Pure.
 */
import { capturesOf } from "../route/captures.ts";
import { parsePattern } from "../route/pattern.ts";
import { captureFaults, capturesNamed, parseTemplate } from "../route/template.ts";
import type { HeadersConfig } from "./header_schema.ts";
import type { ListenerConfig } from "./listener_schema.ts";
import type { Path } from "./problem.ts";
import { routeMatch } from "./match_schema.ts";
import { poolsOfRoute } from "./route_pools.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { RuleContext } from "./rules.ts";
import type { HeaderRules, RewriteSnapshot, TemplatePairs } from "./snapshot.ts";

const CHANGES = ["rewrite", "headers", "errorPages", "interceptErrors"] as const;
const TEMPLATES = { answers: true, groups: 10, placeholders: false };

export function checkListenerChanges(context: RuleContext, listener: ListenerConfig, at: number): void {
  const path = ["listeners", at];
  const { protocol, headers, hsts } = listener;
  if (protocol !== "http") return refuseAll(context, path, protocol);
  checkInterception(context, path, listener.interceptErrors, [listener, ...listener.routes]);
  if (headers === undefined) return;
  checkCaptures(context, [...path, "headers"], textsOfHeaders(headers), null);
  if (hsts !== undefined) checkHsts(context, path, headers);
}

export function checkRouteChanges(
  context: RuleContext,
  listener: ListenerConfig,
  route: RouteConfig,
  path: Path,
): void {
  const { protocol, hsts } = listener;
  const { headers, rewrite, action, match } = route;
  if (protocol !== "http") return refuseAll(context, path, protocol);
  checkInterception(context, path, route.interceptErrors, [listener, route]);
  for (const [given, key] of [[rewrite, ["rewrite"]], [headers?.request, ["headers", "request"]]] as const) {
    if (given === undefined || poolsOfRoute(route).length > 0) continue;
    context.error(
      [...path, ...key],
      `has no effect beside ${action.kind}: no server gets the request`,
      "key",
    );
  }
  const taken = takenBy(context, match, path);
  if (headers !== undefined) {
    checkCaptures(context, [...path, "headers"], textsOfHeaders(headers), taken);
    if (hsts !== undefined) checkHsts(context, path, headers);
  }
  if (action.kind === "respond") {
    checkCaptures(context, [...path, "respond"], [{ path: ["body"], text: action.body }], taken);
  }
  if (rewrite === undefined) return;
  checkCaptures(context, [...path, "rewrite"], textsOfRewrite(rewrite), taken);
  checkPrefix(context, match, rewrite.stripPrefix, path, "rewrite");
}

/** What a route takes, as far as it is known: what the conditions that were cut out would have taken nobody knows. */
export interface Taken {
  readonly names: readonly string[];
  isLost(name: string): boolean;
}

/** What the route at `path` takes. */
export function takenBy(context: RuleContext, match: RouteConfig["match"], path: Path): Taken {
  const here = [...path, "match"];
  const lost = context.whole(here)
    ? []
    : Object.entries(SOURCES).filter(([, field]) => !context.whole([...here, field])).map(([source]) =>
      source
    );
  return {
    names: capturesOf(routeMatch(match)).names,
    isLost: (name) => lost.some((source) => name.startsWith(`${source}.`)),
  };
}

/** The condition that the captures of each name come from. */
const SOURCES = { path: "path", host: "host", header: "headers", query: "query", cookie: "cookies" };

/** Refuses a prefix that no path of the route begins with. */
export function checkPrefix(
  context: RuleContext,
  match: RouteConfig["match"],
  prefix: string,
  path: Path,
  kind: "files" | "rewrite",
): void {
  if (match.path === undefined || prefix === "") return;
  const pattern = parsePattern(match.path);
  if (typeof pattern === "string" || pattern.mayBeginWith(prefix)) return;
  context.error([...path, kind, "stripPrefix"], `is not how ${match.path} begins`);
}

function refuseAll(context: RuleContext, path: Path, protocol: string): void {
  for (const key of CHANGES) {
    if (!context.given([...path, key])) continue;
    context.error([...path, key], `cannot stand on a ${protocol} listener, which sees no requests`, "key");
  }
}

/** `pages`: where they may come from. */
function checkInterception(
  context: RuleContext,
  path: Path,
  intercepts: boolean | undefined,
  pages: readonly Pick<RouteConfig, "errorPages">[],
): void {
  if (intercepts !== true || pages.some(({ errorPages }) => errorPages !== undefined)) return;
  if (!context.whole(path)) return;
  context.warn([...path, "interceptErrors"], "has no effect without errorPages", "key");
}

interface Placed {
  readonly path: Path;
  readonly text: string;
  /** Whether `:id` and `*` are captures. */
  readonly placeholders?: boolean;
}

/** `taken`: null: nothing, as it is for every route. */
function checkCaptures(
  context: RuleContext,
  path: Path,
  texts: readonly Placed[],
  taken: Taken | null,
): void {
  for (const { path: inner, text, placeholders = false } of texts) {
    const template = parseTemplate(text, { ...TEMPLATES, placeholders });
    if ("faults" in template) continue;
    const faults = taken === null
      ? capturesNamed(template).map(({ part }) => ({ part, message: `has ${part}, ${NO_ROUTE}` }))
      : captureFaults(template, taken.names, taken.isLost);
    // A single value may be written without its list.
    const where = [...path, ...inner];
    for (const { message, part } of faults) {
      context.error(context.given(where) ? where : where.slice(0, -1), message, "value", part);
    }
  }
}

const NO_ROUTE = "which is a route's, and this is for every route";

function textsOfHeaders({ request, response }: HeadersConfig): Placed[] {
  return [
    ...(request === undefined ? [] : textsOfRules(request, "request")),
    ...(response === undefined ? [] : textsOfRules(response, "response")),
    ...(["location", "cookieDomain", "cookiePath"] as const).flatMap((key) =>
      pairs(response?.[key] ?? [], "response", key)
    ),
  ];
}

function textsOfRules({ set, add, replace }: HeaderRules, side: string): Placed[] {
  return [
    ...pairs(set, side, "set"),
    ...pairs(add, side, "add"),
    ...replace.map(({ with: text }, at) => ({ path: [side, "replace", at, "with"], text })),
  ];
}

function textsOfRewrite({ path, replace, query, host }: RewriteSnapshot): Placed[] {
  return [
    ...(path === null ? [] : [{ path: ["path"], text: path, placeholders: true }]),
    ...(host === null ? [] : [{ path: ["host"], text: host }]),
    ...replace.map(({ with: text }, at) => ({ path: ["replace", at, "with"], text })),
    ...(typeof query === "string" ? [{ path: ["query"], text: query }] : []),
    ...(query === null || typeof query === "string"
      ? []
      : [...pairs(query.set, "query", "set"), ...pairs(query.add, "query", "add")]),
  ];
}

function pairs(given: TemplatePairs, ...path: string[]): Placed[] {
  return given.map(([name, text]) => ({ path: [...path, name], text }));
}

/** Browsers look at the first of several only, and `hsts` replaces that of servers by itself. */
function checkHsts(context: RuleContext, path: Path, { response }: HeadersConfig): void {
  for (const key of ["set", "add"] as const) {
    for (const [name] of response?.[key] ?? []) {
      if (name.toLowerCase() !== "strict-transport-security") continue;
      context.error([...path, "headers", "response", key, name], "is what hsts of the listener sets", "key");
    }
  }
}
