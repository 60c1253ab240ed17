/** @jsxImportSource hono/jsx */
/**
 * The dashboard: a page at `/`, which anybody may have as it says nothing, and its events, which are for those who may
 * read. What its buttons do goes through the API.
 */
import { Hono } from "hono";
import { SCRIPT, STYLE } from "./assets.ts";
import type { Events } from "./events_io.tsx";
import { Shell } from "./shell.tsx";

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
  app.get(
    "/dashboard/style.css",
    (context) => context.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" }),
  );
  app.get(
    "/dashboard/script.js",
    (context) => context.body(SCRIPT, 200, { "content-type": "text/javascript; charset=utf-8" }),
  );
  return app;
}

/** What is told of the node. */
export function createEvents(events: Events): Hono {
  return new Hono().get("/dashboard/events", (context) => {
    if (context.req.method === "HEAD") {
      return context.body(null, 200, { "content-type": "text/event-stream" });
    }
    const stream = events.open();
    if (stream === null) return context.json({ error: "too many pages are open" }, 503);
    return context.body(stream, 200, { "content-type": "text/event-stream" });
  });
}
