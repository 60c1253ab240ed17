/**
 * The Internet checksum (RFC 1071), over a message alone or together with the pseudo-header of IPv4 or IPv6.
 *
 * The one's complement sum of a message that holds its own right checksum is 0xffff, so a receiver needs no copy.
 */
import type { IpBytes } from "../mod/base/address.ts";

/** The addresses that a checksum covers besides the message. Both of one family. */
export interface Endpoints {
  readonly source: IpBytes;
  readonly destination: IpBytes;
}

/** One's complement sum of 16-bit big-endian words; an odd last byte is padded with zero. Not yet inverted. */
export function onesComplementSum(bytes: Uint8Array, initial = 0): number {
  let sum = initial;
  const even = bytes.length & ~1;
  for (let at = 0; at < even; at += 2) sum += bytes[at]! << 8 | bytes[at + 1]!;
  if (even < bytes.length) sum += bytes[even]! << 8;
  // At most 64 KiB are summed, so two folds carry everything.
  sum = (sum & 0xffff) + (sum >>> 16);
  return (sum & 0xffff) + (sum >>> 16);
}

/** The sum of the pseudo-header: IPv4 as UDP has it (RFC 768), IPv6 by RFC 8200 section 8.1. */
export function pseudoHeaderSum(ends: Endpoints, protocol: number, length: number): number {
  return onesComplementSum(ends.source, onesComplementSum(ends.destination, protocol + length));
}

/** What goes into the checksum field, which must be zero in `bytes`. */
export function internetChecksum(bytes: Uint8Array, initial = 0): number {
  return ~onesComplementSum(bytes, initial) & 0xffff;
}

/** True when `bytes` hold their own right checksum. */
export function checksumHolds(bytes: Uint8Array, initial = 0): boolean {
  return onesComplementSum(bytes, initial) === 0xffff;
}
