/**
 * Which configuration the balancer runs, and which ones it was offered: the keeper's memory of reloads.
 *
 * The last one that was accepted is kept, and it is what a restarted balancer gets. An offer that was under way
 * when the balancer died is not made again: it may be what killed it. Pure.
 */

export interface Configuration {
  readonly generation: number;
  readonly text: string;
}

export class Generations {
  #last = 0;
  #accepted: Configuration | null = null;
  #offers: Configuration[] = [];

  /** The configuration that runs; null before the first was accepted. */
  get accepted(): Configuration | null {
    return this.#accepted;
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

  /** A new, checked text: it gets the next number. */
  offer(text: string): Configuration {
    const offer = { generation: ++this.#last, text };
    this.#offers.push(offer);
    return offer;
  }

  /** The balancer runs this generation. False: it was not offered, or is older than what runs. */
  ready(generation: number): boolean {
    const offer = this.#offers.find((one) => one.generation === generation);
    if (offer === undefined) return false;
    this.#accepted = offer;
    this.#offers = this.#offers.filter((one) => one.generation > generation);
    return true;
  }

  /** The balancer refused this generation and runs on with what it had. */
  rejected(generation: number): boolean {
    const before = this.#offers.length;
    this.#offers = this.#offers.filter((one) => one.generation !== generation);
    return this.#offers.length < before;
  }

  /** What a new balancer is to run, and the generations that are given up for it. */
  restart(): { configuration: Configuration | null; dropped: number[] } {
    if (this.#accepted === null) {
      const newest = this.#offers.at(-1) ?? null;
      const dropped = this.#offers.slice(0, -1).map((one) => one.generation);
      this.#offers = newest === null ? [] : [newest];
      return { configuration: newest, dropped };
    }
    const current = this.#accepted.generation;
    const dropped = this.#offers.map((one) => one.generation).filter((one) => one !== current);
    // The number stays: the new balancer answers for it as for an offer.
    this.#offers = [this.#accepted];
    return { configuration: this.#accepted, dropped };
  }
}
