/**
 * keepalived's `vrrp_instance`, with the sync group that names it, as instances of Tandem. Pure.
 */
import { parseCidr, parseIp } from "../base/address.ts";
import { Draft, duration, list, map, nameOf, quoted, whole } from "./draft.ts";
import type { Statement } from "./keepalived_text.ts";
import { type TrackSections, tracksIn } from "./tracks.ts";
import { routesIn, rulesIn } from "./virtual_routes.ts";
import { NOTIFY, UNKNOWN_OPTION, VRRP_OPTIONS } from "./vrrp_options.ts";

export interface VrrpContext {
  readonly sections: TrackSections;
  /** The word behind a keyword of global_defs. */
  readonly global: (keyword: string) => string | undefined;
  /** The sync group of an instance, by the instance's name. */
  readonly groups: ReadonlyMap<string, Statement>;
}

export function importInstance(statement: Statement, context: VrrpContext): Draft {
  const draft = new Draft();
  const name = statement.words[1] ?? "unnamed";
  const block = statement.block ?? [];
  const last = (keyword: string) => block.findLast(({ words }) => words[0] === keyword);
  draft.set("name", quoted(nameOf(name)));
  const all = (keyword: string) => block.filter(({ words }) => words[0] === keyword);
  const addresses = addressesIn(all("virtual_ipaddress"), draft);
  const six = addresses[0]?.includes(":") ?? false;
  // An interface with a virtual MAC is of one family.
  const excluded = addressesIn(
    all("virtual_ipaddress_excluded"),
    draft,
    addresses,
    last("use_vmac") === undefined,
  );
  const version = six ? "3" : last("version")?.words[1] ?? context.global("vrrp_version") ?? "2";
  const own = last("interface")?.words[1];
  const vrid = whole(last("virtual_router_id")?.words[1], 1, 255);
  if (own === undefined) draft.note(statement.place, "no interface is named: eth0 is a guess");
  if (vrid === null) draft.note(statement.place, "no virtual_router_id of 1 to 255: 1 is a guess");
  draft.set("interface", quoted(own ?? "eth0"));
  draft.set("routerId", vrid ?? "1");
  draft.set("addresses", list(addresses.map((address) => JSON.stringify(address))));
  if (excluded.length > 0) {
    draft.set("unadvertised", list(excluded.map((address) => JSON.stringify(address))));
  }
  draft.set("priority", priorityOf(last("priority"), draft));
  draft.set("transport", version === "3" ? "vrrp3" : "vrrp2");
  draft.set("advertInterval", intervalOf(last("advert_int"), version, draft));
  const preempt = preemptOf(block);
  if (preempt !== null) draft.set("preempt", preempt);
  authentication(last("authentication"), version, draft);
  const peers = last("unicast_peer")?.block ?? [];
  if (peers.length > 0) draft.set("peers", list(peers.map(({ words }) => JSON.stringify(words[0]))));
  for (const peer of peers) if (peer.words.length > 1) draft.refuse(peer, "only the address was taken");
  const macs = last("use_vmac");
  if (macs !== undefined && peers.length > 0) draft.refuse(macs, "is only for multicast");
  else if (macs !== undefined) draft.set("virtualMac", "true");
  const announce = announceOf((keyword) => last(keyword)?.words[1] ?? context.global(`vrrp_${keyword}`));
  if (announce.length > 0) draft.set("announce", map(announce));
  const group = context.groups.get(name);
  if (group !== undefined) draft.set("syncGroup", quoted(nameOf(group.words[1] ?? "unnamed")));
  const tracks = tracksIn([...block, ...group?.block ?? []], context.sections, draft);
  if (tracks.length > 0) draft.set("track", list(tracks));
  const routes = routesIn(block, six, draft);
  if (routes.length > 0) draft.set("virtualRoutes", list(routes));
  const rules = rulesIn(block, six, draft);
  if (rules.length > 0) draft.set("virtualRules", list(rules));
  for (const one of block) {
    const fate = VRRP_OPTIONS[one.words[0]!];
    if (fate === NOTIFY) draft.note(one.place, transitionLine(one));
    else if (fate?.fate !== "taken") draft.refuse(one, fate?.text ?? UNKNOWN_OPTION);
  }
  return draft;
}

/** `ADDRESS[/PREFIX]`, each once; null: it is no address. */
function addressOf(text: string): string | null {
  if (parseIp(text) !== null) return text;
  return /\/\d+$/.test(text) && parseIp(text.replace(/\/\d+$/, "")) !== null &&
      parseCidr(text.replace(/^.*\//, `${text.includes(":") ? "::" : "0.0.0.0"}/`)) !== null
    ? text
    : null;
}

/** Those of `blocks`, after the ones that were there before; all of one family unless any is good. */
function addressesIn(
  blocks: readonly Statement[],
  draft: Draft,
  before: readonly string[] = [],
  anyFamily = false,
): string[] {
  const all = [...before];
  const bare = (text: string) => text.replace(/\/.*/, "");
  for (const one of blocks.flatMap(({ block }) => block ?? [])) {
    const address = addressOf(one.words[0]!);
    const six = all[0]?.includes(":");
    if (address === null) draft.refuse(one, "is no address");
    else if (all.some((other) => bare(other) === bare(address))) draft.refuse(one, "stands here twice");
    else if (!anyFamily && six !== undefined && six !== address.includes(":")) {
      draft.refuse(one, "is of the other family: give it an instance of its own");
    } else {
      all.push(address);
      if (one.words.length > 1) draft.refuse(one, "only the address was taken, on the instance's interface");
    }
  }
  return all.slice(before.length);
}

/** The line that runs the same program, and what it is given in the place of what it was. */
function transitionLine({ text, words }: Statement): string {
  const [program = ""] = (words[1] ?? "").split(" ");
  return `${text}: onTransition: [${
    quoted(program)
  }]   # at every change, with instance, old state, new state and ` +
    "reason as arguments, not what it had; states are initialize, backup, active, fault";
}

function priorityOf(statement: Statement | undefined, draft: Draft): string {
  const given = whole(statement?.words[1], 1, 254);
  if (given === null && statement !== undefined) draft.refuse(statement, "became 254, the highest there is");
  return given ?? (statement === undefined ? "100" : "254");
}

function intervalOf(statement: Statement | undefined, version: string, draft: Draft): string {
  const given = duration(statement?.words[1] ?? "1");
  const ms = Number(statement?.words[1] ?? "1") * 1000;
  const good = version === "3"
    ? ms >= 10 && ms <= 40_950 && ms % 10 === 0
    : ms >= 1000 && ms <= 255_000 && ms % 1000 === 0;
  if (given !== null && good) return given;
  draft.refuse(statement!, `is no interval of version ${version}: became 1s`);
  return "1s";
}

function preemptOf(block: readonly Statement[]): string | null {
  let answer: string | null = null;
  for (const { words } of block) {
    if (words[0] === "nopreempt") return "false";
    if (words[0] === "preempt_delay") answer = duration(words[1]) ?? answer;
  }
  return answer === "0s" ? null : answer;
}

function announceOf(value: (keyword: string) => string | undefined): [string, string][] {
  const fields: [string, string | null][] = [
    ["times", whole(value("garp_master_repeat"), 1, 100)],
    ["again", duration(value("garp_master_delay"))],
    ["refresh", duration(value("garp_master_refresh"))],
    ["refreshTimes", whole(value("garp_master_refresh_repeat"), 1, 100)],
  ];
  return fields.flatMap(([key, text]) => text === null ? [] : [[key, text]]);
}

function authentication(statement: Statement | undefined, version: string, draft: Draft): void {
  const value = (keyword: string) => statement?.block?.find(({ words }) => words[0] === keyword)?.words[1];
  if (statement === undefined) return;
  // keepalived cuts it off at eight, too.
  const password = value("auth_pass")?.slice(0, 8) ?? "";
  if (version === "3") draft.note(statement.place, "authentication: version 3 has none");
  else if (value("auth_type") === "PASS" && /^[\x21-\x7e]{1,8}$/.test(password)) {
    draft.set("password", JSON.stringify(password.replaceAll("${", () => "$${")));
  } else draft.note(statement.place, "authentication: only PASS, with 1 to 8 characters, is supported");
}
