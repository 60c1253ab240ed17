/**
 * The answer of a route that needs neither server nor file: a fixed response or a redirect.
 */
import type { Answer } from "../http/answer.ts";
import type { RequestFacts } from "../route/match.ts";
import { redirectTarget } from "../route/redirect.ts";
import type { LiveRoute } from "./environment.ts";

/** The answer to the request that `facts` are of; null: the route has none by itself. */
export function routeAnswer({ action, snapshot }: LiveRoute, facts: RequestFacts): Answer | null {
  if (action.kind === "pool" || action.kind === "files") return null;
  if (action.kind === "respond") return action;
  const location = redirectTarget(action, snapshot, facts);
  return { status: action.status, body: "", contentType: "text/plain; charset=utf-8", location };
}
