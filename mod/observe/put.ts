/**
 * Writing the parts of a log line straight into bytes: each function writes at `at` and returns where it ended.
 *
 * Room must have been reserved by the caller (`textBound` for escaped text). What is not printable ASCII is always
 * escaped, so a line is one line and ASCII whatever it quotes. No string is made on the way. Pure.
 */

/** Text of a request: a string, or bytes that still stand in some buffer (end exclusive). */
export type LogText = string | ByteRange;

/** Kept and changed by its owner from record to record; no object is made for it. */
export interface ByteRange {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/**
 * json: `\"`, `\n`, `\u00e4`; text: `\x22`, `\x0A`, as nginx does it; word: as text, and a space, which would end an
 * unquoted field, becomes `_`. A byte counts as the Latin-1 character.
 */
export type Escape = "json" | "text" | "word";

export function textLength(text: LogText): number {
  return typeof text === "string" ? text.length : text.end - text.start;
}

/** The most bytes that `putText` can need. */
export function textBound(text: LogText): number {
  return textLength(text) * LONGEST_ESCAPE;
}

const LONGEST_ESCAPE = 6; // \u00e4

/** Writes `text` escaped for the inside of a quoted string, or for a field without quotes. */
export function putText(bytes: Uint8Array, at: number, text: LogText, escape: Escape): number {
  const plain = escape === "word" ? PLAIN_WORD : PLAIN;
  if (typeof text === "string") {
    for (let from = 0; from < text.length; from++) {
      const code = text.charCodeAt(from);
      if (code < 0x80 && plain[code] === 1) bytes[at++] = code;
      else at = putEscaped(bytes, at, code, escape);
    }
    return at;
  }
  const { bytes: source, end } = text;
  for (let from = text.start; from < end; from++) {
    const code = source[from]!;
    if (plain[code] === 1) bytes[at++] = code;
    else at = putEscaped(bytes, at, code, escape);
  }
  return at;
}

/** Writes our own words, which are known to be ASCII and to need no escape. */
export function putAscii(bytes: Uint8Array, at: number, text: string): number {
  for (let from = 0; from < text.length; from++) bytes[at++] = text.charCodeAt(from);
  return at;
}

/** Writes our own words, encoded beforehand. */
export function putBytes(bytes: Uint8Array, at: number, words: Uint8Array): number {
  for (let from = 0; from < words.length; from++) bytes[at++] = words[from]!;
  return at;
}

/** Writes an integer; a fraction is cut off. Up to 2^53, at most 17 bytes. */
export function putInteger(bytes: Uint8Array, at: number, value: number): number {
  if (value >= 0 && value < 10) { // most of what a line of the log counts
    bytes[at] = ZERO + value;
    return at + 1;
  }
  let rest = Math.trunc(value);
  if (rest < 0) {
    bytes[at++] = MINUS;
    rest = -rest;
  }
  if (rest >= BILLION) { // beyond 32 bits: in two halves, so that the loops below work on small integers
    const high = Math.floor(rest / BILLION);
    return putPadded(bytes, putInteger(bytes, at, high), rest - high * BILLION, 9);
  }
  const small = rest | 0;
  let digits = 1;
  for (let power = 10; digits < 9 && power <= small; power *= 10) digits++;
  return putPadded(bytes, at, small, digits);
}

/** Writes the last `digits` digits of a natural number below 2^31, zeros in front. */
export function putPadded(bytes: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let place = at + digits - 1; place >= at; place--) {
    const tenth = (rest / 10) | 0;
    bytes[place] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}

/** Writes a time of 0 or more with three decimals, which for milliseconds is the microsecond. */
export function putDecimal(bytes: Uint8Array, at: number, value: number): number {
  const whole = Math.floor(value);
  const thousandths = Math.round((value - whole) * 1000) | 0;
  at = putInteger(bytes, at, thousandths === 1000 ? whole + 1 : whole);
  bytes[at++] = DOT;
  return putPadded(bytes, at, thousandths === 1000 ? 0 : thousandths, 3);
}

const BILLION = 1e9;
const ZERO = 0x30;
const MINUS = 0x2d;
const DOT = 0x2e;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const UNDERSCORE = 0x5f;
const LETTER_U = 0x75;
const LETTER_X = 0x78;

/** 1: printable ASCII that both escapes leave alone. */
const PLAIN = new Uint8Array(256).fill(1, 0x20, 0x7f);
PLAIN[QUOTE] = PLAIN[BACKSLASH] = 0;
const PLAIN_WORD = PLAIN.slice();
PLAIN_WORD[SPACE] = 0;

const HEX = new TextEncoder().encode("0123456789ABCDEF");

function putEscaped(bytes: Uint8Array, at: number, code: number, escape: Escape): number {
  if (escape === "word" && code === SPACE) {
    bytes[at++] = UNDERSCORE;
    return at;
  }
  bytes[at++] = BACKSLASH;
  if (escape === "json" && (code === QUOTE || code === BACKSLASH)) {
    bytes[at++] = code;
    return at;
  }
  const wide = escape === "json" || code > 0xff;
  bytes[at++] = wide ? LETTER_U : LETTER_X;
  for (let shift = wide ? 12 : 4; shift >= 0; shift -= 4) bytes[at++] = HEX[(code >> shift) & 15]!;
  return at;
}
