/** `/api/certificates`: what clients are shown, what else is configured, and what is had by ACME. */
import { certificateList } from "../../mod/observe/certificate_list.ts";
import { CHANGE, createRoute, DOWN, json, outcome, type Resource, z } from "./operation.ts";
import { moment } from "./views/node.ts";

const params = z.object({ name: z.string() });

const Certificate = z.object({
  name: z.string(),
  state: z.enum(["issued", "waiting", "asking", "failing", "file"]).describe(
    "Of what is had by ACME; `file`: it is one of the configuration's files.",
  ),
  issuer: z.string().describe("`CN=…,O=…`; empty: there is none yet."),
  expiresAt: moment.nullable().describe("Null: there is none yet."),
  nextAt: moment.nullable().describe("When the authority is asked next; null: nobody asks one."),
  failures: z.number().describe("Attempts that failed in a row."),
  lastError: z.string().describe("Why the last attempt failed; empty: it did not."),
  listeners: z.array(z.string()).readonly().describe("Where it is shown."),
  uses: z.array(z.string()).readonly().describe(
    "What it is for besides, as the configuration calls the places: `pools.app.tls.ca`.",
  ),
}).openapi("Certificate");

const list = createRoute({
  method: "get",
  path: "/certificates",
  operationId: "listCertificates",
  tags: ["certificates"],
  summary: "The certificates that listeners show, and others that the configuration names",
  responses: {
    200: json(z.array(Certificate).readonly(), "Those had by ACME, then those of files."),
    ...DOWN,
  },
});

const renew = createRoute({
  method: "post",
  path: "/certificates/{name}/renew",
  operationId: "renewCertificate",
  tags: ["certificates"],
  summary: "Ask the authority for another certificate now",
  request: { params },
  responses: CHANGE,
});

const forget = createRoute({
  method: "delete",
  path: "/certificates/{name}",
  operationId: "forgetCertificate",
  tags: ["certificates"],
  summary: "Forget the certificate that was had for a name, and its key",
  request: { params },
  responses: CHANGE,
});

export const certificates: Resource = (app, desk) => {
  app.openapi(list, async (context) => context.json(certificateList(await desk.node()), 200));
  app.openapi(renew, async (context) => {
    const command = { do: "renewCertificate", ...context.req.valid("param") } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
  app.openapi(forget, async (context) => {
    const command = { do: "forgetCertificate", ...context.req.valid("param") } as const;
    return outcome(context, await desk.perform(command, context.var.by));
  });
};
