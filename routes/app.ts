/**
 * The admin application over TCP: the API, and what only reads.
 *
 * `/` (`dashboard/app.tsx`), `/api` (`api/app.ts`), `GET /status` (JSON, `NodeStatus`), `GET /metrics` (Prometheus), `GET /healthz` (200 serving,
 * 503 otherwise).
 * It must not know where it is served, nor where the facts come from: the source hands out plain data.
 */
import { Hono } from "hono";
import { electionMetrics } from "../mod/observe/election_status.ts";
import {
  exposition,
  EXPOSITION_TYPE,
  openMetrics,
  OPENMETRICS_TYPE,
  wantsOpenMetrics,
} from "../mod/observe/exposition.ts";
import { kernelMetrics } from "../mod/observe/kernel_status.ts";
import { logger } from "../mod/observe/log.ts";
import { metricsPage } from "../mod/observe/metrics.ts";
import { Refusals } from "../mod/observe/refusals.ts";
import type { NodeStatus } from "../mod/observe/status.ts";
import type { TrafficStatus } from "../mod/observe/traffic.ts";
import type { Desk } from "../mod/runtime/desk.ts";
import { createApi } from "./api/app.ts";
import { auditRefusals } from "./audit.ts";
import { type Access, guard } from "./auth.ts";
import { createEvents, createShell } from "./dashboard/app.tsx";

export interface AdminSource {
  /** Cheap: asked often by probes. starting: nothing listens yet, and there is no status. */
  state(): NodeStatus["state"] | "starting";
  status(): NodeStatus;
  traffic(): TrafficStatus;
  readonly version: string;
  readonly desk: Desk;
}

/** The application of the keeper's socket, whose mode has decided who may do what; serve `app.fetch`. */
export function createSocketApp(desk: Desk, version: string): Hono {
  return new Hono().use(auditRefusals()).route(
    "/api",
    createApi(desk, { from: "socket", token: null }, version),
  );
}

/** The application over TCP; serve `app.fetch`. `refusals`: counted on where one follows another. */
export function createAdminApp(source: AdminSource, access: Access, refusals = new Refusals()): Hono {
  const app = new Hono();
  const log = logger("admin");

  app.use(auditRefusals(refusals));
  app.use(async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
  });
  app.route("/", createShell());
  app.use(guard(access));
  app.route("/", createEvents(source.desk));
  app.on("GET", ["/status", "/metrics"], async (context, next) => {
    if (source.state() !== "starting") return await next();
    return context.json({ error: "the node is starting" }, 503);
  });

  app.route("/api", createApi(source.desk, access, source.version));
  app.get("/status", (context) => context.json(source.status()));
  app.get("/metrics", async (context) => {
    const keeper = await source.desk.keeper().catch(() => null);
    const ofKeeper = keeper === null ? "" : electionMetrics(keeper.vrrp) + kernelMetrics(keeper.kernel);
    const page = metricsPage(source.status(), source.traffic()) + exposition([refusals.family()]) + ofKeeper;
    context.header("vary", "accept");
    return wantsOpenMetrics(context.req.header("accept") ?? "")
      ? context.body(openMetrics(page), 200, { "content-type": OPENMETRICS_TYPE })
      : context.body(page, 200, { "content-type": EXPOSITION_TYPE });
  });
  app.get("/healthz", (context) => {
    const state = source.state();
    return context.text(state + "\n", state === "serving" ? 200 : 503);
  });

  for (const path of ["/status", "/metrics", "/healthz"]) {
    app.all(path, (context) => {
      return context.json({ error: "only GET and HEAD are possible here" }, 405, { allow: "GET, HEAD" });
    });
  }
  app.notFound((context) => context.json({ error: "there is no such page" }, 404));
  app.onError((error, context) => {
    log.error("a request to the admin address failed", { path: context.req.path, error });
    return context.json({ error: "an error inside Tandem; the log says more" }, 500);
  });
  return app;
}
