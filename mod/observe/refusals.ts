/**
 * What is refused at the admin address: counted by reason, and told no more often than once a second, so that who tries
 * a thousand tokens fills no log. Pure.
 */
import type { Family } from "./exposition.ts";

/** Every reason, and how it is said; neither ever holds what was sent. */
export const REFUSALS = {
  noToken: "no token was given",
  wrongToken: "a wrong token was given",
  forbidden: "it may not be done from there",
  origin: "a page of another origin asks",
  host: "the Host is a foreign name",
  invalid: "what is wanted makes no sense",
  body: "the body is too long, or of unknown length",
  type: "the body is not called JSON",
} as const;

export type RefusalReason = keyof typeof REFUSALS;

const APART_MS = 1000;

export class Refusals {
  readonly #counts = new Map<string, number>(Object.keys(REFUSALS).map((reason) => [reason, 0]));
  #toldAt = -Infinity;
  #held = 0;

  /** One more. How many were not told since the last that was; null: nor is this one. `now` of a clock in ms. */
  note(reason: RefusalReason, now: number): number | null {
    this.#counts.set(reason, this.#counts.get(reason)! + 1);
    if (now - this.#toldAt < APART_MS) {
      this.#held++;
      return null;
    }
    const held = this.#held;
    this.#toldAt = now;
    this.#held = 0;
    return held;
  }

  family(): Family {
    return {
      name: "tandem_admin_refused_total",
      help: "Requests that the admin address has refused.",
      type: "counter",
      samples: [...this.#counts].map(([reason, value]) => ({ labels: { reason }, value })),
    };
  }
}
