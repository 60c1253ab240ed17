/**
 * Which encoding of a file a client gets, by `Accept-Encoding` (RFC 9110 section 12.5.3). Pure.
 */

export type Encoding = "br" | "gzip" | "zstd";

/** What is appended to a file's name. */
export const SUFFIX: Readonly<Record<Encoding, string>> = { br: ".br", gzip: ".gz", zstd: ".zst" };

/**
 * The encodings of `offered` that the client takes, best first: by its weights, among equals in our order. One that
 * it wants less than the file as it is comes not at all.
 */
export function acceptedEncodings(header: string | null, offered: readonly Encoding[]): readonly Encoding[] {
  if (header === null || offered.length === 0) return NONE;
  const weights = weightsOf(header);
  const any = weights.get("*");
  // What is not named, "identity" among it, has no weight of its own: anything accepted is better.
  const identity = weights.get("identity") ?? 0;
  const accepted = offered
    .map((encoding) => ({ encoding, weight: weights.get(encoding) ?? any ?? 0 }))
    .filter(({ weight }) => weight > 0 && weight >= identity);
  return accepted.sort((a, b) => b.weight - a.weight).map(({ encoding }) => encoding);
}

const NONE: readonly Encoding[] = [];

/** Of each coding the weight, 1 unless given. A malformed member is left out. */
function weightsOf(header: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const member of header.split(",", MAX_MEMBERS)) {
    const parts = MEMBER.exec(member);
    if (parts === null) continue;
    const name = parts[1]!.toLowerCase();
    // RFC 9110 section 8.4.1.3: `x-gzip` is the same.
    weights.set(name === "x-gzip" ? "gzip" : name, parts[2] === undefined ? 1 : Number(parts[2]));
  }
  return weights;
}

/** There are about ten codings. */
const MAX_MEMBERS = 32;
const MEMBER =
  /^[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:;[ \t]*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?[ \t]*$/;
