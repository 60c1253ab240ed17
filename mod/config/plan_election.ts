/**
 * What a change of an instance of the election means for this node and the others: two configurations of it compared,
 * beside what the node knows of the election now. Pure.
 *
 * It foretells what can be known: who may be better off at that moment, it says with "may".
 */
import { ownerPriorities } from "../../vrrp/priorities.ts";
import type { VrrpInstanceConfig } from "./vrrp_schema.ts";

/** What the node knows of an instance now. */
export interface InstanceNow {
  readonly name: string;
  readonly state: string;
  /** The node that has the addresses; null: not known. */
  readonly owner: string | null;
  /** 0–100. */
  readonly health: number;
  /** Until when it does not take the addresses again after too many moves; null: it may. */
  readonly heldUntil: number | null;
  readonly peers: readonly {
    readonly node: string;
    /** Without a word for so long that nothing is known of it. */
    readonly silent: boolean;
    readonly state: string | null;
    readonly priority: number | null;
    readonly health: number | null;
    readonly maintenance: boolean;
  }[];
}

/** Who asks, and what it knows. */
export interface ElectionNow {
  readonly node: string;
  readonly instances: readonly InstanceNow[];
}

const FULL_HEALTH = 100;

const DEAF =
  "until the other nodes have the same, they and this one do not hear each other, and each takes the " +
  "addresses: change all at once (tandem reload --both), or put one in maintenance first";

/** The effect of a change of `before` to `after`, in words; undefined: there is no such instance. */
export function instanceEffect(
  before: VrrpInstanceConfig | undefined,
  after: VrrpInstanceConfig | undefined,
  now: ElectionNow,
): string {
  const { node } = now;
  const known = now.instances.find(({ name }) => name === (before ?? after)?.name);
  const [was, is] = [before, after].map((one) => one !== undefined && takesPart(one, node));
  if (!was && !is) return "";
  const words = !is
    ? leaving(before!, known, node)
    : !was
    ? [`takes part in the election of ${addressesOf(after!).join(", ")}`]
    : changing(before!, after!, known, node);
  return words.filter((word) => word !== "").join("; ");
}

function takesPart({ owners }: VrrpInstanceConfig, node: string): boolean {
  return owners === undefined || owners.includes(node);
}

function leaving(before: VrrpInstanceConfig, known: InstanceNow | undefined, node: string): string[] {
  return [`${addressesOf(before).join(", ")} is given up here`, known?.owner === node ? heir(known) : ""];
}

/** Who takes what this node gives up. */
function heir({ peers }: InstanceNow): string {
  const ready = peers.filter((peer) => peer.state === "backup" && !peer.silent && !peer.maintenance);
  if (ready.length === 0) return "no other node is known to be ready for the addresses";
  return `the addresses move to ${ready.length === 1 ? ready[0]!.node : "another node"}`;
}

function changing(
  before: VrrpInstanceConfig,
  after: VrrpInstanceConfig,
  known: InstanceNow | undefined,
  node: string,
): string[] {
  const [old, next] = [addressesOf(before), addressesOf(after)];
  const come = next.filter((one) => !old.includes(one));
  const gone = old.filter((one) => !next.includes(one));
  const here = known?.owner === node;
  const where = known === undefined || known.owner === null
    ? "where the instance is active"
    : here
    ? "here"
    : `on ${known.owner}, once that has the same`;
  return [
    come.length === 0 ? "" : `${come.join(", ")} appears ${where}`,
    gone.length === 0 ? "" : `${gone.join(", ")} goes, and connections to it end, ${where}`,
    isDeaf(before, after) ? DEAF : "",
    unheard(before, after),
    reportsUnread(before, after) ? "until the other nodes have the same keys, reports are not read" : "",
    here && beginsAnew(before, after) ? `begins anew here: ${heir(known)} meanwhile` : "",
    isRanked(before, after) ? movement(before, after, known, node) : "",
  ];
}

function addressesOf({ addresses, unadvertised }: VrrpInstanceConfig): string[] {
  return [...addresses, ...unadvertised].map(({ address }) => address);
}

function isV6({ addresses }: VrrpInstanceConfig): boolean {
  return addresses[0]!.address.includes(":");
}

/** True when one that has the former does not take the adverts of one that has the latter, or the other way round. */
function isDeaf(before: VrrpInstanceConfig, after: VrrpInstanceConfig): boolean {
  const { transport } = after;
  return isAnother(before, after) || before.interface !== after.interface ||
    (before.peers.length > 0) !== (after.peers.length > 0) ||
    (transport === "udp" && otherKeys(before, after)) ||
    // RFC 3768 section 7.1: version 2 wants the same interval and password of all.
    (transport === "vrrp2" &&
      (before.advertInterval !== after.advertInterval || before.password !== after.password));
}

/** True when it is another virtual router, on the wire. */
function isAnother(before: VrrpInstanceConfig, after: VrrpInstanceConfig): boolean {
  return before.routerId !== after.routerId || before.transport !== after.transport ||
    isV6(before) !== isV6(after);
}

/** The first key signs, all are accepted: one that was added behind, or was no longer first, harms nobody. */
function otherKeys({ keys: before }: VrrpInstanceConfig, { keys: after }: VrrpInstanceConfig): boolean {
  const [old, next] = [before[0], after[0]];
  if (old === undefined || next === undefined) return old !== next;
  const has = (keys: typeof before, key: typeof old) =>
    keys.some(({ id, secret }) => id === key.id && secret === key.secret);
  return !has(after, old) || !has(before, next);
}

function reportsUnread(before: VrrpInstanceConfig, after: VrrpInstanceConfig): boolean {
  return after.transport !== "udp" && before.transport === after.transport && otherKeys(before, after);
}

function unheard(before: VrrpInstanceConfig, after: VrrpInstanceConfig): string {
  const gone = before.peers.filter((peer) => !after.peers.includes(peer));
  if (gone.length === 0 || after.peers.length === 0) return "";
  return `${gone.join(", ")} is heard no more: if it still takes part, it takes the addresses too`;
}

/** As the keeper has it: the one that runs is stopped, and another one started. */
function beginsAnew(before: VrrpInstanceConfig, after: VrrpInstanceConfig): boolean {
  return isAnother(before, after) || before.interface !== after.interface ||
    before.virtualMac !== after.virtualMac;
}

function isRanked(before: VrrpInstanceConfig, after: VrrpInstanceConfig): boolean {
  return before.priority !== after.priority || before.preempt !== after.preempt ||
    before.owners?.join() !== after.owners?.join();
}

/** Whether, by what is known, another node has the addresses afterwards. */
function movement(
  before: VrrpInstanceConfig,
  { owners, preempt, priority, ...after }: VrrpInstanceConfig,
  known: InstanceNow | undefined,
  node: string,
): string {
  const may = "the addresses may move";
  if (
    known === undefined || known.owner === null || isDeaf(before, { owners, preempt, priority, ...after })
  ) {
    return may;
  }
  const ranks = owners === undefined ? null : ownerPriorities(owners);
  const all = [
    { node, rank: priority ?? ranks!.get(node)!, able: isAble(known) && known.heldUntil === null },
    ...known.peers.map((peer) => ({
      node: peer.node,
      rank: ranks === null ? peer.priority : ranks.get(peer.node) ?? null,
      able: isAble(peer) && !peer.silent && !peer.maintenance,
    })).filter(({ rank }) => ranks === null || rank !== null),
  ];
  const unknown = all.some(({ rank, able }) => rank === null || !able) ||
    [known.owner, ...owners ?? []].some((owner) => !all.some((one) => one.node === owner));
  const ranked = all.toSorted((a, b) => (b.rank ?? 0) - (a.rank ?? 0));
  const [best, second] = ranked;
  if (unknown || best!.rank === second?.rank) return may;
  if (best!.node === known.owner) return `the addresses stay on ${known.owner}`;
  if (preempt === false) {
    return `the addresses stay on ${known.owner} until it gives them up, as preempt is false`;
  }
  const when = typeof preempt === "number" ? ` after ${preempt / 1000} s` : "";
  return `the addresses move to ${best!.node}${when}${
    ranks === null ? "" : ", once the nodes have the same"
  }`;
}

function isAble(
  { state, health }: { readonly state: string | null; readonly health: number | null },
): boolean {
  return (state === "active" || state === "backup") && health === FULL_HEALTH;
}
