/** `/api/plan`: what a reload would change now, or with another text in the file. */
import { HTTPException } from "hono/http-exception";
import { body, CHANGE, createRoute, json, type Resource, z } from "./operation.ts";

const Plan = z.object({
  problems: z.array(z.string()).readonly().describe("Why the file would be refused; none: it would not."),
  changes: z.array(z.object({
    what: z.enum(["listener", "pool", "server", "instance", "setting"]),
    name: z.string().describe("Of a server with its pool: `POOL/SERVER`."),
    change: z.enum(["added", "removed", "changed"]),
    fields: z.array(z.string()).readonly().describe("What of it is another; values are not told."),
    effect: z.string().describe("What it means beyond that it is so; empty: nothing."),
  })).readonly(),
}).openapi("Plan");

const read = createRoute({
  method: "get",
  path: "/plan",
  operationId: "readPlan",
  tags: ["configuration"],
  summary: "What a reload would change now",
  responses: { 200: json(Plan, "The file as it is now, compared with what runs.") },
});

const readOther = createRoute({
  method: "post",
  path: "/plan",
  operationId: "planText",
  tags: ["configuration"],
  summary:
    "What a reload would change with this text in the file; nothing is changed. Over the admin socket only",
  request: {
    body: body(z.strictObject({ text: z.string().describe("Of a configuration, as the file has it.") })),
  },
  responses: { ...CHANGE, 200: json(Plan, "That text, compared with what runs.") },
});

export const plan: Resource = (app, desk) => {
  app.openapi(readOther, async (context) => {
    // Variables and files that a text names are the keeper's to read, and problems quote what is in them.
    if (!context.get("here")) {
      throw new HTTPException(403, { message: "a text is compared over the node's own admin socket only" });
    }
    return context.json(await desk.plan(context.req.valid("json").text), 200);
  });
  app.openapi(read, async (context) => context.json(await desk.plan(), 200));
};
