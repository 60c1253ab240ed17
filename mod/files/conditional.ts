/**
 * The conditional requests of RFC 9110 section 13, in the order of section 13.2.2. Pure.
 */
import type { RequestFacts } from "../route/match.ts";
import { parseHttpDate } from "./http_date.ts";

/** What a representation is known by. */
export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Whole seconds, in milliseconds. */
  readonly modified: number;
}

/** What comes of the conditions: the answer itself, that the client has it already, or that a condition failed. */
export type Outcome = "send" | "notModified" | "failed";

/** Judges everything but `If-Range`. `now`: milliseconds since the epoch. */
export function judgeConditions(facts: RequestFacts, known: Validators, now: number): Outcome {
  const ifMatch = facts.header("if-match");
  if (ifMatch !== null) {
    if (!matchesTag(ifMatch, known.etag, false)) return "failed";
  } else {
    const since = dateOf(facts.header("if-unmodified-since"), now);
    if (since !== null && known.modified > since) return "failed";
  }
  const ifNoneMatch = facts.header("if-none-match");
  if (ifNoneMatch !== null) return matchesTag(ifNoneMatch, known.etag, true) ? "notModified" : "send";
  const since = dateOf(facts.header("if-modified-since"), now);
  return since !== null && known.modified <= since ? "notModified" : "send";
}

/**
 * Section 13.1.5: true when ranges may be sent. A date counts only when it is exactly ours and strong (section
 * 8.8.2.2): a second has passed since, in which the file would have got another date.
 */
export function rangeHolds(ifRange: string | null, known: Validators, now: number): boolean {
  if (ifRange === null) return true;
  if (ifRange.startsWith('"')) return ifRange === known.etag;
  return dateOf(ifRange, now) === known.modified && now - known.modified >= 1000;
}

function dateOf(text: string | null, now: number): number | null {
  return text === null ? null : parseHttpDate(text, now);
}

/** Sections 8.8.3.2 and 13.1.1: `*`, or one of the list. What is malformed matches nothing. `etag`: its quoted part. */
export function matchesTag(list: string, etag: string, weakly: boolean): boolean {
  if (list === "*") return true;
  TAG.lastIndex = 0;
  while (TAG.lastIndex < list.length) {
    const tag = TAG.exec(list);
    if (tag === null) return false;
    if (tag[2] === etag && (weakly || tag[1] === undefined)) return true;
  }
  return false;
}

/** One tag of the list and what parts it from the next; sticky, so that garbage ends it. */
const TAG = /[ \t]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,[ \t]*|$)/y;
