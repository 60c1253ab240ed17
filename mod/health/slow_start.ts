/**
 * Slow start: the effective weight of a server that has just come up, growing in steps to its full weight.
 *
 * Steps rather than a ramp, because some policies build a table anew for every change of a weight (HAProxy
 * adjusts once a second for the same reason). Pure arithmetic; who is in slow start is decided by the monitor.
 */

/** Effective weights count in 1/256 of a configured weight unit. */
export const WEIGHT_UNIT = 256;
/** So the first step is a twentieth of the weight. */
export const SLOW_START_STEPS = 20;

/** Effective weight in 1/256 units, `elapsedMs` after the server came up; at least 1 unless `weight` is 0. */
export function slowStartWeight(weight: number, slowStartMs: number, elapsedMs: number): number {
  const full = Math.round(weight * WEIGHT_UNIT);
  if (full === 0 || elapsedMs >= slowStartMs) return full;
  const step = Math.floor(Math.max(0, elapsedMs) * SLOW_START_STEPS / slowStartMs) + 1;
  return Math.max(1, Math.round(full * step / SLOW_START_STEPS));
}
