/**
 * Rules about what listeners and routes change of messages: where that has a sense, and which captures there are. Pure.
 */
import { capturesOf } from "../route/captures.ts";
import { captureProblem, parseTemplate, type Template } from "../route/template.ts";
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
  if (!context.whole([...path, "match"])) return;
  const { names } = capturesOf(routeMatch(match));
  if (headers !== undefined) {
    checkCaptures(context, [...path, "headers"], textsOfHeaders(headers), names);
    if (hsts !== undefined) checkHsts(context, path, headers);
  }
  if (rewrite !== undefined) checkCaptures(context, [...path, "rewrite"], textsOfRewrite(rewrite), names);
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

/** `captures`: null: there are none, as it is for every route. */
function checkCaptures(
  context: RuleContext,
  path: Path,
  texts: readonly Placed[],
  captures: readonly string[] | null,
): void {
  for (const { path: inner, text, placeholders = false } of texts) {
    const template = parseTemplate(text, { ...TEMPLATES, placeholders });
    if ("message" in template) continue;
    const problem = captures === null ? noCaptures(template) : captureProblem(template, captures);
    // A single value may be written without its list.
    const where = [...path, ...inner];
    if (problem !== null) context.error(context.given(where) ? where : where.slice(0, -1), problem);
  }
}

function noCaptures(template: Template): string | null {
  const has = template.some((piece) => typeof piece === "object" && piece.variable.name === "capture");
  return has ? "has $capture(…), which is a route's, and this is for every route" : null;
}

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
