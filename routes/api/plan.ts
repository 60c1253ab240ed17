/** `GET /api/plan`: what a reload would change now. */
import { createRoute, json, type Resource, z } from "./operation.ts";

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

export const plan: Resource = (app, desk) => {
  app.openapi(read, async (context) => context.json(await desk.plan(), 200));
};
