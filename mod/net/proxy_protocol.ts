/**
 * The PROXY protocol, versions 1 and 2, as HAProxy specifies it: the header by which one proxy tells the next
 * whose connection it passes on.
 *
 * Strict on reading, since a header that can be read two ways gives two clients. A reader is asked again with more
 * bytes until it has an answer; what it still needs is known from the first 16 bytes, so asking is cheap. It must
 * not know who may send a header, nor what is made of it. Pure.
 */
import { formatIp, parseIp, unmapIp } from "../base/address.ts";
import { crc32c } from "../base/crc32c.ts";
import { fromLatin1, latin1 } from "../http/grammar.ts";

/** Version 1's line with its end (section 2.1). */
const MAX_LINE_BYTES = 107;
/** Version 2 allows 64 KiB; HAProxy reads what fits into its buffer of 16 KiB. */
export const MAX_PROXY_HEADER_BYTES = 16 * 1024;

export interface Endpoint {
  /** An IP address; an IPv4-mapped one has become IPv4. */
  readonly host: string;
  readonly port: number;
}

export interface Tlv {
  readonly type: number;
  /** Good as long as the bytes are that were read. */
  readonly value: Uint8Array;
}

export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Bytes that it takes. */
  readonly size: number;
  /** Null: the sender speaks for itself (LOCAL), or what it says is no IP address: the connection's own count. */
  readonly addresses: { readonly source: Endpoint; readonly destination: Endpoint } | null;
  /** In their order; none where the addresses' family is not known. */
  readonly tlvs: readonly Tlv[];
}

/** Which part is wrong; `absent`: these bytes do not begin a header. */
export type ProxyProblem =
  | "absent"
  | "line"
  | "tooLarge"
  | "version"
  | "family"
  | "addresses"
  | "tlv"
  | "checksum";

export type ProxyRead =
  | { readonly kind: "more" }
  | { readonly kind: "header"; readonly header: ProxyHeader }
  | { readonly kind: "bad"; readonly problem: ProxyProblem };

/** Types of TLVs (section 2.2.7 and its parts). */
export const TLV_ALPN = 0x01, TLV_AUTHORITY = 0x02, TLV_CRC32C = 0x03, TLV_UNIQUE_ID = 0x05;

const MORE: ProxyRead = { kind: "more" };
const V1 = fromLatin1("PROXY ");
const V2 = fromLatin1("\r\n\r\n\0\r\nQUIT\n");
/** Signature, version and command, family and transport, length. */
const FIXED_BYTES = 16;
const LOCAL = 0x20, PROXY = 0x21;
const STREAM = 1;
/** Bytes of the addresses by family: unspecified, IPv4, IPv6, UNIX. */
const ADDRESS_BYTES = [0, 12, 36, 216] as const;
const IPV4 = 1, IPV6 = 2;

/** Reads what begins at `start`. */
export function readProxyHeader(bytes: Uint8Array, start: number, end: number): ProxyRead {
  const first = begins(bytes, start, end, V1);
  if (first === true) return readLine(bytes, start, end);
  const second = begins(bytes, start, end, V2);
  if (second === true) return readBinary(bytes, start, end);
  return first === null || second === null ? MORE : bad("absent");
}

/** Null: as far as there are bytes it does. */
function begins(bytes: Uint8Array, start: number, end: number, signature: Uint8Array): boolean | null {
  const size = Math.min(end - start, signature.length);
  for (let at = 0; at < size; at++) if (bytes[start + at] !== signature[at]) return false;
  return size === signature.length ? true : null;
}

function bad(problem: ProxyProblem): ProxyRead {
  return { kind: "bad", problem };
}

function found(
  version: 1 | 2,
  size: number,
  addresses: ProxyHeader["addresses"] = null,
  tlvs: readonly Tlv[] = [],
): ProxyRead {
  return { kind: "header", header: { version, size, addresses, tlvs } };
}

function readLine(bytes: Uint8Array, start: number, end: number): ProxyRead {
  const limit = Math.min(end, start + MAX_LINE_BYTES);
  let at = start + V1.length;
  while (at < limit && bytes[at] !== CR) at++;
  if (at + 1 < limit && bytes[at + 1] === LF) return lineHeader(latin1(bytes, start, at), at + 2 - start);
  return at + 1 >= limit && limit === end && end < start + MAX_LINE_BYTES ? MORE : bad("line");
}

const CR = 0x0d, LF = 0x0a;

function lineHeader(line: string, size: number): ProxyRead {
  const [, family, source, destination, sourcePort, destinationPort, ...more] = line.split(" ");
  // Section 2.1: whatever follows UNKNOWN is ignored.
  if (family === "UNKNOWN") return found(1, size);
  if (family !== "TCP4" && family !== "TCP6" || more.length > 0) return bad("line");
  const bytes = family === "TCP4" ? 4 : 16;
  const from = lineEndpoint(bytes, source, sourcePort);
  const to = lineEndpoint(bytes, destination, destinationPort);
  if (from === null || to === null) return bad("addresses");
  return found(1, size, { source: from, destination: to });
}

function lineEndpoint(length: number, host = "", port = ""): Endpoint | null {
  const ip = parseIp(host);
  if (ip?.length !== length || !/^(0|[1-9][0-9]{0,4})$/.test(port) || Number(port) > 65535) return null;
  return { host: formatIp(unmapIp(ip)), port: Number(port) };
}

function readBinary(bytes: Uint8Array, start: number, end: number): ProxyRead {
  if (end - start < FIXED_BYTES) return MORE;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  const command = view.getUint8(12);
  if (command !== LOCAL && command !== PROXY) return bad("version");
  const size = FIXED_BYTES + view.getUint16(14);
  if (size > MAX_PROXY_HEADER_BYTES) return bad("tooLarge");
  const family = view.getUint8(13) >> 4, transport = view.getUint8(13) & 0x0f;
  // Section 2.2: of LOCAL everything else is ignored.
  const addressBytes = command === LOCAL ? 0 : ADDRESS_BYTES[family];
  if (addressBytes === undefined || command === PROXY && transport > 2) return bad("family");
  if (size < FIXED_BYTES + addressBytes) return bad("addresses");
  if (end - start < size) return MORE;
  const header = bytes.subarray(start, start + size);
  // Of a family or a transport that is not told, nobody knows how long the addresses are: all of it is skipped.
  if (addressBytes === 0 || transport === 0) return found(2, size);
  const tlvs = readTlvs(header, FIXED_BYTES + addressBytes);
  if (tlvs === null) return bad("tlv");
  if (!checksumHolds(header, tlvs)) return bad("checksum");
  return found(
    2,
    size,
    family === IPV4 || family === IPV6 ? binaryAddresses(header, family, view) : null,
    tlvs,
  );
}

function binaryAddresses(header: Uint8Array, family: number, view: DataView): ProxyHeader["addresses"] {
  const length = family === IPV4 ? 4 : 16;
  const ports = FIXED_BYTES + 2 * length;
  const endpoint = (index: number): Endpoint => {
    const at = FIXED_BYTES + index * length;
    const ip = unmapIp(header.slice(at, at + length));
    return { host: formatIp(ip), port: view.getUint16(ports + 2 * index) };
  };
  return { source: endpoint(0), destination: endpoint(1) };
}

/** Null when they do not end where the header does. */
function readTlvs(header: Uint8Array, at: number): Tlv[] | null {
  const tlvs: Tlv[] = [];
  while (at < header.length) {
    if (at + 3 > header.length) return null;
    const next = at + 3 + (header[at + 1]! << 8 | header[at + 2]!);
    if (next > header.length) return null;
    tlvs.push({ type: header[at]!, value: header.subarray(at + 3, next) });
    at = next;
  }
  return tlvs;
}

/** Section 2.2.3: over the whole header, with zeros in the checksum's place. One that is not there holds. */
function checksumHolds(header: Uint8Array, tlvs: readonly Tlv[]): boolean {
  const sums = tlvs.filter(({ type }) => type === TLV_CRC32C);
  if (sums.length === 0) return true;
  const [sum] = sums;
  if (sums.length > 1 || sum!.value.length !== 4) return false;
  const { buffer, byteOffset } = sum!.value;
  const copy = header.slice();
  copy.fill(0, byteOffset - header.byteOffset, byteOffset - header.byteOffset + 4);
  return new DataView(buffer, byteOffset).getUint32(0) === crc32c(copy);
}

/** What a version 2 header may say besides addresses. */
export interface ProxyAdditions {
  /** The name that the client asked for, as in TLS. */
  readonly authority?: string;
  readonly alpn?: string;
  readonly uniqueId?: Uint8Array;
  /** Adds a checksum, as its last TLV. */
  readonly checksum?: boolean;
}

/** A version 1 line; UNKNOWN when an address is none. */
export function writeProxyLine(source: Endpoint, destination: Endpoint): Uint8Array {
  const pair = sameFamily(source, destination);
  if (pair === null) return fromLatin1("PROXY UNKNOWN\r\n");
  const family = pair[0].length === 4 ? "TCP4" : "TCP6";
  const hosts = `${formatIp(pair[0])} ${formatIp(pair[1])}`;
  return fromLatin1(`PROXY ${family} ${hosts} ${source.port} ${destination.port}\r\n`);
}

/** A version 2 header; of an unspecified family when an address is none. */
export function writeProxyHeader(
  source: Endpoint,
  destination: Endpoint,
  additions: ProxyAdditions = {},
): Uint8Array {
  const pair = sameFamily(source, destination);
  if (pair === null) return binary(PROXY, 0, new Uint8Array(0), additions);
  const length = pair[0].length;
  const addresses = new Uint8Array(2 * length + 4);
  addresses.set(pair[0]);
  addresses.set(pair[1], length);
  const view = new DataView(addresses.buffer);
  view.setUint16(2 * length, source.port);
  view.setUint16(2 * length + 2, destination.port);
  return binary(PROXY, (length === 4 ? IPV4 : IPV6) << 4 | STREAM, addresses, additions);
}

/**
 * The version 2 header (LOCAL) of a connection that the proxy makes for itself, such as a health check. Version 1
 * has none: there the specification wants a line with the connection's own addresses.
 */
export function localProxyHeader(): Uint8Array {
  return binary(LOCAL, 0, new Uint8Array(0), {});
}

/** Both addresses in one family; where they differ, as IPv6 with IPv4 mapped into it. Null: one is no address. */
function sameFamily(source: Endpoint, destination: Endpoint): [Uint8Array, Uint8Array] | null {
  const from = parseIp(source.host), to = parseIp(destination.host);
  if (from === null || to === null) return null;
  const [a, b] = [unmapIp(from), unmapIp(to)];
  return a.length === b.length ? [a, b] : [mapped(a), mapped(b)];
}

function mapped(ip: Uint8Array): Uint8Array {
  return ip.length === 16 ? ip : Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ip);
}

function binary(
  command: number,
  family: number,
  addresses: Uint8Array,
  additions: ProxyAdditions,
): Uint8Array {
  const { authority, alpn, uniqueId, checksum } = additions;
  const tlvs: Tlv[] = [];
  if (alpn !== undefined) tlvs.push({ type: TLV_ALPN, value: fromLatin1(alpn) });
  if (authority !== undefined) tlvs.push({ type: TLV_AUTHORITY, value: fromLatin1(authority) });
  if (uniqueId !== undefined) tlvs.push({ type: TLV_UNIQUE_ID, value: uniqueId });
  if (checksum === true) tlvs.push({ type: TLV_CRC32C, value: new Uint8Array(4) });
  const length = tlvs.reduce((sum, { value }) => sum + 3 + value.length, addresses.length);
  const header = new Uint8Array(FIXED_BYTES + length);
  const view = new DataView(header.buffer);
  header.set(V2);
  view.setUint8(12, command);
  view.setUint8(13, family);
  view.setUint16(14, length);
  header.set(addresses, FIXED_BYTES);
  let at = FIXED_BYTES + addresses.length;
  for (const { type, value } of tlvs) {
    view.setUint8(at, type);
    view.setUint16(at + 1, value.length);
    header.set(value, at + 3);
    at += 3 + value.length;
  }
  if (checksum === true) view.setUint32(at - 4, crc32c(header));
  return header;
}
