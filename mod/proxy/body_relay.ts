/**
 * Moves one message body from a stream to another and frames it anew. The same in both directions.
 *
 * A plain span is handed over with its buffer, without copying; chunked output is gathered in one buffer a call.
 */
import { BodyReader, CHUNKED, DATA, END, type Framing, MORE, type Step, UNTIL_CLOSE } from "../http1/body.ts";
import type { Stream } from "../net/stream.ts";
import type { ChunkEncoder } from "./chunks.ts";
import type { CompressedBody } from "./compressed_body.ts";
import { HAND_OVER_BYTES } from "./pump.ts";

/** Sees the bytes of a body as they pass by. */
export interface BodyTap {
  /** Good only during the call. */
  onBody(bytes: Uint8Array, start: number, end: number): void;
}

/** What a body comes from: gives its buffer away. */
export type BodySource = Pick<Stream, "take">;

export class BodyRelay {
  tap: BodyTap | null = null;
  readonly #reader = new BodyReader();
  #chunkedOut = false;
  /** Body bytes moved so far, framing not counted. */
  total = 0;
  /** After `move`: offset of the first byte not used. */
  at = 0;
  /** After `move`: false when the receiving stream wants us to wait. */
  flowing = true;
  done = true;
  #compressed: CompressedBody | null = null;

  constructor(readonly encoder: ChunkEncoder) {}

  /** Prepares for one body; `chunkedOut`: it leaves in chunks; `compressed`: what it goes through. */
  start(
    framing: Framing,
    length: number,
    chunkedOut: boolean,
    compressed: CompressedBody | null = null,
  ): void {
    this.#reader.start(framing, length);
    this.#chunkedOut = chunkedOut;
    this.#compressed = compressed;
    this.total = 0;
    this.flowing = true;
    this.done = this.#reader.done;
  }

  /**
   * Moves what is body in `bytes` from `at` to `end`. Returns END, MORE or what is wrong with the framing.
   * `from`: what is delivering these bytes right now, whose buffer may be taken; null: copy.
   */
  move(from: BodySource | null, to: Stream, bytes: Uint8Array, at: number, end: number): Step {
    const reader = this.#reader;
    this.flowing = true;
    let step: Step;
    while ((step = reader.next(bytes, at, end)) === DATA) {
      const size = reader.dataEnd - reader.dataStart;
      this.total += size;
      // Before the buffer may be given away.
      this.tap?.onBody(bytes, reader.dataStart, reader.dataEnd);
      if (this.#compressed !== null) this.#compressed.add(bytes, reader.dataStart, reader.dataEnd);
      else if (this.#chunkedOut) {
        this.encoder.add(to, bytes, reader.dataStart, reader.dataEnd, end - reader.at);
      } else this.#pass(from, to, bytes, reader.dataStart, reader.dataEnd);
      at = reader.at;
    }
    if (step === END) {
      this.done = true;
      this.#end(to, reader.trailer);
    }
    this.#flush(to);
    this.at = step === END || step === MORE ? reader.at : at;
    return step;
  }

  /** Takes what is body in `bytes` for nothing; otherwise as `move`. */
  skip(bytes: Uint8Array, at: number, end: number): Step {
    const reader = this.#reader;
    let step: Step;
    while ((step = reader.next(bytes, at, end)) === DATA) at = reader.at;
    this.done = step === END;
    this.at = step === END || step === MORE ? reader.at : at;
    return step;
  }

  /** True for a response body without a length: the end of the connection is its end. */
  get endsWithStream(): boolean {
    return this.#reader.framing === UNTIL_CLOSE && !this.done;
  }

  /** The sender closed: the end of a body that runs until then. */
  endOfStream(to: Stream): void {
    this.done = true;
    this.#end(to, NO_TRAILER);
    this.#flush(to);
  }

  #end(to: Stream, trailer: Uint8Array): void {
    if (this.#compressed !== null) this.#compressed.end(trailer);
    else if (this.#chunkedOut) this.encoder.end(to, trailer);
  }

  #flush(to: Stream): void {
    if (this.#compressed !== null) this.flowing = this.#compressed.send();
    else if (this.#chunkedOut) this.flowing = this.encoder.flush(to);
  }

  #pass(from: BodySource | null, to: Stream, bytes: Uint8Array, start: number, end: number): void {
    // A chunked body may have several spans in one buffer, which can be given away only once.
    if (from === null || end - start < HAND_OVER_BYTES || this.#reader.framing === CHUNKED) {
      this.flowing = to.write(bytes.subarray(start, end));
      return;
    }
    const lease = from.take();
    const offset = bytes.byteOffset - lease.bytes.byteOffset;
    this.flowing = to.writeLease(lease, offset + start, offset + end);
  }
}

const NO_TRAILER = new Uint8Array(0);
