/**
 * The schema of a pool and its servers. Pure.
 */
import { z } from "zod";
import { formatHostPort, isHostName } from "../base/address.ts";
import { breaker } from "./breaker_schema.ts";
import { AgentSchema, PassiveSchema, PoolCheckSchema } from "./check_schema.ts";
import { acrossIssue, choice, duration, flag, integer, line, name, serverAddress } from "./fields.ts";
import { retry } from "./retry_schema.ts";
import { certificateName, ServerTlsSchema } from "./server_tls_schema.ts";
import type { HashOn } from "./snapshot.ts";
import { serverId, StickySchema } from "./sticky_schema.ts";

/** HAProxy: 256. */
export const MAX_WEIGHT = 256;

/** Where a server's addresses come from. */
export type ServerSource =
  | { readonly kind: "address"; readonly host: string; readonly port: number }
  | {
    readonly kind: "dns";
    readonly dns: string;
    readonly type: "A" | "AAAA" | "SRV";
    readonly port: number;
  };

const serverObject = z.strictObject({
  name: name().optional().describe("Name in commands, logs and metrics. Without: the address as written."),
  address: serverAddress().optional().describe("`host:port`; every address of a host name becomes a server."),
  dns: line(1, 253).refine(isHostName, "must be a host name").optional()
    .describe("A name to look up, instead of `address`."),
  type: choice("A", "AAAA", "SRV").optional().describe("Record to look up for `dns`. Without: A."),
  port: integer(1, 65535).optional().describe("Port for A and AAAA; SRV records bring their own."),
  weight: integer(0, MAX_WEIGHT).prefault(1).describe("Share of the traffic, relative to the other servers."),
  maxConnections: integer(0, 1_000_000).prefault(0).describe(
    "Most requests or connections at a time; 0: no limit.",
  ),
  backup: flag().prefault(false).describe("Used only when no other server of the pool is available."),
  slowStart: duration(0).prefault("0s").describe(
    "Time in which a server that came back rises to its full weight.",
  ),
  serverName: certificateName().optional().describe(
    "This server's own name, instead of `tls.serverName` of the pool.",
  ),
  state: choice("ready", "drain", "maint").prefault("ready").describe(
    "`drain`: keeps what it has, its sessions too, and gets nothing new; `maint`: finishes what is under way and gets nothing at all.",
  ),
  cookie: serverId().optional().describe(
    "Its value in the cookie of the pool's `sticky`. Without: an id that tells nothing of the server.",
  ),
}).transform(({ address, dns, type, port, name, ...rest }, context) => {
  const issue = (message: string, ...path: string[]) => {
    context.addIssue(acrossIssue(message, ...path));
    return z.NEVER;
  };
  if ((address === undefined) === (dns === undefined)) return issue("must have either address or dns");
  if (address !== undefined) {
    if (type !== undefined) return issue("has no sense with address", "type");
    if (port !== undefined) return issue("belongs into address", "port");
    return { ...rest, name: name ?? formatHostPort(address.host, address.port), source: fixed(address) };
  }
  const record = type ?? "A";
  if (record === "SRV" && port !== undefined) {
    return issue("has no sense with type SRV, whose records have a port", "port");
  }
  if (record !== "SRV" && port === undefined) return issue(`needs a port with type ${record}`);
  const source: ServerSource = { kind: "dns", dns: dns!.toLowerCase(), type: record, port: port ?? 0 };
  return { ...rest, name: name ?? dns!, source };
});

function fixed(address: { host: string; port: number }): ServerSource {
  return { kind: "address", ...address };
}

export const ServerSchema = z.union([
  serverAddress().transform((address) => ({
    name: formatHostPort(address.host, address.port),
    weight: 1,
    maxConnections: 0,
    backup: false,
    slowStart: 0,
    state: "ready" as const,
    serverName: undefined,
    cookie: undefined,
    source: fixed(address),
  })),
  serverObject,
]).meta({ example: "10.0.0.11:8080" });

const ofRequest = "uri, path, header:NAME, cookie:NAME or query:NAME";

/** What of a request is hashed. */
export const HashOnSchema = z.string()
  .regex(/^(sourceIp|uri|path|(?:header|cookie|query):.+)$/, `must be sourceIp, ${ofRequest}`)
  .transform(readHashOn);

/** Only the kernel sees `connection`, the client's address and port. */
const poolHashOn = z.string()
  .regex(
    /^(sourceIp|connection|uri|path|(?:header|cookie|query):.+)$/,
    `must be sourceIp, connection, ${ofRequest}`,
  )
  .transform((text) => text === "connection" ? { kind: text, name: "" } as const : readHashOn(text));

function readHashOn(text: string): HashOn {
  const colon = text.indexOf(":");
  if (colon < 0) return { kind: text as "sourceIp" | "uri" | "path", name: "" };
  const kind = text.slice(0, colon) as "header" | "cookie" | "query";
  const name = text.slice(colon + 1);
  return { kind, name: kind === "header" ? name.toLowerCase() : name };
}

export const PoolSchema = z.strictObject({
  balance: choice("roundRobin", "leastConnections", "random", "fastest", "first", "hash", "maglev")
    .prefault("roundRobin").describe(
      "How a server is chosen: `roundRobin` (smooth, weighted), `leastConnections`, `random` (the better of two), " +
        "`fastest` (peak EWMA of latency), `first`, `hash` or `maglev`.",
    ),
  hashOn: poolHashOn.prefault("sourceIp")
    .describe(
      "What is hashed: `sourceIp`, `uri`, `path`, `header:NAME`, `cookie:NAME`, `query:NAME`; for listeners that the " +
        "kernel forwards also `connection`, the client's address and port. (hash, maglev)",
    ),
  hashMethod: choice("ring", "mod").prefault("ring").describe(
    "`ring`: few keys move when a server leaves; `mod`: cheaper, most keys move. (hash)",
  ),
  servers: z.array(ServerSchema).min(1, "must have at least one server")
    .describe("The pool's servers: `host:port`, or an object."),
  protocol: choice("http/1.1", "h2").prefault("http/1.1").describe(
    "What http listeners speak to the servers: `http/1.1`, or `h2`, HTTP/2, over TLS or without.",
  ),
  tls: ServerTlsSchema.prefault(false).describe(
    "TLS to the servers. `true`: with the defaults of the settings below.",
  ),
  proxyProtocol: choice("v1", "v2").optional().describe(
    "Tells servers who the client is by a PROXY header before everything else. Without: no header.",
  ),
  check: PoolCheckSchema.optional().describe(
    "Active health check, or the name of one under `checks`. Without: servers count as healthy until traffic fails.",
  ),
  agent: AgentSchema.optional().describe(
    "Programs on the servers that say how much each takes, beside the check. Without: nobody is asked.",
  ),
  passive: PassiveSchema.prefault(true)
    .describe("Health from traffic: servers that fail are ejected for a while. `false`: off."),
  retry,
  breaker,
  timeouts: z.strictObject({
    connect: duration().prefault("3s").describe("Longest wait for a connection."),
    response: duration().prefault("60s").describe(
      "Longest wait for the head of an answer, and for more of its body.",
    ),
    idle: duration().prefault("60s").describe("How long an idle connection to a server is kept."),
  }).prefault({}).describe("Time-outs towards servers."),
  queue: z.strictObject({
    size: integer(0, 100_000).prefault(1000).describe("Most requests that wait; 0: none waits."),
    timeout: duration().prefault("5s").describe("Longest wait; then 503."),
  }).prefault({}).describe("Waiting when every server is at `maxConnections`."),
  sticky: StickySchema.optional().describe(
    "Requests of one session go to one server. Without: every request is chosen for.",
  ),
  whenAllDown: choice("fail", "try").prefault("fail")
    .describe("When every server is unhealthy: `fail` (503 at once) or `try` them all the same."),
});

export type ServerConfig = z.output<typeof ServerSchema>;
export type PoolConfig = z.output<typeof PoolSchema>;
