/** Counts what happens within a second, for those who bound it. Pure: `now` is a parameter. */
export class PerSecond {
  #second = -1;
  #count = 0;

  /** One more: how many that makes within the present second. `now`: milliseconds of a clock that never jumps. */
  count(now: number): number {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    return ++this.#count;
  }
}
