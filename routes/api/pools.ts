/** `/api/pools`: the pools with their servers. */
import { createRoute, DOWN, json, named, NOT_FOUND, type Resource, z } from "./operation.ts";
import { Pool } from "./views/node.ts";

const list = createRoute({
  method: "get",
  path: "/pools",
  operationId: "listPools",
  tags: ["servers"],
  summary: "The pools with their servers",
  responses: { 200: json(z.array(Pool).readonly(), "All, in the order of the file."), ...DOWN },
});

const read = createRoute({
  method: "get",
  path: "/pools/{pool}",
  operationId: "readPool",
  tags: ["servers"],
  summary: "One pool with its servers",
  request: { params: z.object({ pool: z.string() }) },
  responses: { 200: json(Pool, "The pool."), ...NOT_FOUND, ...DOWN },
});

export const pools: Resource = (app, desk) => {
  app.openapi(list, async (context) => context.json((await desk.node()).pools, 200));
  app.openapi(read, async (context) => {
    const { pool } = context.req.valid("param");
    return context.json(named((await desk.node()).pools, pool, "pool"), 200);
  });
};
