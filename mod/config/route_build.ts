/**
 * The part of a snapshot that is about routes: conditions, actions, what is changed of messages, pages with their
 * texts. Pure: the texts of files are a parameter.
 */
import { mediaType, UNKNOWN } from "../files/media_type.ts";
import { BODY_SCOPE } from "../route/respond.ts";
import { constantOf, templateOf } from "../route/template.ts";
import { statusRange } from "./error_page_schema.ts";
import type { FallbackConfig } from "./failure_schema.ts";
import type { FallbackSnapshot } from "./failure_snapshot.ts";
import { pathFrom } from "./file_paths.ts";
import { functionPool } from "./function_pool.ts";
import type { HeadersConfig } from "./header_schema.ts";
import { routeMatch } from "./match_schema.ts";
import type { ActionConfig, RouteConfig } from "./route_schema.ts";
import type { ErrorPages, HeadersSnapshot, RouteAction, RouteSnapshot } from "./snapshot.ts";

const PLAIN = "text/plain; charset=utf-8";

type Texts = ReadonlyMap<string, string>;

/** A route; `directory` is where relative paths start, `files` has the texts of files by path as written. */
export function routeSnapshot(route: RouteConfig, directory: string, files: Texts): RouteSnapshot {
  return {
    match: routeMatch(route.match),
    action: actionSnapshot(route.action, directory, files),
    ...(route.action.kind !== "function" || route.action.next.length === 0
      ? {}
      : { next: route.action.next }),
    ...(route.mirror === undefined ? {} : { mirror: route.mirror }),
    ...(route.fallback === undefined ? {} : { fallback: fallbackSnapshot(route.fallback, files) }),
    ...(route.rewrite === undefined ? {} : { rewrite: route.rewrite }),
    ...changesSnapshot(route, files),
  };
}

/** What listeners and routes have alike. */
export function changesSnapshot(
  { headers, errorPages, interceptErrors }: Pick<RouteConfig, "headers" | "errorPages" | "interceptErrors">,
  files: Texts,
): { headers?: HeadersSnapshot; errorPages?: ErrorPages } {
  return {
    ...(headers === undefined ? {} : { headers: headersSnapshot(headers) }),
    ...(errorPages === undefined && interceptErrors === undefined
      ? {}
      : { errorPages: pagesSnapshot(errorPages ?? {}, interceptErrors, files) }),
  };
}

function headersSnapshot({ request, response }: HeadersConfig): HeadersSnapshot {
  return {
    ...(request === undefined ? {} : { request }),
    ...(response === undefined ? {} : { response }),
  };
}

/** The page that says least of which statuses it is for comes last. */
function pagesSnapshot(
  files: Readonly<Record<string, string>>,
  intercept: boolean | undefined,
  texts: Texts,
): ErrorPages {
  const pages = Object.entries(files).map(([key, file]) => {
    const [first, last] = statusRange(key);
    return { first, last, body: textOf(file, texts), contentType: textType(file) };
  });
  return {
    pages: pages.sort((a, b) => (a.last - a.first) - (b.last - b.first)),
    ...(intercept === undefined ? {} : { intercept }),
  };
}

function actionSnapshot(action: ActionConfig, directory: string, files: Texts): RouteAction {
  if (action.kind === "files") return { ...action, root: pathFrom(directory, action.root) };
  if (action.kind === "function") return { kind: "pool", pool: functionPool(action.name) };
  return action.kind === "respond" ? { kind: action.kind, ...answerOf(action, files) } : action;
}

/** `filled`: its body has variables. */
function answerOf(
  { status, body, file, contentType }: Omit<ActionConfig & { readonly kind: "respond" }, "kind">,
  files: Texts,
): { status: number; body: string; filled?: true; contentType: string } {
  if (file !== undefined) {
    return { status, body: textOf(file, files), contentType: contentType ?? textType(file) };
  }
  const constant = constantOf(templateOf(body, BODY_SCOPE));
  const text = constant === null ? { body, filled: true as const } : { body: constant };
  return { status, ...text, contentType: contentType ?? PLAIN };
}

function fallbackSnapshot({ pool, respond, statuses }: FallbackConfig, files: Texts): FallbackSnapshot {
  if (respond === undefined) return { statuses, pool: pool! };
  const { retryAfter, ...page } = respond;
  const fields = retryAfter === undefined
    ? {}
    : { fields: `Retry-After: ${Math.ceil(retryAfter / 1000)}\r\n` };
  return { statuses, answer: { ...answerOf(page, files), ...fields } };
}

/** What the ending says; what is not known is still text. */
function textType(file: string): string {
  const type = mediaType(file, {});
  return type === UNKNOWN ? PLAIN : type;
}

function textOf(file: string, texts: Texts): string {
  const text = texts.get(file);
  if (text === undefined) throw new Error(`Cannot use ${file} as it was not read`);
  return text;
}
