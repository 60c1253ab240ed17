/**
 * Lines gathered as bytes until they are worth sending, with a bound and without ever waiting.
 *
 * A writer reserves room for its line's longest form, writes into `bytes` and moves `length`. When whoever takes
 * the batches falls behind (`IN_FLIGHT` not yet acknowledged and the buffer at its bound) lines are dropped and
 * counted: traffic never waits for its log. Pure: it must not know threads, files or clocks.
 */

const FIRST_BYTES = 16 * 1024;
/**
 * Worth a message of its own before the next tick: some 2000 lines. Each costs a message there and back, a
 * write on yet another thread and a buffer.
 */
const READY_BYTES = 256 * 1024;
/** Bound of what one thread keeps while the sink is behind. */
const MAX_BYTES = 1024 * 1024;
/** Batches handed over and not yet acknowledged: one being written, one waiting. */
const IN_FLIGHT = 2;

export class Batch {
  /** Lines so far are in 0 to `length`; a writer goes on from there after `reserve`. */
  bytes = new Uint8Array(FIRST_BYTES);
  length = 0;
  /** Lines dropped since the start. */
  dropped = 0;
  readonly #max: number;
  #inFlight = 0;

  /** `max` bounds the bytes kept here; a longer line than that is always dropped. */
  constructor(max: number = MAX_BYTES) {
    this.#max = max;
  }

  /** Makes room for `size` more bytes. False: the line is dropped, and already counted as such. */
  reserve(size: number): boolean {
    const need = this.length + size;
    if (need <= this.bytes.length) return true;
    if (need > this.#max) {
      this.dropped++;
      return false;
    }
    const larger = new Uint8Array(Math.min(this.#max, Math.max(need, this.bytes.length * 2)));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
    return true;
  }

  /** True when there is enough to send without waiting for the next tick. */
  get ready(): boolean {
    return this.length >= READY_BYTES && this.#inFlight < IN_FLIGHT;
  }

  /**
   * What has gathered, with its own buffer (it may be transferred), or null when there is nothing or the sink is
   * behind. Every batch taken must be acknowledged with `written`.
   */
  take(): Uint8Array<ArrayBuffer> | null {
    if (this.length === 0 || this.#inFlight >= IN_FLIGHT) return null;
    this.#inFlight++;
    const full = this.bytes.slice(0, this.length);
    this.length = 0;
    if (this.bytes.length > 2 * READY_BYTES) this.bytes = new Uint8Array(FIRST_BYTES);
    return full;
  }

  /** A batch that was taken is written, or given up. */
  written(): void {
    if (this.#inFlight > 0) this.#inFlight--;
  }
}
