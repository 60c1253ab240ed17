/**
 * Who is asking a server for what, so that many requests for one answer ask once: the first fetches, the others wait
 * until that is stored, or is known not to be (nginx: `proxy_cache_lock`). Pure; whoever waits has its own deadline.
 */

/** Somebody who waits. */
export interface FetchWaiter {
  /** The fetch is over: look again. `failed`: there was no answer, or one that says that servers fail. */
  onFetched(failed: boolean): void;
}

/** One fetch under way. */
export class Fetch {
  readonly waiters = new Set<FetchWaiter>();
  ended = false;
  failed = false;

  constructor(readonly key: string, readonly over: (fetch: Fetch) => void) {}

  /** Stored or not: those who wait may look again, in the order in which they came. Harmless when it has been said. */
  end(): void {
    this.ended = true;
    this.over(this);
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const waiter of waiters) waiter.onFetched(this.failed);
  }
}

export class Fetches {
  readonly #fetches = new Map<string, Fetch>();

  /** Fetches under way. */
  get size(): number {
    return this.#fetches.size;
  }

  /** What is fetched for this key right now; null: nothing. */
  of(key: string): Fetch | null {
    return this.#fetches.get(key) ?? null;
  }

  /** Begins one; there must be none. */
  begin(key: string): Fetch {
    const fetch = new Fetch(key, (over) => {
      if (this.#fetches.get(key) === over) this.#fetches.delete(key);
    });
    this.#fetches.set(key, fetch);
    return fetch;
  }
}
