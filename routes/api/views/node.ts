/** What the balancer says, as schemas for readers; the types are those of `mod/observe/status.ts`. */
import { z } from "@hono/zod-openapi";
import { ADMIN_STATES } from "../../../mod/config/live.ts";

const counters = z.record(z.string(), z.number()).describe("Since the start; names as in the metrics.");
export const moment = z.number().describe("Milliseconds since 1970.");

export const Server = z.object({
  name: z.string(),
  address: z.string().describe("`host:port`"),
  state: z.enum(["unknown", "up", "down", "ejected", "unchecked"]).describe("As health sees it."),
  admin: z.enum(ADMIN_STATES).describe(
    "As the operator wants it, or its agent where that lets less through.",
  ),
  since: moment.describe("When `state` began, in milliseconds since 1970."),
  reason: z.string().describe("Why, in words."),
  weight: z.number().describe("Effective weight now."),
  backup: z.boolean(),
  active: z.number().describe("Requests or connections under way."),
  counters,
}).openapi("Server");

const Sessions = z.object({
  by: z.enum(["cookie", "table"]),
  entries: z.number().nullable(),
  size: z.number().nullable(),
  hits: z.number(),
  misses: z.number(),
  moved: z.number(),
  evictions: z.number(),
});

export const Pool = z.object({
  name: z.string(),
  balance: z.string(),
  queued: z.number().describe("Requests that wait for a server now."),
  breaker: z.object({ state: z.enum(["closed", "open", "halfOpen"]), opened: z.number() }).optional()
    .describe("Absent: it has none. `opened`: how often, since the start."),
  sessions: Sessions.optional().describe("Absent: its requests belong to no sessions."),
  servers: z.array(Server).readonly(),
}).openapi("Pool");

const Certificate = z.object({
  name: z.string(),
  names: z.array(z.string()).readonly(),
  issuer: z.string(),
  file: z.string(),
  expiresAt: moment,
  fingerprint: z.string().describe("SHA-256, lower-case hex."),
});

const NamedCertificate = z.object({
  use: z.string().describe("As the configuration calls the place: `pools.app.tls.ca`."),
  name: z.string(),
  issuer: z.string(),
  file: z.string(),
  expiresAt: moment,
  fingerprint: z.string().describe("SHA-256, lower-case hex."),
});

export const Listener = z.object({
  name: z.string(),
  protocol: z.string(),
  binds: z.array(z.string()).readonly().describe("`host:port`"),
  certificates: z.array(Certificate).readonly(),
  counters,
  latency: z.object({
    buckets: z.array(z.number()).readonly().describe("Not cumulated; the last has no upper bound."),
    count: z.number(),
    sumMs: z.number(),
  }),
}).openapi("Listener");

const Name = z.object({
  dns: z.string(),
  type: z.string(),
  state: z.string(),
  reason: z.string().describe("What went wrong; empty when nothing did."),
  members: z.array(z.object({ host: z.string() })).readonly(),
  ageMs: z.number().nullable(),
  nextInMs: z.number().nullable(),
});

export const Node = z.object({
  node: z.string(),
  version: z.string(),
  state: z.enum(["serving", "draining"]),
  generation: z.number(),
  startedAt: moment,
  uptimeMs: z.number(),
  workers: z.array(z.object({ index: z.number(), state: z.string(), since: moment })).readonly(),
  workersReplaced: z.number(),
  accessLinesDropped: z.number(),
  accessLogProblem: z.string().describe("Where the access log cannot be written, and why; empty: it can."),
  listeners: z.array(Listener).readonly(),
  pools: z.array(Pool).readonly(),
  names: z.array(Name).readonly(),
  certificates: z.array(NamedCertificate).readonly().optional().describe(
    "Those that the configuration names and no listener shows.",
  ),
  timeline: z.array(z.object({
    at: moment,
    pool: z.string(),
    server: z.string(),
    from: z.string(),
    to: z.string(),
    why: z.string(),
  })).readonly().describe("What health has found of servers, newest first."),
}).openapi("Node");
