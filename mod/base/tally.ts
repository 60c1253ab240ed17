/**
 * A few counters in shared memory, by name: plain additions in a row of the thread that counts, summed over all rows
 * by whoever reads. It must not know what they mean.
 */

/** Cells of a thread's row: one cache line. */
const ROW = 8;

export class Tally<Name extends string> {
  readonly #names: readonly Name[];
  readonly #cells: Float64Array;
  readonly #row: number;

  static byteLength(workers: number): number {
    return 8 * ROW * workers;
  }

  /** `names`: eight at most; `worker`: who counts, from 0. */
  constructor(names: readonly Name[], memory: SharedArrayBuffer, worker: number) {
    this.#names = names;
    this.#cells = new Float64Array(memory);
    this.#row = worker * ROW;
  }

  add(name: Name, n = 1): void {
    this.#cells[this.#row + this.#names.indexOf(name)]! += n;
  }

  /** Over all threads. */
  sum(name: Name): number {
    let sum = 0;
    const column = this.#names.indexOf(name);
    for (let at = column; at < this.#cells.length; at += ROW) sum += this.#cells[at]!;
    return sum;
  }
}
