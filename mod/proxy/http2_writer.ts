/**
 * Gathers the frames of one connection, so that those of one turn leave in one write: small answers of many streams cost
 * one system call and one TLS record. It must not know what streams are.
 */
import { copyBytes } from "../base/bytes.ts";
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frameHeader,
  HEADER_BYTES,
  HEADERS,
  MAX_FRAME_BYTES,
} from "../http2/frame.ts";
import { type BufferPool, LARGE_BYTES, type Lease, SMALL_BYTES } from "../net/buffers.ts";
import type { Stream } from "../net/stream.ts";

/** A change of the table's size to 0. */
const SIZE_OF_NOTHING = 0x20;

export class FrameWriter {
  #lease: Lease | null = null;
  #length = 0;
  #sizeDue = false;

  constructor(readonly below: Stream, readonly buffers: BufferPool) {}

  /** A frame, or anything else that is small and complete. */
  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    copyBytes(this.#lease!.bytes, at, bytes, 0, bytes.length);
    this.#length = at + bytes.length;
  }

  /** RFC 7541 section 4.2: the next block says that our table, which we do not use, has no room. */
  giveUpTable(): void {
    this.#sizeDue = true;
  }

  /** A header block of `length` bytes, in as many frames as it takes. */
  headers(stream: number, block: Uint8Array, length: number, last: boolean): void {
    if (this.#sizeDue) {
      this.#sizeDue = false;
      return this.headers(
        stream,
        Uint8Array.of(SIZE_OF_NOTHING, ...block.subarray(0, length)),
        length + 1,
        last,
      );
    }
    let type = HEADERS;
    let flags = last ? END_STREAM : 0;
    let at = 0;
    do {
      const size = Math.min(length - at, MAX_FRAME_BYTES);
      if (at + size === length) flags |= END_HEADERS;
      this.#frame(type, flags, stream, block, at, at + size);
      at += size;
      type = CONTINUATION;
      flags = 0;
    } while (at < length);
  }

  /** At most `MAX_FRAME_BYTES` of a body. */
  data(stream: number, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    this.#frame(DATA, last ? END_STREAM : 0, stream, bytes, start, end);
  }

  /** Hands over what was gathered. */
  flush(): void {
    const lease = this.#lease;
    if (lease === null) return;
    this.#lease = null;
    this.below.writeLease(lease, 0, this.#length);
    this.#length = 0;
  }

  /** Forgets what was gathered. */
  drop(): void {
    this.#lease?.release();
    this.#lease = null;
    this.#length = 0;
  }

  #frame(type: number, flags: number, stream: number, bytes: Uint8Array, start: number, end: number): void {
    let at = this.#room(HEADER_BYTES + end - start);
    const out = this.#lease!.bytes;
    at = frameHeader(out, at, end - start, type, flags, stream);
    copyBytes(out, at, bytes, start, end);
    this.#length = at + end - start;
  }

  /** Offset at which `size` bytes have room. Begins small, as a turn mostly has one small answer. */
  #room(size: number): number {
    if (this.#lease !== null && this.#length + size > this.#lease.bytes.length) this.#grow(size);
    this.#lease ??= this.buffers.atLeast(Math.max(size, SMALL_BYTES));
    return this.#length;
  }

  #grow(size: number): void {
    const before = this.#lease!;
    if (this.#length + size > LARGE_BYTES || before.bytes.length > SMALL_BYTES) return this.flush();
    this.#lease = this.buffers.large();
    this.#lease.bytes.set(before.bytes.subarray(0, this.#length));
    before.release();
  }
}
