/**
 * Writes the head of a request as it goes to the server: origin form, HTTP/1.1, one framing, ours.
 *
 * Kept field lines are copied in runs straight from the receive buffer. The result stays until the exchange is
 * over, for a retry and for the access log, which finds its parts by the offsets recorded here.
 */
import { copyBytes } from "../base/bytes.ts";
import type { BufferPool, Lease } from "../net/buffers.ts";
import { fromLatin1, latin1 } from "../http/grammar.ts";
import * as names from "../http/names.ts";
import type { TraceContext } from "../http/trace_context.ts";
import { CHUNKED, FIXED } from "../http1/body.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import { DROP, KEEP } from "../route/header_edit.ts";
import type { RequestEdit } from "./request_edit.ts";
import { TRACE_LINE_BYTES, traceLine, type Tracing, type WriteHex } from "./tracing.ts";

/** Room for what is added besides the forwarded lines: request line ends, framing, request id. */
const ADDED_BYTES = 256;

/** Longest request id that is made here. */
const MAX_ID_BYTES = 64;

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
/** The fields that do not travel on: of clients that are believed and others, by what becomes of their trace. */
const DROPPED = [UNTRUSTED, TRUSTED].map((plain) => ({
  untraced: plain,
  continued: union(plain, names.idSet(names.TRACEPARENT)),
  begun: union(plain, names.idSet(names.TRACEPARENT, names.TRACESTATE)),
}));
/** Fields that the access log shows. */
const LOGGED = names.idSet(names.HOST, names.USER_AGENT, names.REFERER, names.X_REQUEST_ID);

/**
 * A request ready to be sent, and where its parts are in `lease.bytes`. Those that rules have changed are, as they
 * came, at the end of the lease, which is never sent.
 */
export class UpstreamRequest {
  lease: Lease | null = null;
  length = 0;
  /** Where the parts at the end of the lease begin. */
  tail = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  hostStart = 0;
  hostEnd = 0;
  userAgentStart = 0;
  userAgentEnd = 0;
  refererStart = 0;
  refererEnd = 0;
  requestIdStart = 0;
  requestIdEnd = 0;
  /** Kept for the requests that follow; it counts while it is `active`. Null: none was traced yet. */
  trace: TraceContext | null = null;

  /** Takes a range out, which is not part of the request line nor of a field that is pointed to here. */
  cut(start: number, end: number): void {
    this.lease!.bytes.copyWithin(start, end, this.length);
    const size = end - start;
    // What is at the end of the lease stays.
    const moves = (part: number) => part >= end && part < this.length;
    if (moves(this.hostStart)) this.hostStart -= size, this.hostEnd -= size;
    if (moves(this.userAgentStart)) this.userAgentStart -= size, this.userAgentEnd -= size;
    if (moves(this.refererStart)) this.refererStart -= size, this.refererEnd -= size;
    if (moves(this.requestIdStart)) this.requestIdStart -= size, this.requestIdEnd -= size;
    this.length -= size;
  }

  /** Moves the values that the log wants from a range to the end of the lease, before the range is cut out. */
  keepApart(start: number, end: number): void {
    const kept = (from: number, to: number): [start: number, end: number] =>
      from >= start && to <= end ? this.#moveApart(from, to) : [from, to];
    [this.userAgentStart, this.userAgentEnd] = kept(this.userAgentStart, this.userAgentEnd);
    [this.refererStart, this.refererEnd] = kept(this.refererStart, this.refererEnd);
    [this.requestIdStart, this.requestIdEnd] = kept(this.requestIdStart, this.requestIdEnd);
  }

  /** Where the value is then; where there is no room the log does without. */
  #moveApart(from: number, to: number): [start: number, end: number] {
    if (this.tail - (to - from) < this.length) return [0, 0];
    this.tail -= to - from;
    this.lease!.bytes.copyWithin(this.tail, from, to);
    return [this.tail, this.tail + to - from];
  }

  release(): void {
    this.lease?.release();
    this.lease = null;
    if (this.trace !== null) this.trace.active = false;
  }
}

export interface RequestAdditions {
  /** Lines of `forwardedLines`, as bytes. */
  readonly forwarded: Uint8Array;
  readonly trusted: boolean;
  /** Host to name when the client (HTTP/1.0) named none. */
  readonly fallbackHost: Uint8Array;
  /** How requests are traced; null: they are not. */
  readonly traced: Traced | null;
  /** Writes a new request id at an offset and returns the offset behind it. */
  readonly writeRequestId: (out: Uint8Array, at: number) => number;
}

/** What the rules of a route make of a request. */
export interface RequestChanges {
  /** Prepared for this request; null: nothing is changed. */
  readonly edit: RequestEdit | null;
  /** The id that has been given to it already; null: none. */
  readonly requestId: string | null;
}

/** How requests are traced. */
export interface Traced {
  readonly tracing: Tracing;
  readonly writeHex: WriteHex;
}

export const NO_CHANGES: RequestChanges = { edit: null, requestId: null };

/** Composes the head of `head` into a new lease with `spare` bytes of room behind it. */
export function composeRequest(
  request: UpstreamRequest,
  buffers: BufferPool,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
  add: RequestAdditions,
  spare: number,
  { edit, requestId }: RequestChanges,
): void {
  const { traced } = add;
  const received = head.end - head.start;
  // With rules there is room for all of what came behind what is sent.
  const room = edit === null ? 0 : edit.room + received;
  const added = add.forwarded.length + ADDED_BYTES + (traced === null ? 0 : TRACE_LINE_BYTES);
  const lease = buffers.atLeast(received + added + spare + room);
  const out = lease.bytes;
  request.lease = lease;
  request.tail = out.length;
  let at = edit === null || edit.target === null
    ? requestLine(request, out, head, info, bytes)
    : rewrittenLine(request, out, head, info, bytes, edit.target);
  const host = edit?.host ?? (info.hostEnd === 0 ? add.fallbackHost : null);
  if (host !== null) {
    at = crlf(out, put(out, put(out, at, HOST_LINE), host));
    request.hostStart = request.hostEnd = 0;
  }
  request.userAgentStart =
    request.userAgentEnd =
    request.refererStart =
    request.refererEnd =
      0;
  request.requestIdStart = 0;
  const trace = traced === null ? null : traceOf(request, head, bytes, add.trusted, traced);
  const dropped =
    DROPPED[add.trusted ? 1 : 0]![trace === null ? "untraced" : trace.continued ? "continued" : "begun"];
  at = keptFields(request, out, at, head, info, bytes, dropped, edit);
  if (info.framing === FIXED) {
    at = crlf(out, decimal(out, put(out, at, CONTENT_LENGTH), info.contentLength));
  } else if (info.framing === CHUNKED) at = put(out, at, CHUNKED_LINE);
  if (info.upgrade) at = upgradeLines(out, at, head, bytes);
  out.set(add.forwarded, at);
  at += add.forwarded.length;
  if (trace !== null) at = traceLine(trace, out, at);
  if (edit !== null) at = edit.write(out, at);
  if (request.requestIdStart === 0) {
    const sent = edit === null || !edit.dropsRequestId;
    const start = sent ? put(out, at, REQUEST_ID) : request.tail -= MAX_ID_BYTES;
    request.requestIdStart = start;
    request.requestIdEnd = requestId === null
      ? add.writeRequestId(out, start)
      : putText(out, start, requestId);
    if (sent) at = crlf(out, request.requestIdEnd);
  }
  request.length = crlf(out, at);
}

function traceOf(
  request: UpstreamRequest,
  head: Head,
  bytes: Uint8Array,
  trusted: boolean,
  { tracing, writeHex }: Traced,
): TraceContext {
  const field = tracing.parentField(head, bytes, trusted);
  return request.trace = tracing.begin(request.trace, head, bytes, field, writeHex);
}

function union(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((one, id) => one | b[id]!);
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
    copyBytes(out, 0, bytes, start, targetEnd);
    at = targetEnd - start;
  } else {
    copyBytes(out, 0, bytes, start, methodEnd + 1);
    if (info.emptyPath) out[at++] = isOptionsOfServer(head, info, bytes) ? 0x2a : 0x2f;
    copyBytes(out, at, bytes, info.pathStart, targetEnd);
    at += targetEnd - info.pathStart;
  }
  request.targetEnd = at;
  return put(out, at, VERSION_LINE);
}

/** The request line with another target; the one that came is kept for the log. */
function rewrittenLine(
  request: UpstreamRequest,
  out: Uint8Array,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
  target: string,
): number {
  const { start, methodEnd, targetStart, targetEnd } = head;
  request.methodEnd = methodEnd - start;
  copyBytes(out, 0, bytes, start, methodEnd + 1);
  const from = info.emptyPath ? targetStart : info.pathStart;
  request.targetStart = keepApart(request, out, bytes, from, targetEnd);
  request.targetEnd = request.targetStart + targetEnd - from;
  return put(out, putText(out, request.methodEnd + 1, target), VERSION_LINE);
}

/** Copies bytes to the end of the lease; returns where they begin. */
function keepApart(request: UpstreamRequest, out: Uint8Array, bytes: Uint8Array, start: number, end: number) {
  request.tail -= end - start;
  copyBytes(out, request.tail, bytes, start, end);
  return request.tail;
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
  edit: RequestEdit | null,
): number {
  const { ids, count } = head;
  const { nominated } = info;
  let runStart = head.fieldsStart;
  for (let i = 0; i < count; i++) {
    const id = ids[i]!;
    const drop = dropped[id] === 1 ||
      (nominated !== null && id !== names.HOST && nominated.includes(fieldName(head, bytes, i))) ||
      (id === names.EXPECT && !info.expectContinue);
    const action = edit === null || drop ? KEEP : actionOf(edit, id, i);
    if (drop || action !== KEEP) {
      const runEnd = action > DROP ? head.valueStart(i) : head.nameStart(i);
      copyBytes(out, at, bytes, runStart, runEnd);
      at += runEnd - runStart;
      runStart = head.lineEnd(i);
      if (action > DROP) at = crlf(out, putText(out, at, edit!.changed(i)));
      if (action !== KEEP) rememberApart(request, out, id, head, bytes, i);
    } else if (id !== names.OTHER) remember(request, id, head, i, at - runStart);
  }
  const runEnd = head.end - 2;
  copyBytes(out, at, bytes, runStart, runEnd);
  return at + runEnd - runStart;
}

/** The host has a rule of its own; a client that waits for word on its body must get it. No pattern of names touches those. */
function actionOf(edit: RequestEdit, id: number, field: number): number {
  if (id === names.EXPECT) return KEEP;
  if (id === names.HOST) return edit.host === null ? KEEP : DROP;
  return edit.action(field);
}

/** Notes, for the log, what a field that a rule has changed was. */
function rememberApart(
  request: UpstreamRequest,
  out: Uint8Array,
  id: number,
  head: Head,
  bytes: Uint8Array,
  field: number,
): void {
  if (LOGGED[id] !== 1) return;
  const start = head.valueStart(field);
  remember(request, id, head, field, keepApart(request, out, bytes, start, head.valueEnd(field)) - start);
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
  copyBytes(out, at, bytes, head.valueStart(field), head.valueEnd(field));
  return crlf(out, at + head.valueEnd(field) - head.valueStart(field));
}

/** Lower-case name of a field, for the rare look-up among nominated names. */
export function fieldName(head: Head, bytes: Uint8Array, field: number): string {
  return latin1(bytes, head.nameStart(field), head.nameEnd(field)).toLowerCase();
}

/** Copies a constant of a few bytes, and returns the offset behind it. */
export function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i]!;
  return at;
}

/** Writes a text of characters up to U+00FF; returns the offset behind it. */
export function putText(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) out[at++] = text.charCodeAt(i);
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
