/**
 * One stream of HTTP/2 as a stream of HTTP/1 for the rest of the proxy: what comes is handed on as HTTP/1 frames it, and
 * what is written is read back and leaves as frames. Used for message after message of its connection.
 *
 * Flow control: what is taken is credited to the peer; what is written waits here for the peer's windows, and the writer
 * is told to wait. What a message is, and when it is over, the subclass says.
 */
import {
  CANCEL,
  FLOW_CONTROL_ERROR,
  INTERNAL_ERROR,
  MAX_FRAME_BYTES,
  MAX_WINDOW,
  NO_ERROR,
  PROTOCOL_ERROR,
} from "../http2/frame.ts";
import { fromLatin1 } from "../http/grammar.ts";
import { type BufferPool, type Lease } from "../net/buffers.ts";
import { type Address, NoSuchProtocol, type Stream, type StreamHandler, Unprocessed } from "../net/stream.ts";
import type { TlsFacts } from "../net/tls.ts";
import type { MessageEvents, MessageReader } from "./http2_message.ts";
import type { FrameWriter } from "./http2_writer.ts";
import { HeldBytes } from "./held.ts";

/** What a peer may send of a body before it is asked for more. */
export const STREAM_WINDOW = 64 * 1024;
/** As the engines': from here on the session is told to wait. */
const HIGH_WATER_BYTES = 64 * 1024;
/** A chunk's size line and the CR LF behind its data. */
const CHUNK_OVERHEAD = 12;
const LAST_CHUNK = fromLatin1("0\r\n");
const CRLF = fromLatin1("\r\n");

/** For a stream that has nobody any more. */
export const IGNORE: StreamHandler = { onData() {}, onEnd() {}, onDrain() {}, onClosed() {} };

interface Piece {
  readonly lease: Lease;
  start: number;
  readonly end: number;
}

/** The connection, as its streams see it. */
export interface StreamHost {
  readonly below: Stream;
  readonly buffers: BufferPool;
  readonly writer: FrameWriter;
  /** The stream has something to send: call `send` when there is room. */
  schedule(stream: Http2Stream): void;
  /** Calls `stream.turn` soon, outside of all other calls. */
  later(stream: Http2Stream): void;
  /** Sends RST_STREAM. */
  reset(id: number, code: number): void;
  /** Throws away what comes of a body that nobody wants. */
  discard(id: number): void;
  /** A part of a message has moved. */
  progress(): void;
  /** A message is over as it should be. */
  completed(): void;
  /** Gives the peer room for so many bytes more; stream 0 is the connection. */
  credit(id: number, bytes: number): void;
  /** Message `id` of the stream is over (0: it had none); `reusable`: it can have another. */
  onOver(stream: Http2Stream, id: number, reusable: boolean): void;
}

export abstract class Http2Stream implements Stream, MessageEvents {
  handler: StreamHandler = IGNORE;
  readonly http2 = true;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly localHost: string;
  readonly localPort: number;
  readonly tls?: TlsFacts;
  queued = 0;
  blocked = false;
  /** 0: no message is under way. */
  id = 0;
  /** In the connection's line of those that have something to send. */
  scheduled = false;
  /** The peer will send no more (END_STREAM). */
  remoteEnded = false;
  sendWindow = 0;
  protected abstract readonly reader: MessageReader;
  /** Bytes of a protocol to come wait until it has been agreed on: they are no request. */
  protected waiting = false;
  /** We have sent all (END_STREAM). */
  protected localEnded = false;
  /** The session will write no more. */
  protected finishing = false;
  protected closed = false;
  readonly #host: StreamHost;
  readonly #held: HeldBytes;
  #paused = true;
  #delivering = false;
  #lease: Lease | null = null;
  #taken = false;
  /** Bytes that the body must have; -1: as many as come. */
  #expected = -1;
  #received = 0;
  /** The body goes on as it is, not in chunks. */
  #raw = false;
  #receiveWindow = STREAM_WINDOW;
  #uncredited = 0;
  #endDue = false;
  #pieces: Piece[] = [];
  #output: Lease | null = null;
  #trailer: Uint8Array | null = null;
  /** The peer takes no more of the message. */
  #unwanted = false;
  #complete = false;
  #told = false;
  #error: Error | null = null;

  constructor(host: StreamHost) {
    this.#host = host;
    const { below } = host;
    this.remoteHost = below.remoteHost;
    this.remotePort = below.remotePort;
    this.localHost = below.localHost;
    this.localPort = below.localPort;
    if (below.tls !== undefined) this.tls = below.tls;
    this.#held = new HeldBytes(host.buffers);
  }

  /** Begins a message of ours and the peer's. */
  protected begin(id: number, window: number): void {
    this.id = id;
    this.sendWindow = window;
    this.#uncredited = 0;
    this.#receiveWindow = STREAM_WINDOW;
    this.remoteEnded =
      this.waiting =
      this.localEnded =
      this.#complete =
      this.#endDue =
        false;
    this.reader.start();
  }

  /** How the body to come is to be: `length` of it (-1: unknown), `raw` or in chunks. */
  protected expect(length: number, raw: boolean): void {
    this.#expected = length;
    this.#raw = raw;
    this.#received = 0;
  }

  /** A message is to be written while none is under way: true when it may. */
  protected abstract opens(): boolean;
  /** Something of the message has ended: calls `finish` when all of it has. */
  protected abstract settle(): void;
  /** True while DATA may come. */
  abstract readonly takesBody: boolean;

  // What the connection tells.

  /** Bytes of the body; `size` with their padding. Returns an error code. */
  onBodyFrame(bytes: Uint8Array, start: number, end: number, size: number): number {
    this.#uncredited += size;
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) return FLOW_CONTROL_ERROR;
    this.#received += end - start;
    if (this.#expected >= 0 && this.#received > this.#expected) return PROTOCOL_ERROR;
    if (end > start) this.#take(bytes, start, end);
    this.#credit();
    return NO_ERROR;
  }

  /** The peer's body is complete; `trailer`: lines, or nothing. Returns an error code. */
  onBodyEnd(trailer: Uint8Array): number {
    this.remoteEnded = true;
    if (this.#expected >= 0 && this.#received !== this.#expected) return PROTOCOL_ERROR;
    if (!this.#raw) {
      const last = this.#host.buffers.atLeast(LAST_CHUNK.length + trailer.length + CRLF.length);
      last.bytes.set(LAST_CHUNK);
      last.bytes.set(trailer, LAST_CHUNK.length);
      last.bytes.set(CRLF, LAST_CHUNK.length + trailer.length);
      this.#offer(last, LAST_CHUNK.length + trailer.length + CRLF.length);
    } else if (this.#expected < 0) {
      this.#endDue = true;
      this.turn();
    }
    this.settle();
    return NO_ERROR;
  }

  /** The peer wants no more of what we send. */
  stopSending(): void {
    this.#unwanted = true;
    for (const { lease } of this.#pieces) lease.release();
    this.#pieces = [];
    this.queued = 0;
  }

  /** The peer, or the connection, has given the stream up. */
  onReset(error: Error | null): void {
    this.#leave(error);
  }

  /** The peer gives room; false: more than there can be. */
  onWindow(bytes: number): boolean {
    this.sendWindow += bytes;
    if (this.sendWindow > MAX_WINDOW) return false;
    if (this.#pieces.length > 0) this.#host.schedule(this);
    return true;
  }

  /** Sends what there is room for, of at most one frame; returns the body bytes sent. */
  send(room: number): number {
    const { writer } = this.#host;
    const piece = this.#pieces[0];
    let size = 0;
    if (piece !== undefined) {
      size = Math.min(piece.end - piece.start, this.sendWindow, room, MAX_FRAME_BYTES);
      if (size <= 0) return 0;
      const whole = size === piece.end - piece.start;
      const last = whole && this.#pieces.length === 1 && this.#complete && this.#trailer === null;
      writer.data(this.id, piece.lease.bytes, piece.start, piece.start + size, last);
      this.#host.progress();
      if (last) this.localEnded = true;
      piece.start += size;
      if (whole) this.#pieces.shift()!.lease.release();
      this.sendWindow -= size;
      this.queued -= size;
    }
    if (this.#pieces.length === 0 && this.#complete && !this.localEnded) this.#sendEnd();
    this.tidy();
    return size;
  }

  /** After something was sent, or nothing more had to be: lets the session go on, or the message end. */
  tidy(): void {
    if (this.blocked && this.queued === 0) {
      this.blocked = false;
      if (!this.finishing) this.handler.onDrain();
    }
    this.settle();
  }

  /** True while there is something that `send` could send now. */
  get sendable(): boolean {
    if (this.#pieces.length > 0) return this.sendWindow > 0;
    return this.#complete && !this.localEnded;
  }

  /** Delivers what was held back, or tells that the stream is gone. */
  turn(): void {
    if (this.closed) return this.#tellClosed();
    if (!this.#paused && !this.waiting && !this.#held.empty) {
      const { start, end } = this.#held;
      this.#give(this.#held.take(), start, end);
      this.#credit();
    }
    if (this.#endDue && !this.#paused && !this.waiting && !this.closed) {
      this.#endDue = false;
      this.handler.onEnd();
    }
    this.settle();
  }

  // What the session calls.

  setAddresses(_remote: Address, _local: Address): void {}

  bulk(_on: boolean): void {}

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#delivering && (!this.#held.empty || this.#endDue)) this.#host.later(this);
  }

  take(): Lease {
    if (this.#lease === null) throw new Error("Cannot take a buffer outside of onData");
    this.#taken = true;
    return this.#lease;
  }

  write(view: Uint8Array): boolean {
    if (this.closed || this.finishing) return true;
    const lease = this.#host.buffers.atLeast(view.length);
    lease.bytes.set(view);
    return this.writeLease(lease, 0, view.length);
  }

  writeLease(lease: Lease, start: number, end: number): boolean {
    if (this.closed || this.finishing || start === end) {
      lease.release();
      return true;
    }
    if (this.id === 0 && !this.opens()) {
      lease.release();
      this.#leave(new Unprocessed("no more streams can be opened on the connection"));
      return true;
    }
    this.#output = lease;
    const good = this.reader.read(lease.bytes, start, end, this);
    this.#output = null;
    lease.release();
    if (!good) throw new Error("Cannot send an answer as it is not one");
    this.#host.schedule(this);
    // Heads do not count, but a peer that reads nothing is not sent more of them.
    if (this.queued > HIGH_WATER_BYTES || this.#host.below.blocked) this.blocked = true;
    return !this.blocked;
  }

  end(): void {
    if (this.finishing || this.closed) return;
    this.finishing = true;
    if (this.id === 0) return this.#leave(null);
    if (this.reader.endsWithStream) this.onComplete();
    if (this.#complete) this.#host.schedule(this);
    else this.#abandon(INTERNAL_ERROR);
  }

  close(): void {
    if (this.closed) return;
    if (this.id === 0) this.#leave(null);
    else this.#abandon(CANCEL);
  }

  // What the answer is.

  onFields(block: Uint8Array, length: number, last: boolean): void {
    this.#host.progress();
    if (this.#pieces.length > 0) this.#trailer = block.slice(0, length);
    else {
      this.#host.writer.headers(this.id, block, length, last);
      if (last) this.localEnded = true;
    }
  }

  onBody(start: number, end: number): void {
    if (this.#unwanted) return;
    this.queued += end - start;
    this.#pieces.push({ lease: this.#output!.share(), start, end });
  }

  onComplete(): void {
    this.#complete = true;
  }

  onSwitched(): void {
    this.waiting = false;
    this.#host.later(this);
  }

  onRefused(): void {
    this.#leave(new NoSuchProtocol("the server takes no such protocol within a stream"));
  }

  #sendEnd(): void {
    const { writer } = this.#host;
    if (this.#trailer !== null) writer.headers(this.id, this.#trailer, this.#trailer.length, true);
    else writer.data(this.id, NOTHING, 0, 0, true);
    this.#trailer = null;
    this.localEnded = true;
  }

  /** The message is over. What a peer still sends of a body is thrown away for a while. */
  protected finish(): void {
    const { id } = this;
    if (id === 0) return;
    if (!this.remoteEnded) this.#host.discard(id);
    const reusable = this.remoteEnded && !this.finishing && !this.closed && this.drained;
    this.#creditRest();
    this.id = 0;
    this.#host.completed();
    this.#host.onOver(this, id, reusable);
    if (!reusable) this.#leave(null);
  }

  /** True when all that came has been handed on. */
  protected get drained(): boolean {
    return this.#held.empty && !this.#endDue;
  }

  #abandon(code: number): void {
    this.#host.reset(this.id, code);
    this.#leave(null);
  }

  /** The stream is gone, and its session is told. */
  #leave(error: Error | null): void {
    if (this.closed) return;
    this.closed = true;
    this.#error = error;
    const { id } = this;
    this.id = 0;
    this.stopSending();
    this.#held.drop();
    this.#creditRest();
    this.#host.onOver(this, id, false);
    this.#host.later(this);
  }

  #tellClosed(): void {
    if (this.#told) return;
    this.#told = true;
    const { handler } = this;
    this.handler = IGNORE;
    handler.onClosed(this.#error);
  }

  /** Takes body bytes as HTTP/1 frames them. */
  #take(bytes: Uint8Array, start: number, end: number): void {
    const lease = this.#host.buffers.atLeast(end - start + CHUNK_OVERHEAD);
    let at = this.#raw ? 0 : sizeLine(lease.bytes, end - start);
    lease.bytes.set(bytes.subarray(start, end), at);
    at += end - start;
    if (!this.#raw) {
      lease.bytes.set(CRLF, at);
      at += CRLF.length;
    }
    this.#offer(lease, at);
  }

  /** Hands on a copy of the first `length` bytes. */
  protected copyOut(bytes: Uint8Array, length: number): void {
    const lease = this.#host.buffers.atLeast(length);
    lease.bytes.set(bytes.subarray(0, length));
    this.#offer(lease, length);
  }

  /** Hands bytes on that the lease begins with, now or when they are wanted. */
  #offer(lease: Lease, length: number): void {
    if (!this.#paused && !this.waiting && !this.#delivering && this.#held.empty) {
      return this.#give(lease, 0, length);
    }
    this.#held.append(lease.bytes.subarray(0, length));
    lease.release();
  }

  #give(lease: Lease, start: number, end: number): void {
    this.#lease = lease;
    this.#taken = false;
    this.#delivering = true;
    try {
      this.handler.onData(lease.bytes.subarray(start, end));
    } finally {
      this.#delivering = false;
      this.#lease = null;
      if (!this.#taken) lease.release();
    }
  }

  /** What nobody takes any more does not count against the connection. */
  #creditRest(): void {
    this.#host.credit(0, this.#uncredited);
    this.#uncredited = 0;
  }

  /** Gives the peer room for what the session has taken, in large steps. */
  #credit(): void {
    if (this.closed || !this.#held.empty || this.#uncredited < STREAM_WINDOW / 2 && !this.remoteEnded) {
      return;
    }
    this.#host.credit(0, this.#uncredited);
    if (!this.remoteEnded) {
      this.#host.credit(this.id, this.#uncredited);
      this.#receiveWindow += this.#uncredited;
    }
    this.#uncredited = 0;
  }
}

const NOTHING = new Uint8Array(0);

/** Writes a chunk's size line; returns the offset behind it. */
function sizeLine(out: Uint8Array, size: number): number {
  const digits = size.toString(16);
  for (let i = 0; i < digits.length; i++) out[i] = digits.charCodeAt(i);
  out[digits.length] = 0x0d;
  out[digits.length + 1] = 0x0a;
  return digits.length + 2;
}
