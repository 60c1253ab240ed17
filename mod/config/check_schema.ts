/**
 * The schema of health checks: active (probes) and passive (what traffic shows). Pure.
 */
import { z } from "zod";
import { isHostName, parseIp } from "../base/address.ts";
import { acrossIssue, choice, duration, flag, integer, line, oneOrMore, share, token } from "./fields.ts";
import { quoteText } from "./problem.ts";
import { ServerTlsSchema } from "./server_tls_schema.ts";

type StatusRange = readonly [number, number];

const statusRange = z.union([
  z.int().transform(String),
  z.string(),
]).transform((text, context): StatusRange => {
  const match = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(text);
  const range = match === null ? null : [Number(match[1]), Number(match[2] ?? match[1])] as const;
  if (range !== null && range[0] <= range[1]) return range;
  context.addIssue({
    code: "custom",
    message: `must be a status or a range such as 200-299, not ${quoteText(text)}`,
  });
  return z.NEVER;
}).meta({ kind: "status" });

const hostField = line(1, 255).refine(
  (text) => isHostName(text) || parseIp(text.replace(/^\[(.*)\]$/, "$1")) !== null,
  "must be a host name or an IP address, without a port",
);

export const CheckSchema = z.strictObject({
  type: choice("http", "tcp", "tls", "exec").prefault("http").describe(
    "`http` (a request), `tcp` (a connection), `tls` (a handshake) or `exec` (a program).",
  ),
  path: line(1, 2048).regex(/^\/\S*$/, 'must start with "/" and have no spaces').prefault("/")
    .describe("Path and query to ask for. (http)"),
  method: token("an HTTP method").prefault("GET").describe("Method. (http)"),
  host: hostField.optional().describe(
    "`Host` header, and the TLS server name of type tls. Without: the server's address.",
  ),
  tls: ServerTlsSchema.optional().describe(
    "TLS of the probe, where it differs from the pool's; `false`: a plain connection. (http, tls)",
  ),
  port: integer(1, 65535).optional().describe("Port to probe. Without: the server's own."),
  proxyProtocol: flag().optional().describe(
    "Begins each probe with a PROXY header in its own name. Without: as the pool does, unless `port` is given. (http, tcp, tls)",
  ),
  expect: z.strictObject({
    status: oneOrMore(statusRange).prefault("200-299").describe(
      "Good statuses: `200`, `200-299`, or a list.",
    ),
  }).prefault({}).describe("What a good answer is. (http)"),
  interval: duration(10).prefault("2s").describe("From the start of one probe to the start of the next."),
  fastInterval: duration(10).optional()
    .describe("Interval while a server is on its way down or up. Without: as `interval`."),
  timeout: duration().prefault("1s").describe("Longest wait for one probe."),
  rise: integer(1, 100).prefault(2).describe("Good probes in a row that make a server healthy."),
  fall: integer(1, 100).prefault(3).describe("Bad probes in a row that make it unhealthy."),
  command: oneOrMore(z.string().min(1).refine((text) => !text.includes("\0"), "must not contain NUL"))
    .optional()
    .describe("Absolute path of the program, or a list with its arguments; exit code 0 is good. (exec)"),
}).superRefine((check, context) => {
  const [program] = check.command ?? [];
  if (check.type === "exec" && program === undefined) {
    context.addIssue(acrossIssue("is required by type exec", "command"));
  }
  if (check.type !== "exec" && program !== undefined) {
    context.addIssue(acrossIssue(`has no sense with type ${check.type}`, "command"));
  }
  if (program !== undefined && !program.startsWith("/")) {
    context.addIssue(acrossIssue(`must be an absolute path, not ${quoteText(program)}`, "command"));
  }
});

const passive = z.strictObject({
  // Envoy: 5 consecutive gateway errors eject.
  failures: integer(0, 1000).prefault(5)
    .describe("Connection failures and empty replies in a row that eject a server; 0: off."),
  serverErrors: share().prefault(0).describe("Share of 5xx answers in the window that ejects; 0: off."),
  minRequests: integer(1, 1_000_000).prefault(20).describe(
    "Fewest answers in the window before the share counts.",
  ),
  window: duration(100).prefault("10s").describe("Window of the share."),
  ejectFor: duration(100).prefault("10s").describe("How long an ejected server gets nothing."),
  maxEjected: share().prefault("50%").describe(
    "Largest share of the pool's servers that may be ejected at once.",
  ),
});

export const PassiveSchema = z.union([flag(), passive])
  .transform((value) => value === true ? passive.parse({}) : value === false ? null : value);

export type CheckConfig = z.output<typeof CheckSchema>;
export type PassiveConfig = z.output<typeof PassiveSchema>;
