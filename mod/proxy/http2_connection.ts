/**
 * A client's connection that speaks HTTP/2: each stream has a `ClientConnection` of its own that serves it like a
 * connection of HTTP/1; a stream and its session are used again for later requests.
 *
 * What a client does wrong ends the stream or the connection by the section's rule; what it does too much of ends the
 * connection (ENHANCE_YOUR_CALM). It must not know of routes or servers.
 */
import type { ErrorCode } from "../base/errors.ts";
import * as h2 from "../http2/frame.ts";
import { FROM_CLIENT } from "../http2/reader.ts";
import type { Stream } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import type { ChunkEncoder } from "./chunks.ts";
import { ClientConnection, type ConnectionOwner } from "./client_connection.ts";
import { logConnection } from "./connection_log.ts";
import type { ListenerState } from "./environment.ts";
import { Http2Link, MOST_STREAMS } from "./http2_link.ts";
import { type RequestLines, requestLines } from "./http2_request.ts";
import { ServedStream } from "./http2_served_stream.ts";
import { type Http2Stream, STREAM_WINDOW } from "./http2_stream.ts";
import { Linger } from "./linger.ts";
import { type AccessRecorder, Record } from "./record.ts";
import type { Session, StageOwner } from "./stage.ts";

/** How long requests are still taken after a drain was announced. */
const DRAIN_GRACE_MS = 1000;

const SETTINGS = h2.settingsFrame([
  [h2.SETTINGS_MAX_CONCURRENT_STREAMS, MOST_STREAMS],
  [h2.SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW],
  [h2.SETTINGS_ENABLE_CONNECT_PROTOCOL, 1],
]);

export interface Http2Owner extends StageOwner {
  readonly encoder: ChunkEncoder;
}

export class Http2Connection extends Http2Link implements Session {
  readonly #timer: Timer;
  /** Streams without a request, whose sessions wait for one. */
  readonly #free: Http2Stream[] = [];
  readonly #sessions: ConnectionOwner;
  readonly #startedAt: number;
  #lastId = 0;
  #refusing = false;
  #linger: Linger | null = null;
  #closed = false;

  constructor(readonly owner: Http2Owner, readonly listener: ListenerState, below: Stream) {
    super(owner.environment, below, FROM_CLIENT);
    this.#timer = new Timer(this);
    this.#startedAt = owner.environment.now();
    const { environment, encoder, recorder } = owner;
    this.#sessions = { environment, encoder, recorder: recorder as AccessRecorder, onGone() {} };
  }

  protected get headBytes(): number {
    return this.listener.live.snapshot.limits.head;
  }

  start(): void {
    this.#arm(this.listener.live.snapshot.timeouts.headMs);
    this.greet(SETTINGS);
  }

  /** RFC 9113 section 6.8: says that no more is taken, and goes when the last stream has. */
  drain(): void {
    if (this.over || this.#refusing) return;
    this.writer.raw(h2.whole(h2.GOAWAY, 0, 0, h2.MAX_WINDOW, h2.NO_ERROR));
    this.flushSoon();
    this.#arm(DRAIN_GRACE_MS);
  }

  close(): void {
    if (!this.#closed) {
      this.over = true;
      this.#abandonAll(null);
      this.#closed = true;
      this.drop();
      this.environment.wheel.drop(this.#timer);
      this.owner.onGone(this);
    }
    this.below.close();
  }

  onDeadline(now: number): void {
    const { timeouts } = this.listener.live.snapshot;
    if (this.#linger !== null) {
      const at = this.#linger.onDeadline(now, timeouts.idleMs);
      return at > 0 ? this.environment.wheel.set(this.#timer, at) : this.close();
    }
    if (this.listener.draining) return this.#refuse();
    if (this.reader.inBlock || !this.reader.settled) return this.#fail(h2.NO_ERROR, "headTimeout");
    // A stream has deadlines of its own.
    if (this.streams.size > 0) return this.#arm(timeouts.keepAliveMs);
    this.#fail(h2.NO_ERROR, null);
  }

  override onData(view: Uint8Array): void {
    if (this.#linger === null) {
      const { inBlock } = this.reader;
      super.onData(view);
      if (this.reader.inBlock && !inBlock) this.#arm(this.listener.live.snapshot.timeouts.headMs);
    } else if (this.#linger.discard(view.length)) this.close();
  }

  protected onGone(error: Error | null): void {
    if (!this.over) this.#abandonAll(error ?? new Error("the client left"));
    this.close();
  }

  onOver(stream: Http2Stream, id: number, reusable: boolean): void {
    if (id !== 0) this.streams.delete(id);
    if (reusable && !this.over) this.#free.push(stream);
    else {
      const at = this.#free.indexOf(stream);
      if (at >= 0) this.#free.splice(at, 1);
    }
    if (id === 0 || this.streams.size > 0 || this.over) return;
    this.below.bulk(false);
    if (this.#refusing) this.#fail(h2.NO_ERROR, null);
    else if (!this.listener.draining) this.#arm(this.listener.live.snapshot.timeouts.keepAliveMs);
  }

  onHeadersFrame(id: number): number {
    const stream = this.streams.get(id);
    const ignored = this.wasReset(id) || this.endsDiscarded(id, false);
    const closed = stream === undefined ? id <= this.#lastId && !ignored : stream.remoteEnded;
    return closed ? h2.STREAM_CLOSED : h2.NO_ERROR;
  }

  /** A request, or the trailers of one. */
  onBlock(id: number, bytes: Uint8Array, start: number, end: number, last: boolean): number {
    const lines = requestLines(this.headBytes);
    lines.reset();
    if (!this.decoder.decode(bytes, start, end, lines)) return h2.COMPRESSION_ERROR;
    const stream = this.streams.get(id);
    if (stream !== undefined) return this.#onTrailer(id, stream, lines, last);
    // A trailer that nobody wants any more, or a connection that has ended.
    if (this.endsDiscarded(id, last) || id <= this.#lastId || this.over) return h2.NO_ERROR;
    this.#lastId = id;
    const refused = this.#refusing || this.streams.size >= MOST_STREAMS;
    if (refused || !lines.finish(!last)) {
      this.reset(id, refused ? h2.REFUSED_STREAM : h2.PROTOCOL_ERROR);
      return this.disturbed();
    }
    const fresh = (this.#free.pop() ?? this.#openStream()) as ServedStream;
    this.streams.set(id, fresh);
    const { tooLarge } = lines;
    fresh.open(id, lines, !last, this.settings.initialWindow);
    return tooLarge ? this.disturbed() : h2.NO_ERROR;
  }

  /** Section 6.8: it may still ask. */
  onGoaway(): number {
    return this.disturbed();
  }

  protected isIdle(id: number): boolean {
    return (id & 1) === 0 || id > this.#lastId;
  }

  protected onBroken(code: number): void {
    this.#fail(code, code === h2.ENHANCE_YOUR_CALM ? "http2Flood" : "http2Error");
  }

  #onTrailer(id: number, stream: Http2Stream, lines: RequestLines, last: boolean): number {
    const code = last && lines.isTrailer ? stream.onBodyEnd(lines.trailer()) : h2.PROTOCOL_ERROR;
    return code === h2.NO_ERROR ? code : this.streamError(id, stream, code);
  }

  #openStream(): Http2Stream {
    const stream = new ServedStream(this);
    new ClientConnection(this.#sessions, this.listener, stream).start();
    return stream;
  }

  /** After the grace of a drain: names the last stream that is served, and goes with it. */
  #refuse(): void {
    this.#refusing = true;
    if (this.streams.size === 0) return this.#fail(h2.NO_ERROR, null);
    this.writer.raw(h2.whole(h2.GOAWAY, 0, 0, this.#lastId, h2.NO_ERROR));
    this.flushSoon();
  }

  /** Ends the connection with a GOAWAY that says why. */
  #fail(code: number, error: ErrorCode | null): void {
    if (this.over) return;
    if (error !== null) this.#account(error);
    this.writer.raw(h2.whole(h2.GOAWAY, 0, 0, this.#lastId, code));
    this.writer.flush();
    this.over = true;
    this.#linger = new Linger(this.below);
    this.#abandonAll(null);
    this.environment.wheel.set(this.#timer, this.#linger.start(this.environment.now()));
  }

  #abandonAll(error: Error | null): void {
    this.abandon([...this.streams.values(), ...this.#free], error);
    this.streams.clear();
    this.#free.length = 0;
  }

  #account(error: ErrorCode): void {
    const { live } = this.listener;
    const now = this.environment.now();
    const record = new Record();
    record.start(this.#startedAt, 0);
    record.error = error;
    record.account(this.environment, live.snapshot.row, now);
    logConnection(this.owner, this.listener, this.below, record, now, this.below.tls?.serverName ?? "");
  }

  #arm(ms: number): void {
    this.environment.wheel.set(this.#timer, this.environment.now() + ms);
  }
}
