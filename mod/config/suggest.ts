/**
 * "Did you mean": the nearest of the words that would have been right. Pure.
 */
import { distance } from "fastest-levenshtein";

/** Longer words are not slips of the keys, and the distance costs their product. */
const MAX_LENGTH = 64;
/** Fewer letters begin too many words. */
const MIN_BEGINNING = 3;

/** The nearest candidate when it is near enough to be what was meant, else null. */
export function closest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > MAX_LENGTH) return null;
  const lower = word.toLowerCase();
  let best: string | null = null;
  // A third of the letters wrong, at most three: as in git and commander.
  let bestDistance = Math.min(3, Math.max(1, Math.floor(word.length / 3))) + 1;
  for (const candidate of candidates) {
    if (candidate.length > MAX_LENGTH) continue;
    const far = nearness(lower, candidate.toLowerCase());
    if (far < bestDistance) [best, bestDistance] = [candidate, far];
  }
  return best;
}

/** A beginning (`warn`, `conn`) is as near as one wrong letter, however much is missing. */
function nearness(word: string, candidate: string): number {
  const begins = word.length >= MIN_BEGINNING && candidate.startsWith(word);
  return begins ? Math.min(1, candidate.length - word.length) : distance(word, candidate);
}
