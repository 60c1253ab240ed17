/**
 * When a certificate is to be had next: at once, at a third of its life, when the authority says so, or after a pause
 * when it could not be had. Pure: time and chance are parameters.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Pauses after the first failure, the second …; the last one holds. Let's Encrypt takes 5 failures an hour. */
const PAUSES_MS = [1, 5, 15, 30, 60, 3 * 60, 6 * 60, 12 * 60, 24 * 60].map((minutes) => minutes * MINUTE_MS);
/** Longest that an authority's own word puts an attempt off (Let's Encrypt: a week). */
const MOST_PAUSE_MS = 8 * 24 * HOUR_MS;
/** A pause is longer by up to this share, so that many nodes do not come at once. */
const PAUSE_JITTER = 0.2;
/** What is left of a certificate's life when it is renewed, and how much earlier chance may have it. */
const LEFT = 1 / 3;
const RENEWAL_JITTER = 0.02;
/** How often an authority is asked for its wishes at least and at most (RFC 9773 section 4.3). */
export const ASK_MS = { least: MINUTE_MS, usual: 6 * HOUR_MS, most: 24 * HOUR_MS } as const;

/** Milliseconds since 1970. */
export interface Life {
  readonly from: number;
  readonly until: number;
}

/** When to renew what lives from `from` to `until`; `random` is from 0 to 1. */
export function renewalOf({ from, until }: Life, random: number): number {
  const life = until - from;
  return Math.round(until - life * (LEFT + random * RENEWAL_JITTER));
}

/** The same for one that was issued just now: never at once, whatever a clock that is wrong makes of its life. */
export function renewalAfter(now: number, life: Life, random: number): number {
  const least = Math.min(HOUR_MS, (life.until - life.from) / 10);
  return Math.max(renewalOf(life, random), Math.round(now + least));
}

/** What a clock that was ahead has put off is put off no longer than it could have been. */
export function withinReason<T extends { readonly nextAt: number; readonly askAt: number }>(
  record: T,
  now: number,
): T {
  const { nextAt, askAt } = record;
  return {
    ...record,
    nextAt: Math.min(nextAt, now + MOST_PAUSE_MS),
    askAt: Math.min(askAt, now + ASK_MS.most),
  };
}

/** When to renew, where the authority wants it done within a window: any moment of it (RFC 9773 section 4.2). */
export function withinWindow(
  window: { readonly start: number; readonly end: number },
  random: number,
): number {
  return Math.round(window.start + random * (window.end - window.start));
}

/** How long to wait after so many failures in a row, 1 and more; the authority's own word is heeded. */
export function pauseAfter(failures: number, retryAfterMs: number, random: number): number {
  const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1] ?? PAUSES_MS[0]!;
  return Math.round(Math.max(pause, retryAfterMs) * (1 + random * PAUSE_JITTER));
}

/** How long until an authority is asked for its wishes again. */
export function askAgainAfter(retryAfterMs: number | null): number {
  return Math.min(Math.max(retryAfterMs ?? ASK_MS.usual, ASK_MS.least), ASK_MS.most);
}
