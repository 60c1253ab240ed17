/**
 * "Did you mean": the nearest of the words that would have been right. Pure.
 */
import { distance } from "fastest-levenshtein";

/** Longer words are not slips of the keys, and the distance costs their product. */
const MAX_LENGTH = 64;

/** The nearest candidate when it is near enough to be what was meant, else null. */
export function closest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > MAX_LENGTH) return null;
  const lower = word.toLowerCase();
  let best: string | null = null;
  // A third of the letters wrong, at most three: as in git and commander.
  let bestDistance = Math.min(3, Math.max(1, Math.floor(word.length / 3))) + 1;
  for (const candidate of candidates) {
    if (candidate.length > MAX_LENGTH) continue;
    const far = distance(lower, candidate.toLowerCase());
    if (far < bestDistance) [best, bestDistance] = [candidate, far];
  }
  return best;
}
