/**
 * A lock in one word of shared memory, for sections of some tens of nanoseconds.
 *
 * The word holds the owner, so that a lock whose thread was killed inside can be told and broken. An exception
 * cannot leave a section half done as the sections throw nothing. Costs about 20 ns uncontended. It must not
 * know what it guards.
 */

const FREE = 0;
/** Tries before the thread sleeps: the holder has then most likely been taken off its core. */
const SPINS = 200;
const SLEEP_MS = 0.1;

/** Takes the lock for `owner` (not negative). Blocks; not reentrant. */
export function lock(words: Int32Array, at: number, owner: number): void {
  while (true) {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(words, at, FREE, owner + 1) === FREE) return;
    }
    const holder = Atomics.load(words, at);
    if (holder !== FREE) Atomics.wait(words, at, holder, SLEEP_MS);
  }
}

export function unlock(words: Int32Array, at: number): void {
  Atomics.store(words, at, FREE);
}

/**
 * Takes the lock over from a holder that is no more. True: it was held and is now `owner`'s, what it guards may be
 * half changed. False: it was not held by `dead`, nothing has changed.
 */
export function seizeLock(words: Int32Array, at: number, dead: number, owner: number): boolean {
  return Atomics.compareExchange(words, at, dead + 1, owner + 1) === dead + 1;
}
