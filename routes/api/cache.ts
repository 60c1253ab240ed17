/** `/api/cache`: the stored answers of all workers together. */
import { body, CHANGE, createRoute, DOWN, json, outcome, type Resource, z } from "./operation.ts";

const Cache = z.object({
  entries: z.number().describe("Answers that are stored."),
  bytes: z.number().describe("What they take, with what is on its way in and out."),
  maxBytes: z.number().describe("What they may take; 0: no route has a cache."),
  stored: z.number().describe("Answers stored since the workers started."),
  evicted: z.number().describe("Those that had to go for lack of room."),
}).openapi("Cache");

const PurgeBody = z.strictObject({
  host: z.string().min(1).max(255).optional().describe("Only answers of this host, without a port."),
  path: z.string().regex(/^\/[!-~]*$/, "must be a path").max(4096).optional().describe(
    "Only this path, with any query unless it has one; with `*` at its end all that begin so.",
  ),
  all: z.literal(true).optional().describe("Everything; needed when nothing else is given."),
}).refine(({ host, path, all }) => host !== undefined || path !== undefined || all === true, {
  error: "must have a host, a path, or all: true",
}).openapi("Purge");

const read = createRoute({
  method: "get",
  path: "/cache",
  operationId: "readCache",
  tags: ["cache"],
  summary: "How much is stored",
  responses: { 200: json(Cache, "Of all workers together."), ...DOWN },
});

const purge = createRoute({
  method: "post",
  path: "/cache/purge",
  operationId: "purgeCache",
  tags: ["cache"],
  summary: "Forget stored answers, in every worker",
  request: { body: body(PurgeBody) },
  responses: CHANGE,
});

export const cache: Resource = (app, desk) => {
  app.openapi(read, async (context) => context.json((await desk.node()).cache, 200));
  app.openapi(purge, async (context) => {
    const { host, path } = context.req.valid("json");
    const which = { ...host === undefined ? {} : { host }, ...path === undefined ? {} : { path } };
    return outcome(context, await desk.perform({ do: "purgeCache", ...which }, context.var.by));
  });
};
