/** Which addresses hold on one link only: what routes and sockets of IPv6 have to know. Pure. */
import type { IpBytes } from "../mod/base/address.ts";

/** fe80::/10 (RFC 4291 section 2.5.6). */
export function isLinkLocal(address: IpBytes): boolean {
  return address[0] === 0xfe && (address[1]! & 0xc0) === 0x80;
}
