/**
 * The API: the resources of `table.ts` below `/api`, described by `GET /api/openapi.json` from the same schemas that
 * check requests. Served by the balancer over TCP and by the keeper on its socket.
 *
 * It must not know in which of them it runs: the desk answers.
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { type Desk, noDesk, Unavailable } from "../../mod/runtime/desk.ts";
import { logger } from "../../mod/observe/log.ts";
import { type Access, guardChanges } from "../auth.ts";
import { NODE_PARAMETER, NodeAnswers, throughNodes } from "./nodes.ts";
import { type ApiApp, type ApiEnv, Missing } from "./operation.ts";
import { RESOURCES } from "./table.ts";

/** A body but a configuration has a few hundred bytes; a long one comes by the socket, where no stranger is. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_SOCKET_BODY_BYTES = 4 * 1024 * 1024;

/** Everything below `/api`. Who may read has been decided by whoever mounts it. */
export function createApi(desk: Desk, access: Access, version: string): ApiApp {
  const api: ApiApp = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, context) => {
      if (result.success) return;
      const problems = result.error.issues.map(({ path, message }) =>
        path.length === 0 ? message : `${path.join(".")}: ${message}`
      );
      return context.json({ error: problems.join("\n") }, 400);
    },
  });
  const log = logger("admin");
  api.use(guardChanges(access));
  api.use(limitBody(access.from === "socket" ? MAX_SOCKET_BODY_BYTES : MAX_BODY_BYTES));
  api.use(throughNodes(desk, (request, env) => api.fetch(request, env)));
  for (const resource of RESOURCES) resource(api, desk);
  api.get("/openapi.json", (context) => context.json(document(api, version)));
  api.openAPIRegistry.register("NodeAnswers", NodeAnswers);
  api.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  const allowed = allowedMethods(api);
  // A handler and no `notFound`, which the application around it would not heed.
  api.all("*", (context) => {
    const { method, path } = context.req;
    const allow = allowed(path.replace(/^\/api(?=\/)/, ""));
    if (allow.length === 0) return context.json({ error: `there is no ${method} ${path}` }, 404);
    const list = allow.join(", ");
    return context.json({ error: `only ${list} is possible here` }, 405, { allow: list });
  });
  api.onError((error, context) => {
    if (error instanceof Missing) return context.json({ error: error.message }, 404);
    if (error instanceof Unavailable) return context.json({ error: error.message }, 503);
    // What the framework itself refuses, such as a body that is no JSON.
    if (error instanceof HTTPException) return context.json({ error: error.message }, error.status);
    log.error("a request to the API failed", { path: context.req.path, error });
    return context.json({ error: "an error inside Tandem; the log says more" }, 500);
  });
  return api;
}

/** The methods of operations that are there now, by path. */
function allowedMethods(api: ApiApp): (path: string) => string[] {
  const operations = api.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => {
    return { method, pattern: new RegExp(`^${path.replace(/:[^/]+/g, "[^/]+")}$`) };
  });
  return (path) => {
    const found = operations.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    return [...new Set(found.flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method]))];
  };
}

/** A body says how long it is, and is not long. */
const limitBody = (most: number): MiddlewareHandler => async (context, next) => {
  const { req } = context;
  if (req.header("transfer-encoding") !== undefined) {
    return context.json({ error: "a body must have a Content-Length" }, 411);
  }
  if (Number(req.header("content-length") ?? 0) > most) {
    return context.json({ error: `a body may have ${most} bytes` }, 413);
  }
  return await next();
};

/** The document that describes it, without serving it. */
export function describeApi(version: string): unknown {
  const api = createApi(noDesk("nobody is asked"), { from: "socket", token: null }, version);
  return document(api, version);
}

/** Every operation can be asked of another node. */
function document(api: ApiApp, version: string) {
  const { paths = {}, components, ...rest } = api.getOpenAPI31Document(description(version));
  const parameters = [{ $ref: "#/components/parameters/node" }];
  return {
    ...rest,
    paths: Object.fromEntries(
      Object.entries(paths).map(([path, operations]) => [path, { parameters, ...operations }]),
    ),
    components: { ...components, parameters: { node: NODE_PARAMETER } },
  };
}

function description(version: string) {
  return {
    openapi: "3.1.0",
    info: {
      title: "Tandem",
      version,
      description: "What a node of Tandem says of itself, and what an operator can have it do.",
    },
    servers: [{ url: "/api" }],
    security: [{ token: [] }],
  };
}
