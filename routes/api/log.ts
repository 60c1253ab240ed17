/** `/api/log`: how much is logged. */
import { LOG_LEVELS } from "../../mod/config/live.ts";
import { body, CHANGE, createRoute, DOWN, json, outcome, type Resource, z } from "./operation.ts";

const Log = z.strictObject({ level: z.enum(LOG_LEVELS).describe("Least level that is logged.") }).openapi(
  "Log",
);

const set = createRoute({
  method: "patch",
  path: "/log",
  operationId: "setLog",
  tags: ["configuration"],
  summary: "Log more, or less",
  request: { body: body(Log) },
  responses: CHANGE,
});

const read = createRoute({
  method: "get",
  path: "/log",
  operationId: "readLog",
  tags: ["configuration"],
  summary: "How much is logged",
  responses: { 200: json(Log, "The least level that is logged now."), ...DOWN },
});

export const log: Resource = (app, desk) => {
  app.openapi(read, async (context) => context.json({ level: (await desk.keeper()).logLevel }, 200));
  app.openapi(set, async (context) => {
    const command = { do: "setLogLevel", ...context.req.valid("json") } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
};
