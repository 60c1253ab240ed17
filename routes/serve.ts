/**
 * The admin application apart from its node, for `deno serve` and Deno Deploy: what it shows it asks a running node for.
 *
 * The environment says which: `TANDEM_URL` is its admin address (http://127.0.0.1:9900), `TANDEM_TOKEN` its token, which
 * whoever asks here must know too. Without a token only programs of this machine may ask, as at the node itself.
 */
import { Hono } from "hono";
import type { NodeStatus } from "../mod/observe/status.ts";
import { noDesk, Unavailable } from "../mod/runtime/desk.ts";
import { type AdminSource, createAdminApp } from "./app.ts";
import { type Access, guard } from "./auth.ts";

const ASK_MS = 5000;

const NO_DESK = noDesk("the node itself is asked");

export interface RemoteNode {
  /** Its admin address, without a path. */
  readonly url: string;
  readonly token: string | null;
}

/** What is of both its processes, or never ends, is answered by the node itself. */
const OF_THE_NODE = ["/metrics", "/dashboard/events", "/dashboard/plan"];

/** Answers a request with what the node says now. */
export async function answerFor(node: RemoteNode, request: Request): Promise<Response> {
  const access: Access = { from: node.token === null ? "loopback" : "remote", token: node.token };
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/api/") || OF_THE_NODE.includes(pathname)) {
    const app = new Hono().use(guard(access)).all("*", ({ req }) => forward(node, req.raw));
    return await app.fetch(request);
  }
  const status = await statusOf(node);
  if ("problem" in status) return Response.json({ error: status.problem }, { status: 502 });
  const { told } = status;
  const source: AdminSource = {
    state: () => told?.state ?? "starting",
    status: () => told!,
    traffic: () => {
      throw new Unavailable("the node itself is asked");
    },
    version: told?.version ?? "",
    desk: NO_DESK,
  };
  return await createAdminApp(source, access).fetch(request);
}

/** The API is the node's own: it decides who may change what. */
async function forward(
  { url }: RemoteNode,
  { method, url: asked, headers, body }: Request,
): Promise<Response> {
  const { pathname, search } = new URL(asked);
  const passed = ["authorization", "content-type", "content-length", "accept"].flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  const late = new AbortController();
  // Until it begins to answer: the events of its dashboard never end.
  const timer = setTimeout(() => late.abort(new Error("it does not answer")), ASK_MS);
  try {
    return await fetch(url + pathname + search, { method, headers: passed, body, signal: late.signal });
  } catch (error) {
    return Response.json({ error: cannotAsk(url, error) }, { status: 502 });
  } finally {
    clearTimeout(timer);
  }
}

/** What it tells; null: it has just been started and tells nothing yet. */
async function statusOf(
  { url, token }: RemoteNode,
): Promise<{ readonly told: NodeStatus | null } | { readonly problem: string }> {
  const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
  try {
    const response = await fetch(`${url}/status`, { headers, signal: AbortSignal.timeout(ASK_MS) });
    if (response.ok) return { told: await response.json() };
    await response.body?.cancel();
    return response.status === 503 ? { told: null } : { problem: `the node answers ${response.status}` };
  } catch (error) {
    return { problem: cannotAsk(url, error) };
  }
}

function cannotAsk(url: string, error: unknown): string {
  return `the node at ${url} cannot be asked: ${(error as Error).message}`;
}

export default {
  fetch: (request) =>
    answerFor({
      url: (Deno.env.get("TANDEM_URL") || "http://127.0.0.1:9900").replace(/\/+$/, ""),
      token: Deno.env.get("TANDEM_TOKEN") || null,
    }, request),
} satisfies Deno.ServeDefaultExport;
