/**
 * The schema of the election: instances, their addresses, keys, and what is tracked. Pure.
 */
import { z } from "zod";
import { MAX_INTERVAL_MS, MIN_INTERVAL_MS } from "../../vrrp/timing.ts";
import {
  acrossIssue,
  addressWithPrefix,
  choice,
  cidr,
  duration,
  flag,
  integer,
  interfaceName,
  ipAddress,
  line,
  name,
  oneOrMore,
} from "./fields.ts";
import { quoteText } from "./problem.ts";

/** Half of SHA-256's output: a shorter secret can be searched for. */
const MIN_SECRET = 16;
/** As keepalived: a weight can never make a priority of 254 one of 0. */
const MAX_WEIGHT = 253;
/** Names as useradd(8) allows them, and what directories add to that. */
const ACCOUNT = /^[\w.@-]{1,64}\$?(:[\w.@-]{1,64}\$?)?$/;

/** keepalived has no bound; each costs a call of the kernel at every renewal. */
const MAX_ROUTES = 64;
const MAX_NUMBER = 0x7fff_ffff;

/** One byte of seconds (RFC 3768 section 5.3.7). */
const MAX_V2_INTERVAL_MS = 255_000;
const INTERVAL_RULE = `must be ${MIN_INTERVAL_MS}ms to ${MAX_INTERVAL_MS}ms in steps of ${MIN_INTERVAL_MS}ms`;
/** What fits the eight bytes of authentication data (RFC 2338 section 5.3.10). */
const PASSWORD = /^[\x21-\x7e]{1,8}$/;

const absolutePath = () =>
  line(1).refine((path) => path.startsWith("/"), { error: "must be an absolute path" });

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

const track = z.strictObject({
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

const key = z.strictObject({
  id: integer(1, 255).describe("Tells keys apart while they are changed."),
  secret: line(MIN_SECRET).meta({ kind: "secret" }).describe(
    `At least ${MIN_SECRET} characters, the same on every node.`,
  ),
});

const destination = () => z.union([z.literal("default"), cidr()]);
const tableNumber = () => integer(1, MAX_NUMBER);

const route = z.strictObject({
  to: destination().describe("A block of addresses, or `default`."),
  via: ipAddress().optional().describe("The next hop. Without: what is there is on the link of `device`."),
  device: interfaceName().optional().describe("Without: the one that `via` is on."),
  source: ipAddress().optional().describe(
    "What this node speaks from to there. Without, on IPv4: the instance's first address.",
  ),
  metric: integer(0, MAX_NUMBER).optional().describe("Of routes to the same, the lowest is used."),
  table: tableNumber().optional().describe("Without: the main one."),
  type: choice("unicast", "blackhole", "unreachable", "prohibit").prefault("unicast").describe(
    "What becomes of packets to there.",
  ),
}).superRefine(({ via, device, type }, context) => {
  const issue = (message: string, ...path: string[]) => context.addIssue(acrossIssue(message, ...path));
  if (type === "unicast" && via === undefined && device === undefined) issue("must have via or device");
  if (type !== "unicast" && via !== undefined) issue(`has no sense with ${type}`, "via");
  if (type !== "unicast" && device !== undefined) issue(`has no sense with ${type}`, "device");
});

const rule = z.strictObject({
  from: cidr().optional().describe("Source of the packets. Without: any."),
  to: cidr().optional().describe("Destination of the packets. Without: any."),
  table: tableNumber().describe("Number of the table that they are routed by."),
  priority: integer(1, 32_765).describe("The lower, the earlier it is asked."),
});

const instance = z.strictObject({
  name: name().describe("Name in commands, logs and metrics."),
  interface: interfaceName().describe("Where the addresses are set and the nodes hear each other."),
  routerId: integer(1, 255).describe("Tells virtual routers of one LAN apart; the same on every node."),
  addresses: z.array(addressWithPrefix()).min(1, "must have at least one address")
    .describe("What clients use: `ip/prefix`, or an IP for itself alone. All of one family."),
  owners: z.array(name()).min(1, "must name at least one node").optional()
    .describe("The nodes by preference; their priorities are 200, 150, 100 and so on."),
  priority: integer(1, 254).optional().describe(
    "This node's priority, instead of `owners`; the highest owns.",
  ),
  advertInterval: duration().refine(
    (ms) => ms >= MIN_INTERVAL_MS && ms <= MAX_V2_INTERVAL_MS && ms % MIN_INTERVAL_MS === 0,
    `${INTERVAL_RULE}; with vrrp2 1s to 255s`,
  ).prefault("1s").describe(
    "How often the owner says that it lives; others take over after about three without a word. With `vrrp2`: 1s to " +
      "255s in whole seconds, the same on every node.",
  ),
  preempt: z.union([flag(), duration()]).prefault(true).describe(
    "Whether a node of higher priority takes the address from one that serves; a duration: only after so long.",
  ),
  transport: choice("udp", "vrrp3", "vrrp2").prefault("udp").describe(
    "`udp`: signed datagrams on port 8112, between Tandems. `vrrp3` and `vrrp2`: VRRP itself (IP protocol 112), with " +
      "keepalived and routers too.",
  ),
  password: line(1).meta({ kind: "secret" }).optional().describe(
    "Sent with every advert, in clear: only for routers that ask for it. 1 to 8 characters. (`vrrp2`)",
  ),
  virtualMac: flag().prefault(false).describe(
    "The addresses have the MAC 00-00-5E-00-01-id (IPv6: 00-00-5E-00-02-id) on whichever node has them, so that clients " +
      "learn nothing when they move. (`vrrp3` and `vrrp2`, multicast)",
  ),
  peers: z.array(ipAddress()).prefault([]).describe(
    "The other nodes' addresses, where there is no multicast. Without: multicast.",
  ),
  keys: z.array(key).prefault([]).describe(
    "The first signs, all are accepted. Without: nothing is signed, and anybody on the LAN can take the address. With " +
      "`vrrp3` and `vrrp2` they sign only what Tandems report to each other, which needs them.",
  ),
  syncGroup: name().optional().describe(
    "Instances of the same group are active on a node together or not at all, and what one tracks counts for all.",
  ),
  virtualRoutes: z.array(route).max(MAX_ROUTES, `must be at most ${MAX_ROUTES}`).prefault([]).describe(
    "Routes that this node has while it has the addresses.",
  ),
  virtualRules: z.array(rule).max(MAX_ROUTES, `must be at most ${MAX_ROUTES}`).prefault([]).describe(
    "Rules for choosing a table of routes, while it has the addresses.",
  ),
  track: z.array(track).prefault([]).describe("What has to be well for this node to own the addresses."),
  onTransition: z.array(absolutePath()).prefault([]).describe(
    "Programs that are run at every change of state, with instance, old state, new state and reason.",
  ),
}).superRefine((fields, context) => {
  const { owners, priority, transport, advertInterval, password, virtualMac, peers } = fields;
  const issue = (message: string, ...path: string[]) => context.addIssue(acrossIssue(message, ...path));
  if (transport !== "vrrp2" && advertInterval > MAX_INTERVAL_MS) issue(INTERVAL_RULE, "advertInterval");
  if (transport === "vrrp2" && advertInterval % 1000 !== 0) {
    issue("must be 1s to 255s in whole seconds, as VRRPv2 counts them", "advertInterval");
  }
  if (virtualMac && transport === "udp") issue("has no sense with udp", "virtualMac");
  if (virtualMac && peers.length > 0) issue("has no sense with peers", "virtualMac");
  if (password !== undefined && transport !== "vrrp2") issue(`has no sense with ${transport}`, "password");
  if (password !== undefined && !PASSWORD.test(password)) {
    issue("must be 1 to 8 characters, none of them outside ASCII", "password");
  }
  if ((owners === undefined) !== (priority === undefined)) return;
  issue(`must have either owners or priority, and has ${owners === undefined ? "neither" : "both"}`);
});

export const VrrpSchema = z.strictObject({
  scriptUser: z.string().regex(ACCOUNT, "must be the name of a user, or user:group").optional().describe(
    "Who the programs of this file run as when the node is started as root: a user, or `user:group`. Without: " +
      "`tandem_script` if there is such a user, else root.",
  ),
  instances: z.array(instance).prefault([]).describe("The addresses that the nodes share."),
});

export type VrrpInstanceConfig = z.output<typeof instance>;
