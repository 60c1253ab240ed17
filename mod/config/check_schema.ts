/**
 * The schema of health checks: active (probes) and passive (what traffic shows). Pure.
 */
import { z } from "zod";
import type { Shape } from "../health/check_kind.ts";
import { CHECK_KINDS, CHECK_TYPES, typesWith } from "../health/kinds.ts";
import { acrossIssue, duration, flag, integer, ipAddress, name, share } from "./fields.ts";
import { ServerTlsSchema } from "./server_tls_schema.ts";

/** The settings of all kinds, each with the kinds that have it in its description. */
function settingsOf(below: "fields" | "expect"): Shape {
  const shape: Record<string, z.ZodType> = {};
  for (const [name, field] of CHECK_TYPES.flatMap((type) => Object.entries(CHECK_KINDS[type][below]))) {
    shape[name] = field.describe(`${field.description} (${typesWith(name, below).join(", ")})`);
  }
  return shape;
}

/** The kinds' own are read by the kinds alone: here they have no types. */
const NO_TYPES = (shape: Shape) => shape as Record<never, never>;

const common = z.strictObject({
  type: z.enum(CHECK_TYPES).prefault("http").describe(
    `How a server is asked: ${
      CHECK_TYPES.map((type) => `\`${type}\` (${CHECK_KINDS[type].is})`).join(", ")
    }.`,
  ),
  ...NO_TYPES(settingsOf("fields")),
  expect: z.strictObject(NO_TYPES(settingsOf("expect"))).prefault({}).describe("What a good answer is."),
  tls: ServerTlsSchema.optional().describe(
    "TLS of the probe, where it differs from the pool's; `false`: a plain connection. (all but udp and exec)",
  ),
  port: integer(1, 65535).optional().describe("Port to probe. Without: the server's own."),
  proxyProtocol: flag().optional().describe(
    "Begins each probe with a PROXY header in its own name. Without: as the pool does, unless `port` is given. (all but udp and exec)",
  ),
  interval: duration(10).prefault("2s").describe("From the start of one probe to the start of the next."),
  fastInterval: duration(10).optional()
    .describe("Interval while a server is on its way down or up. Without: as `interval`."),
  timeout: duration().prefault("1s").describe("Longest wait for one probe."),
  rise: integer(1, 100).prefault(2).describe("Good probes in a row that make a server healthy."),
  fall: integer(1, 100).prefault(3).describe("Bad probes in a row that make it unhealthy."),
});

type Given = z.output<typeof common> & Readonly<Record<string, unknown>>;

/** What the kind of a check reads of it. */
function ownSettings(check: Given): Readonly<Record<string, unknown>> {
  const kind = CHECK_KINDS[check.type];
  return { ...picked(check, kind.fields), expect: picked(check.expect, kind.expect) };
}

function picked(values: Readonly<Record<string, unknown>>, shape: Shape): Record<string, unknown> {
  return Object.fromEntries(Object.keys(shape).map((key) => [key, values[key]]));
}

export const CheckSchema = common.superRefine((check, context) => {
  const kind = CHECK_KINDS[check.type];
  const settings = ownSettings(check);
  const complain = (message: string, ...path: string[]) => context.addIssue(acrossIssue(message, ...path));
  const missing = (kind.required ?? []).filter((name) => settings[name] === undefined);
  for (const name of missing) complain(`is required by type ${check.type}`, name);
  if (missing.length === 0) kind.rules?.(settings as never, complain);
}).transform((check) => {
  const { type, tls, port, proxyProtocol, interval, fastInterval, timeout, rise, fall } = check;
  return {
    type,
    settings: ownSettings(check),
    tls,
    port,
    proxyProtocol,
    interval,
    fastInterval,
    timeout,
    rise,
    fall,
  };
});

/** Of a pool: the name of a shared one has been replaced by it before. */
export const PoolCheckSchema = z.union([CheckSchema, name().transform((): never => z.NEVER)]);

export const AgentSchema = z.strictObject({
  port: integer(1, 65535).describe("Port that the agent of each server listens on."),
  host: ipAddress().optional().describe("Address of one agent for all servers. Without: each server's own."),
  send: z.string().max(512, "must be at most 512 characters").prefault("").describe(
    "What is said to the agent first, mostly with a line's end.",
  ),
  interval: duration(10).prefault("2s").describe("From one question to the next."),
  timeout: duration().prefault("1s").describe("Longest wait for the answer."),
});

const passive = z.strictObject({
  // Envoy: 5 consecutive gateway errors eject.
  failures: integer(0, 1000).prefault(5)
    .describe(
      "Attempts in a row that eject a server as there was no connection or no answer in its time; 0: off.",
    ),
  errorsInRow: integer(0, 1000).prefault(0).describe("Answers of 5xx in a row that do; 0: off."),
  serverErrors: share().prefault(0).describe("Share of 5xx answers in the window that ejects; 0: off."),
  latencyFactor: integer(0, 1000).prefault(0).describe(
    "Ejects a server whose answers of the window begin so many times later, on average, than those of the pool's servers mostly do (their median); 0: off. (http)",
  ),
  latencyMargin: duration(0).prefault("50ms").describe("And later by so much at least."),
  minRequests: integer(1, 1_000_000).prefault(20).describe(
    "Fewest answers of a server in the window before share and latency count.",
  ),
  window: duration(100).prefault("10s").describe("Window of the share and of the latency."),
  ejectFor: duration(100).prefault("10s").describe("How long an ejected server gets nothing."),
  maxEjected: share().prefault("50%").describe(
    "Largest share of the pool's servers that may be ejected at once.",
  ),
});

export const PassiveSchema = z.union([flag(), passive])
  .transform((value) => value === true ? passive.parse({}) : value === false ? null : value);

export type AgentConfig = z.output<typeof AgentSchema>;
export type CheckConfig = z.output<typeof CheckSchema>;
export type PassiveConfig = z.output<typeof PassiveSchema>;
