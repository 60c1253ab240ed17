/**
 * Purges of the cache that workers have still to answer, so that whoever wants one hears of all of them. Pure.
 *
 * A worker that ends has nothing stored any more, so that nobody waits for it.
 */
interface Waiting {
  readonly workers: Set<number>;
  count: number;
  readonly resolve: (count: number) => void;
}

export class Purges {
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  /** Begins one for these workers; resolves with how many answers they have forgotten together. */
  begin(workers: readonly number[]): { readonly id: number; readonly over: Promise<number> } {
    const { promise, resolve } = Promise.withResolvers<number>();
    const id = this.#next++;
    if (workers.length === 0) resolve(0);
    else this.#waiting.set(id, { workers: new Set(workers), count: 0, resolve });
    return { id, over: promise };
  }

  /** A worker has forgotten so many. */
  answered(id: number, worker: number, count: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || !waiting.workers.has(worker)) return;
    waiting.count += count;
    this.#done(id, waiting, worker);
  }

  /** A worker is no more. */
  gone(worker: number): void {
    for (const [id, waiting] of this.#waiting) this.#done(id, waiting, worker);
  }

  #done(id: number, waiting: Waiting, worker: number): void {
    waiting.workers.delete(worker);
    if (waiting.workers.size > 0) return;
    this.#waiting.delete(id);
    waiting.resolve(waiting.count);
  }
}
