/**
 * Which configuration the balancer runs, and which ones it was offered: the keeper's memory of reloads.
 *
 * The last one that was accepted is kept, and it is what a restarted balancer gets. An offer that was under way
 * when the balancer died is not made again: it may be what killed it. Pure.
 */
import { type LiveChanges, NO_CHANGES } from "../config/live.ts";

export interface Configuration {
  readonly generation: number;
  readonly text: string;
  /** What an operator has set beside the text. */
  readonly live: LiveChanges;
}

/** Why an offer did not come into force; empty: it did. */
export type Outcome = readonly string[];

const GIVEN_UP: Outcome = ["the reload was given up, as the balancer ended meanwhile"];

export class Generations {
  #last = 0;
  #accepted: Configuration | null = null;
  #offers: Configuration[] = [];
  readonly #waiting = new Map<number, PromiseWithResolvers<Outcome>>();

  /** The configuration that runs; null before the first was accepted. */
  get accepted(): Configuration | null {
    return this.#accepted;
  }

  /** The last on offer, or the one that runs. */
  get newest(): Configuration | null {
    return this.#offers.at(-1) ?? this.#accepted;
  }

  /** True while an answer of the balancer is awaited. */
  get pending(): boolean {
    return this.#offers.length > 0;
  }

  /** True while another configuration than the one that runs is on offer. */
  get changing(): boolean {
    const accepted = this.#accepted;
    return accepted !== null && this.#offers.some((one) => one.generation > accepted.generation);
  }

  /** A new, checked text and what is laid over it: it gets the next number. */
  offer(text: string, live: LiveChanges = NO_CHANGES): Configuration {
    const offer = { generation: ++this.#last, text, live };
    this.#offers.push(offer);
    return offer;
  }

  /** Resolves when nothing is on offer any more, of what is now. */
  async settled(): Promise<void> {
    await Promise.all(this.#offers.map(({ generation }) => this.outcome(generation)));
  }

  /** Resolves when the balancer has answered to an offer, or never will. */
  outcome(generation: number): Promise<Outcome> {
    const waiting = this.#waiting.get(generation) ?? Promise.withResolvers<Outcome>();
    this.#waiting.set(generation, waiting);
    return waiting.promise;
  }

  /** The balancer runs this generation. False: it was not offered, or is older than what runs. */
  ready(generation: number): boolean {
    const offer = this.#offers.find((one) => one.generation === generation);
    if (offer === undefined) return false;
    this.#accepted = offer;
    for (const { generation: older } of this.#offers) if (older <= generation) this.#settle(older, []);
    this.#offers = this.#offers.filter((one) => one.generation > generation);
    return true;
  }

  /** The balancer refused this generation and runs on with what it had. */
  rejected(generation: number, problems: Outcome): boolean {
    const before = this.#offers.length;
    this.#settle(generation, problems);
    this.#offers = this.#offers.filter((one) => one.generation !== generation);
    return this.#offers.length < before;
  }

  /** What a new balancer is to run, and the generations that are given up for it. */
  restart(): { configuration: Configuration | null; dropped: number[] } {
    if (this.#accepted === null) {
      const newest = this.#offers.at(-1) ?? null;
      const dropped = this.#giveUp(this.#offers.slice(0, -1));
      this.#offers = newest === null ? [] : [newest];
      return { configuration: newest, dropped };
    }
    const current = this.#accepted.generation;
    const dropped = this.#giveUp(this.#offers.filter((one) => one.generation !== current));
    // The number stays: the new balancer answers for it as for an offer.
    this.#offers = [this.#accepted];
    return { configuration: this.#accepted, dropped };
  }

  #giveUp(offers: readonly Configuration[]): number[] {
    for (const { generation } of offers) this.#settle(generation, GIVEN_UP);
    return offers.map(({ generation }) => generation);
  }

  #settle(generation: number, outcome: Outcome): void {
    this.#waiting.get(generation)?.resolve(outcome);
    this.#waiting.delete(generation);
  }
}
