/**
 * The schema of what the election tracks: one thing an entry, of one of several kinds. Pure.
 */
import { z } from "zod";
import {
  absolutePath,
  acrossIssue,
  choice,
  duration,
  flag,
  integer,
  interfaceName,
  line,
  name,
  oneOrMore,
} from "./fields.ts";
import { quoteText } from "./problem.ts";

/** As keepalived: a weight can never make a priority of 254 one of 0. */
const MAX_WEIGHT = 253;

export type TrackConfig =
  & { readonly weight: number | null; readonly fault?: true; readonly invert?: true }
  & (
    | { readonly kind: "pool"; readonly name: string; readonly minHealthy: number }
    | { readonly kind: "listener" | "interface"; readonly name: string }
    | { readonly kind: "file" | "number"; readonly name: string }
    | {
      readonly kind: "process";
      readonly name: string;
      readonly minRunning: number;
      /** Null: any number. */
      readonly maxRunning: number | null;
      readonly rise: number;
      readonly fall: number;
    }
    | {
      readonly kind: "exec";
      readonly command: readonly string[];
      readonly intervalMs: number;
      readonly timeoutMs: number;
      readonly rise: number;
      readonly fall: number;
      readonly initial: "unknown" | "bad";
    }
  );

const KINDS = ["pool", "listener", "interface", "exec", "file", "number", "process"] as const;
type Kind = typeof KINDS[number];
const DEFAULT_EXEC_MS = 2000;
/** Longest `comm` of a process (TASK_COMM_LEN of Linux is 16 with the final zero). */
const PROCESS = /^[^\p{Cc}/]{1,15}$/u;
/** Which kinds a field is for; those that are not here are for all. */
const FIELDS_OF: Readonly<Record<string, readonly Kind[]>> = {
  minHealthy: ["pool"],
  interval: ["exec"],
  timeout: ["exec"],
  initial: ["exec"],
  rise: ["exec", "process"],
  fall: ["exec", "process"],
  minRunning: ["process"],
  maxRunning: ["process"],
  invert: ["interface", "exec", "file", "process"],
  fault: ["pool", "listener", "interface", "exec", "file", "process"],
};

export const TrackSchema = z.strictObject({
  pool: name().optional().describe("A pool: good while it has `minHealthy` healthy servers."),
  minHealthy: integer(1, 10_000).optional().describe("Without: 1. (pool)"),
  listener: name().optional().describe("A listener: good while the balancer listens on it."),
  interface: interfaceName().optional().describe("Another interface: good while it has a link."),
  exec: oneOrMore(line(1)).optional().describe(
    "Absolute path of a program, or a list with its arguments: good while its exit code is 0.",
  ),
  interval: duration(100).optional().describe("From one run to the next. Without: 2s. (exec)"),
  timeout: duration(10).optional().describe("Longest run. Without: as `interval`. (exec)"),
  file: absolutePath().optional().describe(
    "Bad while this file exists, unless it holds `0`; its first line is the reason.",
  ),
  number: absolutePath().optional().describe(
    "A file that holds a number, 0 without it: `weight` (1) counts so many times; less than -253 in all is a fault.",
  ),
  process: z.string().regex(PROCESS, "must be the name of a process, of 1 to 15 characters").optional()
    .describe(
      "Name of a process, as `ps -o comm` shows it: good while `minRunning` of them run. Looked at every second.",
    ),
  minRunning: integer(0, 10_000).optional().describe("Without: 1. (process)"),
  maxRunning: integer(0, 10_000).optional().describe("More are bad. Without: any number. (process)"),
  rise: integer(1, 100).optional().describe(
    "Good answers in a row that make it good. Without: 1. (exec, process)",
  ),
  fall: integer(1, 100).optional().describe(
    "Bad answers in a row that make it bad. Without: 1. (exec, process)",
  ),
  initial: choice("unknown", "bad").optional().describe(
    "Before the first answer, which `unknown` has decide alone. Without: `unknown`. (exec)",
  ),
  invert: flag().optional().describe(
    "Good is bad, and the other way round. (interface, exec, file, process)",
  ),
  weight: integer(-MAX_WEIGHT, MAX_WEIGHT).optional().describe(
    "Added to the priority: a negative one while it is bad, a positive one while it is good. Without: what is bad " +
      "moves the address to a node that is better off; an interface moves it at once.",
  ),
  fault: flag().optional().describe(
    "Whatever is bad takes the node out of the election at once, as keepalived without a weight does, even if no node " +
      "is better off.",
  ),
}).transform((fields, context): TrackConfig => {
  const issue = (message: string, ...path: string[]) => {
    context.addIssue(acrossIssue(message, ...path));
    return z.NEVER;
  };
  const given = KINDS.filter((kind) => fields[kind] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    const has = given.length === 0 ? "none" : given.join(" and ");
    return issue(`must have exactly one of ${KINDS.join(", ")}, and has ${has}`);
  }
  for (const [field, kinds] of Object.entries(FIELDS_OF)) {
    if (fields[field as keyof typeof fields] === undefined || kinds.includes(kind)) continue;
    return issue(`has no sense with ${kind}`, field);
  }
  const { weight = null, fault = false, invert = false, rise = 1, fall = 1 } = fields;
  if (fault && weight !== null) return issue("has no sense with weight", "fault");
  const common = { weight, ...fault ? { fault } as const : {}, ...invert ? { invert } as const : {} };
  switch (kind) {
    case "pool":
      return { kind, name: fields.pool!, minHealthy: fields.minHealthy ?? 1, ...common };
    case "process": {
      const { minRunning = 1, maxRunning = null } = fields;
      if (maxRunning !== null && maxRunning < minRunning) {
        return issue(`must be at least minRunning, which is ${minRunning}`, "maxRunning");
      }
      return { kind, name: fields.process!, minRunning, maxRunning, rise, fall, ...common };
    }
    case "exec": {
      const command = fields.exec!;
      if (!command[0]!.startsWith("/")) {
        return issue(`must be an absolute path, not ${quoteText(command[0]!)}`, "exec");
      }
      const intervalMs = fields.interval ?? DEFAULT_EXEC_MS;
      const { timeout: timeoutMs = intervalMs, initial = "unknown" } = fields;
      return { kind, command, intervalMs, timeoutMs, rise, fall, initial, ...common };
    }
    default:
      return { kind, name: fields[kind]!, ...common };
  }
});
