/**
 * The part of rtnetlink that a virtual address needs, as bytes: add, renew, delete and list addresses, list links, ask
 * for a neighbour, and read what the kernel tells of them. Layouts of linux/netlink.h, if_addr.h, if_link.h and
 * neighbour.h, little-endian.
 *
 * Adding and renewing are one message: an address that is there gets its new lease, one that is missing is added, for
 * both families. So who must know of a removal listens to the events. Unknown messages and attributes are passed over;
 * a message that does not fit its buffer ends the reading.
 */
import type { IpBytes } from "../mod/base/address.ts";

export const RTMGRP_LINK = 0x1;
export const RTMGRP_IPV4_IFADDR = 0x10;
export const RTMGRP_IPV6_IFADDR = 0x100;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const RTM_NEWNEIGH = 28;
const RTM_GETNEIGH = 30;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
const NLM_F_DUMP = 0x300;
const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFA_F_SECONDARY = 0x01;
const IFA_F_NODAD = 0x02;
const IFA_F_PERMANENT = 0x80;
const IFA_F_NOPREFIXROUTE = 0x200;

export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_LINK = 5;
export const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const IFF_LOOPBACK = 0x8;
const IFF_NOARP = 0x80;

const NDA_DST = 1;
const NDA_LLADDR = 2;
const NTF_USE = 0x01;

const AF_INET = 2;
const AF_INET6 = 10;
const HEADER_BYTES = 16;
const IFADDRMSG_BYTES = 8;
export const IFINFOMSG_BYTES = 16;
const NDMSG_BYTES = 12;
/** Bytes of an address by its family. */
const WIDTHS: Readonly<Record<number, number>> = { [AF_INET]: 4, [AF_INET6]: 16 };
/** `struct ifa_cacheinfo`: preferred and valid for, created and updated at. */
const CACHEINFO_BYTES = 16;
/** `valid_lft` of an address without a lease. */
const FOREVER = 0xffffffff;

export interface AddressSetting {
  readonly address: IpBytes;
  readonly prefix: number;
  /** Seconds until the kernel removes it; null: never. */
  readonly leaseSeconds: number | null;
  /** True: no route to the prefix comes and goes with the address. */
  readonly noPrefixRoute: boolean;
}

/** An address as the kernel has it. */
export interface InterfaceAddress extends AddressSetting {
  readonly index: number;
  /** IPv4: it goes when its primary goes, unless `promote_secondaries` is set. */
  readonly secondary: boolean;
  /** When it was set or its lease renewed, by a clock of the kernel's own; absent where that is not told. */
  readonly renewedAtMs?: number;
}

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Administratively up. */
  readonly up: boolean;
  /** Up with a carrier: frames can move. */
  readonly running: boolean;
  /** Null where there is nobody to announce to: loopback, point-to-point. */
  readonly mac: Uint8Array | null;
  /** The interface that this one is on; absent: none. */
  readonly lowerIndex?: number;
}

export type NetlinkMessage =
  | { readonly kind: "link"; readonly gone: boolean; readonly link: Link }
  | { readonly kind: "address"; readonly gone: boolean; readonly address: InterfaceAddress }
  | { readonly kind: "neighbour"; readonly address: IpBytes; readonly mac: Uint8Array | null }
  /** The end of a request: 0, or a positive error number. */
  | { readonly kind: "done"; readonly sequence: number; readonly errno: number };

/** Adds the address or renews its lease. IPv6: without duplicate detection, never chosen as a source. */
export function encodeSetAddress(index: number, setting: AddressSetting, sequence: number) {
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
  const ipv6 = setting.address.length === 16;
  const valid = setting.leaseSeconds ?? FOREVER;
  const preferred = ipv6 && setting.leaseSeconds !== null ? 0 : valid;
  const addressFlags = (ipv6 ? IFA_F_NODAD : 0) | (setting.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0);
  return addressMessage(RTM_NEWADDR, flags, sequence, index, setting, [
    [IFA_FLAGS, u32(addressFlags)],
    [IFA_CACHEINFO, u32(preferred, valid, 0, 0)],
  ]);
}

export function encodeDeleteAddress(
  index: number,
  { address, prefix }: Pick<AddressSetting, "address" | "prefix">,
  sequence: number,
) {
  return addressMessage(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK, sequence, index, { address, prefix }, []);
}

/** All addresses of all interfaces, as messages before a "done". */
export function encodeListAddresses(sequence: number) {
  return message(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, sequence, new Uint8Array(IFADDRMSG_BYTES));
}

/** All links, as messages before a "done". */
export function encodeListLinks(sequence: number) {
  return message(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence, new Uint8Array(IFINFOMSG_BYTES));
}

/** The neighbour of that address, as a message before a "done". */
export function encodeGetNeighbour(index: number, address: IpBytes, sequence: number) {
  const flags = NLM_F_REQUEST | NLM_F_ACK;
  return message(
    RTM_GETNEIGH,
    flags,
    sequence,
    neighbourHeader(index, address, 0),
    attribute(NDA_DST, address),
  );
}

/** Has the kernel find out who has that address, as if something were to be sent there. */
export function encodeResolveNeighbour(index: number, address: IpBytes, sequence: number) {
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
  const header = neighbourHeader(index, address, NTF_USE);
  return message(RTM_NEWNEIGH, flags, sequence, header, attribute(NDA_DST, address));
}

/** What a netlink socket delivered at once. Never throws. */
export function decodeNetlink(bytes: Uint8Array): NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    const type = view.getUint16(at + 4, true);
    const body = new DataView(bytes.buffer, bytes.byteOffset + at + HEADER_BYTES, length - HEADER_BYTES);
    const decoded = decodeMessage(type, view.getUint32(at + 8, true), body);
    if (decoded !== null) messages.push(decoded);
    at += aligned(length);
  }
  return messages;
}

/** True when a list changed while it was read: it may lack what was there all the time. */
export function isInterrupted(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    if ((view.getUint16(at + 6, true) & NLM_F_DUMP_INTR) !== 0) return true;
    at += aligned(length);
  }
  return false;
}

function decodeMessage(type: number, sequence: number, body: DataView): NetlinkMessage | null {
  switch (type) {
    case NLMSG_DONE:
      return { kind: "done", sequence, errno: body.byteLength < 4 ? 0 : Math.abs(body.getInt32(0, true)) };
    case NLMSG_ERROR:
      return body.byteLength < 4 ? null : { kind: "done", sequence, errno: Math.abs(body.getInt32(0, true)) };
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const link = decodeLink(body);
      return link === null ? null : { kind: "link", gone: type === RTM_DELLINK, link };
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const address = decodeAddress(body);
      return address === null ? null : { kind: "address", gone: type === RTM_DELADDR, address };
    }
    case RTM_NEWNEIGH:
      return decodeNeighbour(body);
    default:
      return null;
  }
}

/** Without a link-layer address while it is being asked for, and when nobody answered. */
function decodeNeighbour(body: DataView): NetlinkMessage | null {
  if (body.byteLength < NDMSG_BYTES) return null;
  const attributes = decodeAttributes(body, NDMSG_BYTES);
  const address = attributes.get(NDA_DST);
  const mac = attributes.get(NDA_LLADDR);
  if (address === undefined || address.length !== WIDTHS[body.getUint8(0)]) return null;
  return { kind: "neighbour", address, mac: mac?.length === 6 ? mac : null };
}

function decodeAddress(body: DataView): InterfaceAddress | null {
  if (body.byteLength < IFADDRMSG_BYTES) return null;
  const attributes = decodeAttributes(body, IFADDRMSG_BYTES);
  // IPv4 has both on point-to-point links, where IFA_ADDRESS is the other side.
  const address = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  const width = WIDTHS[body.getUint8(0)];
  if (address === undefined || address.length !== width) return null;
  const flags = firstU32(attributes.get(IFA_FLAGS)) ?? body.getUint8(2);
  const cache = attributes.get(IFA_CACHEINFO);
  const valid = cache === undefined || cache.length < 8 ? FOREVER : firstU32(cache.subarray(4)) ?? FOREVER;
  // In hundredths of a second.
  const renewedAt = cache === undefined || cache.length < CACHEINFO_BYTES
    ? null
    : firstU32(cache.subarray(12));
  return {
    index: body.getUint32(4, true),
    address,
    prefix: body.getUint8(1),
    leaseSeconds: valid === FOREVER || (flags & IFA_F_PERMANENT) !== 0 ? null : valid,
    noPrefixRoute: (flags & IFA_F_NOPREFIXROUTE) !== 0,
    secondary: width === 4 && (flags & IFA_F_SECONDARY) !== 0,
    ...(renewedAt === null ? {} : { renewedAtMs: renewedAt * 10 }),
  };
}

function decodeLink(body: DataView): Link | null {
  if (body.byteLength < IFINFOMSG_BYTES) return null;
  const attributes = decodeAttributes(body, IFINFOMSG_BYTES);
  const name = attributes.get(IFLA_IFNAME);
  if (name === undefined) return null;
  const flags = body.getUint32(8, true);
  const mac = attributes.get(IFLA_ADDRESS);
  const lowerIndex = firstU32(attributes.get(IFLA_LINK));
  return {
    index: body.getInt32(4, true),
    name: new TextDecoder().decode(name).replace(/\0.*$/s, ""),
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
    mac: mac?.length === 6 && (flags & (IFF_LOOPBACK | IFF_NOARP)) === 0 ? mac : null,
    ...lowerIndex === null ? {} : { lowerIndex },
  };
}

/** Attributes by type, copied; the first of a type counts. */
function decodeAttributes(body: DataView, from: number): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  for (let at = from; at + 4 <= body.byteLength;) {
    const length = body.getUint16(at, true);
    if (length < 4 || at + length > body.byteLength) break;
    const type = body.getUint16(at + 2, true);
    const value = new Uint8Array(body.buffer, body.byteOffset + at + 4, length - 4).slice();
    if (!attributes.has(type)) attributes.set(type, value);
    at += aligned(length);
  }
  return attributes;
}

function addressMessage(
  type: number,
  flags: number,
  sequence: number,
  index: number,
  { address, prefix }: Pick<AddressSetting, "address" | "prefix">,
  attributes: readonly (readonly [number, Uint8Array])[],
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(IFADDRMSG_BYTES);
  header[0] = address.length === 16 ? AF_INET6 : AF_INET;
  header[1] = prefix;
  header.set(u32(index), 4);
  const all = [[IFA_LOCAL, address], [IFA_ADDRESS, address], ...attributes] as const;
  return message(type, flags, sequence, header, ...all.map(([kind, value]) => attribute(kind, value)));
}

function neighbourHeader(index: number, address: IpBytes, flags: number): Uint8Array {
  const header = new Uint8Array(NDMSG_BYTES);
  header[0] = address.length === 16 ? AF_INET6 : AF_INET;
  header.set(u32(index), 4);
  header[10] = flags;
  return header;
}

export function message(type: number, flags: number, sequence: number, ...parts: readonly Uint8Array[]) {
  const length = parts.reduce((total, part) => total + part.length, HEADER_BYTES);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  let at = HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(aligned(4 + value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}

export function u32(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [at, value] of values.entries()) view.setUint32(4 * at, value, true);
  return new Uint8Array(view.buffer);
}

function firstU32(bytes: Uint8Array | undefined): number | null {
  if (bytes === undefined || bytes.length < 4) return null;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
