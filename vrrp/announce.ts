/**
 * The frames that tell a LAN where an address is now: gratuitous ARP for IPv4, an unsolicited neighbour advertisement
 * for IPv6, complete with the Ethernet header. Pure bytes; who sends them, how often and where is not known here.
 *
 * For IPv4 both an ARP request and a reply: some hosts update their table on the one only, some on the other (RFC 5944
 * section 4.6). The Ethernet padding is left to the driver, as with the kernel's own frames.
 */
import type { IpBytes } from "../mod/base/address.ts";
import { internetChecksum, pseudoHeaderSum } from "./checksum.ts";

/** 6 bytes. */
export type Mac = Uint8Array;

export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

const BROADCAST = new Uint8Array([255, 255, 255, 255, 255, 255]);
const UNKNOWN = new Uint8Array(6);
/** ff02::1 and its MAC (RFC 2464 section 7). */
const ALL_NODES = new Uint8Array([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
const ALL_NODES_MAC = new Uint8Array([0x33, 0x33, 0, 0, 0, 1]);
const IPPROTO_ICMPV6 = 58;
const ICMPV6_NEIGHBOR_ADVERTISEMENT = 136;
const OPTION_TARGET_LINK_LAYER_ADDRESS = 2;
/** Router and Override set, Solicited clear (RFC 9568 section 6.4.1). */
const NA_FLAGS = 0b1010_0000;
const NA_BYTES = 32;
const IPV6_HEADER_BYTES = 40;
const ETHERNET_BYTES = 14;

export interface Frame {
  readonly etherType: number;
  readonly destination: Mac;
  /** From the Ethernet header on. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Everything to send once to announce that `mac` has `address`. */
export function announcements(address: IpBytes, mac: Mac): Frame[] {
  if (address.length === 16) return [neighborAdvertisement(address, mac)];
  return [gratuitousArp("request", address, mac), gratuitousArp("reply", address, mac)];
}

/** Sender and target address are the announced one (RFC 5227 section 3, RFC 9568 section 8.1.2). */
export function gratuitousArp(operation: "request" | "reply", address: IpBytes, mac: Mac): Frame {
  const request = operation === "request";
  const bytes = new Uint8Array([
    ...ethernet(BROADCAST, mac, ETHERTYPE_ARP),
    // Hardware Ethernet, protocol IPv4, address lengths, operation (RFC 826).
    ...[0, 1, 8, 0, 6, 4, 0, request ? 1 : 2],
    ...[...mac, ...address],
    ...[...(request ? UNKNOWN : mac), ...address],
  ]);
  return { etherType: ETHERTYPE_ARP, destination: BROADCAST, bytes };
}

/** From the address itself to all nodes, hop limit 255 (RFC 4861 sections 4.4 and 7.2.6). */
export function neighborAdvertisement(address: IpBytes, mac: Mac): Frame {
  const bytes = new Uint8Array(ETHERNET_BYTES + IPV6_HEADER_BYTES + NA_BYTES);
  bytes.set(ethernet(ALL_NODES_MAC, mac, ETHERTYPE_IPV6));
  bytes.set([0x60, 0, 0, 0, 0, NA_BYTES, IPPROTO_ICMPV6, 255, ...address, ...ALL_NODES], ETHERNET_BYTES);
  const message = bytes.subarray(ETHERNET_BYTES + IPV6_HEADER_BYTES);
  message.set([ICMPV6_NEIGHBOR_ADVERTISEMENT, 0, 0, 0, NA_FLAGS, 0, 0, 0, ...address]);
  message.set([OPTION_TARGET_LINK_LAYER_ADDRESS, 1, ...mac], 24);
  const ends = { source: address, destination: ALL_NODES };
  const checksum = internetChecksum(message, pseudoHeaderSum(ends, IPPROTO_ICMPV6, NA_BYTES));
  message.set([checksum >> 8, checksum & 0xff], 2);
  return { etherType: ETHERTYPE_IPV6, destination: ALL_NODES_MAC, bytes };
}

function ethernet(destination: Mac, source: Mac, etherType: number): number[] {
  return [...destination, ...source, etherType >> 8, etherType & 0xff];
}
