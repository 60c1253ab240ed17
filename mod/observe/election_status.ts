/**
 * What one node says of the election: the model behind `vrrp` on the admin socket, `tandem status` and the metrics.
 *
 * Plain data, so that it is JSON as it is. Spans are milliseconds; a point in time is milliseconds since 1970.
 */
import { exposition, type Sample } from "./exposition.ts";

export interface ElectionStatus {
  readonly maintenance: boolean;
  /** The worst lateness of a timer in the last ten seconds. */
  readonly timerLagMs: number;
  readonly instances: readonly InstanceStatus[];
  /** Of this node and, by their reports, of its peers since the keeper started; the last 100, newest first. */
  readonly timeline: readonly TransitionStatus[];
}

export interface TransitionStatus {
  /** When it was so, or, of a peer, heard of; milliseconds since 1970. */
  readonly at: number;
  readonly node: string;
  readonly instance: string;
  /** Null: not known. */
  readonly from: InstanceStatus["state"] | null;
  readonly to: InstanceStatus["state"];
  readonly why: string;
}

export interface InstanceStatus {
  readonly name: string;
  readonly interface: string;
  readonly routerId: number;
  readonly addresses: readonly string[];
  /** The address that this node speaks from; null: it has none. */
  readonly local: string | null;
  readonly state: "initialize" | "backup" | "active" | "fault";
  /** Has said that it goes, and still holds the addresses. */
  readonly yielding: boolean;
  readonly since: number;
  readonly why: string;
  /** The node that has the addresses; null: not known here. */
  readonly owner: string | null;
  readonly priority: number;
  /** 0–100. */
  readonly health: number;
  readonly healthReason: string;
  /** Why a living Active of lower priority is not preempted. */
  readonly waiting: string | null;
  readonly heldUntil: number | null;
  /** The adverts are. */
  readonly signed: boolean;
  readonly transport: "udp" | "vrrp3" | "vrrp2";
  /** What it is active with; null: it is so by itself. */
  readonly syncGroup: string | null;
  readonly peers: readonly PeerStatus[];
  readonly adverts: {
    readonly sent: number;
    readonly received: number;
    /** Of VRRPv3 over IPv4 on the interface: those whose checksum covers no pseudo-header. */
    readonly messageChecksums: number;
    /** Datagrams of the whole interface, by reason; reasons without any are left out. */
    readonly dropped: Readonly<Record<string, number>>;
  };
  /** How often two nodes were active for longer than a take-over explains. */
  readonly conflicts: number;
  /** How often it has come into each state, since the keeper started. */
  readonly transitions: Readonly<Record<InstanceStatus["state"], number>>;
  /** Who else was active with this id in the last minute. */
  readonly foreign: readonly ForeignStatus[];
  /** Adverts of such, ever. */
  readonly foreignAdverts: number;
}

export interface ForeignStatus {
  readonly address: string;
  /** Of whoever answers for that address; null: nobody does, or not yet. */
  readonly mac: string | null;
  readonly priority: number;
  readonly why: string;
  readonly silentMs: number;
  readonly adverts: number;
}

export interface PeerStatus {
  readonly node: string;
  readonly address: string;
  /** For how long it has not been heard. */
  readonly silentMs: number;
  /** Not heard for three reports, which are as often as adverts, and for 3 s: it may be in any state. */
  readonly silent: boolean;
  /** Null: it has sent no report on this instance. */
  readonly state: InstanceStatus["state"] | null;
  /** For how long it has told of this state, as far as this node has heard. */
  readonly stateMs: number | null;
  /** Why, in its own words, which may have been cut short; "": it does not tell. */
  readonly why: string;
  readonly priority: number | null;
  readonly health: number | null;
  readonly maintenance: boolean;
  readonly version: string | null;
  readonly sameConfiguration: boolean;
  /** Its clock minus ours. */
  readonly clockOffsetMs: number;
}

/** All that speaks for the state that an instance is in, in one sentence. */
export function reasonOf(one: Pick<InstanceStatus, "why" | "healthReason" | "waiting">): string {
  const { why, healthReason, waiting } = one;
  return [...new Set([why, healthReason, waiting ?? ""])].filter((reason) => reason !== "").join("; ");
}

/** The same as Prometheus text. */
export function electionMetrics({ instances, timerLagMs, maintenance }: ElectionStatus): string {
  const gauge = (name: string, help: string, samples: Sample[]) =>
    ({ name: `tandem_vrrp_${name}`, help, type: "gauge", samples }) as const;
  const counter = (name: string, help: string, samples: Sample[]) =>
    ({ name: `tandem_vrrp_${name}_total`, help, type: "counter", samples }) as const;
  const each = (value: (one: InstanceStatus) => number): Sample[] =>
    instances.map((one) => ({ labels: { vrrp_instance: one.name }, value: value(one) }));
  const peers = (value: (peer: PeerStatus) => number): Sample[] =>
    instances.flatMap((one) =>
      one.peers.map((peer) => ({ labels: { vrrp_instance: one.name, peer: peer.node }, value: value(peer) }))
    );
  return exposition([
    gauge("active", "1 while this node holds the addresses.", each((one) => Number(one.state === "active"))),
    gauge("fault", "1 while this node takes no part.", each((one) => Number(one.state === "fault"))),
    gauge("priority", "Priority in the election now.", each((one) => one.priority)),
    gauge("health", "Own health, 0 to 100.", each((one) => one.health)),
    gauge("since_seconds", "When the state began, seconds since 1970.", each((one) => one.since / 1000)),
    gauge("peer_silent_seconds", "For how long a peer was not heard.", peers((peer) => peer.silentMs / 1000)),
    gauge("timer_lag_seconds", "Worst lateness of a timer in ten seconds.", [
      { labels: {}, value: timerLagMs / 1000 },
    ]),
    gauge("maintenance", "1 while an operator keeps the node out.", [
      { labels: {}, value: Number(maintenance) },
    ]),
    counter("adverts_sent", "Adverts sent.", each((one) => one.adverts.sent)),
    counter("adverts_received", "Adverts of others heard.", each((one) => one.adverts.received)),
    counter(
      "conflicts",
      "Times that two nodes were active for longer than a take-over explains.",
      each((one) => one.conflicts),
    ),
    counter(
      "transitions",
      "Times that the instance came into a state.",
      instances.flatMap((one) =>
        Object.entries(one.transitions).map(([to, value]) => ({
          labels: { vrrp_instance: one.name, to },
          value,
        }))
      ),
    ),
    counter(
      "foreign_adverts",
      "Adverts of others that are active with this id and should not be.",
      each((one) => one.foreignAdverts),
    ),
    counter(
      "message_checksums",
      "VRRPv3 packets over IPv4 on the interface whose checksum leaves the pseudo-header out.",
      each((one) => one.adverts.messageChecksums),
    ),
    counter(
      "dropped",
      "Datagrams dropped on the instance's interface.",
      instances.flatMap((one) =>
        Object.entries(one.adverts.dropped).map(([reason, value]) => ({
          labels: { vrrp_instance: one.name, reason },
          value,
        }))
      ),
    ),
  ]);
}
