/**
 * The one table of reasons for which a datagram of another node is dropped: what is counted, and what the log says.
 *
 * A peer can raise every one of them, so none is an exception. It knows no sockets and counts nothing itself.
 */

export const DROPS = {
  ttl: "its TTL or hop limit is not 255: it was forwarded by a router",
  version: "its version is not the one this instance speaks",
  type: "its type is not an advertisement",
  length: "it ends before it is complete",
  vrid: "its virtual router id is 0 or none of ours",
  count: "it carries no address",
  interval: "its advertisement interval is 0, or, in version 2, not ours",
  auth: "its authentication (VRRPv2: none or a password) is not the one configured",
  checksum: "its checksum is wrong",
  header: "its IP header is malformed",
  destination: "it went to the group although peers are named, or to this node although none are",
  linkLocal: "its first address is not a link-local one, as IPv6 wants and ours is",
  oversize: "it is larger than any datagram of ours",
  extension: "what follows the packet is malformed",
  report: "its report is malformed",
  unsigned: "it is not signed, and this node has keys",
  signed: "it is signed, and this node has no keys",
  key: "it is signed with a key that this node does not have",
  signature: "its signature is wrong: another secret, another sender address, or forged",
  own: "it is one of our own",
  twin: "another node uses our own name",
  replayed: "it was heard before, or is of an earlier life of its sender",
  stale: "a later one was heard before it",
  unproved:
    "its sender is new and has not yet answered our nonce, and the clocks differ too much to believe it",
  foreign: "its sender is not in the interface's subnet, or not a peer",
} as const satisfies Record<string, string>;

export type DropReason = keyof typeof DROPS;
/** Every reason, in the fixed order that counters use. */
export const DROP_REASONS = Object.keys(DROPS) as DropReason[];

/** What a decoder returns instead of throwing. */
export interface Dropped {
  readonly ok: false;
  readonly reason: DropReason;
}

export function dropped(reason: DropReason): Dropped {
  return { ok: false, reason };
}
