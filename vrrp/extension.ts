/**
 * The signed envelope of the udp transport: a body (a VRRPv3 packet or a report), then the extension, then a MAC.
 *
 *     body | node name | echoes, 8 each | fixed part, 52 bytes | HMAC-SHA256, 32 bytes
 *
 * The fixed part stands at a known distance from the end and holds every length, so that the datagram is one VRRP
 * packet to whoever reads only its beginning, and all lengths must add up exactly. The MAC covers the sender's IP
 * address and everything before the MAC: equal priorities are decided by that address, and a packet of one interface
 * cannot be replayed on another. Without keys the MAC is zeros. Signing is a parameter; freshness is judged elsewhere.
 */
import type { IpBytes } from "../mod/base/address.ts";
import { Reader, Writer } from "./cursor.ts";
import { type Dropped, dropped } from "./drops.ts";

/** Never fragmented on Ethernet, also inside a tunnel or two. */
export const MAX_DATAGRAM_BYTES = 1400;
/** HOST_NAME_MAX of Linux. */
export const MAX_NODE_BYTES = 64;
/** One echo answers one peer's nonce; VRRP groups are two or three nodes. */
export const MAX_ECHOES = 8;
/** Half of SHA-256's output: a shorter secret can be searched for. */
export const MIN_SECRET_BYTES = 16;
/** `keys[].id` in a packet; 0 says unsigned. */
export const UNSIGNED = 0;

const MAGIC = 0x54; // "T"
const EXTENSION_VERSION = 1;
const FIXED_BYTES = 52;
const MAC_BYTES = 32;
/** What every body fits into, whatever the names and echoes. */
export const MAX_BODY_BYTES = MAX_DATAGRAM_BYTES - FIXED_BYTES - MAC_BYTES - MAX_NODE_BYTES - 8 * MAX_ECHOES;

const KINDS = { 1: "advert", 2: "report" } as const;
export type Kind = typeof KINDS[keyof typeof KINDS];

export interface Key {
  /** 1-255. */
  readonly id: number;
  readonly secret: Uint8Array;
}

/** HMAC-SHA256, synchronous. */
export type Hmac = (key: Uint8Array, bytes: Uint8Array) => Uint8Array;

export interface Extension {
  readonly kind: Kind;
  readonly node: string;
  /** 0-65535, more is better; what it means is the machine's affair. */
  readonly health: number;
  /** The first 64 bits of the configuration's hash. */
  readonly configHash: bigint;
  /** Random, drawn once when the socket is opened. */
  readonly incarnation: bigint;
  /** Counts the datagrams of an incarnation, from 1. */
  readonly sequence: number;
  /** The sender's clock, milliseconds since 1970. */
  readonly timestampMs: number;
  /** What peers are to echo. */
  readonly nonce: bigint;
  /** Nonces of peers, at most MAX_ECHOES. */
  readonly echoes: readonly bigint[];
}

export type Unsealed =
  | { readonly ok: true; readonly body: Uint8Array; readonly extension: Extension; readonly keyId: number }
  | Dropped;

/** Says what is wrong with keys, for the configuration; null when nothing is. */
export function keyProblem(keys: readonly Key[]): string | null {
  const seen = new Set<number>();
  for (const { id, secret } of keys) {
    if (!Number.isInteger(id) || id < 1 || id > 255) return `a key's id must be 1-255: ${id}`;
    if (seen.has(id)) return `two keys have the id ${id}`;
    if (secret.length < MIN_SECRET_BYTES) {
      return `the secret of key ${id} must have ${MIN_SECRET_BYTES} bytes or more: it has ${secret.length}`;
    }
    seen.add(id);
  }
  return null;
}

/** The whole datagram, signed with the first key. Throws a RangeError when a part is longer than its limit. */
export function seal(
  body: Uint8Array,
  extension: Extension,
  source: IpBytes,
  keys: readonly Key[],
  hmac: Hmac,
): Uint8Array<ArrayBuffer> {
  const node = new TextEncoder().encode(extension.node);
  const { echoes } = extension;
  if (node.length < 1 || node.length > MAX_NODE_BYTES || echoes.length > MAX_ECHOES) {
    throw new RangeError(`Cannot seal a datagram of ${extension.node} with ${echoes.length} echoes`);
  }
  const key = keys[0];
  // The sender's address stands before the datagram, for the MAC alone.
  const writer = new Writer(source.length + MAX_DATAGRAM_BYTES).bytes(source).bytes(body).bytes(node);
  for (const echo of echoes) writer.u64(echo);
  writer.u64(extension.incarnation).u64(extension.sequence).u64(extension.timestampMs)
    .u64(extension.nonce).u64(extension.configHash).u16(extension.health)
    .u16(body.length).u8(node.length).u8(echoes.length).u8(key?.id ?? UNSIGNED)
    .u8(extension.kind === "advert" ? 1 : 2).u16(0).u8(EXTENSION_VERSION).u8(MAGIC);
  const mac = key === undefined ? new Uint8Array(MAC_BYTES) : hmac(key.secret, writer.written());
  return writer.bytes(mac).written().slice(source.length);
}

/**
 * Reads a datagram heard from `source`. A node with keys hears only what is signed with one of them, a node without
 * keys only what is unsigned. The body is a view.
 */
export function unseal(
  bytes: Uint8Array,
  source: IpBytes,
  keys: readonly Key[],
  hmac: Hmac,
): Unsealed {
  if (bytes.length > MAX_DATAGRAM_BYTES) return dropped("oversize");
  const signedLength = bytes.length - MAC_BYTES;
  if (signedLength < FIXED_BYTES) return dropped("extension");
  const reader = new Reader(bytes.subarray(signedLength - FIXED_BYTES, signedLength));
  const incarnation = reader.u64();
  const sequence = reader.safe();
  const timestampMs = reader.safe();
  const nonce = reader.u64();
  const configHash = reader.u64();
  const health = reader.u16();
  const bodyLength = reader.u16();
  const nodeLength = reader.u8();
  const echoCount = reader.u8();
  const keyId = reader.u8();
  const kind = KINDS[reader.u8() as keyof typeof KINDS];
  const reserved = reader.u16();
  const known = reader.u8() === EXTENSION_VERSION && reader.u8() === MAGIC;
  if (!known || reserved !== 0 || kind === undefined) return dropped("extension");
  if (bodyLength + nodeLength + 8 * echoCount + FIXED_BYTES !== signedLength) return dropped("extension");
  if (!reader.complete || nodeLength < 1 || nodeLength > MAX_NODE_BYTES || echoCount > MAX_ECHOES) {
    return dropped("extension");
  }
  const refusal = verify(bytes, source, keyId, keys, hmac);
  if (refusal !== null) return refusal;
  const rest = new Reader(bytes.subarray(bodyLength, signedLength - FIXED_BYTES));
  const node = rest.text(nodeLength);
  const echoes = Array.from({ length: echoCount }, () => rest.u64());
  if (!rest.complete) return dropped("extension");
  return {
    ok: true,
    body: bytes.subarray(0, bodyLength),
    extension: { kind, node, health, configHash, incarnation, sequence, timestampMs, nonce, echoes },
    keyId,
  };
}

function verify(
  bytes: Uint8Array,
  source: IpBytes,
  keyId: number,
  keys: readonly Key[],
  hmac: Hmac,
): Dropped | null {
  const mac = bytes.subarray(bytes.length - MAC_BYTES);
  if (keys.length === 0) {
    if (keyId !== UNSIGNED) return dropped("signed");
    return mac.every((byte) => byte === 0) ? null : dropped("extension");
  }
  if (keyId === UNSIGNED) return dropped("unsigned");
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined) return dropped("key");
  const signed = new Uint8Array(source.length + bytes.length - MAC_BYTES);
  signed.set(source);
  signed.set(bytes.subarray(0, bytes.length - MAC_BYTES), source.length);
  return equalInConstantTime(hmac(key.secret, signed), mac) ? null : dropped("signature");
}

/** Takes as long for a MAC that differs in its first byte as for one that differs in its last. */
function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length;
  for (let at = 0; at < right.length; at++) difference |= (left[at] ?? 0) ^ right[at]!;
  return difference === 0;
}
