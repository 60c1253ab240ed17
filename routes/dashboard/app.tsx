/** @jsxImportSource hono/jsx */
/**
 * The dashboard: a page at `/`, which anybody may have as it says nothing, and its events, which are for those who may
 * read. What its buttons do goes through the API.
 */
import { Hono } from "hono";
import { SCRIPT, STYLE } from "./assets.ts";
import { CHARTS } from "./charts.ts";
import { Events } from "./events_io.ts";
import { planView } from "./plan.tsx";
import { Shell } from "./shell.tsx";
import { CHART_FILES, chartFile } from "./uplot_io.ts";
import type { Desk } from "../../mod/runtime/desk.ts";

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** The parts that say nothing of the node: mounted before anybody is asked for a token. */
export function createShell(): Hono {
  const app = new Hono();
  app.get("/", (context) => {
    context.header("content-security-policy", POLICY);
    context.header("referrer-policy", "no-referrer");
    return context.html(`<!doctype html>${<Shell />}`);
  });
  const serve = (path: string, type: string, text: string) =>
    app.get(path, (context) => context.body(text, 200, { "content-type": `text/${type}; charset=utf-8` }));
  serve("/dashboard/style.css", "css", STYLE);
  serve("/dashboard/script.js", "javascript", SCRIPT);
  serve("/dashboard/charts.js", "javascript", CHARTS);
  for (const name of CHART_FILES) {
    app.get(`/dashboard/${name}`, async (context) => {
      const { text, type } = await chartFile(name);
      return context.body(text, 200, { "content-type": type });
    });
  }
  return app;
}

/** What is told of the node. */
export function createEvents(desk: Desk): Hono {
  const events = new Events(desk);
  const app = new Hono();
  app.get("/dashboard/plan", async (context) => {
    return context.html(planView(await desk.plan().catch(() => null)));
  });
  return app.get("/dashboard/events", (context) => {
    if (context.req.method === "HEAD") {
      return context.body(null, 200, { "content-type": "text/event-stream" });
    }
    const stream = events.open();
    if (stream === null) return context.json({ error: "too many pages are open" }, 503);
    return context.body(stream, 200, { "content-type": "text/event-stream" });
  });
}
