/**
 * Writes the head of a server's response as it goes to the client: hop-by-hop fields out, our framing in.
 */
import { copyBytes } from "../base/bytes.ts";
import { equalsLower, fromLatin1 } from "../http/grammar.ts";
import * as names from "../http/names.ts";
import { CHUNKED, type Framing, UNTIL_CLOSE } from "../http1/body.ts";
import type { HeadEdits } from "../compress/judge.ts";
import type { Head } from "../http1/head.ts";
import type { ResponseInfo } from "../http1/response.ts";
import { DROP, type HeaderEdit, KEEP } from "../route/header_edit.ts";
import { crlf, decimal, fieldName, put, putText } from "./request_head.ts";

/** Room that `composeResponse` needs besides the received head, `hsts`, `cacheStatus` and what edit and compression need. */
export const RESPONSE_ADDED_BYTES = 128;

const STATUS_PREFIX = fromLatin1("HTTP/1.1 ");
const CONTENT_LENGTH = fromLatin1("Content-Length: ");
const CHUNKED_LINE = fromLatin1("Transfer-Encoding: chunked\r\n");
const CLOSE_LINE = fromLatin1("Connection: close\r\n");
const KEEP_ALIVE_LINE = fromLatin1("Connection: keep-alive\r\n");
/** Before the quote of a tag (RFC 9110 section 8.8.3). */
const WEAK = fromLatin1("W/");
const QUOTE = 0x22;
const UPGRADE_LINES = fromLatin1("Connection: Upgrade\r\nUpgrade: ");

const DROPPED = names.HOP_BY_HOP.slice();
DROPPED[names.CONTENT_LENGTH] = 1;
/** A browser looks at the first of several only (RFC 6797 section 8.1), so ours replaces the server's. */
const DROPPED_WITH_HSTS = DROPPED.slice();
DROPPED_WITH_HSTS[names.STRICT_TRANSPORT_SECURITY] = 1;

/** How the answer goes on to the client. */
export interface ResponsePlan {
  /** Framing towards the client: what is not known in length is chunked, or until close for HTTP/1.0. */
  framing: Framing;
  keepAlive: boolean;
  /** The client's minor version. */
  minor: number;
  /** The line of `Strict-Transport-Security`, or nothing. */
  hsts: Uint8Array;
  /** The line of `Cache-Status`, or nothing. */
  cacheStatus: string;
  /** Prepared for this head; null: nothing is changed. */
  edit: HeaderEdit | null;
  /** What compression changes; null: nothing. */
  compression: HeadEdits | null;
}

/** Writes into `out`, which must hold the received head and what `RESPONSE_ADDED_BYTES` says; returns the length. */
export function composeResponse(
  out: Uint8Array,
  head: Head,
  info: ResponseInfo,
  bytes: Uint8Array,
  plan: ResponsePlan,
): number {
  let at = put(out, 0, STATUS_PREFIX);
  const statusAt = head.start + STATUS_PREFIX.length;
  const dropped = plan.hsts.length > 0 ? DROPPED_WITH_HSTS : DROPPED;
  at = keptFields(out, at, statusAt, head, info, bytes, dropped, plan);
  if (plan.edit !== null) at = plan.edit.write(out, at);
  if (head.status === 101) return crlf(out, upgradeLines(out, at, head, bytes));
  if (head.status < 200) return crlf(out, at);
  if (plan.framing === CHUNKED) at = put(out, at, CHUNKED_LINE);
  else if (plan.framing !== UNTIL_CLOSE && info.contentLength >= 0 && !hidesLength(plan)) {
    at = crlf(out, decimal(out, put(out, at, CONTENT_LENGTH), info.contentLength));
  }
  if (plan.hsts.length > 0) at = put(out, at, plan.hsts);
  if (plan.cacheStatus !== "") at = putText(out, at, plan.cacheStatus);
  if (plan.compression !== null) at = putText(out, at, plan.compression.lines);
  if (!plan.keepAlive) at = put(out, at, CLOSE_LINE);
  else if (plan.minor === 0) at = put(out, at, KEEP_ALIVE_LINE);
  return crlf(out, at);
}

/** By name, besides those that never travel on. */
function namesLeftOut({ nominated }: ResponseInfo, compression: HeadEdits | null): readonly string[] | null {
  if (compression === null || compression.removes.length === 0) return nominated;
  return nominated === null ? compression.removes : [...nominated, ...compression.removes];
}

/** Room that `composeResponse` needs for it. */
export function roomForCompression({ lines, weakens }: HeadEdits): number {
  return lines.length + (weakens ? WEAK.length : 0);
}

/** The length that a server told is that of another body. */
function hidesLength({ compression }: ResponsePlan): boolean {
  return compression !== null && compression.hidesLength;
}

/** Copies status code, reason and the fields that travel on, in as few runs as possible. */
function keptFields(
  out: Uint8Array,
  at: number,
  start: number,
  head: Head,
  info: ResponseInfo,
  bytes: Uint8Array,
  dropped: Uint8Array,
  { edit, compression }: ResponsePlan,
): number {
  const { ids, count } = head;
  const leftOut = namesLeftOut(info, compression);
  let weakens = compression !== null && compression.weakens;
  let runStart = start;
  for (let i = 0; i < count; i++) {
    const drop = dropped[ids[i]!] === 1 ||
      (leftOut !== null && leftOut.includes(fieldName(head, bytes, i)));
    const action = edit === null || drop ? KEEP : edit.actions[i]!;
    if (!drop && action === KEEP) {
      if (!weakens || !isStrongTag(head, bytes, i)) continue;
      copyBytes(out, at, bytes, runStart, head.valueStart(i));
      at = put(out, at + head.valueStart(i) - runStart, WEAK);
      runStart = head.valueStart(i);
      // There can be only one.
      weakens = false;
      continue;
    }
    const runEnd = action > DROP ? head.valueStart(i) : head.nameStart(i);
    copyBytes(out, at, bytes, runStart, runEnd);
    at += runEnd - runStart;
    runStart = head.lineEnd(i);
    if (action > DROP) at = crlf(out, putText(out, at, edit!.changed[i]!));
  }
  const runEnd = head.end - 2;
  copyBytes(out, at, bytes, runStart, runEnd);
  return at + runEnd - runStart;
}

function upgradeLines(out: Uint8Array, at: number, head: Head, bytes: Uint8Array): number {
  const field = head.find(names.UPGRADE);
  if (field < 0) return at;
  at = put(out, at, UPGRADE_LINES);
  copyBytes(out, at, bytes, head.valueStart(field), head.valueEnd(field));
  return crlf(out, at + head.valueEnd(field) - head.valueStart(field));
}

function isStrongTag(head: Head, bytes: Uint8Array, field: number): boolean {
  return bytes[head.valueStart(field)] === QUOTE &&
    equalsLower(bytes, head.nameStart(field), head.nameEnd(field), "etag");
}
