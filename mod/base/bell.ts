/**
 * Wakes a thread's event loop from another thread, through one word of shared memory.
 *
 * The only place that waits with `Atomics.waitAsync`. A ring between reading the word and waiting is not lost, as
 * the wait compares the word. Several rings may be heard as one. Measured in Deno workers: about 0.1 ms from
 * ring to call. A pending wait does not keep an event loop alive by itself.
 */

export class Bell {
  readonly #words: Int32Array;
  readonly #at: number;
  #listening = false;

  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** From any thread. */
  ring(): void {
    Atomics.add(this.#words, this.#at, 1);
    Atomics.notify(this.#words, this.#at);
  }

  /** Calls `onRing` now and after every ring, until `stop`. An error it throws is left unhandled on purpose. */
  async listen(onRing: () => void): Promise<void> {
    this.#listening = true;
    while (this.#listening) {
      const heard = Atomics.load(this.#words, this.#at);
      onRing();
      const wait = Atomics.waitAsync(this.#words, this.#at, heard);
      if (wait.async) await wait.value;
    }
  }

  /** Ends `listen`, at its next wake-up. */
  stop(): void {
    this.#listening = false;
    this.ring();
  }
}
