/** `/api/maintenance`: whether the node takes part in elections. */
import { body, CHANGE, createRoute, json, outcome, type Resource, z } from "./operation.ts";

const Maintenance = z.strictObject({
  on: z.boolean().describe("The node hands its addresses over and takes none."),
}).openapi("Maintenance");

const read = createRoute({
  method: "get",
  path: "/maintenance",
  operationId: "readMaintenance",
  tags: ["election"],
  summary: "Whether the node is in maintenance",
  responses: { 200: json(Maintenance, "On or off.") },
});

const set = createRoute({
  method: "put",
  path: "/maintenance",
  operationId: "setMaintenance",
  tags: ["election"],
  summary: "Take the node out of every election, or back",
  request: { body: body(Maintenance) },
  responses: CHANGE,
});

export const maintenance: Resource = (app, desk) => {
  app.openapi(read, async (context) => context.json({ on: (await desk.keeper()).vrrp.maintenance }, 200));
  app.openapi(set, async (context) => {
    const command = { do: "setMaintenance", ...context.req.valid("json") } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
};
