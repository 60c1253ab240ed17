/**
 * Bytes that arrived and cannot be used yet: an incomplete head, a body without a server, requests behind another.
 * One buffer, taken when there is something to hold and given back when not. It must not know what the bytes are.
 */
import type { BufferPool, Lease } from "../net/buffers.ts";

const NOTHING = new Uint8Array(0);

export class HeldBytes {
  /** What is held stands in `bytes` from `start` to `end`. */
  start = 0;
  end = 0;
  readonly #buffers: BufferPool;
  #lease: Lease | null = null;

  constructor(buffers: BufferPool) {
    this.#buffers = buffers;
  }

  get empty(): boolean {
    return this.#lease === null;
  }

  get length(): number {
    return this.end - this.start;
  }

  get bytes(): Uint8Array {
    return this.#lease?.bytes ?? NOTHING;
  }

  /** Keeps a copy of `bytes` from `start` to `end`, or, when these are the held ones, no others of them. */
  keep(bytes: Uint8Array, start: number, end: number): void {
    if (bytes === this.#lease?.bytes) {
      this.start = start;
      this.end = end;
      return;
    }
    this.drop();
    this.#lease = this.#buffers.atLeast(end - start);
    this.#lease.bytes.set(bytes.subarray(start, end));
    this.start = 0;
    this.end = end - start;
  }

  append(view: Uint8Array): void {
    if (this.#lease === null) return this.keep(view, 0, view.length);
    const { length } = this;
    if (this.end + view.length > this.#lease.bytes.length) {
      const larger = this.#buffers.atLeast(length + view.length);
      larger.bytes.set(this.#lease.bytes.subarray(this.start, this.end));
      this.#lease.release();
      this.#lease = larger;
      this.start = 0;
      this.end = length;
    }
    this.#lease.bytes.set(view, this.end);
    this.end += view.length;
  }

  /** Gives the buffer away; nothing is held any more. Only when it is not empty. */
  take(): Lease {
    const lease = this.#lease!;
    this.#lease = null;
    return lease;
  }

  drop(): void {
    this.#lease?.release();
    this.#lease = null;
    this.start = this.end = 0;
  }
}
