/**
 * Byte ranges (RFC 9110 section 14). Pure.
 *
 * A header that is malformed, has too many ranges, or asks for more bytes than there are is ignored, as section 14.2
 * allows: the whole file is the answer then, which is less work than what was asked for.
 */

/** Bytes `start` to `end`, the end exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Whole: send all of it. Unsatisfiable: 416. */
export type Ranges = "whole" | "unsatisfiable" | readonly ByteRange[];

/** Video players and PDF readers ask for a handful. nginx and Apache: none and 200 by default. */
export const MAX_RANGES = 16;

/** Digits beyond it are more than any file has. */
const MAX_DIGITS = 15;

/** The satisfiable ranges of a `Range` header over `size` bytes. */
export function parseRanges(header: string, size: number): Ranges {
  const unit = /^bytes=/i.exec(header);
  // Of an empty file every range is missing, but clients that always ask for `0-` want to know that it is empty.
  if (unit === null || size === 0) return "whole";
  // Not more than is needed to know that there are too many.
  const specs = header.slice(unit[0].length).split(",", 4 * MAX_RANGES).map((spec) => spec.trim());
  const ranges: ByteRange[] = [];
  let named = 0, total = 0;
  for (const spec of specs) {
    if (spec === "") continue; // RFC 9110 section 5.6.1.2: empty elements are to be taken
    const range = parseOne(spec, size);
    if (range === null || ++named > MAX_RANGES) return "whole";
    if (range.start >= range.end) continue;
    ranges.push(range);
    total += range.end - range.start;
  }
  if (named === 0) return "whole";
  if (ranges.length === 0) return "unsatisfiable";
  return ranges.length > 1 && total > size ? "whole" : ranges;
}

/** One `first-last`, `first-` or `-length`; empty when it lies behind the end; null when malformed. */
function parseOne(spec: string, size: number): ByteRange | null {
  const parts = /^(\d*)-(\d*)$/.exec(spec);
  if (parts === null) return null;
  const [, first = "", last = ""] = parts;
  if (first.length > MAX_DIGITS || last.length > MAX_DIGITS) return null;
  if (first === "") {
    if (last === "") return null;
    return { start: Math.max(0, size - Number(last)), end: size };
  }
  const start = Number(first);
  if (last === "") return { start, end: size };
  if (Number(last) < start) return null;
  return { start, end: Math.min(size, Number(last) + 1) };
}
