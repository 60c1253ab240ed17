/**
 * The keys of a table of sessions: hashes of what clients are told by, and of a value that an operator gives. Pure.
 */
import { type IpBytes, maskIp, parseIp } from "../base/address.ts";
import { hash128 } from "../base/hash.ts";
import type { TableSticky } from "../config/sticky_snapshot.ts";

/** The key of bytes up to `end`. Those of addresses and those of texts never meet. */
export function stickKey(
  seed: number,
  bytes: Uint8Array,
  end: number,
  kind: "address" | "text",
): Uint32Array {
  const key = new Uint32Array(4);
  hash128(key, bytes, 0, end, kind === "text" ? seed : ~seed);
  return key;
}

/** The key of a client's address, as far as it counts. */
export function addressKey(seed: number, ip: IpBytes, { ipv4, ipv6 }: TableSticky["mask"]): Uint32Array {
  return stickKey(seed, maskIp(ip, ip.length === 4 ? ipv4 : ipv6), ip.length, "address");
}

/**
 * The keys that a value can have in a table that is made so, the likeliest first: an address where clients are told by
 * theirs, and the value of a header, a cookie, a parameter or a name in TLS where they are told by one.
 */
export function keysOfValue(value: string, seed: number, { by, learn, mask }: TableSticky): Uint32Array[] {
  const ip = by.some(({ kind }) => kind === "sourceIp") ? parseIp(value) : null;
  const texts = new Set<string>();
  if (by.some(({ kind }) => kind !== "sourceIp" && kind !== "sni") || learn.length > 0) texts.add(value);
  if (by.some(({ kind }) => kind === "sni")) texts.add(value.toLowerCase());
  const bytes = [...texts].map((text) => new TextEncoder().encode(text));
  return [
    ...ip === null ? [] : [addressKey(seed, ip, mask)],
    ...bytes.map((text) => stickKey(seed, text, text.length, "text")),
  ];
}
