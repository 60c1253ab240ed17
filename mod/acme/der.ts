/**
 * DER (X.690), as far as a certificate of one name needs it: values to bytes, and a look into the bytes of others.
 * Pure.
 */

/** Tags of the types that are used. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;
/** A tag of the context; `constructed`: it holds other values. */
export const context = (number: number, constructed: boolean) => (constructed ? 0xa0 : 0x80) | number;

/** One value: its tag, its length and what is in it. */
export function value(tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const head = [tag, ...lengthOf(size)];
  const out = new Uint8Array(head.length + size);
  out.set(head);
  let at = head.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return value(TAG.sequence, ...parts);
}

export function utf8(tag: number, text: string): Uint8Array {
  return value(tag, new TextEncoder().encode(text));
}

/** A positive number of any size, its most significant byte first. */
export function integer(bytes: Uint8Array | readonly number[]): Uint8Array {
  return value(TAG.integer, (bytes[0] ?? 0) >= 0x80 || bytes.length === 0 ? [0] : [], bytes);
}

/** Whole bytes of bits. */
export function bits(bytes: Uint8Array): Uint8Array {
  return value(TAG.bits, [0], bytes);
}

/** From its numbers with dots between them. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return value(TAG.oid, [first * 40 + second, ...rest.flatMap(base128)]);
}

/** A time, as X.509 wants it: two digits for the year up to 2049 (RFC 5280 section 4.1.2.5). */
export function time(ms: number): Uint8Array {
  const [year, ...rest] = new Date(ms).toISOString().slice(0, 19).split(/[-T:]/);
  return Number(year) < 2050
    ? utf8(TAG.utcTime, `${year!.slice(2)}${rest.join("")}Z`)
    : utf8(TAG.generalizedTime, `${year}${rest.join("")}Z`);
}

/** A value that was found in bytes. */
export interface Found {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/** The value at a place; null: there is none that is whole. */
export function readValue(bytes: Uint8Array, at: number): Found | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return null;
  let size = first;
  let from = at + 2;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count === 0 || count > 3) return null;
    size = 0;
    for (const end = from + count; from < end; from++) size = size * 256 + (bytes[from] ?? 0);
  }
  const end = from + size;
  return end > bytes.length ? null : { tag, content: bytes.subarray(from, end), end };
}

/** The values one after the other, up to what is none. */
export function readAll(bytes: Uint8Array): Found[] {
  const all: Found[] = [];
  for (let at = 0, found = readValue(bytes, 0); found !== null; found = readValue(bytes, at)) {
    all.push(found);
    at = found.end;
  }
  return all;
}

function lengthOf(size: number): number[] {
  if (size < 0x80) return [size];
  const bytes: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

function base128(number: number): number[] {
  const bytes = [number & 0x7f];
  for (let rest = number >>> 7; rest > 0; rest >>>= 7) bytes.unshift(0x80 | (rest & 0x7f));
  return bytes;
}
