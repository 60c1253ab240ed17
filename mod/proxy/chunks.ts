/**
 * Writes chunked bodies (RFC 9112 section 7.1): our own framing, whatever the framing was that came in.
 *
 * Pieces of one call are gathered in one buffer and leave in one write. One encoder a worker serves all streams,
 * as it is empty between calls.
 */
import { type BufferPool, LARGE_BYTES, type Lease } from "../net/buffers.ts";
import type { Stream } from "../net/stream.ts";
import { fromLatin1, latin1 } from "../http/grammar.ts";
import { DONE, Head, parseTrailer } from "../http1/head.ts";
import { OTHER } from "../http/names.ts";

/** Largest size line and the CR LF behind the data. */
const OVERHEAD = 12;
const DIGITS = fromLatin1("0123456789abcdef");
const LAST = fromLatin1("0\r\n");

export class ChunkEncoder {
  #lease: Lease | null = null;
  #length = 0;
  #flowing = true;

  constructor(readonly buffers: BufferPool) {}

  /** Adds `bytes` from `start` to `end` as chunks; `expected`: how much more of this call may follow. */
  add(to: Stream, bytes: Uint8Array, start: number, end: number, expected: number): void {
    while (start < end) {
      this.#lease ??= this.buffers.atLeast(Math.min(LARGE_BYTES, end - start + expected + OVERHEAD));
      const room = this.#lease.bytes.length - this.#length - OVERHEAD;
      if (room <= 0) {
        this.#send(to);
        continue;
      }
      const size = Math.min(room, end - start);
      const out = this.#lease.bytes;
      let at = writeHex(out, this.#length, size);
      out[at++] = 0x0d;
      out[at++] = 0x0a;
      out.set(bytes.subarray(start, start + size), at);
      at += size;
      out[at++] = 0x0d;
      out[at++] = 0x0a;
      this.#length = at;
      start += size;
    }
  }

  /** Ends the body; `trailer` is a received trailer section or empty. */
  end(to: Stream, trailer: Uint8Array): void {
    const lines = trailer.length > 0 ? safeTrailer(trailer) : "";
    const size = LAST.length + lines.length + 2;
    if (this.#lease !== null && this.#lease.bytes.length - this.#length < size) this.#send(to);
    this.#lease ??= this.buffers.atLeast(size);
    const out = this.#lease.bytes;
    out.set(LAST, this.#length);
    let at = this.#length + LAST.length;
    for (let i = 0; i < lines.length; i++) out[at++] = lines.charCodeAt(i);
    out[at++] = 0x0d;
    out[at++] = 0x0a;
    this.#length = at;
  }

  /** Sends what was gathered; false: the stream wants us to wait. */
  flush(to: Stream): boolean {
    if (this.#lease !== null) this.#send(to);
    const flowing = this.#flowing;
    this.#flowing = true;
    return flowing;
  }

  #send(to: Stream): void {
    const lease = this.#lease!;
    this.#lease = null;
    const length = this.#length;
    this.#length = 0;
    if (!to.writeLease(lease, 0, length)) this.#flowing = false;
  }
}

function writeHex(out: Uint8Array, at: number, value: number): number {
  let shift = 0;
  while (value >= 16 << shift) shift += 4;
  for (; shift >= 0; shift -= 4) out[at++] = DIGITS[(value >> shift) & 15]!;
  return at;
}

/** Fields that must not come in a trailer, as they would change how the message is read (RFC 9110 section 6.5.1). */
const FORBIDDEN =
  /^(authorization|cache-control|content-.*|cookie|max-forwards|pragma|proxy-.*|range|set-cookie|www-authenticate|if-.*|age|expires|location|retry-after|vary|x-forwarded-.*|via)$/;
const trailerHead = new Head();

/** The trailer lines that may travel on. */
function safeTrailer(trailer: Uint8Array): string {
  if (parseTrailer(trailerHead, trailer, 0, trailer.length, 100) !== DONE) return "";
  let lines = "";
  for (let i = 0; i < trailerHead.count; i++) {
    if (trailerHead.ids[i] !== OTHER) continue;
    const name = latin1(trailer, trailerHead.nameStart(i), trailerHead.nameEnd(i));
    if (FORBIDDEN.test(name.toLowerCase())) continue;
    lines += `${name}: ${latin1(trailer, trailerHead.valueStart(i), trailerHead.valueEnd(i))}\r\n`;
  }
  return lines;
}
