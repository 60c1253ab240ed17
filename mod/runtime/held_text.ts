/**
 * What a balancer has its keeper hold for the next one: a text that the keeper does not look into, in memory only. Pure.
 *
 * Bounded by the parts that a text may have (`parts.ts`).
 */
import { Assembler, type Part } from "./parts.ts";

export class HeldText {
  readonly #assembler = new Assembler();
  #text = "";

  /** Empty: there is none. */
  get text(): string {
    return this.#text;
  }

  /** One part. A text whose parts do not fit together changes nothing. */
  hear(part: Part): void {
    const whole = this.#assembler.add("held", part);
    if (whole !== null && "text" in whole) this.#text = whole.text;
  }
}
