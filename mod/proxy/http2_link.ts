/**
 * What both roles of a connection of HTTP/2 share (RFC 9113): streams by their ids, windows, who sends next, and the frames
 * that mean the same to clients and servers. What a header block is, and how the connection ends, its subclass says.
 *
 * A machine over the stream seam: it never waits.
 */
import { read32 } from "../http2/bytes.ts";
import { Calm } from "../http2/calm.ts";
import { FieldDecoder } from "../http2/decoder.ts";
import * as h2 from "../http2/frame.ts";
import { type FrameEvents, FrameReader, type Role } from "../http2/reader.ts";
import { PeerSettings } from "../http2/settings.ts";
import type { BufferPool } from "../net/buffers.ts";
import type { Stream, StreamHandler } from "../net/stream.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { HeldBytes } from "./held.ts";
import { type Http2Stream, STREAM_WINDOW, type StreamHost } from "./http2_stream.ts";
import { FrameWriter } from "./http2_writer.ts";

/** Streams open at once on a connection. HAProxy and nginx: 100 and 128. */
export const MOST_STREAMS = 100;
/** Every stream may have its window full, so that none waits for another's reader. */
const CONNECTION_WINDOW = MOST_STREAMS * STREAM_WINDOW;
/** Ids of streams that were reset, for frames that are still on their way. */
const RESETS_KEPT = 1024;
/**
 * Read of a body that was answered early, before its stream is reset: clients lose the answer to a reset that comes while
 * they send. As for a connection of HTTP/1 (`Linger`).
 */
const DISCARD_BYTES = 1024 * 1024;
/** WINDOW_UPDATE frames cost little and come with every body. */
const WINDOW_WEIGHT = 0.05;
/** Beside a message that is cut short: one in three may be, however many there are. */
const COMPLETED_WEIGHT = 0.5;

const FIRST_CREDIT = h2.whole(h2.WINDOW_UPDATE, 0, 0, CONNECTION_WINDOW - h2.DEFAULT_WINDOW);
const NOTHING = new Uint8Array(0);

export abstract class Http2Link implements StreamHandler, StreamHost, FrameEvents {
  readonly buffers: BufferPool;
  readonly writer: FrameWriter;
  protected readonly streams = new Map<number, Http2Stream>();
  protected readonly settings = new PeerSettings();
  protected readonly decoder = new FieldDecoder();
  protected readonly reader: FrameReader;
  /** Nothing is read or sent any more. */
  protected over = false;
  /** How often something has come. */
  received = 0;
  readonly #held: HeldBytes;
  readonly #calm = new Calm();
  /** For messages that were cut short. Bodies do not weigh against them: a byte of one costs nothing. */
  readonly #cuts = new Calm();
  /** Streams that have something to send, in turn. */
  readonly #line: Http2Stream[] = [];
  readonly #turns: Http2Stream[] = [];
  /** Streams whose bodies are thrown away, and how much of each has been. */
  readonly #discarded = new Map<number, number>();
  /** Streams that we have reset, and that the peer has. */
  readonly #resetByUs = new Set<number>();
  readonly #resetByPeer = new Set<number>();
  #sendWindow = h2.DEFAULT_WINDOW;
  #receiveWindow = CONNECTION_WINDOW;
  #uncredited = 0;
  #working = false;
  #flushDue = false;

  constructor(readonly environment: ProxyEnvironment, readonly below: Stream, role: Role) {
    this.buffers = environment.buffers;
    this.writer = new FrameWriter(below, this.buffers);
    this.reader = new FrameReader(this, role);
    this.#held = new HeldBytes(this.buffers);
    below.handler = this;
  }

  /** What the fields of one message may have together. */
  protected abstract readonly headBytes: number;
  /** True for a stream that nobody has opened. */
  protected abstract isIdle(id: number): boolean;
  /** The peer broke a rule, or did too much (ENHANCE_YOUR_CALM): end the connection. */
  protected abstract onBroken(code: number): void;
  /** The connection has ended, or the peer will send nothing more. */
  protected abstract onGone(error: Error | null): void;
  /** `stream` has no message under way any more, which `id` was (0: it had none); `reusable`: it can have another. */
  abstract onOver(stream: Http2Stream, id: number, reusable: boolean): void;
  abstract onHeadersFrame(id: number): number;
  abstract onBlock(id: number, bytes: Uint8Array, start: number, end: number, last: boolean): number;
  abstract onGoaway(lastId: number): number;

  /** Sends what a connection begins with. */
  protected greet(first: Uint8Array): void {
    this.writer.raw(first);
    this.writer.raw(FIRST_CREDIT);
    this.writer.flush();
    this.below.resume();
  }

  /** Everything that is held is given back; nothing is sent after that. */
  protected drop(): void {
    this.over = true;
    this.#held.drop();
    this.writer.drop();
  }

  /** Tells all streams that they are over. */
  protected abandon(streams: Iterable<Http2Stream>, error: Error | null): void {
    for (const stream of [...streams]) {
      stream.onReset(error);
      stream.turn();
    }
    this.#line.length = 0;
  }

  onData(view: Uint8Array): void {
    this.received++;
    this.#working = true;
    try {
      if (this.#held.empty) this.#work(view, 0, view.length);
      else {
        this.#held.append(view);
        this.#work(this.#held.bytes, this.#held.start, this.#held.end);
      }
    } finally {
      this.#working = false;
    }
    this.#flush();
  }

  onEnd(): void {
    this.onGone(null);
  }

  onDrain(): void {
    if (!this.over) this.#flush();
  }

  onClosed(error: Error | null): void {
    this.onGone(error);
  }

  // What streams call.

  schedule(stream: Http2Stream): void {
    if (!stream.scheduled) {
      stream.scheduled = true;
      this.#line.push(stream);
    }
    this.flushSoon();
  }

  later(stream: Http2Stream): void {
    this.#turns.push(stream);
    this.#flushInTime();
  }

  reset(id: number, code: number): void {
    if (this.over) return;
    this.writer.raw(h2.whole(h2.RST_STREAM, 0, id, code));
    note(this.#resetByUs, id);
    this.flushSoon();
  }

  discard(id: number): void {
    this.#discarded.set(id, 0);
    if (this.#discarded.size > MOST_STREAMS) this.#refuseBody(this.#discarded.keys().next().value!);
  }

  /** RFC 9113 section 8.1: the answer is complete, and nobody wants the rest of the request. */
  #refuseBody(id: number): void {
    this.#discarded.delete(id);
    this.reset(id, h2.NO_ERROR);
  }

  #discardBody(id: number, size: number, last: boolean): void {
    const total = this.#discarded.get(id)! + size;
    this.credit(0, size);
    if (last) this.#discarded.delete(id);
    else if (total > DISCARD_BYTES) this.#refuseBody(id);
    else {
      this.#discarded.set(id, total);
      this.credit(id, size);
    }
  }

  credit(id: number, bytes: number): void {
    if (this.over || bytes === 0) return;
    if (id === 0) {
      this.#uncredited += bytes;
      if (this.#uncredited < CONNECTION_WINDOW / 4) return;
      bytes = this.#uncredited;
      this.#receiveWindow += bytes;
      this.#uncredited = 0;
    }
    this.writer.raw(h2.whole(h2.WINDOW_UPDATE, 0, id, bytes));
    this.flushSoon();
  }

  // Frames in.

  #work(bytes: Uint8Array, at: number, end: number): void {
    at = this.reader.read(bytes, at, end, this.headBytes);
    if (at < 0) this.onBroken(this.reader.error);
    if (this.over || at >= end) return this.#held.drop();
    this.#held.keep(bytes, at, end);
    if (this.streams.size > 0) this.below.bulk(true);
  }

  /** Section 6.1. */
  onDataFrame(
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    size: number,
    last: boolean,
  ): number {
    if (this.isIdle(id)) return h2.PROTOCOL_ERROR;
    if (size === 0 && !last && this.#tooMuch()) return h2.ENHANCE_YOUR_CALM;
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) return h2.FLOW_CONTROL_ERROR;
    const stream = this.streams.get(id);
    if (this.#discarded.has(id)) {
      this.#discardBody(id, size, last);
      return h2.NO_ERROR;
    }
    if (stream === undefined || !stream.takesBody) {
      this.credit(0, size);
      return this.#onClosedStream(id, stream);
    }
    if (end > start) this.progress();
    let code = stream.onBodyFrame(bytes, start, end, size);
    if (code === h2.NO_ERROR && last && stream.id === id) code = stream.onBodyEnd(NOTHING);
    return code === h2.NO_ERROR ? code : this.streamError(id, stream, code);
  }

  /** A frame for a stream that takes none (section 5.1). */
  #onClosedStream(id: number, stream: Http2Stream | undefined): number {
    if (stream !== undefined) return this.streamError(id, stream, h2.STREAM_CLOSED);
    if (this.wasReset(id)) return h2.NO_ERROR;
    if (!this.#resetByPeer.has(id)) return h2.STREAM_CLOSED;
    this.reset(id, h2.STREAM_CLOSED);
    return this.disturbed();
  }

  /** Section 5.3: of no use, and deprecated. A stream that is idle cannot be reset (section 6.4): the connection ends. */
  onPriority(id: number, code: number): number {
    if (code !== h2.NO_ERROR && this.isIdle(id)) return code;
    const stream = this.streams.get(id);
    if (code !== h2.NO_ERROR && stream !== undefined) return this.streamError(id, stream, code);
    if (code !== h2.NO_ERROR) this.reset(id, code);
    return this.disturbed();
  }

  /** Section 6.4. */
  onResetFrame(id: number, _code: number): number {
    if (this.isIdle(id)) return h2.PROTOCOL_ERROR;
    this.#discarded.delete(id);
    note(this.#resetByPeer, id);
    const stream = this.streams.get(id);
    if (stream === undefined) return this.disturbed();
    stream.onReset(new Error("the other side reset the stream"));
    return this.cut();
  }

  /** Section 6.5. */
  onSettings(bytes: Uint8Array, start: number, end: number): number {
    const before = this.settings.initialWindow;
    const code = this.settings.read(bytes, start, end);
    if (code !== h2.NO_ERROR) return code;
    this.writer.raw(h2.SETTINGS_ACK);
    if (this.settings.tableShrank) this.writer.giveUpTable();
    const change = this.settings.initialWindow - before;
    for (const stream of change === 0 ? [] : this.streams.values()) {
      if (!stream.onWindow(change)) return h2.FLOW_CONTROL_ERROR;
    }
    return this.disturbed();
  }

  /** Section 6.7. */
  onPing(bytes: Uint8Array, start: number): number {
    this.writer.raw(h2.whole(h2.PING, h2.ACK, 0, read32(bytes, start), read32(bytes, start + 4)));
    return this.disturbed();
  }

  /** Section 6.9. */
  onWindowFrame(id: number, increment: number): number {
    if (this.#tooMuch(WINDOW_WEIGHT)) return h2.ENHANCE_YOUR_CALM;
    if (id === 0) {
      if (increment === 0) return h2.PROTOCOL_ERROR;
      this.#sendWindow += increment;
      return this.#sendWindow > h2.MAX_WINDOW ? h2.FLOW_CONTROL_ERROR : h2.NO_ERROR;
    }
    if (this.isIdle(id)) return h2.PROTOCOL_ERROR;
    const stream = this.streams.get(id);
    if (stream === undefined) return h2.NO_ERROR;
    if (increment === 0) return this.streamError(id, stream, h2.PROTOCOL_ERROR);
    return stream.onWindow(increment) ? h2.NO_ERROR : this.streamError(id, stream, h2.FLOW_CONTROL_ERROR);
  }

  onIdleFrame(): number {
    return this.disturbed();
  }

  /** Resets a stream whose peer broke a rule; returns the error that this is for the connection. */
  protected streamError(id: number, stream: Http2Stream, code: number): number {
    this.reset(id, code);
    stream.onReset(new Error("the other side broke a rule of HTTP/2"));
    return this.cut();
  }

  /** Takes note of a message that the peer has ended early, by a reset or by breaking a rule. */
  protected cut(): number {
    return this.#cuts.disturbed(this.environment.now()) ? h2.ENHANCE_YOUR_CALM : h2.NO_ERROR;
  }

  /** A message is over as it should be. */
  completed(): void {
    this.#cuts.useful(COMPLETED_WEIGHT);
  }

  /** Takes note of something that brings nothing. */
  protected disturbed(): number {
    return this.#tooMuch() ? h2.ENHANCE_YOUR_CALM : h2.NO_ERROR;
  }

  #tooMuch(weight = 1): boolean {
    return this.#calm.disturbed(this.environment.now(), weight);
  }

  /** A part of a message has moved: what brings nothing is then worth less. */
  progress(): void {
    this.#calm.useful();
  }

  /** True for a stream that we have reset: the peer may not have known when it sent its frame. */
  protected wasReset(id: number): boolean {
    return this.#resetByUs.has(id);
  }

  /** A header block behind a body that is thrown away: its trailers; false: there is none. */
  protected endsDiscarded(id: number, last: boolean): boolean {
    return last ? this.#discarded.delete(id) : this.#discarded.has(id);
  }

  // Frames out.

  protected flushSoon(): void {
    if (!this.over) this.#flushInTime();
  }

  /** Also when the connection is over, as streams may still have to tell that they are. */
  #flushInTime(): void {
    if (this.#working || this.#flushDue) return;
    this.#flushDue = true;
    this.environment.soon(this.#flushLater);
  }

  #flushLater = (): void => {
    this.#flushDue = false;
    try {
      this.#flush();
    } catch (error) {
      this.below.close();
      throw error;
    }
  };

  #flush(): void {
    this.#working = true;
    try {
      do {
        for (let i = 0; i < this.#turns.length; i++) this.#turns[i]!.turn();
        this.#turns.length = 0;
        this.#sendInTurn();
      } while (this.#turns.length > 0);
    } finally {
      this.#working = false;
    }
    this.writer.flush();
  }

  /** Lets streams send a frame each in turn, while the connection takes it. */
  #sendInTurn(): void {
    const line = this.#line;
    /** Streams that wait for the connection's window. */
    let waiting: Http2Stream[] | null = null;
    let i = 0;
    for (; i < line.length && !this.over && !this.below.blocked; i++) {
      const stream = line[i]!;
      if (stream.id !== 0 && stream.sendable) {
        if (this.#sendWindow <= 0 && stream.queued > 0) {
          (waiting ??= []).push(stream);
          continue;
        }
        this.#sendWindow -= stream.send(this.#sendWindow);
        if (stream.id !== 0 && stream.sendable) {
          line.push(stream);
          continue;
        }
      }
      stream.scheduled = false;
      if (stream.id !== 0) stream.tidy();
    }
    line.splice(0, i);
    if (waiting !== null) line.push(...waiting);
  }
}

function note(ids: Set<number>, id: number): void {
  ids.add(id);
  if (ids.size > RESETS_KEPT) ids.delete(ids.values().next().value!);
}
