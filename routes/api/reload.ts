/** `POST /api/reload`: the file is read again. */
import { CHANGE, createRoute, outcome, type Resource } from "./operation.ts";

const reloadRoute = createRoute({
  method: "post",
  path: "/reload",
  operationId: "reload",
  tags: ["configuration"],
  summary: "Read the configuration again; answers when it is in force, or refused with every problem",
  responses: CHANGE,
});

export const reload: Resource = (app, desk) => {
  app.openapi(
    reloadRoute,
    async (context) => outcome(context, await desk.perform({ do: "reload" }, context.var.by)),
  );
};
