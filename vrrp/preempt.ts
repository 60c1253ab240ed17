/**
 * May this backup take the address from a living Active of lower priority?
 *
 * Pure policy over what the instance knows. It only ever says "not yet": a node that may not preempt still takes over
 * from an Active that is silent or has resigned.
 */
import { FULL_HEALTH } from "./peers.ts";
import { OWNER_PRIORITY } from "./timing.ts";

export interface PreemptFacts {
  readonly priority: number;
  readonly preempt: boolean | number;
  /** Own health, 0–100. */
  readonly score: number;
  readonly healthReason: string;
  /** The address was given away on purpose: the operator's will outlasts a greater priority. */
  readonly movedAway: string | null;
  /** End of the hold-down. */
  readonly heldUntil: number;
  /** Since when nothing but the delay has been in the way; null: something else was, until now. */
  readonly ableSince: number | null;
}

export interface PreemptVerdict {
  /** Why not, or null: it may. */
  readonly blocked: string | null;
  readonly ableSince: number | null;
}

/** The decision about one advert of lower priority that arrived at `now`. */
export function judgePreempt(facts: PreemptFacts, now: number): PreemptVerdict {
  const obstacle = obstacleTo(facts, now);
  if (obstacle !== null) return { blocked: obstacle, ableSince: null };
  const ableSince = facts.ableSince ?? now;
  // The owner always preempts (RFC 9568 section 6.1, Preempt_Mode), so it does not wait either.
  const delayMs = typeof facts.preempt === "number" && facts.priority !== OWNER_PRIORITY ? facts.preempt : 0;
  const leftMs = ableSince + delayMs - now;
  return { blocked: leftMs > 0 ? `preempts in ${Math.ceil(leftMs)} ms` : null, ableSince };
}

function obstacleTo(facts: PreemptFacts, now: number): string | null {
  if (facts.preempt === false && facts.priority !== OWNER_PRIORITY) return "preempt is false";
  if (facts.score < FULL_HEALTH) return `own health is ${facts.score} (${facts.healthReason})`;
  if (facts.movedAway !== null) return `the address was moved away (${facts.movedAway})`;
  if (now < facts.heldUntil) {
    return `held down for another ${Math.ceil(facts.heldUntil - now)} ms after too many moves`;
  }
  return null;
}
