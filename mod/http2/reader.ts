/**
 * Reads the frames that a peer sends (RFC 9113 sections 3.4, 4 and 6): their order, sizes, padding and header blocks.
 * What they mean for streams is its owner's to say.
 *
 * Pull style, so that the caller keeps the bytes: whole frames are told, the beginning of one is left.
 */
import { read31 } from "./bytes.ts";
import * as h2 from "./frame.ts";

/** A frame of a header block counts so many bytes more, so that empty ones are not free. */
const FRAME_COST_BYTES = 64;

/** Who sends the frames. A client begins with its preface. */
export const FROM_CLIENT = 0;
export const FROM_SERVER = 1;
export type Role = 0 | 1;

/** Told of frames that are right by themselves. Each returns the error that ends the connection, or NO_ERROR. */
export interface FrameEvents {
  /** DATA without its padding; `size` with it. */
  onDataFrame(id: number, bytes: Uint8Array, start: number, end: number, size: number, last: boolean): number;
  /** HEADERS begin for a stream: an error where it takes none. */
  onHeadersFrame(id: number): number;
  /** The header block of these HEADERS is complete; `last`: the stream ends with it. */
  onBlock(id: number, bytes: Uint8Array, start: number, end: number, last: boolean): number;
  /** PRIORITY, which has no effect; `code`: what is wrong with it. */
  onPriority(id: number, code: number): number;
  onResetFrame(id: number, code: number): number;
  /** GOAWAY: streams above `lastId` were not looked at. */
  onGoaway(lastId: number): number;
  onSettings(bytes: Uint8Array, start: number, end: number): number;
  /** PING to be answered, its eight bytes from `start` on. */
  onPing(bytes: Uint8Array, start: number): number;
  /** WINDOW_UPDATE, which may be of 0; stream 0 is the connection. */
  onWindowFrame(id: number, increment: number): number;
  /** A frame that asks for nothing. */
  onIdleFrame(): number;
}

export class FrameReader {
  /** The first SETTINGS have come. */
  settled = false;
  /** What is wrong, once `read` has returned less than nothing. */
  error = h2.NO_ERROR;
  readonly #events: FrameEvents;
  #preface: number;
  /** The stream whose header block goes on (CONTINUATION); 0: none. */
  #blockId = 0;
  #blockLast = false;
  #blockCost = 0;
  #parts: Uint8Array[] = [];

  constructor(events: FrameEvents, role: Role) {
    this.#events = events;
    this.#preface = role === FROM_CLIENT ? 0 : h2.PREFACE.length;
  }

  /** True while a header block is incomplete. */
  get inBlock(): boolean {
    return this.#blockId !== 0;
  }

  /**
   * Reads whole frames; returns the offset behind them, or -1 when the connection cannot go on. `headBytes`: what the
   * fields of a message may have.
   */
  read(bytes: Uint8Array, at: number, end: number, headBytes: number): number {
    for (; this.#preface < h2.PREFACE.length && at < end; at++, this.#preface++) {
      if (bytes[at] !== h2.PREFACE[this.#preface]) return this.#fail(h2.PROTOCOL_ERROR);
    }
    while (end - at >= h2.HEADER_BYTES) {
      const length = bytes[at]! << 16 | bytes[at + 1]! << 8 | bytes[at + 2]!;
      if (length > h2.MAX_FRAME_BYTES) return this.#fail(h2.FRAME_SIZE_ERROR);
      const next = at + h2.HEADER_BYTES + length;
      if (next > end) break;
      const code = this.#frame(bytes, at, next, headBytes);
      if (code !== h2.NO_ERROR) return this.#fail(code);
      at = next;
    }
    return at;
  }

  #fail(code: number): number {
    this.error = code;
    return -1;
  }

  #frame(bytes: Uint8Array, at: number, end: number, headBytes: number): number {
    const type = bytes[at + 3]!;
    const flags = bytes[at + 4]!;
    const id = read31(bytes, at + 5);
    const start = at + h2.HEADER_BYTES;
    // Section 3.4: SETTINGS come first. Section 6.10: nothing comes between the frames of a block.
    if (!this.settled && type !== h2.SETTINGS) return h2.PROTOCOL_ERROR;
    const continued = type === h2.CONTINUATION && id === this.#blockId;
    if (this.#blockId !== 0 && !continued) return h2.PROTOCOL_ERROR;
    switch (type) {
      case h2.DATA:
        return this.#data(flags, id, bytes, start, end);
      case h2.HEADERS:
        return this.#headers(flags, id, bytes, start, end, headBytes);
      case h2.CONTINUATION:
        return id === 0 || !continued
          ? h2.PROTOCOL_ERROR
          : this.#addToBlock(flags, bytes, start, end, headBytes);
      case h2.PUSH_PROMISE:
        return h2.PROTOCOL_ERROR;
      default:
        return this.#small(type, flags, id, bytes, start, end);
    }
  }

  /** Frames of a few bytes. */
  #small(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    switch (type) {
      case h2.PRIORITY:
        if (id === 0) return h2.PROTOCOL_ERROR;
        return this.#events.onPriority(id, priorityError(id, bytes, start, size));
      case h2.RST_STREAM:
        if (size !== 4) return h2.FRAME_SIZE_ERROR;
        return id === 0 ? h2.PROTOCOL_ERROR : this.#events.onResetFrame(id, read31(bytes, start));
      case h2.SETTINGS:
        if (id !== 0) return h2.PROTOCOL_ERROR;
        if ((flags & h2.ACK) === 0) {
          this.settled = true;
          return this.#events.onSettings(bytes, start, end);
        }
        if (size !== 0) return h2.FRAME_SIZE_ERROR;
        return this.settled ? this.#events.onIdleFrame() : h2.PROTOCOL_ERROR;
      case h2.PING:
        if (id !== 0) return h2.PROTOCOL_ERROR;
        if (size !== 8) return h2.FRAME_SIZE_ERROR;
        return (flags & h2.ACK) === 0 ? this.#events.onPing(bytes, start) : this.#events.onIdleFrame();
      case h2.GOAWAY:
        if (id !== 0) return h2.PROTOCOL_ERROR;
        return size < 8 ? h2.FRAME_SIZE_ERROR : this.#events.onGoaway(read31(bytes, start));
      case h2.WINDOW_UPDATE:
        return size === 4 ? this.#events.onWindowFrame(id, read31(bytes, start)) : h2.FRAME_SIZE_ERROR;
      default:
        return this.#events.onIdleFrame();
    }
  }

  /** Section 6.1. */
  #data(flags: number, id: number, bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    if (id === 0) return h2.PROTOCOL_ERROR;
    if ((flags & h2.PADDED) !== 0) {
      if (size === 0) return h2.FRAME_SIZE_ERROR;
      end -= bytes[start++]!;
      if (end < start) return h2.PROTOCOL_ERROR;
    }
    return this.#events.onDataFrame(id, bytes, start, end, size, (flags & h2.END_STREAM) !== 0);
  }

  /** Section 6.2. */
  #headers(
    flags: number,
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    headBytes: number,
  ): number {
    if ((id & 1) === 0) return h2.PROTOCOL_ERROR;
    if ((flags & h2.PADDED) !== 0) {
      if (start === end) return h2.FRAME_SIZE_ERROR;
      end -= bytes[start++]!;
    }
    if ((flags & h2.HAS_PRIORITY) !== 0) {
      if (end - start < 5) return h2.FRAME_SIZE_ERROR;
      if (read31(bytes, start) === id) return h2.PROTOCOL_ERROR;
      start += 5;
    }
    if (end < start) return h2.PROTOCOL_ERROR;
    const code = this.#events.onHeadersFrame(id);
    if (code !== h2.NO_ERROR) return code;
    this.#blockId = id;
    this.#blockLast = (flags & h2.END_STREAM) !== 0;
    this.#blockCost = 0;
    return this.#addToBlock(flags, bytes, start, end, headBytes);
  }

  /** Section 4.3: a block is used when it is complete. */
  #addToBlock(flags: number, bytes: Uint8Array, start: number, end: number, headBytes: number): number {
    const complete = (flags & h2.END_HEADERS) !== 0;
    const id = this.#blockId;
    this.#blockCost += end - start + FRAME_COST_BYTES;
    if (this.#blockCost > 2 * headBytes + h2.MAX_FRAME_BYTES) return h2.ENHANCE_YOUR_CALM;
    if (!complete) {
      if (end > start) this.#parts.push(bytes.slice(start, end));
      return h2.NO_ERROR;
    }
    this.#blockId = 0;
    if (this.#parts.length > 0) {
      bytes = joined(this.#parts, bytes.subarray(start, end));
      [start, end] = [0, bytes.length];
      this.#parts = [];
    }
    return this.#events.onBlock(id, bytes, start, end, this.#blockLast);
  }
}

/** Sections 5.3.1 and 6.3. */
function priorityError(id: number, bytes: Uint8Array, start: number, size: number): number {
  if (size !== 5) return h2.FRAME_SIZE_ERROR;
  return read31(bytes, start) === id ? h2.PROTOCOL_ERROR : h2.NO_ERROR;
}

function joined(parts: readonly Uint8Array[], last: Uint8Array): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, last.length));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  all.set(last, at);
  return all;
}
