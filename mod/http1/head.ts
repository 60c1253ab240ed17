/**
 * Reads a request or response head into offsets over the buffer it arrived in. Nothing is copied or decoded.
 *
 * Strict by RFC 9112: what two parsers could read in two ways is an error, never repaired. One pass, one table
 * look-up a byte: about 1 ns a byte once compiled. It must not know of bodies, hosts or connections.
 */
import { COLON, CR, FIELD_VALUE, LF, SP, TAB, TARGET, TOKEN } from "../http/grammar.ts";
import { fieldId } from "../http/names.ts";

/** The head is not complete: call again with more bytes. */
export const MORE = 0;
export const DONE = 1;
export const MALFORMED = 2;
/** The version is well-formed but neither 1.0 nor 1.1. */
export const VERSION = 3;
export const TOO_MANY_FIELDS = 4;
export type Progress = 0 | 1 | 2 | 3 | 4;

/** Fields a head may have at most whatever the configuration says. nginx: unlimited within 32 KiB, HAProxy: 101. */
export const MAX_FIELDS = 1000;

/** A parsed head: all numbers are offsets into the bytes that were given to the parser. */
export class Head {
  /** Request only. */
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** Response only. */
  status = 0;
  /** Start of the first line (leading empty lines are skipped in a request). */
  start = 0;
  /** First byte of the first field line. */
  fieldsStart = 0;
  /** Minor version: 0 or 1. */
  minor = 1;
  /** Number of fields. Field i: id in `ids[i]`, offsets in `at[4 * i …]`. */
  count = 0;
  /** Offset just behind the empty line. */
  end = 0;
  readonly ids: Uint8Array = new Uint8Array(MAX_FIELDS);
  /** Per field: start of name, end of name, start of value, end of value. */
  readonly at: Int32Array = new Int32Array(4 * MAX_FIELDS);

  nameStart(field: number): number {
    return this.at[4 * field]!;
  }
  nameEnd(field: number): number {
    return this.at[4 * field + 1]!;
  }
  valueStart(field: number): number {
    return this.at[4 * field + 2]!;
  }
  valueEnd(field: number): number {
    return this.at[4 * field + 3]!;
  }
  /** Start of the line after field `field`: its CR LF included. */
  lineEnd(field: number): number {
    return field + 1 < this.count ? this.at[4 * field + 4]! : this.end - 2;
  }
  /** Index of the first field with this number, or -1. */
  find(id: number): number {
    const ids = this.ids;
    for (let i = 0; i < this.count; i++) if (ids[i] === id) return i;
    return -1;
  }
}

/** Parses a request head (RFC 9112 section 3) in `bytes` from `start` to `end`. */
export function parseRequestHead(
  head: Head,
  bytes: Uint8Array,
  start: number,
  end: number,
  maxFields: number,
): Progress {
  // Section 2.2: a server should ignore an empty line before the request line.
  while (start < end && bytes[start] === CR) {
    if (start + 1 >= end) return MORE;
    if (bytes[start + 1] !== LF) return MALFORMED;
    start += 2;
  }
  head.start = start;
  let at = start;
  while (at < end && TOKEN[bytes[at]!] === 1) at++;
  if (at >= end) return MORE;
  if (at === start || bytes[at] !== SP) return MALFORMED;
  head.methodEnd = at++;
  head.targetStart = at;
  while (at < end && TARGET[bytes[at]!] === 1) at++;
  if (at >= end) return MORE;
  if (at === head.targetStart || bytes[at] !== SP) return MALFORMED;
  head.targetEnd = at++;
  const version = parseVersion(head, bytes, at, end);
  if (version !== DONE) return version;
  at += 8;
  return parseAfterLine(head, bytes, at, end, maxFields);
}

/** Parses a response head (RFC 9112 section 4). */
export function parseResponseHead(
  head: Head,
  bytes: Uint8Array,
  start: number,
  end: number,
  maxFields: number,
): Progress {
  head.start = start;
  const version = parseVersion(head, bytes, start, end);
  if (version !== DONE) return version;
  let at = start + 8;
  if (at + 4 >= end) return malformedSoFar(bytes, at, end) ? MALFORMED : MORE;
  if (bytes[at] !== SP) return MALFORMED;
  const hundreds = bytes[at + 1]! - 0x30;
  const tens = bytes[at + 2]! - 0x30;
  const ones = bytes[at + 3]! - 0x30;
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return MALFORMED;
  head.status = hundreds * 100 + tens * 10 + ones;
  at += 4;
  // The space before an empty reason is often left out; both forms have one meaning.
  if (bytes[at] === SP) {
    at++;
    while (at < end && FIELD_VALUE[bytes[at]!] === 1) at++;
  }
  return parseAfterLine(head, bytes, at, end, maxFields);
}

/** Parses trailer fields (RFC 9112 section 7.1.2): like a head without its first line. */
export function parseTrailer(
  head: Head,
  bytes: Uint8Array,
  start: number,
  end: number,
  maxFields: number,
): Progress {
  head.start = start;
  return parseFields(head, bytes, start, end, maxFields);
}

/** "HTTP/1.0" or "HTTP/1.1", eight bytes, case-sensitive (RFC 9112 section 2.3). */
function parseVersion(head: Head, bytes: Uint8Array, at: number, end: number): Progress {
  if (end - at < 8) {
    return "HTTP/1.".startsWith(text(bytes, at, Math.min(end, at + 7)))
      ? MORE
      : malformedVersion(bytes, at, end);
  }
  if (
    bytes[at] !== 0x48 || bytes[at + 1] !== 0x54 || bytes[at + 2] !== 0x54 || bytes[at + 3] !== 0x50 ||
    bytes[at + 4] !== 0x2f
  ) return MALFORMED;
  const minor = bytes[at + 7]! - 0x30;
  if (bytes[at + 5] === 0x31 && bytes[at + 6] === 0x2e && (minor === 0 || minor === 1)) {
    head.minor = minor;
    return DONE;
  }
  return malformedVersion(bytes, at, end);
}

/** Tells "HTTP/2.0", which is well-formed, from garbage. */
function malformedVersion(bytes: Uint8Array, at: number, end: number): Progress {
  const given = text(bytes, at, Math.min(end, at + 8));
  if (/^HTTP\/\d\.\d$/.test(given)) return VERSION;
  return /^(H|HT|HTT|HTTP|HTTP\/|HTTP\/\d|HTTP\/\d\.)$/.test(given) ? MORE : MALFORMED;
}

function malformedSoFar(bytes: Uint8Array, at: number, end: number): boolean {
  return !/^( ([1-9]\d{0,2})?)?$/.test(text(bytes, at, Math.min(end, at + 4)));
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}

/** The end of a first line at `at`, and the fields behind it. */
function parseAfterLine(head: Head, bytes: Uint8Array, at: number, end: number, maxFields: number): Progress {
  if (at >= end) return MORE;
  if (bytes[at] !== CR) return MALFORMED;
  if (at + 1 >= end) return MORE;
  if (bytes[at + 1] !== LF) return MALFORMED;
  return parseFields(head, bytes, at + 2, end, maxFields);
}

/** Field lines up to and including the empty line (RFC 9112 section 5). */
function parseFields(head: Head, bytes: Uint8Array, start: number, end: number, maxFields: number): Progress {
  const { at: offsets, ids } = head;
  head.fieldsStart = start;
  let count = 0;
  let at = start;
  for (;;) {
    if (at >= end) return MORE;
    if (bytes[at] === CR) {
      if (at + 1 >= end) return MORE;
      if (bytes[at + 1] !== LF) return MALFORMED;
      head.count = count;
      head.end = at + 2;
      return DONE;
    }
    const nameStart = at;
    while (at < end && TOKEN[bytes[at]!] === 1) at++;
    if (at >= end) return MORE;
    // A leading space (obs-fold), a space before the colon, a bare LF: all end here.
    if (at === nameStart || bytes[at] !== COLON) return MALFORMED;
    const nameEnd = at++;
    while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
    const valueStart = at;
    while (at < end && FIELD_VALUE[bytes[at]!] === 1) at++;
    if (at >= end) return MORE;
    if (bytes[at] !== CR) return MALFORMED;
    if (at + 1 >= end) return MORE;
    if (bytes[at + 1] !== LF) return MALFORMED;
    if (count >= maxFields || count >= MAX_FIELDS) return TOO_MANY_FIELDS;
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--;
    const slot = 4 * count;
    offsets[slot] = nameStart;
    offsets[slot + 1] = nameEnd;
    offsets[slot + 2] = valueStart;
    offsets[slot + 3] = valueEnd;
    ids[count++] = fieldId(bytes, nameStart, nameEnd);
    at += 2;
  }
}
