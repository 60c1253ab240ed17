/**
 * What a header field of HTTP/2 is (RFC 9113 section 8.2): a pseudo-header, one that means something to the proxy, any
 * other, or one that makes its message malformed. Looked at once where a field is kept in a table, not at each use.
 */
import { FIELD_VALUE, SP, TAB, TOKEN } from "../http/grammar.ts";
import { fieldId } from "../http/names.ts";

/** Kinds: the numbers of `mod/http/names.ts`, and these. */
export const MALFORMED_FIELD = 64;
export const METHOD = 65;
export const SCHEME = 66;
export const AUTHORITY = 67;
export const PATH = 68;
export const PROTOCOL = 69;
export const STATUS = 70;
export const FIRST_PSEUDO = METHOD;

/** By bytes, as making a string of each name to look it up costs more than all the rest of reading a field. */
const PSEUDO: readonly { readonly name: Uint8Array; readonly kind: number }[] = ([
  [":path", PATH],
  [":method", METHOD],
  [":scheme", SCHEME],
  [":authority", AUTHORITY],
  [":status", STATUS],
  [":protocol", PROTOCOL],
] as const).map(([name, kind]) => ({ name: Uint8Array.from(name, (char) => char.charCodeAt(0)), kind }));

/** A field in the form of an HTTP/1 line: `name: value` CR LF. */
export interface FieldLine {
  readonly bytes: Uint8Array;
  readonly nameLength: number;
  readonly kind: number;
}

/** What stands between name and value, and behind it. */
export const LINE_OVERHEAD = 4;

/** Kind of the line in `bytes` from `start` to `end`, whose name has `nameLength` bytes. */
export function fieldKind(bytes: Uint8Array, start: number, nameLength: number, end: number): number {
  const nameEnd = start + nameLength;
  if (!isValue(bytes, nameEnd + 2, end - 2)) return MALFORMED_FIELD;
  if (bytes[start] === 0x3a) return pseudoKind(bytes, start, nameLength);
  if (nameLength === 0) return MALFORMED_FIELD;
  for (let i = start; i < nameEnd; i++) {
    const byte = bytes[i]!;
    if (TOKEN[byte] === 0 || byte >= 0x41 && byte <= 0x5a) return MALFORMED_FIELD;
  }
  return fieldId(bytes, start, nameEnd);
}

/** The same of a line from `start` to `end` that has the name of one of this kind, with another value behind `nameEnd`. */
export function kindOfNamed(
  kind: number,
  bytes: Uint8Array,
  start: number,
  nameEnd: number,
  end: number,
): number {
  // Its name may be good all the same.
  if (kind === MALFORMED_FIELD) return fieldKind(bytes, start, nameEnd - start, end);
  return isValue(bytes, nameEnd + 2, end - 2) ? kind : MALFORMED_FIELD;
}

function pseudoKind(bytes: Uint8Array, start: number, nameLength: number): number {
  search: for (const { name, kind } of PSEUDO) {
    if (name.length !== nameLength) continue;
    for (let i = 1; i < nameLength; i++) if (bytes[start + i] !== name[i]) continue search;
    return kind;
  }
  return MALFORMED_FIELD;
}

/** RFC 9113 section 8.2.1: nothing that HTTP/1 would not take, and no space around. */
function isValue(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true;
  if (isSpace(bytes[start]!) || isSpace(bytes[end - 1]!)) return false;
  for (let i = start; i < end; i++) if (FIELD_VALUE[bytes[i]!] === 0) return false;
  return true;
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === TAB;
}

/** Makes a line of its own. */
export function fieldLine(name: string, value: string): FieldLine {
  const bytes = Uint8Array.from(`${name}: ${value}\r\n`, (char) => char.charCodeAt(0));
  return { bytes, nameLength: name.length, kind: fieldKind(bytes, 0, name.length, bytes.length) };
}
