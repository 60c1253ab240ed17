/**
 * The timers of VRRP: skew and ActiveDown of version 3 (RFC 9568 section 6.1) and version 2 (RFC 3768 section 6.1).
 *
 * Milliseconds with fractions, so that nothing below a second (or a centisecond) is lost; centiseconds exist on the
 * wire only. Pure arithmetic: it knows no clock and no packet.
 */

export type Version = 2 | 3;

/** One centisecond: the smallest interval that version 3 can carry. */
export const MIN_INTERVAL_MS = 10;
/** 4095 centiseconds, 12 bits (RFC 9568 section 5.2.7). */
export const MAX_INTERVAL_MS = 40_950;
/** Priority of the address owner; it always preempts (RFC 9568 section 6.1). */
export const OWNER_PRIORITY = 255;
/** An Active that gives the addresses up says so with this priority (RFC 9568 section 5.2.4). */
export const RESIGN_PRIORITY = 0;
/** Adverts that a backup may miss before it takes over. */
const MISSED_ADVERTS = 3;

/** How much longer than `3 × interval` this node waits: the shorter, the higher its priority (1–255). */
export function skewMs(version: Version, priority: number, intervalMs: number): number {
  // Version 2 has whole seconds for intervals, and a skew that does not depend on them.
  return (256 - priority) * (version === 2 ? 1000 : intervalMs) / 256;
}

/** Silence of the Active after which this node takes over: `3 × interval + skew`. */
export function activeDownMs(version: Version, priority: number, intervalMs: number): number {
  return MISSED_ADVERTS * intervalMs + skewMs(version, priority, intervalMs);
}

/** The interval as version 3 sends it: centiseconds, 1–4095. */
export function toCentiseconds(intervalMs: number): number {
  return Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, Math.round(intervalMs / 10) * 10)) / 10;
}

export function fromCentiseconds(centiseconds: number): number {
  return centiseconds * 10;
}
