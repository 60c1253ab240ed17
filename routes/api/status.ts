/** `GET /api/status`: all that the node says, of both its processes. */
import { createRoute, json, type Resource, z } from "./operation.ts";
import { Keeper } from "./views/keeper.ts";
import { Node } from "./views/node.ts";

const read = createRoute({
  method: "get",
  path: "/status",
  operationId: "readStatus",
  tags: ["node"],
  summary: "All that the node says: traffic, health, election",
  responses: {
    200: json(
      z.object({
        node: Node.nullable().describe("Null: the balancer is down or starting."),
        keeper: Keeper.nullable().describe("Null: the keeper does not answer."),
      }).openapi("Status"),
      "The status.",
    ),
  },
});

export const status: Resource = (app, desk) => {
  app.openapi(read, async (context) => {
    const [node, keeper] = await Promise.all([
      desk.node().catch(() => null),
      desk.keeper().catch(() => null),
    ]);
    return context.json({ node, keeper }, 200);
  });
};
