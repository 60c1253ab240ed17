/**
 * Rules about the election: what cannot work is an error, what can never fail over a warning (vrrp_warnings.ts). Pure.
 */
import { findAccount } from "../base/accounts.ts";
import { maxAddresses } from "../../vrrp/packet.ts";
import { MAX_INSTANCES } from "../../vrrp/report.ts";
import type { Path } from "./problem.ts";
import { eachRepeated, type RuleContext } from "./rules.ts";
import { closest } from "./suggest.ts";
import type { TrackConfig } from "./track_schema.ts";
import type { VrrpInstanceConfig } from "./vrrp_schema.ts";
import { familyOf, warnOfFailover } from "./vrrp_warnings.ts";

export function checkVrrp(context: RuleContext): void {
  const { instances } = context.config.vrrp;
  const all: Path = ["vrrp", "instances"];
  if (instances.length > MAX_INSTANCES) context.error(all, `must be at most ${MAX_INSTANCES}`);
  eachRepeated(instances, ({ name }) => name, (at, first) => {
    context.error([...all, at, "name"], `is the name of ${context.show([...all, first])} already`);
  });
  eachRepeated(instances, (one) => `${segmentOf(one)} ${one.routerId}`, (at, first) => {
    context.error(
      [...all, at, "routerId"],
      `is the id of ${context.show([...all, first])} on the same interface already`,
    );
  });
  eachRepeated(instances, segmentOf, (at, first) => checkVoice(context, "keys", all, at, first));
  // VRRP itself has a socket for each list of peers; what is signed has one.
  const signed = instances.map((one, at) =>
    one.transport === "udp" || one.keys.length > 0 ? segmentOf(one) : `no ${at}`
  );
  eachRepeated(signed, (text) => text, (at, first) => checkVoice(context, "peers", all, at, first));
  checkScriptUser(context);
  for (const group of new Set(instances.map(({ syncGroup }) => syncGroup))) {
    if (group !== undefined) checkSyncGroup(context, group, all);
  }
  eachRepeated(
    instances.map((one, at) => one.virtualMac ? `IPv${familyOf(one)} id ${one.routerId}` : `no ${at}`),
    (text) => text,
    (at, first) => {
      context.error(
        [...all, at, "routerId"],
        `is the id of ${context.show([...all, first])} already, and so would be its virtual MAC`,
      );
    },
  );
  for (const [at, one] of instances.entries()) checkInstance(context, one, [...all, at]);
}

/** One socket an interface: a node has one voice there. */
function checkVoice(
  context: RuleContext,
  field: "keys" | "peers",
  all: Path,
  at: number,
  first: number,
): void {
  const { instances } = context.config.vrrp;
  if (JSON.stringify(instances[at]![field]) === JSON.stringify(instances[first]![field])) return;
  const path = [...all, at, field];
  context.error(
    context.given(path) ? path : [...all, at],
    `must have the same ${field} as ${context.show([...all, first])}, which is on the same interface`,
    context.given(path) ? "key" : "value",
  );
}

function checkScriptUser(context: RuleContext): void {
  const { config, accounts } = context;
  const { scriptUser } = config.vrrp;
  if (scriptUser === undefined || accounts === null) return;
  const found = findAccount(scriptUser, accounts);
  if (!("unknown" in found)) return;
  const known = found.unknown === "user" ? accounts.users : accounts.groups;
  const near = closest(found.name, known.keys());
  const hint = near === null ? "" : `; did you mean "${near}"?`;
  context.error(["vrrp", "scriptUser"], `names no ${found.unknown} of this machine: "${found.name}"${hint}`);
}

/** They wait for each other, and that has to be over before one of them takes back what it gives away. */
function checkSyncGroup(context: RuleContext, group: string, all: Path): void {
  const members = [...context.config.vrrp.instances.entries()].filter(([, one]) => one.syncGroup === group);
  const [[at, first]] = members as [[number, VrrpInstanceConfig]];
  if (members.length === 1) {
    context.warn([...all, at, "syncGroup"], "has no other instance: it is synchronized with nothing");
  }
  for (const [other, one] of members.slice(1)) {
    if (one.advertInterval !== first.advertInterval) {
      context.error(
        context.given([...all, other, "advertInterval"])
          ? [...all, other, "advertInterval"]
          : [...all, other],
        `must be the same as that of ${context.show([...all, at])}, which is of the same sync group`,
      );
    }
    if ((one.owners ?? []).join() !== (first.owners ?? []).join()) {
      context.warn(
        [...all, other, "owners"],
        `should be the same as those of ${
          context.show([...all, at])
        }: a node of the sync group takes over when ` +
          "it may have all of its addresses",
      );
    }
  }
}

function segmentOf(one: VrrpInstanceConfig): string {
  return `${one.interface} ${familyOf(one)}`;
}

function checkInstance(context: RuleContext, one: VrrpInstanceConfig, path: Path): void {
  const family = familyOf(one);
  if (one.addresses.some(({ address }) => address.includes(":") !== (family === 6))) {
    context.error([...path, "addresses"], "must be all IPv4 or all IPv6: give each family its own instance");
  }
  if (one.peers.some((peer) => peer.includes(":") !== (family === 6))) {
    context.error([...path, "peers"], `must be IPv${family} as the addresses are`);
  }
  checkRouting(context, one, family, path);
  checkAddresses(context, one, family, path);
  eachRepeated(one.keys, ({ id }) => String(id), (at) => {
    context.error([...path, "keys", at], `has the id of another key: ${one.keys[at]!.id}`);
  });
  checkTransport(context, one, family, path);
  checkNode(context, one, path);
  for (const [at, track] of one.track.entries()) checkTrack(context, track, [...path, "track", at]);
  warnOfFailover(context, one, path);
}

function checkAddresses(
  context: RuleContext,
  { addresses, unadvertised, transport, virtualMac }: VrrpInstanceConfig,
  family: 4 | 6,
  path: Path,
): void {
  eachRepeated([...addresses, ...unadvertised], ({ address }) => address, (at) => {
    const where = at < addresses.length ? ["addresses", at] : ["unadvertised", at - addresses.length];
    context.error([...path, ...where], "stands here twice");
  });
  const most = maxAddresses(transport, family);
  if (addresses.length > most) {
    context.error(
      [...path, "addresses"],
      `must be at most ${most}, which fit an advert: the others can be unadvertised`,
    );
  }
  if (virtualMac && unadvertised.some(({ address }) => address.includes(":") !== (family === 6))) {
    context.error([...path, "unadvertised"], `must be IPv${family} as the addresses are, with virtualMac`);
  }
}

function checkRouting(context: RuleContext, one: VrrpInstanceConfig, family: 4 | 6, path: Path): void {
  const all = [
    ...one.virtualRoutes.map(({ to, via, source }, at) =>
      ["virtualRoutes", at, { to, via, source }] as const
    ),
    ...one.virtualRules.map(({ from, to }, at) => ["virtualRules", at, { from, to }] as const),
  ];
  for (const [list, at, fields] of all) {
    for (const [field, value] of Object.entries(fields)) {
      if (value === undefined || value === "default" || value.includes(":") === (family === 6)) continue;
      context.error([...path, list, at, field], `must be IPv${family} as the addresses are`);
    }
  }
}

/** VRRP itself signs nothing, whatever is set: what is said is what can be done about it. */
function checkTransport(context: RuleContext, one: VrrpInstanceConfig, family: 4 | 6, path: Path): void {
  const { transport, keys, owners = [], password } = one;
  if (transport === "vrrp2" && family === 6) {
    context.error([...path, "transport"], "must be vrrp3 for IPv6 addresses: version 2 knows only IPv4");
  }
  if (transport === "vrrp3" && family === 6 && !/^fe[89ab]/i.test(one.addresses[0]!.address)) {
    context.warn(
      [...path, "addresses"],
      "should begin with a link-local address (fe80::…): routers that go by RFC 9568 drop adverts that do not",
    );
  }
  if (password !== undefined) {
    context.warn([...path, "password"], "protects nothing: everybody on the LAN can read it in every advert");
  }
  if (keys.length > 0 || !context.whole(path)) return;
  if (transport === "udp") {
    context.warn(
      path,
      "has no keys: nothing is signed, and anybody on the LAN can take the address",
      "value",
    );
  } else if (owners.length > 1) {
    context.warn(
      path,
      "has no keys: its nodes do not tell each other how well they are, so that only weights and `fault` move the address",
      "value",
    );
  }
}

/** A node that takes part in nothing has the wrong name, most likely. */
function checkNode(context: RuleContext, { owners }: VrrpInstanceConfig, path: Path): void {
  const { node, nodes } = context;
  if (owners === undefined || node === null || nodes.includes(node)) return;
  context.error(
    [...path, "owners"],
    `must name this node, "${node}" (--node, TANDEM_NODE), or it must stand under nodes: ${nodes.join(", ")}`,
  );
}

function checkTrack(context: RuleContext, track: TrackConfig, path: Path): void {
  if (track.kind === "pool" && !context.given(["pools", track.name])) {
    context.error([...path, "pool"], `names no pool: "${track.name}"`);
  }
  const { listeners } = context.config;
  if (track.kind !== "listener" || !context.whole(["listeners"])) return;
  if (!listeners.some(({ name }) => name === track.name)) {
    context.error([...path, "listener"], `names no listener: "${track.name}"`);
  }
}
