/**
 * Who may keep its buffers until it is used again: those that began last, up to a number. So what is busy need not
 * get its buffers anew each time, and what is idle costs little, however much there is of it. Pure.
 */

export interface Warmable {
  /** Where it stands, or -1. For `Warm` only. */
  place: number;
  /** Gives its buffers back; it gets new ones when it is used again. */
  cool(): void;
}

export class Warm {
  readonly #places: (Warmable | null)[];
  #next = 0;

  /** At most `most` keep theirs. */
  constructor(most: number) {
    this.#places = Array.from({ length: most }, () => null);
  }

  /** `one`, which has no place, is used: whoever has had its place the longest is cooled. */
  add(one: Warmable): void {
    const at = this.#next;
    this.#next = (at + 1) % this.#places.length;
    const before = this.#places[at];
    this.#places[at] = one;
    one.place = at;
    if (before == null) return;
    before.place = -1;
    before.cool();
  }

  /** `one` is gone, with its buffers. */
  remove(one: Warmable): void {
    if (one.place < 0) return;
    this.#places[one.place] = null;
    one.place = -1;
  }
}
