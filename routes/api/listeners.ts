/** `/api/listeners`: where the node listens, and what comes in there. */
import { createRoute, DOWN, json, named, NOT_FOUND, type Resource, z } from "./operation.ts";
import { Listener } from "./views/node.ts";

const list = createRoute({
  method: "get",
  path: "/listeners",
  operationId: "listListeners",
  tags: ["traffic"],
  summary: "The listeners",
  responses: { 200: json(z.array(Listener).readonly(), "All, in the order of the file."), ...DOWN },
});

const read = createRoute({
  method: "get",
  path: "/listeners/{listener}",
  operationId: "readListener",
  tags: ["traffic"],
  summary: "One listener",
  request: { params: z.object({ listener: z.string() }) },
  responses: { 200: json(Listener, "The listener."), ...NOT_FOUND, ...DOWN },
});

export const listeners: Resource = (app, desk) => {
  app.openapi(list, async (context) => context.json((await desk.node()).listeners, 200));
  app.openapi(read, async (context) => {
    const { listener } = context.req.valid("param");
    return context.json(named((await desk.node()).listeners, listener, "listener"), 200);
  });
};
