/** Linux' numbers for sockets, and socket addresses as it lays them out (`sockaddr_in`, `sockaddr_in6`, `sockaddr_un`). Pure. */
import { formatIp, parseIp, unmapIp } from "../base/address.ts";
import type { Address } from "./stream.ts";

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_REUSEPORT = 15;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
/** The value of an option that is on. */
export const ON = new Uint8Array(Int32Array.of(1).buffer);
/** Room for either family. */
export const SOCKADDR_BYTES = 28;
const INET_BYTES = 16;
const INET_AT = 4;
const INET6_AT = 8;

/** The address of an IP address and a port; null: the text is no IP address (a scope or a name, say). */
export function socketAddress(host: string, port: number): Uint8Array<ArrayBuffer> | null {
  const ip = parseIp(host);
  if (ip === null) return null;
  const four = ip.length === 4;
  const bytes = new Uint8Array(four ? INET_BYTES : SOCKADDR_BYTES);
  bytes[0] = four ? AF_INET : AF_INET6;
  bytes[2] = port >> 8;
  bytes[3] = port & 0xff;
  bytes.set(ip, four ? INET_AT : INET6_AT);
  return bytes;
}

/** The family of an address that `socketAddress` made. */
export function familyOf(address: Uint8Array): number {
  return address[0]!;
}

/** What the kernel wrote; an IPv4 address on a socket for both families is told as what it is. */
export function readSocketAddress(bytes: Uint8Array): Address {
  const six = bytes[0] === AF_INET6;
  const at = six ? INET6_AT : INET_AT;
  return { host: formatIp(unmapIp(bytes.slice(at, at + (six ? 16 : 4)))), port: bytes[2]! << 8 | bytes[3]! };
}

/** `sun_path` of Linux. */
const PATH_BYTES = 108;

/** The address of a unix socket: a path, or `@` and an abstract name; null: of another kind, or too long. */
export function unixAddress(name: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[/@]./.test(name)) return null;
  const path = new TextEncoder().encode(name.startsWith("@") ? `\0${name.slice(1)}` : `${name}\0`);
  if (path.length > PATH_BYTES) return null;
  // An abstract name ends where the address does.
  return new Uint8Array([AF_UNIX, 0, ...path]);
}
