/**
 * Random hexadecimal digits for the ids of traces: drawn in bulk, as they are wanted with every request.
 */

const DIGITS = new TextEncoder().encode("0123456789abcdef");
const DRAWN = 4096;

export class RandomHex {
  readonly #bytes = new Uint8Array(DRAWN);
  #used = DRAWN;

  /** Writes an even number of digits at `at` and returns the offset behind them. */
  write(out: Uint8Array, at: number, digits: number): number {
    if (this.#used + digits / 2 > DRAWN) {
      crypto.getRandomValues(this.#bytes);
      this.#used = 0;
    }
    for (const end = at + digits; at < end;) {
      const byte = this.#bytes[this.#used++]!;
      out[at++] = DIGITS[byte >> 4]!;
      out[at++] = DIGITS[byte & 15]!;
    }
    return at;
  }
}
