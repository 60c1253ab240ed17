/**
 * The answer of a route that needs neither server nor file: a fixed response or a redirect.
 */
import { type Answer, errorAnswer } from "../http/answer.ts";
import { httpsTarget, needsHost, type Redirect, redirectTarget } from "../route/redirect.ts";
import { filledBody } from "../route/respond.ts";
import type { RequestSource } from "../route/variables.ts";
import type { LiveRoute } from "./environment.ts";

/** 308: as permanent as 301, and what was posted is posted again (RFC 9110 section 15.4.9). */
const PERMANENT = 308;

/** The answer to the request that `source` is of; null: the route has none by itself. */
export function routeAnswer({ action, redirect, body }: LiveRoute, source: RequestSource): Answer | null {
  if (action.kind === "pool" || action.kind === "split" || action.kind === "files") return null;
  if (action.kind === "respond") {
    return body === null ? action : { ...action, body: filledBody(body, source) };
  }
  const location = action.kind === "https"
    ? httpsTarget(action.port, source.facts)
    : redirectLocation(redirect!, source);
  // A request of HTTP/1.0 may name no host.
  if (location === null) return errorAnswer(400, "the request names no host");
  const status = action.kind === "https" ? PERMANENT : action.status;
  return { status, body: "", contentType: "text/plain; charset=utf-8", location };
}

function redirectLocation(redirect: Redirect, source: RequestSource): string | null {
  return source.facts.host === "" && needsHost(redirect) ? null : redirectTarget(redirect, source);
}
