/**
 * The schema of the election: instances, their addresses, keys, and what is tracked. Pure.
 */
import { z } from "zod";
import { MAX_INTERVAL_MS, MIN_INTERVAL_MS } from "../../vrrp/timing.ts";
import {
  absolutePath,
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
} from "./fields.ts";
import { TrackSchema } from "./track_schema.ts";

/** Half of SHA-256's output: a shorter secret can be searched for. */
const MIN_SECRET = 16;
/** Names as useradd(8) allows them, and what directories add to that. */
const ACCOUNT = /^[\w.@-]{1,64}\$?(:[\w.@-]{1,64}\$?)?$/;

/** keepalived has no bound; each costs a call of the kernel at every renewal. */
const MAX_ROUTES = 64;
const MAX_NUMBER = 0x7fff_ffff;
/** The same: each costs a call at every renewal. */
const MAX_UNADVERTISED = 256;

/** One byte of seconds (RFC 3768 section 5.3.7). */
const MAX_V2_INTERVAL_MS = 255_000;
const INTERVAL_RULE = `must be ${MIN_INTERVAL_MS}ms to ${MAX_INTERVAL_MS}ms in steps of ${MIN_INTERVAL_MS}ms`;
/** What fits the eight bytes of authentication data (RFC 2338 section 5.3.10). */
const PASSWORD = /^[\x21-\x7e]{1,8}$/;

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

const announce = z.strictObject({
  times: integer(1, 100).prefault(5).describe("So many at once."),
  again: duration(0).prefault("5s").describe("And again after this; `0s`: not again."),
  refresh: duration(0).prefault("60s").describe("From then on every so often; `0s`: no more."),
  refreshTimes: integer(1, 100).prefault(1).describe("So many of these at once."),
});

const instance = z.strictObject({
  name: name().describe("Name in commands, logs and metrics."),
  interface: interfaceName().describe("Where the addresses are set and the nodes hear each other."),
  routerId: integer(1, 255).describe("Tells virtual routers of one LAN apart; the same on every node."),
  addresses: z.array(addressWithPrefix()).min(1, "must have at least one address")
    .describe("What clients use: `ip/prefix`, or an IP for itself alone. All of one family."),
  unadvertised: z.array(addressWithPrefix()).max(MAX_UNADVERTISED, `must be at most ${MAX_UNADVERTISED}`)
    .prefault([]).describe(
      "Further addresses that move with these, of either family, and do not stand in adverts. As keepalived's " +
        "`virtual_ipaddress_excluded`.",
    ),
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
  announce: announce.prefault({}).describe(
    "How often the LAN is told who has the addresses, by gratuitous ARP or neighbour advertisements.",
  ),
  virtualRoutes: z.array(route).max(MAX_ROUTES, `must be at most ${MAX_ROUTES}`).prefault([]).describe(
    "Routes that this node has while it has the addresses.",
  ),
  virtualRules: z.array(rule).max(MAX_ROUTES, `must be at most ${MAX_ROUTES}`).prefault([]).describe(
    "Rules for choosing a table of routes, while it has the addresses.",
  ),
  track: z.array(TrackSchema).prefault([]).describe(
    "What has to be well for this node to own the addresses.",
  ),
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
  startupDelay: duration(0).prefault("0s").describe(
    "From the start of the node until it takes part in any election: for networks whose ports come up late.",
  ),
  instances: z.array(instance).prefault([]).describe("The addresses that the nodes share."),
});

export type VrrpInstanceConfig = z.output<typeof instance>;
