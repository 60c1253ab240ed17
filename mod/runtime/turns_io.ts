/**
 * Lets so many at a time do what takes the machine, the others in the order in which they came; each for a limited time,
 * after which it may go on, but no longer keeps the next one waiting.
 */

export class Turns {
  readonly #atOnce: number;
  readonly #turnMs: number;
  #having = 0;
  readonly #waiting = new Set<() => void>();

  constructor(atOnce: number, turnMs: number) {
    this.#atOnce = atOnce;
    this.#turnMs = turnMs;
  }

  /**
   * Calls `begin` when it is its turn, at once where nobody is before it. What it is given, which is also the answer,
   * ends the turn, or the wait for it; more than once does nothing.
   */
  take(begin: (over: () => void) => void): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const start = () => {
      this.#having++;
      timer = setTimeout(over, this.#turnMs);
      begin(over);
    };
    const over = () => {
      if (isOver) return;
      isOver = true;
      if (this.#waiting.delete(start)) return;
      clearTimeout(timer);
      this.#having--;
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      next();
    };
    if (this.#having < this.#atOnce) start();
    else this.#waiting.add(start);
    return over;
  }
}
