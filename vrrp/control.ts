/**
 * What Linux tells of an IPv6 packet beside its bytes (`recvmsg`'s control messages): hop limit and destination. Pure.
 *
 * The structures are those of little-endian Linux with 64-bit pointers. They come from the kernel; one that is cut off
 * ends the reading, and what was not told is null.
 */
import type { IpBytes } from "../mod/base/address.ts";

export interface PacketFacts {
  readonly hopLimit: number | null;
  readonly destination: IpBytes | null;
}

const IPPROTO_IPV6 = 41;
const IPV6_PKTINFO = 50;
const IPV6_HOPLIMIT = 52;
/** Length (8), level (4) and type (4) stand before the data; messages begin at multiples of 8. */
const HEADER_BYTES = 16;

export function readControl(control: Uint8Array): PacketFacts {
  const view = new DataView(control.buffer, control.byteOffset, control.byteLength);
  let hopLimit: number | null = null;
  let destination: IpBytes | null = null;
  for (let at = 0; at + HEADER_BYTES <= control.length;) {
    const length = Number(view.getBigUint64(at, true));
    if (length < HEADER_BYTES || at + length > control.length) break;
    const [level, type] = [view.getInt32(at + 8, true), view.getInt32(at + 12, true)];
    const data = at + HEADER_BYTES;
    if (level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT && length >= HEADER_BYTES + 4) {
      hopLimit = view.getInt32(data, true);
    }
    if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO && length >= HEADER_BYTES + 16) {
      destination = control.slice(data, data + 16);
    }
    at += (length + 7) & ~7;
  }
  return { hopLimit, destination };
}
