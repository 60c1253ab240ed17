/**
 * The keeper's part of `tandem status` for a person: the balancer in a line, then each instance with the nodes that
 * take part, this one first, and what the kernel forwards. Pure.
 */
import {
  type ForeignStatus,
  type InstanceStatus,
  type PeerStatus,
  reasonOf,
} from "../observe/election_status.ts";
import type { Drift } from "../config/live.ts";
import type { KeeperStatus } from "../observe/keeper_status.ts";
import { tableText } from "./columns.ts";
import { kernelTable } from "./kernel_table.ts";
import { span } from "./status_table.ts";

/** The part of the keeper's status that is shown. */
export type KeeperView =
  & Pick<KeeperStatus, "node" | "adminUrl" | "refused" | "drift" | "vrrp" | "kernel">
  & { readonly balancer: Pick<KeeperStatus["balancer"], "state" | "restarts" | "lastDeath"> };

const HEADINGS = ["node", "address", "state", "priority", "health", "since", "why"];

/** The text, with its last newline. `now` is milliseconds since 1970; `columns` of the terminal, null: there is none. */
export function electionTable(keeper: KeeperView, now: number, columns: number | null = null): string {
  const { node, balancer, refused, drift, vrrp, kernel } = keeper;
  const { state, restarts, lastDeath } = balancer;
  const died = lastDeath === null ? "" : `, restarted ${restarts} times, the last one ended: ${lastDeath}`;
  const kept = vrrp.maintenance ? ", in maintenance" : "";
  let text = `node ${node}: balancer ${state}${kept}${died}\n`;
  if (refused !== null) {
    const [first = "", ...more] = refused.problems;
    const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
    text += `the reload ${span(now - refused.at)} ago was refused: ${first.split("\n")[0]}${rest}\n`;
  }
  for (const one of drift) text += driftLine(one, now);
  for (const instance of vrrp.instances) text += instanceTable(node, instance, now, columns);
  text += kernelTable(kernel);
  // deno-lint-ignore no-control-regex -- control characters are what is removed
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, "?");
}

function driftLine({ of, setting, live, file, at, by }: Drift, now: number): string {
  const what = setting === "added"
    ? `added as ${live}`
    : setting === "removed"
    ? setting
    : `${setting} ${live} (file: ${file})`;
  return `changed live: ${of} ${what}, ${span(now - at)} ago by ${by}\n`;
}

function instanceTable(
  node: string,
  instance: InstanceStatus,
  now: number,
  columns: number | null,
): string {
  const { name, interface: device, routerId, addresses, owner, adverts } = instance;
  const rows = [ownRow(node, instance, now), ...instance.peers.map((peer) => peerRow(peer))];
  const dropped = Object.entries(adverts.dropped).map(([reason, count]) => `${count} ${reason}`);
  const others = instance.foreign.map(foreignLine).join("");
  const losses = dropped.length === 0 ? "" : `  dropped: ${dropped.join(", ")}\n`;
  return `\nvrrp ${name}: ${addresses.join(", ")} on ${device}, id ${routerId}, owner ${owner ?? "unknown"}` +
    `${spoken(instance)}\n${tableText(HEADINGS, rows, { columns })}${others}${losses}`;
}

function foreignLine({ address, mac, priority, why, silentMs, adverts }: ForeignStatus): string {
  const heard = `${adverts} ${adverts === 1 ? "advert" : "adverts"}, the last ${span(silentMs)} ago`;
  return `  also active: ${address} (MAC ${mac ?? "unknown"}), priority ${priority}, ${heard}: ${why}\n`;
}

function spoken({ transport, signed, syncGroup }: InstanceStatus): string {
  const group = syncGroup === null ? "" : `, sync group ${syncGroup}`;
  if (transport !== "udp") return `, ${transport}${group}`;
  return `${signed ? "" : ", not signed"}${group}`;
}

function ownRow(node: string, instance: InstanceStatus, now: number): string[] {
  const { local, state, yielding, priority, health, since } = instance;
  return [
    node,
    local ?? "-",
    yielding ? `${state}, yielding` : state,
    String(priority),
    String(health),
    span(now - since),
    reasonOf(instance),
  ];
}

function peerRow(peer: PeerStatus): string[] {
  const notes = [
    peer.silent ? `not heard for ${span(peer.silentMs)}` : "",
    peer.maintenance ? "in maintenance" : "",
    peer.sameConfiguration ? "" : "has another configuration",
    peer.why,
  ];
  return [
    peer.node,
    peer.address,
    peer.silent ? `${peer.state ?? "unknown"}?` : peer.state ?? "unknown",
    String(peer.priority ?? "-"),
    String(peer.health ?? "-"),
    peer.stateMs === null ? "-" : span(peer.stateMs),
    notes.filter((note) => note !== "").join("; "),
  ];
}
