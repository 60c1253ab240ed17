/**
 * Slows down whoever asks: every request waits before anything is done with it. What is held at a time is bounded, in
 * each worker; what would be more goes on at once, as it is us who would be slowed down. Pure.
 */
import type { TarpitSnapshot } from "../config/guard_snapshot.ts";
import type { Guard, Verdict } from "./guard.ts";

export class Tarpit implements Guard {
  readonly #settings: TarpitSnapshot;
  #held = 0;

  constructor(settings: TarpitSnapshot) {
    this.#settings = settings;
  }

  check(): Verdict {
    const { delayMs, most } = this.#settings;
    if (this.#held >= most) return null;
    this.#held++;
    return { kind: "delay", ms: delayMs, place: { release: () => void this.#held-- } };
  }
}
