/**
 * The VRRP advertisement as bytes: version 3 (RFC 9568 section 5) over IPv4 and IPv6, and version 2 (RFC 3768).
 *
 * One pass over a DataView; malformed input is a reason, never an exception. It knows no transport: the addresses of
 * the IP header and its TTL are parameters, and what follows the packet is left to the caller, who gets its length.
 */
import type { IpBytes } from "../mod/base/address.ts";
import { checksumHolds, type Endpoints, internetChecksum, pseudoHeaderSum } from "./checksum.ts";
import { type Dropped, dropped } from "./drops.ts";
import { MAX_BODY_BYTES } from "./extension.ts";

/** IP protocol number of VRRP (RFC 9568 section 8), also part of the pseudo-header. */
export const VRRP_PROTOCOL = 112;
/** The only TTL or hop limit that is believed (RFC 9568 sections 5.1.1.3 and 5.1.2.3). */
export const VRRP_TTL = 255;
/** 12 bits of centiseconds (RFC 9568 section 5.2.7). */
export const MAX_INTERVAL_MS = 40_950;
/** One byte counts the addresses (RFC 9568 section 5.2.5). */
export const MAX_ADDRESSES = 255;

const HEADER_BYTES = 8;
/** Of a link with the usual MTU. */
const ETHERNET_BYTES = 1500;
const IPV6_HEADER_BYTES = 40;
const V2_AUTH_BYTES = 8;
const TYPE_ADVERTISEMENT = 1;
const NO_AUTHENTICATION = 0;
/** RFC 2338 section 5.3.6; RFC 3768 gave it up, as everybody on the LAN can read it. */
const SIMPLE_PASSWORD = 1;

export interface Advert {
  readonly version: 2 | 3;
  /** Virtual router id, 1-255. */
  readonly vrid: number;
  /** 0: the Active resigns; 255: it owns the addresses. */
  readonly priority: number;
  /** Multiples of 10 in version 3, of 1000 in version 2. */
  readonly intervalMs: number;
  /** At least one, all of one family. */
  readonly addresses: readonly IpBytes[];
}

/** What a checksum covered: on IPv4 RFC 9568 reads as message only, RFC 5798 and keepalived sum both. */
export type ChecksumKind = "message" | "pseudoHeader";

export type DecodedAdvert =
  | {
    readonly ok: true;
    readonly advert: Advert;
    readonly checksum: ChecksumKind;
    /** Bytes of the packet; more may follow. */
    readonly length: number;
  }
  | Dropped;

export interface DecodeOptions {
  readonly version: 2 | 3;
  readonly family: 4 | 6;
  /** From the IP header; null: only the sum over the message alone is accepted. */
  readonly ends: Endpoints | null;
  /** TTL or hop limit as received; null: the transport cannot tell. */
  readonly ttl: number | null;
  /** Version 2: what `passwordBytes` made of the configured password; absent: none is asked for. */
  readonly password?: Uint8Array | null;
}

/** As many addresses as an advert can carry: one byte counts them, and they have to fit a packet or our datagram. */
export function maxAddresses(transport: "udp" | "vrrp3" | "vrrp2", family: 4 | 6): number {
  if (family === 4) return MAX_ADDRESSES;
  const room = transport === "udp" ? MAX_BODY_BYTES : ETHERNET_BYTES - IPV6_HEADER_BYTES;
  return Math.floor((room - HEADER_BYTES) / 16);
}

/** The authentication data of version 2: eight bytes, padded with zeros. Throws a RangeError when it is longer. */
export function passwordBytes(password: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(V2_AUTH_BYTES);
  bytes.set(new TextEncoder().encode(password));
  return bytes;
}

/**
 * The bytes of an advertisement. With `ends` the checksum of version 3 covers the pseudo-header too.
 * Throws on what only our own mistake can produce: no address, an id, priority or interval out of range.
 */
export function encodeAdvert(
  advert: Advert,
  ends: Endpoints | null,
  password: Uint8Array | null = null,
): Uint8Array<ArrayBuffer> {
  assertEncodable(advert);
  const { version, vrid, priority, addresses } = advert;
  const width = addresses[0]!.length;
  const body = HEADER_BYTES + addresses.length * width;
  const bytes = new Uint8Array(body + (version === 2 ? V2_AUTH_BYTES : 0));
  bytes.set([version << 4 | TYPE_ADVERTISEMENT, vrid, priority, addresses.length]);
  const view = new DataView(bytes.buffer);
  // Version 2: authentication type and whole seconds; version 3: four reserved bits and centiseconds.
  view.setUint16(4, version === 2 ? advert.intervalMs / 1000 : advert.intervalMs / 10);
  if (version === 2 && password !== null) {
    bytes[4] = SIMPLE_PASSWORD;
    bytes.set(password, body);
  }
  for (const [at, address] of addresses.entries()) bytes.set(address, HEADER_BYTES + at * width);
  const initial = version === 3 && ends !== null ? pseudoHeaderSum(ends, VRRP_PROTOCOL, bytes.length) : 0;
  view.setUint16(6, internetChecksum(bytes, initial));
  return bytes;
}

/** Reads one advertisement by the rules of RFC 9568 section 7.1 (version 2: RFC 3768 section 7.1). */
export function decodeAdvert(bytes: Uint8Array, options: DecodeOptions): DecodedAdvert {
  if (options.ttl !== null && options.ttl !== VRRP_TTL) return dropped("ttl");
  if (bytes.length < 1) return dropped("length");
  const version = bytes[0]! >> 4;
  if (version !== options.version) return dropped("version");
  if ((bytes[0]! & 0x0f) !== TYPE_ADVERTISEMENT) return dropped("type");
  if (bytes.length < HEADER_BYTES) return dropped("length");
  const count = bytes[3]!;
  const width = options.family === 4 ? 4 : 16;
  const length = HEADER_BYTES + count * width + (version === 2 ? V2_AUTH_BYTES : 0);
  if (bytes.length < length) return dropped("length");
  const packet = bytes.subarray(0, length);
  const checksum = checksumKind(packet, options);
  if (checksum === null) return dropped("checksum");
  // Everything below is what the sender really sent: the sum has been checked.
  if (bytes[1] === 0) return dropped("vrid");
  if (count === 0) return dropped("count");
  if (version === 2 && !isAuthentic(packet, options.password ?? null)) return dropped("auth");
  const intervalMs = version === 2 ? bytes[5]! * 1000 : ((bytes[4]! & 0x0f) << 8 | bytes[5]!) * 10;
  // Zero would make the Backup take over at once, again and again.
  if (intervalMs === 0) return dropped("interval");
  const addresses = Array.from(
    { length: count },
    (_, at) => packet.slice(HEADER_BYTES + at * width, HEADER_BYTES + (at + 1) * width),
  );
  return {
    ok: true,
    advert: { version: options.version, vrid: bytes[1]!, priority: bytes[2]!, intervalMs, addresses },
    checksum,
    length,
  };
}

/** Which of the accepted sums is right; null: none. IPv6 with known ends has no sum but the pseudo-header's. */
function checksumKind(packet: Uint8Array, options: DecodeOptions): ChecksumKind | null {
  const { version, ends, family } = options;
  if (version === 3 && ends !== null) {
    if (checksumHolds(packet, pseudoHeaderSum(ends, VRRP_PROTOCOL, packet.length))) return "pseudoHeader";
    if (family === 6) return null;
  }
  return checksumHolds(packet) ? "message" : null;
}

/** RFC 3768 section 7.1: the type is the configured one; what follows type 0 is not looked at. */
function isAuthentic(packet: Uint8Array, password: Uint8Array | null): boolean {
  if (password === null) return packet[4] === NO_AUTHENTICATION;
  const sent = packet.subarray(packet.length - V2_AUTH_BYTES);
  return packet[4] === SIMPLE_PASSWORD && password.every((byte, at) => byte === sent[at]);
}

function assertEncodable(advert: Advert): void {
  const { version, vrid, priority, intervalMs, addresses } = advert;
  const whole = (value: number, from: number, to: number) =>
    Number.isInteger(value) && value >= from && value <= to;
  const step = version === 2 ? 1000 : 10;
  const longest = version === 2 ? 255_000 : MAX_INTERVAL_MS;
  const refuse = (what: string) => {
    throw new RangeError(`Cannot encode an advertisement as its ${what}`);
  };
  if (!whole(vrid, 1, 255)) refuse(`virtual router id must be 1-255: ${vrid}`);
  if (!whole(priority, 0, 255)) refuse(`priority must be 0-255: ${priority}`);
  if (!whole(intervalMs / step, 1, longest / step)) {
    refuse(`interval must be a multiple of ${step} ms, at most ${longest}: ${intervalMs}`);
  }
  if (!whole(addresses.length, 1, MAX_ADDRESSES)) refuse(`addresses must be 1-255: ${addresses.length}`);
  const width = addresses[0]!.length;
  if ((width !== 4 && width !== 16) || addresses.some((address) => address.length !== width)) {
    refuse("addresses must be of one family");
  }
  if (version === 2 && width !== 4) refuse("addresses must be IPv4 in version 2");
}
