/**
 * Message body framing (RFC 9112 sections 6 and 7): tells which bytes of a buffer are body, and when it ends.
 *
 * Pull style, so that the caller keeps the bytes: `next` returns one step and leaves the span in the reader.
 * It must not know of streams or of what is done with the body.
 */
import { CR, HEX, LF } from "../http/grammar.ts";
import { ChunkExtension } from "./chunk_extension.ts";
import { DONE, Head, MORE as HEAD_MORE, parseTrailer } from "./head.ts";

/** Everything given has been used; more is to come. */
export const MORE = 0;
/** `dataStart` to `dataEnd` are body bytes; call again from `at`. */
export const DATA = 1;
/** The body is complete; what follows `at` is not part of it. */
export const END = 2;
export const MALFORMED = 3;
/** The trailer section is larger than its limit. */
export const TOO_LARGE = 4;
export type Step = 0 | 1 | 2 | 3 | 4;

export const NONE = 0;
export const FIXED = 1;
export const CHUNKED = 2;
/** Responses only: the body ends where the connection does (RFC 9112 section 6.3, case 8). */
export const UNTIL_CLOSE = 3;
export type Framing = 0 | 1 | 2 | 3;

/** Digits of a chunk size: 2^52 bytes. HAProxy: 2^31, nginx: 2^63. */
const MAX_SIZE_DIGITS = 13;
/** Bytes of one trailer section. */
export const MAX_TRAILER_BYTES = 8 * 1024;

const SIZE = 0,
  EXTENSION = 1,
  SIZE_LF = 2,
  BODY = 3,
  BODY_CR = 4,
  BODY_LF = 5,
  TRAILER = 6,
  FINISHED = 7,
  BROKEN = 8;

const trailerHead = new Head();

export class BodyReader {
  framing: Framing = NONE;
  /** Where the next call should go on. */
  at = 0;
  dataStart = 0;
  dataEnd = 0;
  /** Bytes of a fixed body or of the present chunk still to come. */
  remaining = 0;
  /** The trailer section as received with its last empty line, or empty. Checked for form, not for names. */
  trailer: Uint8Array = EMPTY;
  #state = FINISHED;
  #digits = 0;
  #extension = new ChunkExtension();

  /** Prepares for one message. `length` counts for FIXED only. */
  start(framing: Framing, length: number): void {
    this.framing = framing;
    this.trailer = EMPTY;
    this.remaining = framing === FIXED ? length : 0;
    this.#state = framing === CHUNKED ? SIZE : BODY;
    this.#digits = 0;
    if (framing === NONE || (framing === FIXED && length === 0)) this.#state = FINISHED;
  }

  get done(): boolean {
    return this.#state === FINISHED;
  }

  /** One step over `bytes` from `at` to `end`. After MALFORMED or TOO_LARGE every further byte is MALFORMED. */
  next(bytes: Uint8Array, at: number, end: number): Step {
    if (this.#state === FINISHED) {
      this.at = at;
      return END;
    }
    if (this.framing === CHUNKED) {
      const step = this.#nextChunked(bytes, at, end);
      if (step >= MALFORMED) this.#state = BROKEN;
      return step;
    }
    if (at >= end) {
      this.at = at;
      return MORE;
    }
    this.dataStart = at;
    if (this.framing === FIXED) {
      const size = Math.min(this.remaining, end - at);
      this.remaining -= size;
      this.dataEnd = this.at = at + size;
      if (this.remaining === 0) this.#state = FINISHED;
    } else this.dataEnd = this.at = end;
    return DATA;
  }

  #nextChunked(bytes: Uint8Array, at: number, end: number): Step {
    while (at < end) {
      const byte = bytes[at]!;
      switch (this.#state) {
        case SIZE: {
          const digit = HEX[byte]!;
          if (digit !== 255) {
            if (++this.#digits > MAX_SIZE_DIGITS) return MALFORMED;
            this.remaining = this.remaining * 16 + digit;
          } else if (this.#digits === 0) return MALFORMED;
          else if (byte === CR) this.#state = SIZE_LF;
          else if (byte === 0x3b) {
            this.#state = EXTENSION;
            this.#extension.start();
          } else return MALFORMED;
          at++;
          break;
        }
        case EXTENSION:
          if (byte === CR) {
            if (!this.#extension.complete) return MALFORMED;
            this.#state = SIZE_LF;
          } else if (!this.#extension.accept(byte)) return MALFORMED;
          at++;
          break;
        case SIZE_LF:
          if (byte !== LF) return MALFORMED;
          at++;
          this.#state = this.remaining === 0 ? TRAILER : BODY;
          break;
        case BODY: {
          const size = Math.min(this.remaining, end - at);
          this.remaining -= size;
          this.dataStart = at;
          this.dataEnd = this.at = at + size;
          if (this.remaining === 0) this.#state = BODY_CR;
          return DATA;
        }
        case BODY_CR:
          if (byte !== CR) return MALFORMED;
          at++;
          this.#state = BODY_LF;
          break;
        case BODY_LF:
          if (byte !== LF) return MALFORMED;
          at++;
          this.#state = SIZE;
          this.#digits = 0;
          break;
        case TRAILER:
          return this.#nextTrailer(bytes, at, end);
        default:
          return MALFORMED;
      }
    }
    this.at = at;
    return MORE;
  }

  /** Collects the trailer section; usually it is the empty line alone, and nothing is copied. */
  #nextTrailer(bytes: Uint8Array, at: number, end: number): Step {
    if (this.trailer.length === 0 && end - at >= 2 && bytes[at] === CR && bytes[at + 1] === LF) {
      this.at = at + 2;
      this.#state = FINISHED;
      return END;
    }
    const before = this.trailer.length;
    const all = new Uint8Array(Math.min(before + end - at, MAX_TRAILER_BYTES));
    all.set(this.trailer);
    all.set(bytes.subarray(at, at + all.length - before), before);
    const progress = parseTrailer(trailerHead, all, 0, all.length, 100);
    if (progress === HEAD_MORE) {
      if (all.length >= MAX_TRAILER_BYTES) return TOO_LARGE;
      this.trailer = all;
      this.at = end;
      return MORE;
    }
    if (progress !== DONE) return MALFORMED;
    this.trailer = trailerHead.count === 0 ? EMPTY : all.subarray(0, trailerHead.end);
    this.at = at + trailerHead.end - before;
    this.#state = FINISHED;
    return END;
  }
}

const EMPTY = new Uint8Array(0);
