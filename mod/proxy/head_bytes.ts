/**
 * Looking into heads that are composed already, and changing them: fields by name, cookies by name, ranges of bytes.
 * For the few heads that a session's cookie is taken out of or put into, so that composing costs others nothing.
 */
import { CR, LF, SP, TAB } from "../http/grammar.ts";

const SEMICOLON = 0x3b, EQUALS = 0x3d;

/** `name=value` at `start`; its value from `value` to `end`. */
export interface Pair {
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

/**
 * Start of the next line of a head from `at` on, itself the start of a line, that begins with `name`, lower case and with
 * its colon; or -1. A body may follow the head.
 */
export function findField(bytes: Uint8Array, at: number, end: number, name: Uint8Array): number {
  for (; at < end && bytes[at] !== CR; at = lineEnd(bytes, at)) {
    if (beginsLower(bytes, at, end, name)) return at;
  }
  return -1;
}

/** Offset behind the line that `at` is in. */
export function lineEnd(bytes: Uint8Array, at: number): number {
  return bytes.indexOf(LF, at) + 1;
}

function beginsLower(bytes: Uint8Array, at: number, end: number, name: Uint8Array): boolean {
  if (end - at < name.length) return false;
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[at + i]!;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== name[i]) return false;
  }
  return true;
}

/** The first pair of this name in the value of a `Cookie` field, from `at` on; null: there is none. */
export function findPair(bytes: Uint8Array, at: number, end: number, name: Uint8Array): Pair | null {
  while (at < end) {
    const pair = pairAt(bytes, at, end, name);
    if (pair !== null) return pair;
    while (at < end && bytes[at] !== SEMICOLON) at++;
    at++;
  }
  return null;
}

/** The pair that a value, as of `Set-Cookie`, begins with, if it has this name. */
export function pairAt(bytes: Uint8Array, at: number, end: number, name: Uint8Array): Pair | null {
  while (at < end && isSpace(bytes[at]!)) at++;
  const value = at + name.length + 1;
  if (value > end || bytes[value - 1] !== EQUALS) return null;
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return null;
  let stop = value;
  while (stop < end && bytes[stop] !== SEMICOLON) stop++;
  while (stop > value && isSpace(bytes[stop - 1]!)) stop--;
  return { start: at, value, end: stop };
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === TAB;
}

/** What to take out with a pair of a `Cookie` field whose value is from `start` to `end`: its separator too. */
export function pairRange(
  bytes: Uint8Array,
  start: number,
  end: number,
  pair: Pair,
): readonly [start: number, end: number] {
  let after = pair.end;
  while (after < end && bytes[after] !== SEMICOLON) after++;
  while (after < end && isBetween(bytes[after]!)) after++;
  if (after < end) return [pair.start, after];
  let before = pair.start;
  while (before > start && isBetween(bytes[before - 1]!)) before--;
  return [before, end];
}

function isBetween(byte: number): boolean {
  return byte === SEMICOLON || isSpace(byte);
}

/** Puts `by` in place of a range of `bytes[0..length)`, which must have room; returns the new length. */
export function replaceRange(
  bytes: Uint8Array,
  length: number,
  start: number,
  end: number,
  by: Uint8Array,
): number {
  bytes.copyWithin(start + by.length, end, length);
  bytes.set(by, start);
  return length - (end - start) + by.length;
}
