/**
 * A client's connection that speaks HTTP/2 (RFC 9113): streams opened and closed, windows, limits, who sends next.
 * Each stream has a `ClientConnection` of its own that serves it like a connection of HTTP/1; a stream and its session
 * are used again for later requests.
 *
 * A machine over the stream seam. What a client does wrong ends the stream or the connection by the section's rule; what
 * it does too much of ends the connection (ENHANCE_YOUR_CALM). It must not know of routes or servers.
 */
import type { ErrorCode } from "../base/errors.ts";
import { read32 } from "../http2/bytes.ts";
import { Calm } from "../http2/calm.ts";
import { FieldDecoder } from "../http2/decoder.ts";
import * as h2 from "../http2/frame.ts";
import { type FrameEvents, FrameReader } from "../http2/reader.ts";
import { PeerSettings } from "../http2/settings.ts";
import type { BufferPool } from "../net/buffers.ts";
import type { Stream, StreamHandler } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import { ClientConnection, type ConnectionOwner } from "./client_connection.ts";
import type { ListenerState, ProxyEnvironment } from "./environment.ts";
import { HeldBytes } from "./held.ts";
import { type RequestLines, requestLines } from "./http2_request.ts";
import { Http2Stream, STREAM_WINDOW, type StreamHost } from "./http2_stream.ts";
import { FrameWriter } from "./http2_writer.ts";
import { Linger } from "./linger.ts";
import { type AccessRecorder, Record } from "./record.ts";
import { logConnection, type Session, type StageOwner } from "./stage.ts";
import type { ChunkEncoder } from "./chunks.ts";

/** Streams that a client may have open at once. HAProxy and nginx: 100 and 128. */
const MOST_STREAMS = 100;
/** Every stream may have its window full, so that none waits for another's server. */
const CONNECTION_WINDOW = MOST_STREAMS * STREAM_WINDOW;
/** Ids of streams that were reset, for frames that are still on their way. */
const RESETS_KEPT = 256;
/** WINDOW_UPDATE frames cost little and come with every body. */
const WINDOW_WEIGHT = 0.05;
/** How long requests are still taken after a drain was announced. */
const DRAIN_GRACE_MS = 1000;

const FIRST_FRAMES = h2.settingsFrame([
  [h2.SETTINGS_MAX_CONCURRENT_STREAMS, MOST_STREAMS],
  [h2.SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW],
  [h2.SETTINGS_ENABLE_CONNECT_PROTOCOL, 1],
]);
const FIRST_CREDIT = h2.whole(h2.WINDOW_UPDATE, 0, 0, CONNECTION_WINDOW - h2.DEFAULT_WINDOW);
const NOTHING = new Uint8Array(0);

export interface Http2Owner extends StageOwner {
  readonly encoder: ChunkEncoder;
}

export class Http2Connection implements Session, StreamHandler, StreamHost, ConnectionOwner, FrameEvents {
  readonly environment: ProxyEnvironment;
  readonly encoder: ChunkEncoder;
  readonly recorder: AccessRecorder;
  readonly buffers: BufferPool;
  readonly writer: FrameWriter;
  readonly #timer: Timer;
  readonly #held: HeldBytes;
  readonly #reader = new FrameReader(this);
  readonly #decoder = new FieldDecoder();
  readonly #settings = new PeerSettings();
  readonly #calm = new Calm();
  readonly #streams = new Map<number, Http2Stream>();
  /** Streams without a request, whose sessions wait for one. */
  readonly #free: Http2Stream[] = [];
  /** Streams that have something to send, in turn. */
  readonly #line: Http2Stream[] = [];
  readonly #reset = new Set<number>();
  readonly #turns: Http2Stream[] = [];
  readonly #startedAt: number;
  #lastId = 0;
  #sendWindow = h2.DEFAULT_WINDOW;
  #receiveWindow = CONNECTION_WINDOW;
  #uncredited = 0;
  #working = false;
  #flushDue = false;
  #refusing = false;
  #linger: Linger | null = null;
  #closed = false;

  constructor(readonly owner: Http2Owner, readonly listener: ListenerState, readonly below: Stream) {
    this.environment = owner.environment;
    this.encoder = owner.encoder;
    this.recorder = owner.recorder;
    this.buffers = owner.environment.buffers;
    this.writer = new FrameWriter(below, this.buffers);
    this.#held = new HeldBytes(this.buffers);
    this.#timer = new Timer(this);
    this.#startedAt = owner.environment.now();
    below.handler = this;
  }

  start(): void {
    this.writer.raw(FIRST_FRAMES);
    this.writer.raw(FIRST_CREDIT);
    this.writer.flush();
    this.#arm(this.listener.live.snapshot.timeouts.headMs);
    this.below.resume();
  }

  /** RFC 9113 section 6.8: says that no more is taken, and goes when the last stream has. */
  drain(): void {
    if (this.#linger !== null || this.#refusing) return;
    this.writer.raw(h2.whole(h2.GOAWAY, 0, 0, h2.MAX_WINDOW, h2.NO_ERROR));
    this.#flushSoon();
    this.#arm(DRAIN_GRACE_MS);
  }

  close(): void {
    this.#gone();
    this.below.close();
  }

  onDeadline(now: number): void {
    if (this.#linger !== null) {
      const at = this.#linger.onDeadline(now, this.listener.live.snapshot.timeouts.idleMs);
      if (at > 0) return this.environment.wheel.set(this.#timer, at);
      return this.close();
    }
    if (this.listener.draining) return this.#refuse();
    if (this.#reader.inBlock || !this.#reader.settled) return this.#fail(h2.NO_ERROR, "headTimeout");
    // A stream has deadlines of its own.
    if (this.#streams.size > 0) return this.#arm(this.listener.live.snapshot.timeouts.keepAliveMs);
    this.#fail(h2.NO_ERROR, null);
  }

  onData(view: Uint8Array): void {
    if (this.#linger !== null) {
      if (this.#linger.discard(view.length)) this.close();
      return;
    }
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
    this.#ended(null);
  }

  onDrain(): void {
    if (this.#linger === null) this.#flush();
  }

  onClosed(error: Error | null): void {
    this.#ended(error);
  }

  /** A stream's session has ended. */
  onGone(_session: ClientConnection): void {}

  // What streams call.

  schedule(stream: Http2Stream): void {
    if (!stream.scheduled) {
      stream.scheduled = true;
      this.#line.push(stream);
    }
    this.#flushSoon();
  }

  later(stream: Http2Stream): void {
    this.#turns.push(stream);
    this.#flushSoon();
  }

  reset(id: number, code: number): void {
    if (this.#linger !== null) return;
    this.writer.raw(h2.whole(h2.RST_STREAM, 0, id, code));
    this.#noteReset(id);
    this.#flushSoon();
  }

  credit(id: number, bytes: number): void {
    if (this.#linger !== null || bytes === 0) return;
    if (id === 0) {
      this.#uncredited += bytes;
      if (this.#uncredited < CONNECTION_WINDOW / 4) return;
      bytes = this.#uncredited;
      this.#receiveWindow += bytes;
      this.#uncredited = 0;
    }
    this.writer.raw(h2.whole(h2.WINDOW_UPDATE, 0, id, bytes));
    this.#flushSoon();
  }

  onOver(stream: Http2Stream, id: number, reusable: boolean): void {
    if (id !== 0) this.#streams.delete(id);
    if (reusable && this.#linger === null) this.#free.push(stream);
    else {
      const at = this.#free.indexOf(stream);
      if (at >= 0) this.#free.splice(at, 1);
    }
    if (id === 0 || this.#streams.size > 0) return;
    this.below.bulk(false);
    if (this.#refusing) this.#fail(h2.NO_ERROR, null);
    else if (!this.listener.draining) this.#arm(this.listener.live.snapshot.timeouts.keepAliveMs);
  }

  // Frames in.

  #work(bytes: Uint8Array, at: number, end: number): void {
    const { limits, timeouts } = this.listener.live.snapshot;
    at = this.#reader.read(bytes, at, end, limits.head);
    if (at < 0) this.#failBy(this.#reader.error);
    if (this.#linger !== null || at >= end) return this.#held.drop();
    this.#held.keep(bytes, at, end);
    if (this.#streams.size > 0) this.below.bulk(true);
    if (this.#reader.inBlock) this.#arm(timeouts.headMs);
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
    if (this.#idle(id)) return h2.PROTOCOL_ERROR;
    if (size === 0 && !last && this.#tooMuch()) return h2.ENHANCE_YOUR_CALM;
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) return h2.FLOW_CONTROL_ERROR;
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.remoteEnded) {
      this.credit(0, size);
      return this.#onClosedStream(id, stream);
    }
    let code = stream.onBodyFrame(bytes, start, end, size);
    if (code === h2.NO_ERROR && last && stream.id === id) code = stream.onBodyEnd(NOTHING);
    return code === h2.NO_ERROR ? code : this.#streamError(id, stream, code);
  }

  /** A frame for a stream that takes none (section 5.1). */
  #onClosedStream(id: number, stream: Http2Stream | undefined): number {
    if (stream !== undefined) return this.#streamError(id, stream, h2.STREAM_CLOSED);
    if (!this.#reset.has(id)) return h2.STREAM_CLOSED;
    this.reset(id, h2.STREAM_CLOSED);
    return this.#disturbed();
  }

  onHeadersFrame(id: number): number {
    const stream = this.#streams.get(id);
    const closed = stream === undefined ? id <= this.#lastId : stream.remoteEnded;
    return closed ? h2.STREAM_CLOSED : h2.NO_ERROR;
  }

  /** A request, or the trailers of one. */
  onBlock(id: number, bytes: Uint8Array, start: number, end: number, last: boolean): number {
    const lines = requestLines(this.listener.live.snapshot.limits.head);
    lines.reset();
    if (!this.#decoder.decode(bytes, start, end, lines)) return h2.COMPRESSION_ERROR;
    const stream = this.#streams.get(id);
    if (stream !== undefined) return this.#onTrailer(id, stream, lines, last);
    // A trailer for a stream that has been reset meanwhile, or a connection that has ended.
    if (id <= this.#lastId || this.#linger !== null) return h2.NO_ERROR;
    this.#lastId = id;
    const refused = this.#refusing || this.#streams.size >= MOST_STREAMS;
    if (refused || !lines.finish(!last)) {
      this.reset(id, refused ? h2.REFUSED_STREAM : h2.PROTOCOL_ERROR);
      return this.#disturbed();
    }
    const fresh = this.#free.pop() ?? this.#openStream();
    this.#streams.set(id, fresh);
    fresh.open(id, lines, !last, this.#settings.initialWindow);
    return h2.NO_ERROR;
  }

  #onTrailer(id: number, stream: Http2Stream, lines: RequestLines, last: boolean): number {
    const code = last && lines.isTrailer ? stream.onBodyEnd(lines.trailer()) : h2.PROTOCOL_ERROR;
    return code === h2.NO_ERROR ? code : this.#streamError(id, stream, code);
  }

  #openStream(): Http2Stream {
    const stream = new Http2Stream(this);
    new ClientConnection(this, this.listener, stream).start();
    return stream;
  }

  /** Section 5.3: of no use, and deprecated. */
  onPriority(id: number, code: number): number {
    const stream = this.#streams.get(id);
    if (code !== h2.NO_ERROR && stream !== undefined) return this.#streamError(id, stream, code);
    if (code !== h2.NO_ERROR) this.reset(id, code);
    return this.#disturbed();
  }

  /** Section 6.4. */
  onResetFrame(id: number): number {
    if (this.#idle(id)) return h2.PROTOCOL_ERROR;
    this.#noteReset(id);
    this.#streams.get(id)?.onReset(new Error("the client reset the stream"));
    return this.#disturbed();
  }

  /** Section 6.5. */
  onSettings(bytes: Uint8Array, start: number, end: number): number {
    const before = this.#settings.initialWindow;
    const code = this.#settings.read(bytes, start, end);
    if (code !== h2.NO_ERROR) return code;
    this.writer.raw(h2.SETTINGS_ACK);
    const change = this.#settings.initialWindow - before;
    for (const stream of change === 0 ? [] : this.#streams.values()) {
      if (!stream.onWindow(change)) return h2.FLOW_CONTROL_ERROR;
    }
    return this.#disturbed();
  }

  /** Section 6.7. */
  onPing(bytes: Uint8Array, start: number): number {
    this.writer.raw(h2.whole(h2.PING, h2.ACK, 0, read32(bytes, start), read32(bytes, start + 4)));
    return this.#disturbed();
  }

  /** Section 6.9. */
  onWindowFrame(id: number, increment: number): number {
    if (this.#tooMuch(WINDOW_WEIGHT)) return h2.ENHANCE_YOUR_CALM;
    if (id === 0) {
      if (increment === 0) return h2.PROTOCOL_ERROR;
      this.#sendWindow += increment;
      return this.#sendWindow > h2.MAX_WINDOW ? h2.FLOW_CONTROL_ERROR : h2.NO_ERROR;
    }
    if (this.#idle(id)) return h2.PROTOCOL_ERROR;
    const stream = this.#streams.get(id);
    if (stream === undefined) return h2.NO_ERROR;
    if (increment === 0) return this.#streamError(id, stream, h2.PROTOCOL_ERROR);
    return stream.onWindow(increment) ? h2.NO_ERROR : this.#streamError(id, stream, h2.FLOW_CONTROL_ERROR);
  }

  onIdleFrame(): number {
    return this.#disturbed();
  }

  /** True for a stream that was never opened. */
  #idle(id: number): boolean {
    return (id & 1) === 0 || id > this.#lastId;
  }

  #streamError(id: number, stream: Http2Stream, code: number): number {
    this.reset(id, code);
    stream.onReset(new Error("the client broke a rule of HTTP/2"));
    return this.#disturbed();
  }

  #noteReset(id: number): void {
    this.#reset.add(id);
    if (this.#reset.size > RESETS_KEPT) this.#reset.delete(this.#reset.values().next().value!);
  }

  #tooMuch(weight = 1): boolean {
    return this.#calm.disturbed(this.environment.now(), weight);
  }

  #disturbed(): number {
    return this.#tooMuch() ? h2.ENHANCE_YOUR_CALM : h2.NO_ERROR;
  }

  // Frames out.

  #flushSoon(): void {
    if (this.#working || this.#flushDue || this.#closed) return;
    this.#flushDue = true;
    this.environment.soon(this.#flushLater);
  }

  #flushLater = (): void => {
    this.#flushDue = false;
    try {
      this.#flush();
    } catch (error) {
      this.close();
      throw error;
    }
  };

  /** Lets streams send in turn, while the connection takes it. */
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

  #sendInTurn(): void {
    const line = this.#line;
    /** Streams that wait for the connection's window. */
    let waiting: Http2Stream[] | null = null;
    let i = 0;
    for (; i < line.length && this.#linger === null && !this.below.blocked; i++) {
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
    }
    line.splice(0, i);
    if (waiting !== null) line.push(...waiting);
  }

  // The end.

  /** After the grace of a drain: names the last stream that is served, and goes with it. */
  #refuse(): void {
    this.#refusing = true;
    if (this.#streams.size === 0) return this.#fail(h2.NO_ERROR, null);
    this.writer.raw(h2.whole(h2.GOAWAY, 0, 0, this.#lastId, h2.NO_ERROR));
    this.#flushSoon();
  }

  #failBy(code: number): void {
    this.#fail(code, code === h2.ENHANCE_YOUR_CALM ? "http2Flood" : "http2Error");
  }

  /** Ends the connection with a GOAWAY that says why. */
  #fail(code: number, error: ErrorCode | null): void {
    if (this.#linger !== null) return;
    if (error !== null) this.#account(error);
    this.writer.raw(h2.whole(h2.GOAWAY, 0, 0, this.#lastId, code));
    this.writer.flush();
    this.#linger = new Linger(this.below);
    this.#abandonStreams(null);
    this.environment.wheel.set(this.#timer, this.#linger.start(this.environment.now()));
  }

  #ended(error: Error | null): void {
    if (this.#linger === null) this.#abandonStreams(error ?? new Error("the client left"));
    this.close();
  }

  #abandonStreams(error: Error | null): void {
    for (const stream of [...this.#streams.values(), ...this.#free]) {
      stream.onReset(error);
      stream.turn();
    }
    this.#streams.clear();
    this.#free.length = 0;
    this.#line.length = 0;
  }

  #gone(): void {
    if (this.#closed) return;
    this.#linger ??= new Linger(this.below);
    this.#abandonStreams(null);
    this.#closed = true;
    this.#held.drop();
    this.writer.drop();
    this.environment.wheel.drop(this.#timer);
    this.owner.onGone(this);
  }

  #account(error: ErrorCode): void {
    const { live } = this.listener;
    const now = this.environment.now();
    const record = new Record();
    record.start(this.#startedAt, 0);
    record.error = error;
    record.account(this.environment, live.snapshot.row, now);
    if (live.logged) {
      logConnection(this.owner, this.listener, this.below, record, now, this.below.tls?.serverName ?? "");
    }
  }

  #arm(ms: number): void {
    this.environment.wheel.set(this.#timer, this.environment.now() + ms);
  }
}
