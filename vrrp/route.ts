/**
 * Routes and rules that are where the virtual addresses are, as messages of netlink. Pure bytes; layouts of
 * linux/rtnetlink.h and fib_rules.h.
 *
 * Each bears a protocol number of ours, so that what is removed is never anybody else's. A route does not outlive its
 * keeper where the kernel can see to that: on IPv6 it has a lease, on IPv4 it goes with the virtual address that it has
 * as its source. A rule has neither; without the routes of its table it leads nowhere.
 */
import { type Cidr, formatCidr, formatIp, type IpBytes } from "../mod/base/address.ts";
import {
  attribute,
  message,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  u32,
} from "./netlink.ts";

export interface VirtualRoute {
  readonly to: Cidr;
  readonly type: "unicast" | "blackhole" | "unreachable" | "prohibit";
  /** The next hop; null: what is there is on the link. */
  readonly via: IpBytes | null;
  /** Null: the kernel finds the one that `via` is on. */
  readonly device: string | null;
  /** What this node speaks from to there; null: the kernel chooses. */
  readonly source: IpBytes | null;
  /** Null: the kernel's default. */
  readonly metric: number | null;
  readonly table: number;
}

export interface VirtualRule {
  readonly family: 4 | 6;
  readonly from: Cidr | null;
  readonly to: Cidr | null;
  readonly table: number;
  readonly priority: number;
}

export interface Routing {
  readonly routes: readonly VirtualRoute[];
  readonly rules: readonly VirtualRule[];
}

export const MAIN_TABLE = 254;

/** The number of VRRP among IP's protocols, for want of one among the protocols of routes. */
const OUR_PROTOCOL = 112;

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const AF_INET = 2;
const AF_INET6 = 10;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_TABLE = 15;
const RTA_EXPIRES = 23;
const SCOPE_UNIVERSE = 0;
const SCOPE_LINK = 253;
/** Of a route that is to be removed: any. */
const SCOPE_NOWHERE = 255;
const TYPES = { unicast: 1, blackhole: 6, unreachable: 7, prohibit: 8 } as const;
const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_PRIORITY = 6;
const FRA_TABLE = 15;
const FRA_PROTOCOL = 21;
const FR_ACT_TO_TBL = 1;
/** Where the number of a table does not fit its byte, this stands there (RT_TABLE_COMPAT). */
const TABLE_ELSEWHERE = 252;

/**
 * Sets a route. `again`: it is ours already, and gets a fresh lease; otherwise it must not be there. `index`: that of
 * its interface; `leaseSeconds` is for IPv6 only.
 */
export function encodeSetRoute(
  route: VirtualRoute,
  index: number | null,
  leaseSeconds: number,
  again: boolean,
  sequence: number,
) {
  const { to, via, source, type } = route;
  const six = to.bytes.length === 16;
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | (again ? NLM_F_REPLACE : NLM_F_EXCL);
  const scope = via === null && type === "unicast" ? SCOPE_LINK : SCOPE_UNIVERSE;
  return message(
    RTM_NEWROUTE,
    flags,
    sequence,
    routeHeader(route, six ? SCOPE_UNIVERSE : scope, TYPES[type]),
    ...routeAttributes(route),
    ...index === null ? [] : [attribute(RTA_OIF, u32(index))],
    ...via === null ? [] : [attribute(RTA_GATEWAY, via)],
    ...source === null ? [] : [attribute(RTA_PREFSRC, source)],
    ...six ? [attribute(RTA_EXPIRES, u32(leaseSeconds))] : [],
  );
}

/** Removes it if it is ours. */
export function encodeDeleteRoute(route: VirtualRoute, sequence: number) {
  const header = routeHeader(route, SCOPE_NOWHERE, 0);
  return message(RTM_DELROUTE, NLM_F_REQUEST | NLM_F_ACK, sequence, header, ...routeAttributes(route));
}

export function encodeSetRule(rule: VirtualRule, sequence: number) {
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
  return message(RTM_NEWRULE, flags, sequence, ...ruleParts(rule));
}

/** Removes it if it is ours. */
export function encodeDeleteRule(rule: VirtualRule, sequence: number) {
  return message(RTM_DELRULE, NLM_F_REQUEST | NLM_F_ACK, sequence, ...ruleParts(rule));
}

/** For a person, in the words of `ip`. */
export function routeText({ to, type, via, table }: VirtualRoute): string {
  const words = [type === "unicast" ? "" : `${type} `, to.prefix === 0 ? "default" : formatCidr(to)];
  if (via !== null) words.push(` via ${formatIp(via)}`);
  if (table !== MAIN_TABLE) words.push(` in table ${table}`);
  return words.join("");
}

export function ruleText({ from, to, table, priority }: VirtualRule): string {
  const words = [`rule ${priority}:`];
  if (from !== null) words.push(`from ${formatCidr(from)}`);
  if (to !== null) words.push(`to ${formatCidr(to)}`);
  return `${words.join(" ")} lookup ${table}`;
}

/** `rtmsg`. */
function routeHeader({ to, table }: VirtualRoute, scope: number, type: number): Uint8Array {
  const family = to.bytes.length === 16 ? AF_INET6 : AF_INET;
  return new Uint8Array([family, to.prefix, 0, 0, tableByte(table), OUR_PROTOCOL, scope, type, 0, 0, 0, 0]);
}

/** What tells a route from others. */
function routeAttributes({ to, metric, table }: VirtualRoute): Uint8Array[] {
  return [
    attribute(RTA_TABLE, u32(table)),
    ...to.prefix === 0 ? [] : [attribute(RTA_DST, to.bytes)],
    ...metric === null ? [] : [attribute(RTA_PRIORITY, u32(metric))],
  ];
}

/** `fib_rule_hdr`, and all that a rule is. */
function ruleParts({ family, from, to, table, priority }: VirtualRule): Uint8Array[] {
  const header = new Uint8Array(12);
  header[0] = family === 6 ? AF_INET6 : AF_INET;
  header[1] = to?.prefix ?? 0;
  header[2] = from?.prefix ?? 0;
  header[4] = tableByte(table);
  header[7] = FR_ACT_TO_TBL;
  return [
    header,
    attribute(FRA_PRIORITY, u32(priority)),
    attribute(FRA_TABLE, u32(table)),
    attribute(FRA_PROTOCOL, new Uint8Array([OUR_PROTOCOL])),
    ...from === null || from.prefix === 0 ? [] : [attribute(FRA_SRC, from.bytes)],
    ...to === null || to.prefix === 0 ? [] : [attribute(FRA_DST, to.bytes)],
  ];
}

function tableByte(table: number): number {
  return table < 256 ? table : TABLE_ELSEWHERE;
}
