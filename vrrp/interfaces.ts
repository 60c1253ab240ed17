/**
 * Which address of an interface the udp transport speaks from, and whose datagrams it hears. Pure: the interfaces are
 * what `Deno.networkInterfaces()` returns.
 *
 * Linux chooses the device of a multicast datagram by the address its socket is bound to, and gives a socket the
 * groups that any other socket of the host joined (IP_MULTICAST_ALL), so the sender's subnet has to be checked.
 */
import { type Cidr, cidrContains, type IpBytes, parseIp } from "../mod/base/address.ts";
import { isLinkLocal } from "./link_local.ts";
import { sameAddress } from "./vip.ts";

/** The fields used of one entry of `Deno.networkInterfaces()`. */
export interface InterfaceEntry {
  readonly name: string;
  readonly family: "IPv4" | "IPv6";
  readonly address: string;
  readonly netmask: string;
  /** IPv6 only: the index of the interface. */
  readonly scopeid: number | null;
}

export interface LocalAddress {
  readonly address: IpBytes;
  /** The block of which other nodes' addresses must be. */
  readonly subnet: Cidr;
  /** For IPv6: what a link-local address must be followed by, and what a group is joined on. */
  readonly scope: number | null;
}

/**
 * The interface's first address that is not one of the virtual ones; IPv6 its link-local one (RFC 9568 section
 * 5.1.2.1). With `peers` one of their subnet, if there is one: who names its peers, too, hears us by that address only;
 * IPv6 a link-local one if they have such. Null: it has none yet.
 */
export function localAddress(
  entries: readonly InterfaceEntry[],
  device: string,
  family: 4 | 6,
  vips: readonly IpBytes[],
  peers: readonly IpBytes[] = [],
): LocalAddress | null {
  // A link-local address reaches no others.
  const linkLocal = peers.length === 0 || peers.some(isLinkLocal);
  const own = entries.flatMap((entry): LocalAddress[] => {
    if (entry.name !== device || entry.family !== `IPv${family}`) return [];
    const address = parseIp(entry.address.replace(/%.*$/, ""));
    const netmask = parseIp(entry.netmask);
    if (address === null || netmask === null || address.length !== netmask.length) return [];
    if (vips.some((vip) => sameAddress(vip, address))) return [];
    if (family === 6 && isLinkLocal(address) !== linkLocal) return [];
    return [{ address, subnet: subnetOf(address, netmask), scope: family === 6 ? entry.scopeid : null }];
  });
  return own.find(({ subnet }) => peers.some((peer) => cidrContains(subnet, peer))) ?? own[0] ?? null;
}

/** True when a datagram from `sender` may be heard: one of the peers when they are named, else of our subnet. */
export function isNeighbour(local: LocalAddress, peers: readonly IpBytes[], sender: IpBytes): boolean {
  if (peers.length > 0) return peers.some((peer) => sameAddress(peer, sender));
  return cidrContains(local.subnet, sender);
}

function subnetOf(address: IpBytes, netmask: IpBytes): Cidr {
  const ones = netmask.reduce((count, byte) => count + byte.toString(2).replaceAll("0", "").length, 0);
  return { bytes: address.map((byte, at) => byte & netmask[at]!), prefix: ones };
}
