/** `/api/instances`: the election, and handing the addresses of an instance over. */
import { CHANGE, createRoute, json, named, NOT_FOUND, outcome, type Resource, z } from "./operation.ts";
import { Instance } from "./views/keeper.ts";

const params = z.object({ instance: z.string() });

const list = createRoute({
  method: "get",
  path: "/instances",
  operationId: "listInstances",
  tags: ["election"],
  summary: "The instances of the election: who has which addresses, and why",
  responses: { 200: json(z.array(Instance).readonly(), "All, in the order of the file.") },
});

const read = createRoute({
  method: "get",
  path: "/instances/{instance}",
  operationId: "readInstance",
  tags: ["election"],
  summary: "One instance",
  request: { params },
  responses: { 200: json(Instance, "The instance."), ...NOT_FOUND },
});

const move = createRoute({
  method: "post",
  path: "/instances/{instance}/move",
  operationId: "moveAddresses",
  tags: ["election"],
  summary: "Hand the addresses over to another node",
  request: { params },
  responses: CHANGE,
});

export const instances: Resource = (app, desk) => {
  app.openapi(list, async (context) => context.json((await desk.keeper()).vrrp.instances, 200));
  app.openapi(read, async (context) => {
    const { instance } = context.req.valid("param");
    return context.json(named((await desk.keeper()).vrrp.instances, instance, "instance"), 200);
  });
  app.openapi(move, async (context) => {
    const command = { do: "moveAddresses", ...context.req.valid("param") } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
};
