/**
 * Sizes as people write them (`64k`, `1m`, `2g`, or plain bytes), 1024-based, in bytes inside. Pure.
 */

/** What a size looks like, for JSON Schema. */
export const SIZE_PATTERN = "^[0-9]+[kKmMgG]?$";

const SIZE = new RegExp(SIZE_PATTERN);
const UNITS: ReadonlyMap<string, number> = new Map([["k", 1024], ["m", 1024 ** 2], ["g", 1024 ** 3]]);

/** Bytes of a size, or null when it is not one or not exact as a number. */
export function parseSize(text: string): number | null {
  if (!SIZE.test(text)) return null;
  const factor = UNITS.get(text.slice(-1).toLowerCase());
  const bytes = factor === undefined ? Number(text) : Number(text.slice(0, -1)) * factor;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest exact spelling of a number of bytes: 16384 is `16k`. */
export function formatSize(bytes: number): string {
  for (const unit of ["g", "m", "k"]) {
    const size = UNITS.get(unit)!;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}`;
}
