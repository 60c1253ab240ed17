/**
 * Request ids: 32 hexadecimal digits, of which the first 24 are random for the worker and the last 8 count up.
 * Unique over workers, restarts and nodes; not a secret.
 */

const DIGITS = new TextEncoder().encode("0123456789abcdef");
const RANDOM_BYTES = 12;

export class RequestIds {
  readonly #prefix = new Uint8Array(2 * RANDOM_BYTES);
  #count = 0;

  constructor() {
    this.#draw();
  }

  /** Writes an id at `at` and returns the offset behind it. */
  write(out: Uint8Array, at: number): number {
    this.#count = (this.#count + 1) >>> 0;
    if (this.#count === 0) this.#draw();
    const prefix = this.#prefix;
    for (let i = 0; i < prefix.length; i++) out[at++] = prefix[i]!;
    for (let shift = 28; shift >= 0; shift -= 4) out[at++] = DIGITS[(this.#count >>> shift) & 15]!;
    return at;
  }

  #draw(): void {
    crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)).forEach((byte, index) => {
      this.#prefix[2 * index] = DIGITS[byte >> 4]!;
      this.#prefix[2 * index + 1] = DIGITS[byte & 15]!;
    });
  }
}
