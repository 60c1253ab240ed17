/**
 * What the keeper answers on its admin socket: its status, the election's metrics, and the operator's wishes.
 *
 * Whoever may open the socket (0660) may ask for everything here. It knows requests and answers, and of the keeper
 * only what it is handed.
 */
import { EXPOSITION_TYPE } from "../observe/exposition.ts";

export interface KeeperDesk {
  status(): Promise<unknown>;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  /** Gives an instance's addresses to another node; why not, or null. */
  move(instance: string): string | null;
  /** What becomes worse by it, in words. */
  maintain(on: boolean): readonly string[];
  /** Reads the configuration again; resolves when it is in force, or refused. */
  reload(): Promise<{ readonly problems: readonly string[] }>;
  /** Has the program that is installed now take over; or why it did not. */
  upgrade(): Promise<{ readonly pid: number; readonly version: string } | { readonly problem: string }>;
}

type Answer = (desk: KeeperDesk, query: URLSearchParams) => Response | Promise<Response>;

const ROUTES: Readonly<Record<string, { readonly method: "GET" | "POST"; readonly answer: Answer }>> = {
  "/status": { method: "GET", answer: async (desk) => Response.json(await desk.status()) },
  "/metrics": {
    method: "GET",
    answer: async (desk) =>
      new Response(await desk.metrics(), { headers: { "content-type": EXPOSITION_TYPE } }),
  },
  "/vip/move": {
    method: "POST",
    answer: (desk, query) => {
      const problem = desk.move(query.get("instance") ?? "");
      return problem === null ? Response.json({ done: true }) : refused(409, problem);
    },
  },
  "/reload": {
    method: "POST",
    answer: async (desk) => {
      const { problems } = await desk.reload();
      return problems.length === 0 ? Response.json({ done: true }) : refused(409, problems.join("\n"));
    },
  },
  "/upgrade": {
    method: "POST",
    answer: async (desk) => {
      const upgraded = await desk.upgrade();
      return "problem" in upgraded
        ? refused(409, upgraded.problem)
        : Response.json({ done: true, ...upgraded });
    },
  },
  "/maintenance": {
    method: "POST",
    answer: (desk, query) => {
      const on = query.get("on");
      if (on !== "true" && on !== "false") return refused(400, "on must be true or false");
      return Response.json({ done: true, warnings: desk.maintain(on === "true") });
    },
  },
};

export function answerRequest(desk: KeeperDesk, request: Request): Response | Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  const route = Object.hasOwn(ROUTES, pathname) ? ROUTES[pathname]! : undefined;
  if (route === undefined) return refused(404, "not found");
  if (request.method !== route.method) {
    return Response.json({ error: "method not allowed" }, { status: 405, headers: { allow: route.method } });
  }
  return route.answer(desk, searchParams);
}

function refused(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
