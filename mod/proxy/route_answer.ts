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

/** The letters of base64url: nothing that a browser could take for a page. */
const TOKEN = /^[A-Za-z0-9_-]{1,256}$/;

/** The answer to the request that `source` is of; null: the route has none by itself. */
export function routeAnswer({ action, redirect, body }: LiveRoute, source: RequestSource): Answer | null {
  if (action.kind === "pool" || action.kind === "split" || action.kind === "files") return null;
  if (action.kind === "respond") {
    return body === null ? action : { ...action, body: filledBody(body, source) };
  }
  if (action.kind === "acme") return proofFor(source.facts.path, action.thumbprint);
  const location = action.kind === "https"
    ? httpsTarget(action.port, source.facts)
    : redirectLocation(redirect!, source);
  // A request of HTTP/1.0 may name no host.
  if (location === null) return errorAnswer(400, "the request names no host");
  const status = action.kind === "https" ? PERMANENT : action.status;
  return { status, body: "", contentType: "text/plain; charset=utf-8", location };
}

/**
 * The key authorization of the token that an authority asks for (RFC 8555 section 8.3). Whatever the token: that the
 * account is ours is what it says, so that a node answers for tokens that another one was given.
 */
function proofFor(path: string, thumbprint: string): Answer {
  const token = path.slice(path.lastIndexOf("/") + 1);
  if (!TOKEN.test(token)) return errorAnswer(404, "no such token");
  return { status: 200, body: `${token}.${thumbprint}`, contentType: "application/octet-stream" };
}

function redirectLocation(redirect: Redirect, source: RequestSource): string | null {
  return source.facts.host === "" && needsHost(redirect) ? null : redirectTarget(redirect, source);
}
