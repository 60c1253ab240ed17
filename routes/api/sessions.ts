/** `/api/pools/POOL/sessions`: the table of sessions of a pool with `sticky: { by: … }`. */
import { serverName } from "../../mod/config/live.ts";
import { WHICH_SESSION, WHICH_SESSIONS } from "../../mod/runtime/commands.ts";
import { MAX_SESSIONS_TOLD } from "../../mod/runtime/questions.ts";
import {
  body,
  CHANGE,
  createRoute,
  DOWN,
  json,
  Missing,
  NOT_FOUND,
  outcome,
  type Resource,
  z,
} from "./operation.ts";

const PATH = "/pools/{pool}/sessions";
const params = z.object({ pool: z.string() });

const Sessions = z.object({
  size: z.number().describe("How many fit."),
  entries: z.number().describe("How many there are, about."),
  sessions: z.array(z.object({
    key: z.string().describe("The hash of what the session is told by, in hex; what it was is not kept."),
    server: z.string().nullable().describe("Null: its server is not in the pool any more."),
    expiresInMs: z.number(),
  })).readonly(),
  next: z.number().nullable().describe("`after` for those that follow; null: there are no more."),
}).openapi("Sessions");

const list = createRoute({
  method: "get",
  path: PATH,
  operationId: "listSessions",
  tags: ["servers"],
  summary: "Sessions in the table of a pool, from a place on, or the one of a key or a value",
  request: {
    params,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(MAX_SESSIONS_TOLD).default(100).describe(
        "How many to tell of.",
      ),
      after: z.coerce.number().int().min(0).default(0).describe("`next` of the answer before."),
      ...WHICH_SESSION,
    }),
  },
  responses: { 200: json(Sessions, "Some of the sessions."), ...NOT_FOUND, ...DOWN },
});

/** Strict, as what it does not know would be left out, and all be forgotten. */
const Which = z.strictObject(WHICH_SESSIONS).refine(
  (which) => Object.keys(which).length < 2,
  "can be of a server, a key or a value, and of one of them only",
);

const forget = createRoute({
  method: "delete",
  path: PATH,
  operationId: "forgetSessions",
  tags: ["servers"],
  summary: "Forget the sessions of a pool: all, those on one server, or the one of a key or a value",
  request: { params, query: Which },
  responses: CHANGE,
});

const set = createRoute({
  method: "put",
  path: PATH,
  operationId: "setSession",
  tags: ["servers"],
  summary: "Put the session of a key or a value on a server, whether there is one or not",
  request: { params, body: body(z.strictObject({ server: serverName, ...WHICH_SESSION })) },
  responses: CHANGE,
});

export const sessions: Resource = (app, desk) => {
  app.openapi(list, async (context) => {
    const { pool } = context.req.valid("param");
    const found = await desk.sessions(pool, context.req.valid("query"));
    if (found === null) throw new Missing(`there is no table of sessions in pool ${pool}`);
    return context.json(found, 200);
  });
  app.openapi(set, async (context) => {
    const command = {
      do: "setSession",
      ...context.req.valid("param"),
      ...context.req.valid("json"),
    } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
  app.openapi(forget, async (context) => {
    const command = {
      do: "forgetSessions",
      ...context.req.valid("param"),
      ...context.req.valid("query"),
    } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
};
