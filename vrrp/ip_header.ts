/**
 * The IP header around a packet of VRRP: that of IPv4 read from what a raw socket gives, both written for what one is
 * handed. Pure.
 *
 * Options are stepped over: no requirement of VRRP forbids them. What follows the total length is padding of the link.
 */
import type { IpBytes } from "../mod/base/address.ts";
import { type Dropped, dropped } from "./drops.ts";
import { VRRP_PROTOCOL, VRRP_TTL } from "./packet.ts";

/** A packet and what its IP header said. */
export interface RawPacket {
  /** From the first byte of VRRP; good only until the next packet is read. */
  readonly bytes: Uint8Array;
  readonly source: IpBytes;
  readonly destination: IpBytes;
  readonly ttl: number;
}

const HEADER_BYTES = 20;
const HEADER6_BYTES = 40;
/** Network control (DSCP CS6), as routers mark their own protocols. */
const TRAFFIC_CLASS = 0xc0;

export type ReadPacket = { readonly ok: true; readonly packet: RawPacket } | Dropped;

export function readIpv4(bytes: Uint8Array): ReadPacket {
  if (bytes.length < HEADER_BYTES || bytes[0]! >> 4 !== 4) return dropped("header");
  const headerBytes = (bytes[0]! & 0x0f) * 4;
  const totalBytes = bytes[2]! << 8 | bytes[3]!;
  if (headerBytes < HEADER_BYTES || totalBytes < headerBytes) return dropped("header");
  if (totalBytes > bytes.length) return dropped("length");
  const packet = {
    bytes: bytes.subarray(headerBytes, totalBytes),
    source: bytes.slice(12, 16),
    destination: bytes.slice(16, 20),
    ttl: bytes[8]!,
  };
  return { ok: true, packet };
}

/** `payload` with a header before it; the kernel puts in the header's checksum and the identification. */
export function writeIpv4(source: IpBytes, destination: IpBytes, payload: Uint8Array) {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes.set([0x40 | HEADER_BYTES / 4, TRAFFIC_CLASS, bytes.length >> 8, bytes.length & 0xff]);
  bytes.set([VRRP_TTL, VRRP_PROTOCOL], 8);
  bytes.set(source, 12);
  bytes.set(destination, 16);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** The same for IPv6, whose header has no checksum. */
export function writeIpv6(source: IpBytes, destination: IpBytes, payload: Uint8Array) {
  const bytes = new Uint8Array(HEADER6_BYTES + payload.length);
  bytes.set([0x60 | TRAFFIC_CLASS >> 4, (TRAFFIC_CLASS & 0xf) << 4]);
  bytes.set([payload.length >> 8, payload.length & 0xff, VRRP_PROTOCOL, VRRP_TTL], 4);
  bytes.set(source, 8);
  bytes.set(destination, 24);
  bytes.set(payload, HEADER6_BYTES);
  return bytes;
}
