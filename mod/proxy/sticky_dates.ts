/**
 * The dates that a session's cookie bears where it has a `maxIdle` or a `maxLife`: when it was last and first given
 * out, in steps of four seconds, five letters of base64 each. `ID|LAST` or `ID|LAST|FIRST`, as HAProxy has it, so
 * that sessions survive moving from one to the other. Pure.
 */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS = 5;
const STEP_MS = 4000;
/** A date may be so far in the future, as the clocks of two nodes differ. HAProxy: the same. */
const FUTURE_MS = 86_400_000;

export interface CookieDates {
  /** Milliseconds since 1970; 0: not told. */
  readonly last: number;
  readonly first: number;
}

/** A point in time, rounded up, as a cookie bears it. */
export function encodeDate(ms: number): string {
  let steps = Math.ceil(ms / STEP_MS);
  let text = "";
  for (let digit = 0; digit < DIGITS; digit++) {
    text = LETTERS[steps % 64] + text;
    steps = Math.floor(steps / 64);
  }
  return text;
}

/** What `encodeDate` gave; 0: it is something else. */
export function decodeDate(text: string): number {
  if (text.length !== DIGITS) return 0;
  let steps = 0;
  for (const letter of text) {
    const value = LETTERS.indexOf(letter);
    if (value < 0) return 0;
    steps = steps * 64 + value;
  }
  return steps * STEP_MS;
}

/** True when a limit (0: none) has passed since a date, or the date cannot be. */
export function expired(date: number, limitMs: number, now: number): boolean {
  return limitMs > 0 && date > 0 && (now - date > limitMs || date - now > FUTURE_MS);
}
