/**
 * What the keeper answers on its admin socket beside the API: its status, the election's metrics, and an upgrade.
 *
 * Whoever may open the socket (0660) may ask for everything here. It knows requests and answers, and of the keeper
 * only what it is handed.
 */
import { EXPOSITION_TYPE } from "../observe/exposition.ts";
import { logger } from "../observe/log.ts";

export interface SocketFacts {
  status(): Promise<unknown>;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  /** Has the program that is installed now take over; or why it did not. */
  upgrade(): Promise<{ readonly pid: number; readonly version: string } | { readonly problem: string }>;
}

const audit = logger("audit");

type Answer = (facts: SocketFacts) => Response | Promise<Response>;

const ROUTES: Readonly<Record<string, { readonly method: "GET" | "POST"; readonly answer: Answer }>> = {
  "/status": { method: "GET", answer: async (facts) => Response.json(await facts.status()) },
  "/metrics": {
    method: "GET",
    answer: async (facts) =>
      new Response(await facts.metrics(), { headers: { "content-type": EXPOSITION_TYPE } }),
  },
  "/upgrade": {
    method: "POST",
    answer: async (facts) => {
      const upgraded = await facts.upgrade();
      return "problem" in upgraded
        ? refused(409, upgraded.problem)
        : Response.json({ done: true, ...upgraded });
    },
  },
};

/** `by`: who asks, in words. */
export function answerRequest(
  facts: SocketFacts,
  request: Request,
  by: string,
): Response | Promise<Response> {
  const { pathname } = new URL(request.url);
  const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname]! : undefined;
  if (route === undefined) return refused(404, "not found");
  if (request.method !== route.method) {
    return Response.json({ error: "method not allowed" }, { status: 405, headers: { allow: route.method } });
  }
  if (route.method === "POST") audit.info(`${by}: ${pathname.slice(1)}`);
  return route.answer(facts);
}

function refused(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
