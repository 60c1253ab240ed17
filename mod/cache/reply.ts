/**
 * What of a stored answer a request gets: all of it, a part, or the word that it has it already (RFC 9111 section
 * 4.3.2, RFC 9110 sections 13 and 14). Pure.
 *
 * Several ranges at once get the whole answer, which section 14.2 allows.
 */
import { matchesTag, rangeHolds } from "../files/conditional.ts";
import { parseHttpDate } from "../files/http_date.ts";
import { parseRanges } from "../files/ranges.ts";
import type { RequestFacts } from "../route/match.ts";
import type { Terms } from "./storing.ts";

export type Reply =
  | { readonly kind: "whole" }
  | { readonly kind: "notModified" }
  | { readonly kind: "unsatisfiable" }
  /** Bytes `start` to `end`, the end exclusive. */
  | { readonly kind: "part"; readonly start: number; readonly end: number };

/** What there is of a stored answer. */
export interface Replied {
  readonly status: number;
  readonly terms: Terms;
  /** Of the body. */
  readonly length: number;
  /** Reads its `Date`. */
  readonly date: () => string | null;
}

/** What of a request decides on it, kept while its head is gone. */
export interface Conditions {
  readonly ifNoneMatch: string | null;
  readonly ifModifiedSince: string | null;
  readonly range: string | null;
  readonly ifRange: string | null;
}

export const UNCONDITIONAL: Conditions = {
  ifNoneMatch: null,
  ifModifiedSince: null,
  range: null,
  ifRange: null,
};
const WHOLE: Reply = { kind: "whole" };
const NOT_MODIFIED: Reply = { kind: "notModified" };
const UNSATISFIABLE: Reply = { kind: "unsatisfiable" };

/** Ranges are for GET only (RFC 9110 section 14.2). */
export function conditionsOf(facts: RequestFacts): Conditions {
  const ifNoneMatch = facts.header("if-none-match"), ifModifiedSince = facts.header("if-modified-since");
  const range = facts.method === "GET" ? facts.header("range") : null;
  if (ifNoneMatch === null && ifModifiedSince === null && range === null) return UNCONDITIONAL;
  return { ifNoneMatch, ifModifiedSince, range, ifRange: range === null ? null : facts.header("if-range") };
}

/** `wall`: milliseconds since the epoch. */
export function replyTo(asked: Conditions, stored: Replied, wall: number): Reply {
  if (asked === UNCONDITIONAL || stored.status !== 200) return WHOLE;
  const { etag, lastModified } = stored.terms;
  const date = (text: string | null) => text === null || text === "" ? null : parseHttpDate(text, wall);
  const modified = date(lastModified) ?? date(stored.date());
  if (asked.ifNoneMatch !== null) {
    // `*` matches whatever there is.
    if (matchesTag(asked.ifNoneMatch, opaqueTag(etag), true)) return NOT_MODIFIED;
  } else if (asked.ifModifiedSince !== null && modified !== null) {
    const since = date(asked.ifModifiedSince);
    if (since !== null && modified <= since) return NOT_MODIFIED;
  }
  if (asked.range === null) return WHOLE;
  // RFC 9110 section 13.1.5: a weak tag holds nothing.
  const strong = { etag: etag.startsWith('"') ? etag : "", modified: modified ?? NaN };
  if (!rangeHolds(asked.ifRange, strong, wall)) return WHOLE;
  const ranges = parseRanges(asked.range, stored.length);
  if (ranges === "unsatisfiable") return UNSATISFIABLE;
  return ranges === "whole" || ranges.length > 1 ? WHOLE : { kind: "part", ...ranges[0]! };
}

/** A tag without the mark of a weak one. */
export function opaqueTag(etag: string): string {
  return etag.startsWith("W/") ? etag.slice(2) : etag;
}
