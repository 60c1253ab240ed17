/**
 * Encodes header blocks (RFC 7541): what the static table has whole or by name by its index, all else as it is.
 *
 * No dynamic table and no Huffman code, as HAProxy's: a field is then a copy, and no connection keeps a state.
 */
import { copyBytes } from "../base/bytes.ts";
import { LINE_OVERHEAD } from "./field.ts";
import { STATIC_TABLE } from "./table.ts";

/** More than a field takes besides its name and value: a byte, and two lengths. */
export const FIELD_OVERHEAD = 11;

interface Named {
  readonly name: Uint8Array;
  readonly index: number;
}

const BY_LENGTH: readonly (readonly Named[])[] = names();
const STATUS_INDEX = 8;
const INDEXED_STATUS = new Map(
  STATIC_TABLE.map(({ bytes, nameLength }, i) =>
    [
      String.fromCharCode(...bytes.subarray(nameLength + 2, -2)),
      i + 1,
    ] as const
  ).slice(STATUS_INDEX - 1, STATUS_INDEX + 6),
);

/** Writes `:status`; returns the offset behind it. */
export function encodeStatus(out: Uint8Array, at: number, status: number): number {
  const index = INDEXED_STATUS.get(String(status));
  if (index !== undefined) return encodeIndexed(out, at, index);
  out[at] = STATUS_INDEX;
  out[at + 1] = 3;
  out[at + 2] = 0x30 + Math.floor(status / 100);
  out[at + 3] = 0x30 + Math.floor(status / 10) % 10;
  out[at + 4] = 0x30 + status % 10;
  return at + 5;
}

/** Writes a whole field of the static table; returns the offset behind it. */
export function encodeIndexed(out: Uint8Array, at: number, index: number): number {
  out[at] = 0x80 | index;
  return at + 1;
}

/** Writes a field whose name is that of an entry of the static table; returns the offset behind it. */
export function encodeText(
  out: Uint8Array,
  at: number,
  index: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  at = integer(out, integer(out, at, 0, 4, index), 0, 7, end - start);
  copyBytes(out, at, bytes, start, end);
  return at + end - start;
}

/** Writes a field, its name in lower case; returns the offset behind it. Takes at most both and `FIELD_OVERHEAD`. */
export function encodeField(
  out: Uint8Array,
  at: number,
  bytes: Uint8Array,
  nameStart: number,
  nameEnd: number,
  valueStart: number,
  valueEnd: number,
): number {
  const index = staticName(bytes, nameStart, nameEnd);
  if (index > 0) return encodeText(out, at, index, bytes, valueStart, valueEnd);
  out[at] = 0;
  at = integer(out, at + 1, 0, 7, nameEnd - nameStart);
  for (let i = nameStart; i < nameEnd; i++) {
    const byte = bytes[i]!;
    out[at++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
  }
  at = integer(out, at, 0, 7, valueEnd - valueStart);
  copyBytes(out, at, bytes, valueStart, valueEnd);
  return at + valueEnd - valueStart;
}

/** RFC 7541 section 5.1. */
function integer(out: Uint8Array, at: number, first: number, prefix: number, value: number): number {
  const most = (1 << prefix) - 1;
  if (value < most) {
    out[at] = first | value;
    return at + 1;
  }
  out[at++] = first | most;
  for (value -= most; value >= 0x80; value >>= 7) out[at++] = value & 0x7f | 0x80;
  out[at] = value;
  return at + 1;
}

/** Index of a name in any case; 0: the static table has it not. */
function staticName(bytes: Uint8Array, start: number, end: number): number {
  const candidates = BY_LENGTH[end - start];
  if (candidates === undefined) return 0;
  search: for (let c = 0; c < candidates.length; c++) {
    const { name, index } = candidates[c]!;
    for (let i = 0; i < name.length; i++) if ((bytes[start + i]! | 0x20) !== name[i]) continue search;
    return index;
  }
  return 0;
}

/** Regular names only, each with its first index. */
function names(): Named[][] {
  const found: Named[][] = [];
  STATIC_TABLE.forEach(({ bytes, nameLength }, i) => {
    if (bytes[0] === 0x3a || bytes.length <= LINE_OVERHEAD) return;
    (found[nameLength] ??= []).push({ name: bytes.slice(0, nameLength), index: i + 1 });
  });
  return found;
}
