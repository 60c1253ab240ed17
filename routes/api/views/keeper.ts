/** What the keeper says, as schemas for readers; the types are those of `mod/observe/keeper_status.ts`. */
import { z } from "@hono/zod-openapi";
import { LOG_LEVELS } from "../../../mod/config/live.ts";

const moment = z.number().describe("Milliseconds since 1970.");
const state = z.enum(["initialize", "backup", "active", "fault"]);

export const Drift = z.object({
  of: z.string().describe("`POOL/SERVER`, or `log`."),
  setting: z.enum(["state", "weight", "added", "removed", "level"]),
  live: z.union([z.string(), z.number(), z.boolean()]).describe("What is in force."),
  file: z.union([z.string(), z.number()]).nullable().describe("What the file says; null: nothing."),
  at: moment,
  by: z.string().describe("Who changed it."),
}).openapi("Drift");

const Peer = z.object({
  node: z.string(),
  address: z.string(),
  silentMs: z.number().describe("For how long it has not been heard."),
  silent: z.boolean().describe("Not heard for three reports and for 3 s: it may be in any state."),
  state: state.nullable(),
  stateMs: z.number().nullable(),
  why: z.string(),
  priority: z.number().nullable(),
  health: z.number().nullable(),
  maintenance: z.boolean(),
  version: z.string().nullable(),
  sameConfiguration: z.boolean(),
  clockOffsetMs: z.number(),
});

export const Instance = z.object({
  name: z.string(),
  interface: z.string(),
  routerId: z.number(),
  addresses: z.array(z.string()).readonly(),
  local: z.string().nullable(),
  state,
  yielding: z.boolean(),
  since: moment,
  why: z.string(),
  owner: z.string().nullable().describe("The node that has the addresses; null: not known here."),
  priority: z.number(),
  health: z.number().describe("0 to 100."),
  healthReason: z.string(),
  waiting: z.string().nullable(),
  heldUntil: z.number().nullable(),
  signed: z.boolean(),
  transport: z.enum(["udp", "vrrp3", "vrrp2"]),
  syncGroup: z.string().nullable(),
  peers: z.array(Peer).readonly(),
  adverts: z.object({
    sent: z.number(),
    received: z.number(),
    messageChecksums: z.number(),
    dropped: z.record(z.string(), z.number()),
  }),
  conflicts: z.number(),
  foreign: z.array(z.object({
    address: z.string(),
    mac: z.string().nullable(),
    priority: z.number(),
    why: z.string(),
    silentMs: z.number(),
    adverts: z.number(),
  })).readonly(),
  foreignAdverts: z.number(),
}).openapi("Instance");

const Transition = z.object({
  at: moment,
  node: z.string(),
  instance: z.string(),
  from: state.nullable(),
  to: state,
  why: z.string(),
}).openapi("Transition");

export const Election = z.object({
  maintenance: z.boolean(),
  timerLagMs: z.number(),
  instances: z.array(Instance).readonly(),
  timeline: z.array(Transition).readonly().describe("Of this node and its peers, newest first."),
}).openapi("Election");

const Forwarded = z.object({
  name: z.string(),
  mode: z.enum(["nat", "dsr"]),
  protocol: z.enum(["tcp", "udp"]),
  binds: z.array(z.string()).readonly(),
  pool: z.string(),
  policy: z.string(),
  servers: z.array(z.object({
    name: z.string(),
    address: z.string(),
    open: z.boolean().describe("Gets new connections."),
    up: z.boolean(),
    share: z.number().describe("Part of new connections, 0 to 1."),
    connections: z.number(),
  })).readonly(),
});

export const Keeper = z.object({
  pid: z.number(),
  node: z.string(),
  version: z.string(),
  file: z.string().describe("The configuration file."),
  uptimeMs: z.number(),
  generation: z.number().nullable(),
  reloading: z.boolean(),
  refused: z.object({ at: moment, problems: z.array(z.string()).readonly() }).nullable()
    .describe("The last reload, when it was refused."),
  drift: z.array(Drift).readonly().describe("What is not as the file says, since somebody changed it live."),
  logLevel: z.enum(LOG_LEVELS).describe("Least level that is logged."),
  upgrading: z.boolean(),
  adminUrl: z.string().nullable(),
  balancer: z.object({
    state: z.string(),
    pid: z.number().nullable(),
    restarts: z.number(),
    lastDeath: z.string().nullable(),
    badLines: z.number(),
    lagMs: z.number().nullable(),
    pools: z.record(z.string(), z.object({ healthy: z.number(), servers: z.number() })),
  }),
  vrrp: Election,
  kernel: z.object({
    problem: z.string().nullable(),
    services: z.array(Forwarded).readonly(),
    fragments: z.number(),
  }),
}).openapi("Keeper");
