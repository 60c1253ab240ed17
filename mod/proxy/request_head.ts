/**
 * Writes the head of a request as it goes to the server: origin form, HTTP/1.1, one framing, ours.
 *
 * Kept field lines are copied in runs straight from the receive buffer. The result stays until the exchange is
 * over, for a retry and for the access log, which finds its parts by the offsets recorded here.
 */
import type { BufferPool, Lease } from "../net/buffers.ts";
import { fromLatin1, latin1 } from "../http/grammar.ts";
import * as names from "../http/names.ts";
import { CHUNKED, FIXED } from "../http1/body.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";

/** Room for what is added besides the forwarded lines: request line ends, framing, request id. */
const ADDED_BYTES = 256;

const VERSION_LINE = fromLatin1(" HTTP/1.1\r\n");
const CONTENT_LENGTH = fromLatin1("Content-Length: ");
const CHUNKED_LINE = fromLatin1("Transfer-Encoding: chunked\r\n");
const UPGRADE_LINES = fromLatin1("Connection: Upgrade\r\nUpgrade: ");
const REQUEST_ID = fromLatin1("X-Request-Id: ");
const HOST_LINE = fromLatin1("Host: ");

const UNTRUSTED = names.idSet(
  names.CONTENT_LENGTH,
  names.X_FORWARDED_FOR,
  names.X_FORWARDED_PROTO,
  names.X_FORWARDED_HOST,
  names.X_REAL_IP,
  names.FORWARDED,
  names.X_REQUEST_ID,
);
for (let id = 0; id < names.HOP_BY_HOP.length; id++) if (names.HOP_BY_HOP[id] === 1) UNTRUSTED[id] = 1;
const TRUSTED = UNTRUSTED.slice();
TRUSTED[names.X_REQUEST_ID] = 0;

/** A request ready to be sent, and where its parts are in `lease.bytes`. */
export class UpstreamRequest {
  lease: Lease | null = null;
  length = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** Offsets of the path without the query. */
  pathEnd = 0;
  hostStart = 0;
  hostEnd = 0;
  userAgentStart = 0;
  userAgentEnd = 0;
  refererStart = 0;
  refererEnd = 0;
  requestIdStart = 0;
  requestIdEnd = 0;

  release(): void {
    this.lease?.release();
    this.lease = null;
  }
}

export interface RequestAdditions {
  /** Lines of `forwardedLines`, as bytes. */
  readonly forwarded: Uint8Array;
  readonly trusted: boolean;
  /** Host to name when the client (HTTP/1.0) named none. */
  readonly fallbackHost: Uint8Array;
  /** Writes a new request id at an offset and returns the offset behind it. */
  readonly writeRequestId: (out: Uint8Array, at: number) => number;
}

/** Composes the head of `head` into a new lease with `spare` bytes of room behind it. */
export function composeRequest(
  request: UpstreamRequest,
  buffers: BufferPool,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
  add: RequestAdditions,
  spare: number,
): void {
  const lease = buffers.atLeast(head.end - head.start + add.forwarded.length + ADDED_BYTES + spare);
  const out = lease.bytes;
  request.lease = lease;
  let at = requestLine(request, out, head, info, bytes);
  if (info.hostEnd === 0) {
    at = crlf(out, put(out, put(out, at, HOST_LINE), add.fallbackHost));
    request.hostStart = request.hostEnd = 0;
  }
  request.userAgentStart =
    request.userAgentEnd =
    request.refererStart =
    request.refererEnd =
      0;
  request.requestIdStart = 0;
  at = keptFields(request, out, at, head, info, bytes, add.trusted ? TRUSTED : UNTRUSTED);
  if (info.framing === FIXED) {
    at = crlf(out, decimal(out, put(out, at, CONTENT_LENGTH), info.contentLength));
  } else if (info.framing === CHUNKED) at = put(out, at, CHUNKED_LINE);
  if (info.upgrade) at = upgradeLines(out, at, head, bytes);
  out.set(add.forwarded, at);
  at += add.forwarded.length;
  if (request.requestIdStart === 0) {
    request.requestIdStart = put(out, at, REQUEST_ID);
    request.requestIdEnd = add.writeRequestId(out, request.requestIdStart);
    at = crlf(out, request.requestIdEnd);
  }
  request.length = crlf(out, at);
}

function requestLine(
  request: UpstreamRequest,
  out: Uint8Array,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
): number {
  const { start, methodEnd, targetStart, targetEnd } = head;
  request.methodEnd = methodEnd - start;
  request.targetStart = request.methodEnd + 1;
  let at = request.targetStart;
  if (info.pathStart === targetStart) {
    copy(out, 0, bytes, start, targetEnd);
    at = targetEnd - start;
  } else {
    copy(out, 0, bytes, start, methodEnd + 1);
    if (info.emptyPath) out[at++] = isOptionsOfServer(head, info, bytes) ? 0x2a : 0x2f;
    copy(out, at, bytes, info.pathStart, targetEnd);
    at += targetEnd - info.pathStart;
  }
  request.targetEnd = at;
  request.pathEnd = at - (targetEnd - info.pathEnd);
  return put(out, at, VERSION_LINE);
}

/** RFC 9112 section 3.2.4: `OPTIONS http://host` without path and query goes to the server as `OPTIONS *`. */
function isOptionsOfServer(head: Head, info: RequestInfo, bytes: Uint8Array): boolean {
  return info.pathStart === head.targetEnd && latin1(bytes, head.start, head.methodEnd) === "OPTIONS";
}

/** Copies the fields that travel on, in as few runs as possible. */
function keptFields(
  request: UpstreamRequest,
  out: Uint8Array,
  at: number,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
  dropped: Uint8Array,
): number {
  const { ids, count } = head;
  const { nominated } = info;
  let runStart = head.fieldsStart;
  for (let i = 0; i < count; i++) {
    const id = ids[i]!;
    const drop = dropped[id] === 1 ||
      (nominated !== null && id !== names.HOST && nominated.includes(fieldName(head, bytes, i))) ||
      (id === names.EXPECT && !info.expectContinue);
    if (drop) {
      const runEnd = head.nameStart(i);
      copy(out, at, bytes, runStart, runEnd);
      at += runEnd - runStart;
      runStart = head.lineEnd(i);
    } else if (id !== names.OTHER) remember(request, id, head, i, at - runStart);
  }
  const runEnd = head.end - 2;
  copy(out, at, bytes, runStart, runEnd);
  return at + runEnd - runStart;
}

/** Notes where a field's value will stand: `shift` is the distance between input and output. */
function remember(request: UpstreamRequest, id: number, head: Head, field: number, shift: number): void {
  const start = head.valueStart(field) + shift, end = head.valueEnd(field) + shift;
  if (id === names.HOST) {
    request.hostStart = start;
    request.hostEnd = end;
  } else if (id === names.USER_AGENT) {
    request.userAgentStart = start;
    request.userAgentEnd = end;
  } else if (id === names.REFERER) {
    request.refererStart = start;
    request.refererEnd = end;
  } else if (id === names.X_REQUEST_ID && end > start) {
    request.requestIdStart = start;
    request.requestIdEnd = end;
  }
}

function upgradeLines(out: Uint8Array, at: number, head: Head, bytes: Uint8Array): number {
  at = put(out, at, UPGRADE_LINES);
  const field = head.find(names.UPGRADE);
  copy(out, at, bytes, head.valueStart(field), head.valueEnd(field));
  return crlf(out, at + head.valueEnd(field) - head.valueStart(field));
}

/** Lower-case name of a field, for the rare look-up among nominated names. */
export function fieldName(head: Head, bytes: Uint8Array, field: number): string {
  return latin1(bytes, head.nameStart(field), head.nameEnd(field)).toLowerCase();
}

/** Up to this many bytes a loop is cheaper than making a view. */
const LOOP_BYTES = 48;

export function copy(out: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): void {
  if (end - start > LOOP_BYTES) out.set(bytes.subarray(start, end), at);
  else for (let i = start; i < end; i++) out[at++] = bytes[i]!;
}

/** Copies a constant of a few bytes, and returns the offset behind it. */
export function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i]!;
  return at;
}

export function crlf(out: Uint8Array, at: number): number {
  out[at] = 0x0d;
  out[at + 1] = 0x0a;
  return at + 2;
}

/** Writes a non-negative integer in decimal and returns the offset behind it. */
export function decimal(out: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let bound = 10; bound <= value; bound *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    out[i] = 0x30 + value % 10;
    value = Math.floor(value / 10);
  }
  return at + digits;
}
