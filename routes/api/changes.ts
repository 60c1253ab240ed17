/** `/api/changes`: what is not as the file says, since somebody changed it live. */
import { CHANGE, createRoute, json, outcome, type Resource, z } from "./operation.ts";
import { Drift } from "./views/keeper.ts";

const list = createRoute({
  method: "get",
  path: "/changes",
  operationId: "listChanges",
  tags: ["configuration"],
  summary: "What was changed live and is not in the file",
  responses: { 200: json(z.array(Drift).readonly(), "Every setting that differs.") },
});

const forget = createRoute({
  method: "delete",
  path: "/changes",
  operationId: "forgetChanges",
  tags: ["configuration"],
  summary: "Go back to what the file says: of one server, of a pool, or of all",
  request: { query: z.object({ pool: z.string().optional(), server: z.string().optional() }) },
  responses: CHANGE,
});

export const changes: Resource = (app, desk) => {
  app.openapi(list, async (context) => context.json((await desk.keeper()).drift, 200));
  app.openapi(forget, async (context) => {
    const command = { do: "reset", ...context.req.valid("query") } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
};
