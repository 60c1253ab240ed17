/**
 * Whether an answer may be stored, and on what terms it is used then (RFC 9111 sections 3, 4.2 and 5.2, RFC 5861).
 * Pure: a shared cache, for GET alone.
 */
import type { CacheSnapshot } from "../config/cache_snapshot.ts";
import { parseHttpDate } from "../files/http_date.ts";
import { type Directives, millisecondsOf, namesOf, parseDirectives } from "./directives.ts";
import { varyNames } from "./vary.ts";

/** Value of a field by its lower-case name, several joined by `, `; null: absent. */
export type Field = (name: string) => string | null;

/** How a stored answer may be used. Milliseconds. */
export interface Terms {
  /** From its making at the origin on. */
  readonly freshMs: number;
  /** Age when it came. */
  readonly ageMs: number;
  /** For so long after that it may be used while it is being renewed. */
  readonly staleWhileRevalidateMs: number;
  /** For so long after that it may be used when the origin fails. */
  readonly staleIfErrorMs: number;
  /** A client may have it however stale, if it says so. */
  readonly mayBeStale: boolean;
  /** Lower-case names of the request's fields that chose it. */
  readonly vary: readonly string[];
  /** As it came; empty: none. */
  readonly etag: string;
  readonly lastModified: string;
  /** Fields that are not kept, in lower case. */
  readonly leftOut: readonly string[];
}

/** What storing depends on besides the answer. */
export interface Storing {
  /** The request had `Authorization`. */
  readonly authorized: boolean;
  /** Of the request. */
  readonly directives: Directives;
  readonly policy: Pick<CacheSnapshot, "ttl" | "maxTtlMs" | "staleWhileRevalidateMs" | "staleIfErrorMs">;
  /** Milliseconds since the epoch. */
  readonly wall: number;
  /** How long the answer was on its way. */
  readonly delayMs: number;
}

/** Statuses whose meaning is known here (section 3, and `must-understand` in 5.2.2.3). */
const UNDERSTOOD = new Set([
  ...[200, 203, 204, 300, 301, 302, 303, 307, 308],
  ...[400, 403, 404, 405, 410, 414, 421, 451, 500, 501, 502, 503, 504],
]);
/** Parts, renewals, and what is for one client alone. */
const NEVER = new Set([206, 304, 401, 407, 416]);
const NOBODY: readonly string[] = [];

/** The terms of the answer to a GET; null: it is not stored. */
export function storing(status: number, field: Field, request: Storing): Terms | null {
  if (status < 200 || NEVER.has(status)) return null;
  const directives = parseDirectives(field("cache-control"));
  if (request.directives.has("no-store") || forbids(status, directives)) return null;
  // Section 3.5.
  if (request.authorized && !["public", "s-maxage", "must-revalidate"].some((one) => directives.has(one))) {
    return null;
  }
  const vary = varyNames(field("vary"));
  if (vary === null) return null;
  const leftOut = leftOutBy(directives);
  // Section 7.3: a cookie is mostly for one client. Where the origin lists it as private, it stays out of the store.
  if (field("set-cookie") !== null && !leftOut.includes("set-cookie")) return null;
  return termsOf(status, field, request, directives, vary, leftOut);
}

function forbids(status: number, directives: Directives): boolean {
  if (directives.get("private") === "") return true;
  // Section 5.2.2.3: it lets pass `no-store` alone.
  return directives.has("must-understand") ? !UNDERSTOOD.has(status) : directives.has("no-store");
}

/** What the qualified forms name. */
function leftOutBy(directives: Directives): readonly string[] {
  if (!directives.has("private") && !directives.has("no-cache")) return NOBODY;
  return [...namesOf(directives, "private"), ...namesOf(directives, "no-cache")];
}

function termsOf(
  status: number,
  field: Field,
  { policy, wall, delayMs }: Storing,
  directives: Directives,
  vary: readonly string[],
  leftOut: readonly string[],
): Terms | null {
  const date = dateOf(field("date"), wall) ?? wall;
  const stated = statedLifetime(directives, field, date, wall);
  const lifetime = stated ?? ttlOf(policy.ttl, status);
  if (lifetime === null) return null;
  const etag = tagOf(field("etag")), lastModified = dated(field("last-modified"), wall);
  const asks = directives.get("no-cache") === "";
  const freshMs = asks ? 0 : Math.min(lifetime, policy.maxTtlMs ?? Infinity);
  const strict = asks || directives.has("must-revalidate") || directives.has("proxy-revalidate");
  // Section 5.2.2.10: `s-maxage` has the meaning of `proxy-revalidate`, unless the origin itself says more.
  const shared = strict || directives.has("s-maxage");
  const grace = (name: string, otherwise: number) =>
    strict ? 0 : millisecondsOf(directives, name) ?? (shared ? 0 : otherwise);
  const staleWhileRevalidateMs = grace("stale-while-revalidate", policy.staleWhileRevalidateMs);
  const staleIfErrorMs = grace("stale-if-error", policy.staleIfErrorMs);
  const ageMs = ageOf(field("age"), date, wall, delayMs);
  const terms = {
    ...{ freshMs, ageMs, staleWhileRevalidateMs, staleIfErrorMs, vary, etag, lastModified, leftOut },
    mayBeStale: !shared,
  };
  const usable = freshMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs) > ageMs;
  return usable || etag !== "" || lastModified !== "" ? terms : null;
}

/** Section 4.2.1, in the order that counts for a shared cache; null: the answer says nothing. */
function statedLifetime(directives: Directives, field: Field, date: number, wall: number): number | null {
  const seconds = millisecondsOf(directives, "s-maxage") ?? millisecondsOf(directives, "max-age");
  if (seconds !== null) return seconds;
  const expires = field("expires");
  // Section 5.3: what is no date, above all `0`, is a time in the past.
  if (expires !== null) return Math.max(0, (dateOf(expires, wall) ?? -Infinity) - date);
  return directives.get("no-cache") === "" ? 0 : null;
}

/** Section 4.2.3. */
function ageOf(age: string | null, date: number, wall: number, delayMs: number): number {
  const apparent = Math.max(0, wall - date);
  const told = age !== null && /^[0-9]{1,10}$/.test(age) ? Number(age) * 1000 : 0;
  return Math.max(apparent, told + delayMs);
}

function ttlOf(ttl: CacheSnapshot["ttl"], status: number): number | null {
  return ttl.find(({ first, last }) => status >= first && status <= last)?.ttlMs ?? null;
}

function dateOf(text: string | null, wall: number): number | null {
  return text === null ? null : parseHttpDate(text, wall);
}

/** What is no date is no validator. */
function dated(text: string | null, wall: number): string {
  return dateOf(text, wall) === null ? "" : text!;
}

/** Longer ones would not fit into a request. */
const MAX_TAG = 256;

function tagOf(text: string | null): string {
  return text !== null && text.length <= MAX_TAG && /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(text)
    ? text
    : "";
}
