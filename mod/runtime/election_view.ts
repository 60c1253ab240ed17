/**
 * What the election looks like to a person or a program: one instance and its peers as plain data. Pure.
 */
import { formatIp, type IpBytes } from "../base/address.ts";
import type { ForeignStatus, InstanceStatus, PeerStatus } from "../observe/election_status.ts";
import { DROP_REASONS, type DropReason } from "../../vrrp/drops.ts";
import type { MachineStatus } from "../../vrrp/machine.ts";
import type { ChecksumKind } from "../../vrrp/packet.ts";
import type { HeardPeer } from "../../vrrp/heard.ts";
import type { RunnerSettings, SegmentSettings } from "../../vrrp/settings.ts";
import { reportIntervalMs } from "../../vrrp/report.ts";
import { type InstanceSettings, reports } from "./election.ts";

/** Two reports may get lost. */
const FRESH_REPORTS = 3;
/** A peer is not called silent for less: a node that is busy for a moment is nobody's concern. */
const LEAST_SILENT_MS = 3000;

/** An instance at work. */
export interface MemberView {
  readonly settings: InstanceSettings;
  readonly runner: {
    readonly settings: RunnerSettings;
    readonly sent: number;
    readonly received: number;
    readonly conflicts: number;
    readonly transitions: InstanceStatus["transitions"];
    status(): MachineStatus;
  };
}

/** Its part of the LAN. */
export interface SegmentView {
  readonly local: IpBytes | null;
  readonly peers: ReadonlyMap<string, HeardPeer>;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Only of VRRP itself: packets of version 3 over IPv4 by what their checksum covered. */
  readonly checksums?: Readonly<Record<ChecksumKind, number>>;
}

/** The part of the LAN as seen by both: what speaks VRRP itself, and what reports beside it. */
export function seenOn(
  segment: SegmentView | null,
  wire: Omit<SegmentView, "peers"> & Required<Pick<SegmentView, "checksums">> | null,
): SegmentView | null {
  if (wire === null) return segment;
  const dropped = { ...wire.dropped };
  for (const reason of DROP_REASONS) dropped[reason] += segment?.dropped[reason] ?? 0;
  return { local: wire.local, peers: segment?.peers ?? new Map(), dropped, checksums: wire.checksums };
}

export interface Viewed {
  readonly node: string;
  readonly member: MemberView;
  readonly segment: SegmentView | null;
  readonly foreign: { readonly list: readonly ForeignStatus[]; readonly adverts: number };
  /** The keeper's clock, and the wall's. */
  readonly now: number;
  readonly clock: number;
}

export function instanceStatus({ node, member, segment, foreign, now, clock }: Viewed): InstanceStatus {
  const { runner } = member;
  const machine = runner.status();
  const since = Number.isFinite(machine.since) ? clock - (now - machine.since) : clock;
  return {
    ...outline(member.settings),
    local: segment?.local ? formatIp(segment.local) : null,
    state: machine.state,
    yielding: machine.yielding,
    since: Math.round(since),
    why: machine.reason,
    owner: machine.state === "active" ? node : machine.active?.split(" ")[0] ?? null,
    priority: machine.priority,
    health: machine.health,
    healthReason: machine.healthReason,
    waiting: machine.waiting,
    heldUntil: machine.heldUntil === null ? null : Math.round(clock + machine.heldUntil - now),
    peers: [...segment?.peers.values() ?? []].map((peer) => peerStatus(peer, runner.settings, now)),
    adverts: {
      sent: runner.sent,
      received: runner.received,
      messageChecksums: segment?.checksums?.message ?? 0,
      dropped: Object.fromEntries(Object.entries(segment?.dropped ?? {}).filter(([, count]) => count > 0)),
    },
    conflicts: runner.conflicts,
    transitions: runner.transitions,
    foreign: foreign.list,
    foreignAdverts: foreign.adverts,
  };
}

/** An instance of a node on which there can be no election. */
export function blockedStatus(settings: InstanceSettings, reason: string, clock: number): InstanceStatus {
  return {
    ...outline(settings),
    local: null,
    state: "fault",
    yielding: false,
    since: clock,
    why: reason,
    owner: null,
    priority: settings.runner.priority,
    health: 0,
    healthReason: reason,
    waiting: null,
    heldUntil: null,
    peers: [],
    adverts: { sent: 0, received: 0, messageChecksums: 0, dropped: {} },
    conflicts: 0,
    transitions: { initialize: 0, backup: 0, active: 0, fault: 0 },
    foreign: [],
    foreignAdverts: 0,
  };
}

function outline({ runner, segment }: InstanceSettings) {
  return {
    name: runner.name,
    interface: runner.device,
    routerId: runner.vrid,
    addresses: runner.vips.map(({ address, prefix }) => `${formatIp(address)}/${prefix}`),
    signed: runner.transport === "udp" && segment.keys.length > 0,
    transport: runner.transport,
    syncGroup: runner.syncGroup,
  };
}

function peerStatus(peer: HeardPeer, { vrid, intervalMs }: RunnerSettings, now: number): PeerStatus {
  const told = peer.report?.instances.find((one) => one.vrid === vrid);
  return {
    node: peer.node,
    address: peer.address,
    silentMs: Math.round(now - peer.seenAt),
    silent: now - peer.seenAt > Math.max(LEAST_SILENT_MS, freshMs(intervalMs)),
    state: told?.state ?? null,
    stateMs: told === undefined ? null : Math.round(now - (peer.stateSince.get(vrid) ?? now)),
    why: told?.reason ?? "",
    priority: told?.priority ?? null,
    health: told?.health ?? null,
    maintenance: peer.report?.maintenance ?? false,
    version: peer.report?.version ?? null,
    sameConfiguration: peer.sameConfiguration,
    clockOffsetMs: Math.round(peer.clockOffsetMs),
  };
}

function freshMs(advertIntervalMs: number): number {
  return FRESH_REPORTS * reportIntervalMs(advertIntervalMs);
}

/** True when another node is backup, by a fresh report, and so takes over when this one resigns. */
export function readyPeer({ runner }: MemberView, segment: SegmentView | null, now: number): boolean {
  const { vrid, intervalMs } = runner.settings;
  const oldest = now - freshMs(intervalMs);
  return [...segment?.peers.values() ?? []].some(({ seenAt, report }) =>
    seenAt >= oldest && report?.instances.some((one) => one.vrid === vrid && one.state === "backup")
  );
}

/** The instances whose addresses nobody is known to be ready for, if this node gives them up; in words. */
export function leftAlone(
  members: readonly MemberView[],
  segmentOf: (settings: SegmentSettings) => SegmentView | null,
  now: number,
): string[] {
  return members.flatMap((member) => {
    const { settings, runner } = member;
    const holds = runner.status().state === "active";
    if (!holds || readyPeer(member, segmentOf(settings.segment), now)) return [];
    const known = reports(settings)
      ? "no other node is ready to take it over: nobody may have its addresses now"
      : "nothing is known of other nodes: see that one of them has its addresses now";
    return [`${settings.runner.name}: ${known}`];
  });
}
