/**
 * `?node=` on every operation: another node of the pair answers it, asked by this one (`peer`, or its name), or both do
 * (`both`), each for itself.
 *
 * What one of them cannot do is no reason for the other not to: the answer tells of each what has come of it. Reloads go
 * one after the other, and stop where one is refused.
 */
import type { Context, MiddlewareHandler } from "hono";
import type { Desk } from "../../mod/runtime/desk.ts";
import { noAnswer, type Nodes, type PeerRequest } from "../../mod/runtime/peer_request.ts";
import { oneByOne, refusalForBoth } from "./both.ts";
import { type ApiEnv, z } from "./operation.ts";

/** The other node; of several each by its name. */
const PEER = "peer";
/** This node and every other. */
const BOTH = "both";

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
    "Which node answers: `peer`, the name of one, or `both`, which answers with `NodeAnswers`. Not for both are " +
    "`moveAddresses`, certificates, a plan of a text, and to begin maintenance. Without: the one that is asked.",
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
    const answers = oneByOne(request)
      ? await inTurn(chosen.nodes, ask)
      : await Promise.all(chosen.nodes.map(ask));
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
  request: PeerRequest,
): { nodes: readonly string[] } | { problem: string } {
  if (word === BOTH) {
    if (others.length === 0) return { problem: "this node knows no other" };
    const problem = refusalForBoth(request);
    return problem === null ? { nodes: [own, ...others] } : { problem };
  }
  if (word !== PEER) return { nodes: [word] };
  if (others.length === 1) return { nodes: others };
  const known = others.length === 0 ? "this node knows no other" : `there is ${others.join(", ")}: name one`;
  return { problem: known };
}

/** Asks one after the other; those behind one that refuses are not asked. */
async function inTurn(
  nodes: readonly string[],
  ask: (node: string) => Promise<NodeAnswer>,
): Promise<readonly NodeAnswer[]> {
  const answers: NodeAnswer[] = [];
  for (const node of nodes) {
    const refused = answers.find(({ status }) => status >= 400);
    answers.push(
      refused === undefined
        ? await ask(node)
        : answerOf(node, noAnswer(409, `node ${refused.node} comes first, and has not done it`)),
    );
  }
  return answers;
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
