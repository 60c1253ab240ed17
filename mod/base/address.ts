/**
 * Addresses: IPv4, IPv6, CIDR blocks, host names and host:port, parsed strictly to bytes and written canonically.
 *
 * Strict because an address read two ways is a hole: no leading zeros, no `127.1`, no zone ids. It resolves
 * nothing and knows no sockets.
 */

/** 4 or 16 bytes, network order. */
export type IpBytes = Uint8Array;

export interface Cidr {
  /** The block's first address: host bits are zero. */
  readonly bytes: IpBytes;
  readonly prefix: number;
}

export interface HostPort {
  /** An IP address (IPv6 without brackets) or a host name, lower case. */
  readonly host: string;
  readonly port: number;
}

/** Bytes of a textual IPv4 or IPv6 address (RFC 4291 section 2.2), or null. */
export function parseIp(text: string): IpBytes | null {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Canonical text: dotted decimal, or RFC 5952 for IPv6. */
export function formatIp(bytes: IpBytes): string {
  return bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes);
}

/** A CIDR block; a bare address is a block of one. Null when malformed or when host bits are set. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf("/");
  const bytes = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (bytes === null) return null;
  const prefix = slash < 0 ? bytes.length * 8 : parseDecimal(text.slice(slash + 1), bytes.length * 8);
  if (prefix === null) return null;
  for (let bit = prefix; bit < bytes.length * 8; bit++) {
    if ((bytes[bit >> 3]! & (0x80 >> (bit & 7))) !== 0) return null;
  }
  return { bytes, prefix };
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.bytes)}/${cidr.prefix}`;
}

/** True when the block holds the address. An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) counts as IPv4. */
export function cidrContains(cidr: Cidr, ip: IpBytes): boolean {
  const address = unmapIp(ip);
  if (address.length !== cidr.bytes.length) return false;
  const whole = cidr.prefix >> 3;
  for (let at = 0; at < whole; at++) if (address[at] !== cidr.bytes[at]) return false;
  const rest = cidr.prefix & 7;
  if (rest === 0) return true;
  const mask = 0xff << (8 - rest);
  return ((address[whole]! ^ cidr.bytes[whole]!) & mask) === 0;
}

/** Whether an address, as text, is in one of these blocks; of no block none is. */
export function blockTest(blocks: readonly string[]): (address: string) => boolean {
  if (blocks.length === 0) return () => false;
  const cidrs = blocks.map((block) => parseCidr(block)!);
  return (address) => {
    const ip = parseIp(address);
    return ip !== null && cidrs.some((cidr) => cidrContains(cidr, ip));
  };
}

/** The IPv4 address inside an IPv4-mapped IPv6 one (RFC 4291 section 2.5.5.2); any other address unchanged. */
export function unmapIp(ip: IpBytes): IpBytes {
  if (ip.length !== 16 || ip[10] !== 0xff || ip[11] !== 0xff) return ip;
  for (let at = 0; at < 10; at++) if (ip[at] !== 0) return ip;
  return ip.subarray(12);
}

/** An address without the bits behind the first `bits`. */
export function maskIp(ip: IpBytes, bits: number): IpBytes {
  return ip.map((byte, at) => byte & 0xff00 >> Math.max(0, Math.min(8, bits - 8 * at)));
}

export function isLoopbackIp(ip: IpBytes): boolean {
  const address = unmapIp(ip);
  if (address.length === 4) return address[0] === 127;
  return address[15] === 1 && address.subarray(0, 15).every((byte) => byte === 0);
}

/** True for `0.0.0.0` and `::`. */
export function isUnspecifiedIp(ip: IpBytes): boolean {
  return ip.every((byte) => byte === 0);
}

/** `host:port` or `[v6]:port`, port 0–65535; null when malformed, also for a bare IPv6 address with a port. */
export function parseHostPort(text: string): HostPort | null {
  const colon = text.lastIndexOf(":");
  if (colon <= 0) return null;
  const port = parseDecimal(text.slice(colon + 1), 65535);
  const host = parseHost(text.slice(0, colon));
  return port === null || host === null ? null : { host, port };
}

/** `host:port`, with brackets around an IPv6 host. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A host name by RFC 1123 section 2.1, underscores allowed for service names (RFC 2782); 253 characters at most. */
export function isHostName(text: string): boolean {
  if (text.length > 253 || !HOST_NAME.test(text)) return false;
  // A last label of digits only would be an IPv4 address to somebody (WHATWG URL, "ends in a number").
  return !/(^|\.)[0-9]+\.?$/.test(text);
}

const HOST_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?$/;

/** A canonical IP address (IPv6 in brackets) or a lower-case host name. */
function parseHost(text: string): string | null {
  if (text.startsWith("[")) {
    const ip = text.endsWith("]") ? parseIpv6(text.slice(1, -1)) : null;
    return ip === null ? null : formatIpv6(ip);
  }
  if (parseIpv4(text) !== null) return text;
  return isHostName(text) ? text.toLowerCase() : null;
}

function parseIpv4(text: string): IpBytes | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (let at = 0; at < 4; at++) {
    const value = parseDecimal(parts[at]!, 255);
    if (value === null) return null;
    bytes[at] = value;
  }
  return bytes;
}

/** Digits without a leading zero (which some read as octal), at most `max`. */
function parseDecimal(text: string, max: number): number | null {
  if (!/^(0|[1-9][0-9]{0,4})$/.test(text)) return null;
  const value = Number(text);
  return value <= max ? value : null;
}

function parseIpv6(text: string): IpBytes | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const given = head.length + tail.length;
  // "::" stands for at least one group of zeros (RFC 4291 section 2.2, 2).
  if (halves.length === 1 ? given !== 16 : given > 14) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** Bytes of colon-separated groups; the last may be an embedded IPv4 address. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [at, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      const ipv4 = mayEndInIpv4 && at === groups.length - 1 ? parseIpv4(group) : null;
      if (ipv4 === null) return null;
      bytes.push(...ipv4);
    }
  }
  return bytes;
}

function formatIpv6(bytes: IpBytes): string {
  const mapped = unmapIp(bytes);
  // RFC 5952 section 5: a known mapped prefix is written with dotted decimal.
  if (mapped.length === 4) return `::ffff:${mapped.join(".")}`;
  const groups = Array.from({ length: 8 }, (_, at) => bytes[at * 2]! << 8 | bytes[at * 2 + 1]!);
  const run = longestZeroRun(groups);
  const text = (from: number, to: number) =>
    groups.slice(from, to).map((group) => group.toString(16)).join(":");
  return run.length < 2 ? text(0, 8) : `${text(0, run.start)}::${text(run.start + run.length, 8)}`;
}

/** The first of the longest runs of zero groups (RFC 5952 section 4.2.3). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}
