/**
 * `?node=` on every operation: another node of the pair answers it, asked by this one (`peer`, or its name), or both do
 * (`both`), each for itself.
 *
 * What one of them cannot do is no reason for the other not to: the answer tells of each what has come of it.
 */
import type { Context, MiddlewareHandler } from "hono";
import type { Desk } from "../../mod/runtime/desk.ts";
import type { Nodes, PeerRequest } from "../../mod/runtime/peer_request.ts";
import { type ApiEnv, z } from "./operation.ts";

/** The other node; of several each by its name. */
const PEER = "peer";
/** This node and every other. */
const BOTH = "both";
/** What may be changed on all nodes at once: never who has the addresses, nor all by one file. */
const FOR_BOTH = /^\/(?:pools\/[^/]+\/(?:servers|sessions)(?:\/[^/]+)?|changes|log)$/;

export const NodeAnswers = z.object({
  error: z.string().optional().describe("Absent: every node has done it."),
  nodes: z.array(z.object({
    node: z.string(),
    status: z.number().describe("As if this node alone had been asked; 502: it cannot be asked."),
    answer: z.unknown(),
  })).readonly(),
}).openapi("NodeAnswers");

/** As OpenAPI describes it. */
export const NODE_PARAMETER = {
  name: "node",
  in: "query",
  required: false,
  schema: { type: "string" },
  description:
    "Which node answers: `peer`, the name of one, or `both`, which answers with `NodeAnswers` and may change " +
    "servers, sessions and the log. Without: the one that is asked.",
} as const;

type NodeAnswer = z.infer<typeof NodeAnswers>["nodes"][number];

/** `local`: the API of this node. */
export function throughNodes(
  desk: Desk,
  local: (request: Request, env: ApiEnv["Bindings"]) => Response | Promise<Response>,
): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const wanted = context.req.queries("node");
    if (wanted === undefined) return await next();
    const [word = ""] = wanted;
    const nodes = await desk.nodes();
    const { request, here } = await readRequest(context);
    const chosen = wanted.length > 1 ? { problem: "node can be given once" } : choose(word, nodes, request);
    if ("problem" in chosen) return context.json({ error: chosen.problem }, 400);
    const ask = async (node: string): Promise<NodeAnswer> => {
      if (node !== nodes.own) return answerOf(node, await desk.askNode(node, request));
      const response = await local(here(), context.env);
      return answerOf(node, { status: response.status, body: await response.text() });
    };
    const answers = await Promise.all(chosen.nodes.map(ask));
    const [first] = answers;
    if (word !== BOTH) return context.json(first!.answer as object, first!.status as 200);
    const bad = answers.filter(({ status }) => status >= 400);
    const error = bad.map(({ node, answer }) => `node ${node}: ${errorIn(answer)}`).join("\n");
    const status = Math.max(...answers.map(({ status }) => status)) as 200;
    return context.json({ ...bad.length === 0 ? {} : { error }, nodes: answers }, status);
  };
}

function choose(
  word: string,
  { own, others }: Nodes,
  { method, path }: PeerRequest,
): { nodes: readonly string[] } | { problem: string } {
  if (word === BOTH) {
    if (others.length === 0) return { problem: "this node knows no other" };
    const fits = method === "GET" || FOR_BOTH.test(path.replace(/\?.*/, ""));
    return fits
      ? { nodes: [own, ...others] }
      : { problem: "node=both is for servers, sessions and the log: ask one node, then the other" };
  }
  if (word !== PEER) return { nodes: [word] };
  if (others.length === 1) return { nodes: others };
  const known = others.length === 0 ? "this node knows no other" : `there is ${others.join(", ")}: name one`;
  return { problem: known };
}

/** What is asked for without the choice of a node: for another node, and for this one. */
async function readRequest(
  context: Context<ApiEnv>,
): Promise<{ request: PeerRequest; here: () => Request }> {
  const { req, var: { by, role } } = context;
  const url = new URL(req.url);
  url.searchParams.delete("node");
  // Wherever the API is mounted.
  url.pathname = url.pathname.replace(/^\/api(?=\/)/, "");
  const { headers } = req.raw;
  const method = (req.method === "HEAD" ? "GET" : req.method) as PeerRequest["method"];
  const text = method === "GET" ? "" : await req.text();
  const body = text === "" ? null : text;
  return {
    request: { method, path: url.pathname + url.search, body, role, by },
    here: () => new Request(url, { method, headers, body }),
  };
}

function answerOf(node: string, { status, body }: { status: number; body: string }): NodeAnswer {
  return { node, status, answer: JSON.parse(body) };
}

function errorIn(answer: unknown): string {
  return (answer as { readonly error?: string } | null)?.error ?? "it gives no reason";
}
