/**
 * How the cache took a request: a word for the log and for rules, which nginx's users know (`$upstream_cache_status`),
 * and the field `Cache-Status` (RFC 9211). Pure.
 */

/** Empty: the route has no cache. */
export type CacheWord =
  | ""
  /** Not asked: a condition of the configuration, the method, or what the request says. */
  | "BYPASS"
  | "MISS"
  | "HIT"
  /** It was there, too old, and another came. */
  | "EXPIRED"
  /** It was there, too old, and is still good. */
  | "REVALIDATED"
  /** Too old, and used while it is renewed. */
  | "UPDATING"
  /** Too old, and used as the origin fails. */
  | "STALE";

/** Why a request went to a server (RFC 9211 section 2.2). */
export type Forwarded = "bypass" | "method" | "uri-miss" | "vary-miss" | "miss" | "request" | "stale";

export interface CacheStatus {
  /** Null: it did not. */
  readonly forwarded: Forwarded | null;
  /** Of the server's answer, where that is not the one that is sent. */
  readonly forwardedStatus?: number;
  /** Seconds that it stays fresh. */
  readonly ttl?: number;
  /** The answer is being stored. */
  readonly stored?: boolean;
  /** It waited for what another request fetched. */
  readonly collapsed?: boolean;
}

/** The line, with its line end. */
export function cacheStatusLine({ forwarded, forwardedStatus, ttl, stored, collapsed }: CacheStatus): string {
  let line = forwarded === null ? "Cache-Status: tandem; hit" : `Cache-Status: tandem; fwd=${forwarded}`;
  if (forwardedStatus !== undefined) line += `; fwd-status=${forwardedStatus}`;
  if (ttl !== undefined) line += `; ttl=${ttl}`;
  if (stored === true) line += "; stored";
  if (collapsed === true) line += "; collapsed";
  return `${line}\r\n`;
}
