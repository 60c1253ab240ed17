/**
 * What a request head means: framing, host, target, connection options (RFC 9110 sections 7 and 10, RFC 9112).
 *
 * Every rule against request smuggling that looks at more than one field is here. Works on offsets; makes a
 * string only for the rare `Connection` option that names a field. It must not know of routes or servers.
 */
import { COLON, equalsLower, fromLatin1, HOST as HOST_BYTES, latin1 } from "../http/grammar.ts";
import * as names from "../http/names.ts";
import { parseIp } from "../base/address.ts";
import type { ErrorCode } from "../base/errors.ts";
import { CHUNKED, FIXED, type Framing, NONE } from "./body.ts";
import { type ConnectionOptions, readConnectionOptions } from "./connection_options.ts";
import type { Head } from "./head.ts";

const OPEN_BRACKET = 0x5b, CLOSE_BRACKET = 0x5d, QUESTION = 0x3f;
const MAX_PORT = 65535;
const MAX_PORT_DIGITS = 5;

export class RequestInfo implements ConnectionOptions {
  framing: Framing = NONE;
  contentLength = 0;
  minor = 1;
  keepAlive = true;
  close = false;
  isHead = false;
  /** Safe to send twice (RFC 9110 section 9.2.2). */
  idempotent = true;
  expectContinue = false;
  /** The client asks to switch protocols; `Upgrade` must then travel on. */
  upgrade = false;
  /** Host with port, as offsets; both 0 for an HTTP/1.0 request without one. */
  hostStart = 0;
  hostEnd = 0;
  /** Path and query in origin form; `pathEnd` is where the query (with its `?`) begins. */
  pathStart = 0;
  pathEnd = 0;
  /** The target was `http://host` without a path: it means `/`. */
  emptyPath = false;
  /** Lower-case names of fields that `Connection` declares to be of this hop, or null. */
  nominated: string[] | null = null;
}

/** Fills `info` from a complete head; returns null or what is wrong with it. */
export function readRequest(info: RequestInfo, head: Head, bytes: Uint8Array): ErrorCode | null {
  info.minor = head.minor;
  info.framing = NONE;
  info.contentLength = 0;
  info.keepAlive = head.minor === 1;
  info.close = info.upgrade = false;
  info.expectContinue = info.emptyPath = false;
  info.nominated = null;
  readMethod(info, head, bytes);
  let host = -1, length = -1, coding = -1, upgrade = false, h2c = false;
  const { ids, count } = head;
  for (let i = 0; i < count; i++) {
    switch (ids[i]) {
      case names.HOST:
        if (host >= 0) return "badHost";
        host = i;
        break;
      case names.CONTENT_LENGTH:
        if (length >= 0) return "ambiguousFraming";
        length = i;
        break;
      case names.TRANSFER_ENCODING:
        if (coding >= 0) return "ambiguousFraming";
        coding = i;
        break;
      case names.CONNECTION:
        if (!readConnectionOptions(info, bytes, head.valueStart(i), head.valueEnd(i))) return "badRequest";
        break;
      case names.UPGRADE:
        upgrade ||= head.valueEnd(i) > head.valueStart(i);
        h2c ||= offersH2c(bytes, head.valueStart(i), head.valueEnd(i));
        break;
      case names.EXPECT:
        if (!equalsLower(bytes, head.valueStart(i), head.valueEnd(i), "100-continue")) {
          return "expectUnsupported";
        }
        info.expectContinue = head.minor === 1;
        break;
    }
  }
  if (info.close) info.keepAlive = false;
  const framing = readFraming(info, head, bytes, length, coding);
  if (framing !== null) return framing;
  // RFC 9110 section 7.8: Upgrade counts only with its connection option, and never in HTTP/1.0.
  info.upgrade &&= upgrade && !h2c && head.minor === 1;
  return readHost(info, head, bytes, host) ?? readTarget(info, head, bytes);
}

function readMethod(info: RequestInfo, head: Head, bytes: Uint8Array): void {
  const start = head.start;
  const length = head.methodEnd - start;
  const first = bytes[start]!;
  info.isHead = length === 4 && first === 0x48 && is(bytes, start, "HEAD");
  info.idempotent = info.isHead || (length === 3 && (is(bytes, start, "GET") || is(bytes, start, "PUT"))) ||
    (length === 7 && is(bytes, start, "OPTIONS")) || (length === 6 && is(bytes, start, "DELETE")) ||
    (length === 5 && is(bytes, start, "TRACE"));
}

function is(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** A tunnel to HTTP/2 would carry requests past every route: RFC 9113 section 3.1 has withdrawn this upgrade. */
function offersH2c(bytes: Uint8Array, start: number, end: number): boolean {
  return /(^|[\s,])h2c($|[\s,\/])/i.test(latin1(bytes, start, end));
}

/** RFC 9112 section 6.3. Anything but one plain Content-Length or exactly `chunked` is refused. */
function readFraming(
  info: RequestInfo,
  head: Head,
  bytes: Uint8Array,
  length: number,
  coding: number,
): ErrorCode | null {
  if (coding >= 0) {
    if (length >= 0 || head.minor === 0) return "ambiguousFraming";
    if (!equalsLower(bytes, head.valueStart(coding), head.valueEnd(coding), "chunked")) {
      return "ambiguousFraming";
    }
    info.framing = CHUNKED;
  } else if (length >= 0) {
    const value = contentLength(bytes, head.valueStart(length), head.valueEnd(length));
    if (value < 0) return "ambiguousFraming";
    info.framing = FIXED;
    info.contentLength = value;
  }
  return null;
}

/** Digits and nothing else, at most 15 (exact in a double); -1 when malformed (RFC 9110 section 8.6). */
export function contentLength(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || end - start > 15) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** RFC 9112 section 3.2: exactly one valid Host, which only HTTP/1.0 may leave out. */
function readHost(info: RequestInfo, head: Head, bytes: Uint8Array, field: number): ErrorCode | null {
  if (field < 0) {
    info.hostStart = info.hostEnd = 0;
    return head.minor === 0 ? null : "badHost";
  }
  info.hostStart = head.valueStart(field);
  info.hostEnd = head.valueEnd(field);
  return validHost(bytes, info.hostStart, info.hostEnd) ? null : "badHost";
}

/** `uri-host [":" port]` (RFC 9110 section 7.2): a name, an IPv4 address or `[IPv6]`, then a port up to 65535. */
export function validHost(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  if (at < end && bytes[at] === OPEN_BRACKET) {
    while (at < end && bytes[at] !== CLOSE_BRACKET) at++;
    if (at === end || parseIp(latin1(bytes, start + 1, at))?.length !== 16) return false;
    at++;
  } else {
    while (at < end && HOST_BYTES[bytes[at]!] === 1) at++;
    if (at === start) return false;
  }
  return at === end || (bytes[at] === COLON && validPort(bytes, at + 1, end));
}

/** The same of a host that a rule made: none of its labels is empty, as one is where a variable had no value. */
export function validMadeHost(host: string): boolean {
  const bytes = fromLatin1(host);
  return validHost(bytes, 0, bytes.length) && !/^\.|\.\./.test(host);
}

/** `*DIGIT` (RFC 3986 section 3.2.3): an empty port stands for the default one. */
function validPort(bytes: Uint8Array, start: number, end: number): boolean {
  let port = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
    if (port > MAX_PORT) return false;
  }
  return end - start <= MAX_PORT_DIGITS;
}

/** RFC 9112 section 3.2: origin form, absolute form (whose authority must be the Host), or `OPTIONS *`. */
function readTarget(info: RequestInfo, head: Head, bytes: Uint8Array): ErrorCode | null {
  const { targetStart: start, targetEnd: end } = head;
  if (is(bytes, head.start, "CONNECT ")) return "methodUnsupported";
  if (bytes[start] === 0x2f) {
    info.pathStart = start;
  } else if (bytes[start] === 0x2a) {
    if (end !== start + 1 || !is(bytes, head.start, "OPTIONS ")) return "badRequest";
    info.pathStart = start;
  } else {
    const authority = schemeEnd(bytes, start, end);
    if (authority < 0) return "badRequest";
    let at = authority;
    while (at < end && bytes[at] !== 0x2f && bytes[at] !== QUESTION) at++;
    if (!validHost(bytes, authority, at)) return "badRequest";
    // An HTTP/1.0 request that names its host here only could be read in two ways further on.
    if (info.hostEnd === 0 || !sameHost(bytes, authority, at, info.hostStart, info.hostEnd)) return "badHost";
    info.emptyPath = at === end || bytes[at] !== 0x2f;
    info.pathStart = at;
  }
  let query = info.pathStart;
  while (query < end && bytes[query] !== QUESTION) query++;
  info.pathEnd = query;
  return null;
}

function schemeEnd(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 7 && equalsLower(bytes, start, start + 7, "http://")) return start + 7;
  if (end - start > 8 && equalsLower(bytes, start, start + 8, "https://")) return start + 8;
  return -1;
}

function sameHost(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  return aEnd - a === bEnd - b && equalsLower(bytes, a, aEnd, latin1(bytes, b, bEnd).toLowerCase());
}
