/**
 * Says once a day which certificates expire soon or have expired. Pure: the time is a parameter.
 */

const DAY_MS = 24 * 3600 * 1000;
/** Let's Encrypt renews 30 days ahead: at 21 a renewal has failed for more than a week. */
export const AHEAD_DAYS = 21;
const AHEAD_MS = AHEAD_DAYS * DAY_MS;

export interface Expiring {
  readonly fingerprint: string;
  readonly expiresAt: number;
}

export class ExpiryReminder {
  /** When each was told of last, by fingerprint. */
  #told = new Map<string, number>();

  /** Those to be told of now: each again after a day. Calling often is harmless. */
  due<T extends Expiring>(certificates: readonly T[], now: number): T[] {
    const soon = new Map(
      certificates.filter(({ expiresAt }) => expiresSoon(expiresAt, now)).map((
        one,
      ) => [one.fingerprint, one]),
    );
    const due = [...soon.values()].filter(({ fingerprint }) => {
      const last = this.#told.get(fingerprint);
      return last === undefined || now - last >= DAY_MS;
    });
    this.#told = new Map([...this.#told].filter(([fingerprint]) => soon.has(fingerprint)));
    for (const { fingerprint } of due) this.#told.set(fingerprint, now);
    return due;
  }
}

/** Whether it is time to be told of one. */
export function expiresSoon(expiresAt: number, now: number): boolean {
  return expiresAt - now < AHEAD_MS;
}

/** Whole days until then; negative: since then. */
export function daysUntil(expiresAt: number, now: number): number {
  return Math.floor((expiresAt - now) / DAY_MS);
}
