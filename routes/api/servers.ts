/** `/api/pools/POOL/servers`: a server's state and weight, servers that come and go. All of it in force at once. */
import { ADDED_SERVER, ADMIN_STATES, weightSchema } from "../../mod/config/live.ts";
import {
  body,
  CHANGE,
  createRoute,
  DOWN,
  json,
  named,
  NOT_FOUND,
  outcome,
  type Resource,
  z,
} from "./operation.ts";
import { Server } from "./views/node.ts";

const PATH = "/pools/{pool}/servers";
const inPool = z.object({ pool: z.string() });
const params = inPool.extend({
  server: z.string().describe(
    "A server's name, or `NAME#IP` of one address of a host name; `#` is `%23` in a path.",
  ),
});

const settings = {
  state: z.enum(ADMIN_STATES).optional().describe(
    "`drain`: keeps what it has, its sessions too, and gets nothing new; `maint`: finishes what is under way, gets " +
      "nothing and is not checked.",
  ),
  weight: weightSchema.optional().describe("Share of the traffic, relative to the other servers."),
};

const Change = z.strictObject(settings).openapi("ServerChange");
const Addition = ADDED_SERVER.extend({
  name: z.string().min(1).max(100).optional().describe("Without: the address."),
  ...settings,
}).openapi("ServerAddition");

const read = createRoute({
  method: "get",
  path: `${PATH}/{server}`,
  operationId: "readServer",
  tags: ["servers"],
  summary: "One server",
  request: { params },
  responses: { 200: json(Server, "The server."), ...NOT_FOUND, ...DOWN },
});

const change = createRoute({
  method: "patch",
  path: `${PATH}/{server}`,
  operationId: "changeServer",
  tags: ["servers"],
  summary: "Set a server's state, weight or both",
  request: { params, body: body(Change) },
  responses: CHANGE,
});

const add = createRoute({
  method: "post",
  path: PATH,
  operationId: "addServer",
  tags: ["servers"],
  summary: "Add a server that the file does not have",
  request: { params: inPool, body: body(Addition) },
  responses: CHANGE,
});

const remove = createRoute({
  method: "delete",
  path: `${PATH}/{server}`,
  operationId: "removeServer",
  tags: ["servers"],
  summary: "Take a server out of its pool",
  request: { params },
  responses: CHANGE,
});

export const servers: Resource = (app, desk) => {
  app.openapi(read, async (context) => {
    const { pool, server } = context.req.valid("param");
    const { pools } = await desk.node();
    return context.json(named(named(pools, pool, "pool").servers, server, `server in pool ${pool}:`), 200);
  });
  app.openapi(change, async (context) => {
    const command = { do: "setServer", ...context.req.valid("param"), ...context.req.valid("json") } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
  app.openapi(add, async (context) => {
    const { pool } = context.req.valid("param");
    const { name, state, weight, ...settings } = context.req.valid("json");
    const command = {
      do: "addServer",
      pool,
      server: name ?? settings.address,
      settings,
      state,
      weight,
    } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
  app.openapi(remove, async (context) => {
    const command = { do: "removeServer", ...context.req.valid("param") } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
};
