/**
 * Whether an answer is compressed for this client, and what changes in its head (RFC 9110 sections 7.7, 8.4, 8.8.3.3
 * and 12.5.5). Pure.
 *
 * As nginx and HAProxy do it: a good answer of a chosen type, large enough, whole (no range), not encoded already and
 * not marked as finished (`no-transform`, a digest of its bytes).
 */
import type { CompressSnapshot } from "../config/snapshot.ts";
import { acceptedEncodings } from "../files/negotiate.ts";
import { equalsLower, latin1 } from "../http/grammar.ts";
import type { Head } from "../http1/head.ts";
import type { RequestFacts } from "../route/match.ts";
import type { Encoding } from "./compressor.ts";

/** What a request says of it. */
export interface Wish {
  readonly policy: CompressSnapshot;
  /** What the client likes best of what there is; null: the answer as it is. */
  readonly encoding: Encoding | null;
  /** Its `If-None-Match`, or empty. */
  readonly known: string;
}

/** How the head of an answer changes. */
export interface HeadEdits {
  /** Null: the body leaves as it came. */
  readonly encoding: Encoding | null;
  /** The length that the server told is that of another body. */
  readonly hidesLength: boolean;
  /** A strong tag (`ETag`) becomes a weak one. */
  readonly weakens: boolean;
  /** Fields that are left out, in lower case. */
  readonly removes: readonly string[];
  /** Fields that are added, with their line ends. */
  readonly lines: string;
}

/** HAProxy's. 206 is a part of something that has no length yet, and errors are small. */
const STATUSES = [200, 201, 202, 203];
const PARTIAL = 206;
/** Fields that speak of the bytes as they are (RFC 9530). */
const DIGESTS = ["content-digest", "repr-digest", "digest"];

/** Value of a field of the answer by its name; null: there is none. */
type Field = (name: string) => string | null;

/** What a request asks for; `available`: the encodings that there are here. */
export function wishOf(policy: CompressSnapshot, facts: RequestFacts, available: readonly Encoding[]): Wish {
  const offered = policy.encodings.filter((encoding) => available.includes(encoding));
  const forbidden = hasDirective(facts.header("cache-control"), "no-transform");
  const [encoding = null] = forbidden ? [] : acceptedEncodings(facts.header("accept-encoding"), offered);
  return { policy, encoding, known: facts.header("if-none-match") ?? "" };
}

/** The changes to an answer's head; null: none. `length`: of its body as far as it is known, else -1. */
export function judge(wish: Wish, head: Head, bytes: Uint8Array, length: number): HeadEdits | null {
  const field = (name: string) => fieldOf(head, bytes, name);
  if (head.status === 304) return renewal(wish, field("etag"), field("vary"));
  if (head.status === PARTIAL) return part(wish, field);
  if (!STATUSES.includes(head.status) || length === 0 || (length > 0 && length < wish.policy.minSize)) {
    return null;
  }
  if (field("content-range") !== null || !isCompressible(wish, field)) return null;
  const vary = varyLine(field("vary"));
  const { encoding } = wish;
  if (encoding === null) return vary === "" ? null : asItIs(vary);
  return {
    encoding,
    hidesLength: true,
    weakens: true,
    // Ranges of what we send would be others.
    removes: ["accept-ranges"],
    lines: `Content-Encoding: ${encoding}\r\n${vary}`,
  };
}

/** Whether an answer of this status may be. */
export function variesBy(status: number): boolean {
  return STATUSES.includes(status);
}

/** Whether a body of this type and size is to be compressed. */
export function isWorthIt({ types, minSize }: CompressSnapshot, type: string, size: number): boolean {
  return size >= minSize && typeMatches(type, types);
}

/** Whether an answer of this head may be compressed, but for its status and length. */
function isCompressible({ policy }: Wish, field: Field): boolean {
  return typeMatches(field("content-type"), policy.types) && field("content-encoding") === null &&
    !hasDirective(field("cache-control"), "no-transform") && DIGESTS.every((name) => field(name) === null);
}

/** A part leaves as it is; a cache must still know that the whole would be another for another client. */
function part(wish: Wish, field: Field): HeadEdits | null {
  const size = /\/([0-9]+)$/.exec(field("content-range") ?? "")?.[1];
  if (size !== undefined && Number(size) < wish.policy.minSize || !isCompressible(wish, field)) return null;
  const vary = varyLine(field("vary"));
  return vary === "" ? null : asItIs(vary);
}

function asItIs(lines: string): HeadEdits {
  return { encoding: null, hidesLength: false, weakens: false, removes: [], lines };
}

/** A client that has the compressed answer knows it by its weak tag, and renews only what has the same. */
function renewal(wish: Wish, etag: string | null, vary: string | null): HeadEdits | null {
  if (etag === null || !etag.startsWith('"') || !wish.known.includes(`W/${etag}`)) return null;
  return { encoding: null, hidesLength: true, weakens: true, removes: [], lines: varyLine(vary) };
}

function varyLine(vary: string | null): string {
  return vary !== null && /(^|,)[ \t]*(\*|accept-encoding)[ \t]*(,|$)/i.test(vary)
    ? ""
    : "Vary: Accept-Encoding\r\n";
}

/** True when a list of directives has this one. */
export function hasDirective(list: string | null, name: string): boolean {
  return list !== null && list.toLowerCase().split(",").some((each) => each.trim() === name);
}

/** `types` are exact or `text/*`, in lower case; parameters do not count. */
function typeMatches(value: string | null, types: readonly string[]): boolean {
  if (value === null) return false;
  const type = value.split(";", 1)[0]!.trim().toLowerCase();
  return types.some((each) => each.endsWith("/*") ? type.startsWith(each.slice(0, -1)) : type === each);
}

/** The value of a field, several joined as a list; null: there is none. `name` in lower case. */
function fieldOf(head: Head, bytes: Uint8Array, name: string): string | null {
  let value: string | null = null;
  for (let i = 0; i < head.count; i++) {
    if (!equalsLower(bytes, head.nameStart(i), head.nameEnd(i), name)) continue;
    const text = latin1(bytes, head.valueStart(i), head.valueEnd(i));
    value = value === null ? text : `${value}, ${text}`;
  }
  return value;
}
