/**
 * What a stored answer is good for now (RFC 9111 sections 4.2 and 5.2.1, RFC 5861). Pure.
 */
import { type Directives, millisecondsOf } from "./directives.ts";
import type { Terms } from "./storing.ts";

/** It may be used as it is. */
export const FRESH = 0;
/** It may be used, and is to be renewed meanwhile. */
export const RENEWING = 1;
/** The origin is to be asked first. */
export const STALE = 2;
export type Use = 0 | 1 | 2;

/** `heldMs`: since it was stored or renewed; `asked`: what the request says, or null where that is not heeded. */
export function useOf(terms: Terms, heldMs: number, asked: Directives | null): Use {
  const age = terms.ageMs + heldMs;
  if (asked !== null && asked.size > 0) return useAsked(terms, age, asked);
  if (age < terms.freshMs) return FRESH;
  return age < terms.freshMs + terms.staleWhileRevalidateMs ? RENEWING : STALE;
}

/** True when it may be used as the origin gives no answer, or a bad one. */
export function usableOnError(terms: Terms, heldMs: number): boolean {
  return terms.ageMs + heldMs < terms.freshMs + terms.staleIfErrorMs;
}

/** Value of `Age` (section 5.1). */
export function ageSeconds(terms: Terms, heldMs: number): number {
  return Math.floor((terms.ageMs + heldMs) / 1000);
}

/** Whole seconds for which it stays fresh, below 0 when it is stale (RFC 9211 section 2.4). */
export function ttlSeconds(terms: Terms, heldMs: number): number {
  return Math.floor((terms.freshMs - terms.ageMs - heldMs) / 1000);
}

/** Sections 5.2.1.1 to 5.2.1.4. */
function useAsked(terms: Terms, age: number, asked: Directives): Use {
  if (asked.has("no-cache")) return STALE;
  const maxAge = millisecondsOf(asked, "max-age");
  const minFresh = millisecondsOf(asked, "min-fresh") ?? 0;
  const tooOld = maxAge !== null && age > maxAge;
  if (!tooOld && age + minFresh < terms.freshMs) return FRESH;
  if (minFresh > 0 || tooOld && age < terms.freshMs) return STALE;
  if (!tooOld && age < terms.freshMs + terms.staleWhileRevalidateMs) return RENEWING;
  if (tooOld || !terms.mayBeStale || !asked.has("max-stale")) return STALE;
  // Without an argument any age will do.
  const argument = asked.get("max-stale");
  return argument === "" || age - terms.freshMs <= millisecondsOf(asked, "max-stale")! ? FRESH : STALE;
}
