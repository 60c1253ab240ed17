/**
 * Checks the extensions of one chunk (RFC 9112 section 7.1.1), byte by byte; they are dropped afterwards.
 *
 * Only `;name`, `;name=token` and `;name="quoted"` pass. The "bad whitespace" of the grammar is refused, as servers
 * disagree on it, and so is every control byte: a bare LF here is a known way to smuggle. It must not know of bodies.
 */
import { FIELD_VALUE, TOKEN } from "../http/grammar.ts";

/** Bytes of extensions in one chunk. Nobody uses many; attackers do. */
const MAX_BYTES = 256;
const EQUALS = 0x3d, SEMICOLON = 0x3b, QUOTE = 0x22, BACKSLASH = 0x5c;

const NAME_START = 0, NAME = 1, VALUE_START = 2, VALUE = 3, QUOTED = 4, ESCAPED = 5, CLOSED = 6;

export class ChunkExtension {
  #state = NAME_START;
  #bytes = 0;

  /** Prepares for what follows the first `;`. */
  start(): void {
    this.#state = NAME_START;
    this.#bytes = 0;
  }

  /** True when the line may end here. */
  get complete(): boolean {
    return this.#state === NAME || this.#state === VALUE || this.#state === CLOSED;
  }

  /** Takes one byte other than the line's end; false when it may not stand there. */
  accept(byte: number): boolean {
    if (++this.#bytes > MAX_BYTES) return false;
    switch (this.#state) {
      case QUOTED:
        if (byte === QUOTE) this.#state = CLOSED;
        else if (byte === BACKSLASH) this.#state = ESCAPED;
        else return FIELD_VALUE[byte] === 1;
        return true;
      case ESCAPED:
        this.#state = QUOTED;
        return FIELD_VALUE[byte] === 1;
      case VALUE_START:
        this.#state = byte === QUOTE ? QUOTED : VALUE;
        return byte === QUOTE || TOKEN[byte] === 1;
      case NAME_START:
        this.#state = NAME;
        return TOKEN[byte] === 1;
    }
    if (byte === SEMICOLON) this.#state = NAME_START;
    else if (byte === EQUALS && this.#state === NAME) this.#state = VALUE_START;
    else return this.#state !== CLOSED && TOKEN[byte] === 1;
    return true;
  }
}
