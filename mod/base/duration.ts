/**
 * Durations as people write them (`250ms`, `2s`, `5m`, `1h`), in milliseconds inside.
 *
 * A number without a unit is refused: whether `30` means seconds or milliseconds differs between products.
 * Pure: it knows no clock.
 */

/** The longest delay a JavaScript timer takes (about 24.8 days). */
export const MAX_DURATION_MS = 2 ** 31 - 1;

/** What a duration looks like, for JSON Schema. */
export const DURATION_PATTERN = "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$";

const UNITS: ReadonlyMap<string, number> = new Map([["ms", 1], ["s", 1000], ["m", 60_000], ["h", 3_600_000]]);
const DURATION = new RegExp(DURATION_PATTERN);

/** Milliseconds of a duration, or null when it is not one, has no unit, is not whole in ms or is too long. */
export function parseDuration(text: string): number | null {
  const unit = DURATION.exec(text)?.[2];
  if (unit === undefined) return null;
  const exact = Number(text.slice(0, -unit.length)) * UNITS.get(unit)!;
  const ms = Math.round(exact);
  // 0.1s is 100.00000000000001 in binary: only a real fraction of a millisecond is refused.
  if (Math.abs(exact - ms) > 1e-6 || ms > MAX_DURATION_MS) return null;
  return ms;
}

/** The shortest exact spelling of a duration in milliseconds: 90000 is `90s`, 3600000 is `1h`. */
export function formatDuration(ms: number): string {
  for (const unit of ["h", "m", "s"]) {
    const size = UNITS.get(unit)!;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
