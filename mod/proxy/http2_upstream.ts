/**
 * A server's connection that speaks HTTP/2, and its streams, each of which the server's side of the proxy has as a
 * connection of HTTP/1: it may be kept idle and used again, and a request on it opens the next stream.
 */
import * as h2 from "../http2/frame.ts";
import { FROM_SERVER } from "../http2/reader.ts";
import { type Stream, Unprocessed } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { Http2Link, MOST_STREAMS } from "./http2_link.ts";
import { RequestReader } from "./http2_message.ts";
import { ResponseLines } from "./http2_response.ts";
import { Http2Stream, IGNORE, STREAM_WINDOW } from "./http2_stream.ts";
import { websocketAccept } from "../http/websocket.ts";
import { Linger } from "./linger.ts";
import { MAX_RESPONSE_HEAD_BYTES } from "./server_connection.ts";

const FIRST_FRAMES = (() => {
  const settings = h2.settingsFrame([
    [h2.SETTINGS_ENABLE_PUSH, 0],
    [h2.SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW],
  ]);
  const first = new Uint8Array(h2.PREFACE.length + settings.length);
  first.set(h2.PREFACE);
  first.set(settings, h2.PREFACE.length);
  return first;
})();
/** How long a connection is kept that nobody uses. */
const UNUSED_MS = 60_000;
/** Streams whose answer is complete and not ended. */
const MOST_DETACHED = 16;
/** Ids are used up at some time; long before, no more streams are opened. */
const LAST_ID = 2 ** 30;

const NO_TRAILER = new Uint8Array(0);

/** One for all connections of this thread, as it is used for one block at a time. */
const lines = new ResponseLines(MAX_RESPONSE_HEAD_BYTES);

export interface UpstreamOwner {
  /** The server has said what it allows: streams may be opened. */
  onReady(upstream: Http2Upstream): void;
  /** A stream may be opened where none could before. */
  onRoom(upstream: Http2Upstream): void;
  /** No more streams are opened on it; `reason`: why, for who waits for the first of them. */
  onLeaving(upstream: Http2Upstream, reason: Error): void;
}

export class Http2Upstream extends Http2Link {
  protected readonly headBytes = MAX_RESPONSE_HEAD_BYTES;
  /** All that were opened and are not closed, with a request or without. */
  readonly #all = new Set<UpstreamStream>();
  readonly #detached = new Set<UpstreamStream>();
  readonly #timer = new Timer(this);
  #nextId = 1;
  #opened = false;
  #ready = false;
  /** No more streams are opened. */
  #leaving = false;
  /** All is said, and the server is to close. */
  #linger: Linger | null = null;

  constructor(
    environment: ProxyEnvironment,
    below: Stream,
    readonly owner: UpstreamOwner,
    readonly scheme: "http" | "https",
    readyMs: number,
  ) {
    super(environment, below, FROM_SERVER);
    environment.upstreams.add(this);
    environment.wheel.set(this.#timer, environment.now() + readyMs);
    this.greet(FIRST_FRAMES);
  }

  /** True when another stream may be opened. */
  get hasRoom(): boolean {
    return this.#ready && !this.#leaving &&
      this.#all.size < Math.min(MOST_STREAMS, this.settings.mostStreams);
  }

  get allowsNone(): boolean {
    return this.settings.mostStreams === 0;
  }

  /** True once a stream was opened on it. */
  get used(): boolean {
    return this.#opened;
  }

  open(): Stream {
    const stream = new UpstreamStream(this, this.#opened);
    this.#opened = true;
    this.#all.add(stream);
    this.environment.wheel.clear(this.#timer);
    return stream;
  }

  onDeadline(now: number): void {
    if (this.#linger !== null) {
      const at = this.#linger.onDeadline(now, 0);
      return at > 0 ? this.environment.wheel.set(this.#timer, at) : this.#shut();
    }
    if (this.#ready) this.close();
    else this.#end(h2.SETTINGS_TIMEOUT, new Error("the server has not said its settings in time"));
  }

  /** A server may answer before it has read everything, and reset the rest (RFC 9113 section 8.1). */
  protected override cut(): number {
    return this.disturbed();
  }

  override onData(view: Uint8Array): void {
    if (this.#linger === null) super.onData(view);
    else if (this.#linger.discard(view.length)) this.#shut();
  }

  /** For its streams: an id for a request; 0: there will be none. */
  nextId(stream: UpstreamStream): number {
    if (this.#leaving) return 0;
    const id = this.#nextId;
    this.#nextId += 2;
    this.streams.set(id, stream);
    if (id >= LAST_ID) this.#leave(new Error("its streams are used up"));
    return id;
  }

  get takesWebSockets(): boolean {
    return this.settings.takesProtocols;
  }

  get window(): number {
    return this.settings.initialWindow;
  }

  override onSettings(bytes: Uint8Array, start: number, end: number): number {
    const code = super.onSettings(bytes, start, end);
    if (code !== h2.NO_ERROR) return code;
    if (this.#ready) this.owner.onRoom(this);
    else {
      this.#ready = true;
      this.environment.wheel.set(this.#timer, this.environment.now() + UNUSED_MS);
      this.owner.onReady(this);
    }
    return code;
  }

  onOver(stream: Http2Stream, id: number): void {
    if (id !== 0) this.streams.delete(id);
    if (this.streams.size === 0 && !this.over) this.below.bulk(false);
    if (!this.#all.delete(stream as UpstreamStream)) return;
    this.#detached.delete(stream as UpstreamStream);
    if (this.#all.size === 0 && !this.over) this.#becomeUnused();
    else if (this.hasRoom) this.owner.onRoom(this);
  }

  /** A stream waits for the end of an answer that is known to be complete. Servers that forget are reminded. */
  detached(stream: UpstreamStream): void {
    this.#detached.add(stream);
    if (this.#detached.size > MOST_DETACHED) this.#detached.values().next().value!.close();
  }

  /** Nothing has come since: the server, or the way to it, may be dead. */
  suspect(): void {
    this.#leave(new Error("nothing comes on the connection any more"));
  }

  onHeadersFrame(id: number): number {
    if (this.isIdle(id)) return h2.PROTOCOL_ERROR;
    return this.streams.get(id)?.remoteEnded === true ? h2.STREAM_CLOSED : h2.NO_ERROR;
  }

  /** An answer, interim or not, or the trailers of one. */
  onBlock(id: number, bytes: Uint8Array, start: number, end: number, last: boolean): number {
    lines.reset();
    if (!this.decoder.decode(bytes, start, end, lines)) return h2.COMPRESSION_ERROR;
    const stream = this.streams.get(id) as UpstreamStream | undefined;
    // It was reset meanwhile.
    if (stream === undefined) return h2.NO_ERROR;
    const code = stream.takesBody ? stream.onTrailer(lines, last) : stream.onHead(lines, last);
    return code === h2.NO_ERROR ? code : this.streamError(id, stream, code);
  }

  /** Section 8.1: who has answered may refuse the rest of the request. */
  override onResetFrame(id: number, code: number): number {
    const stream = this.streams.get(id);
    if (stream?.remoteEnded === true) stream.stopSending();
    else if (code === h2.REFUSED_STREAM) stream?.onReset(new Unprocessed("the server refused the stream"));
    else return super.onResetFrame(id, code);
    return this.disturbed();
  }

  /** Section 6.8: what is above was not looked at, and may be asked elsewhere. */
  onGoaway(lastId: number): number {
    for (const [id, stream] of [...this.streams]) {
      if (id > lastId) stream.onReset(new Unprocessed("the server goes away"));
    }
    this.#leave(new Error("the server goes away"));
    return h2.NO_ERROR;
  }

  protected isIdle(id: number): boolean {
    return (id & 1) === 0 || id >= this.#nextId;
  }

  protected onBroken(code: number): void {
    this.#end(
      code,
      new Error(this.#ready ? "the server broke a rule of HTTP/2" : "the server does not speak HTTP/2"),
    );
  }

  protected onGone(error: Error | null): void {
    this.#end(h2.NO_ERROR, error ?? new Error("the server closed the connection"));
    this.#shut();
  }

  close(): void {
    this.#end(h2.NO_ERROR, new Error("nobody wants it any more"));
  }

  #becomeUnused(): void {
    if (this.#leaving) return this.#end(h2.NO_ERROR, new Error("its last stream is over"));
    this.environment.wheel.set(this.#timer, this.environment.now() + UNUSED_MS);
    this.owner.onRoom(this);
  }

  /** Opens no more streams, and lets those go that wait for a request. */
  #leave(reason: Error): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.owner.onLeaving(this, reason);
    for (const stream of [...this.#all]) if (stream.id === 0) stream.onReset(null);
    if (this.#all.size === 0) this.#end(h2.NO_ERROR, reason);
  }

  #end(code: number, reason: Error): void {
    if (this.over) return;
    this.writer.raw(h2.whole(h2.GOAWAY, 0, 0, 0, code));
    this.writer.flush();
    this.over = true;
    this.#leave(reason);
    this.abandon(this.#all, reason);
    this.#all.clear();
    this.environment.upstreams.delete(this);
    this.drop();
    // A close at once could take the GOAWAY with it.
    this.#linger = new Linger(this.below);
    this.environment.wheel.set(this.#timer, this.#linger.start(this.environment.now()));
  }

  #shut(): void {
    this.environment.wheel.drop(this.#timer);
    this.below.close();
  }
}

/** One stream of it, as a connection to the server for one request. */
export class UpstreamStream extends Http2Stream {
  protected readonly reader: RequestReader;
  readonly #upstream: Http2Upstream;
  #headCame = false;
  #receivedBefore = 0;

  constructor(upstream: Http2Upstream, readonly reused: boolean) {
    super(upstream);
    this.#upstream = upstream;
    this.reader = new RequestReader(upstream.scheme);
  }

  /** The head has come, and the end has not. */
  get takesBody(): boolean {
    return this.#headCame && !this.remoteEnded;
  }

  /** Returns an error code. */
  onHead(head: ResponseLines, last: boolean): number {
    const { websocketKey } = this.reader;
    if (websocketKey !== "" && head.status >= 200 && head.status < 300) {
      return this.#onOpened(head, websocketKey, last);
    }
    const interim = head.status < 200;
    const bodyless = this.reader.isHead || head.status === 204 || head.status === 304;
    const chunked = !interim && !last && head.contentLength < 0;
    const empty = !interim && last && head.contentLength < 0 && !bodyless;
    if (interim && last || last && !bodyless && head.contentLength > 0) return h2.PROTOCOL_ERROR;
    if (!head.finish(chunked, empty)) return h2.PROTOCOL_ERROR;
    if (!interim) {
      this.#headCame = true;
      this.remoteEnded = last;
      this.expect(head.contentLength, !chunked);
    }
    this.copyOut(head.bytes, head.at);
    if (last) this.settle();
    return h2.NO_ERROR;
  }

  /** RFC 8441 section 5: what is a 200 here is 101 in HTTP/1, and bytes go both ways from now on. */
  #onOpened(head: ResponseLines, key: string, last: boolean): number {
    if (head.contentLength >= 0 || !head.finishSwitch(websocketAccept(key))) return h2.PROTOCOL_ERROR;
    this.#headCame = true;
    this.remoteEnded = last;
    this.expect(-1, true);
    this.copyOut(head.bytes, head.at);
    return last ? this.onBodyEnd(NO_TRAILER) : h2.NO_ERROR;
  }

  onTrailer(lines: ResponseLines, last: boolean): number {
    return last && lines.isTrailer ? this.onBodyEnd(lines.trailer()) : h2.PROTOCOL_ERROR;
  }

  protected opens(): boolean {
    const id = this.#upstream.nextId(this);
    if (id === 0) return false;
    this.reader.takesWebSockets = this.#upstream.takesWebSockets;
    this.begin(id, this.#upstream.window);
    this.#receivedBefore = this.#upstream.received;
    return true;
  }

  protected settle(): void {
    if (this.localEnded && this.remoteEnded && this.drained) this.finish();
  }

  /** It is used once. */
  protected override finish(): void {
    this.finishing = true;
    super.finish();
  }

  /** The answer is complete, which the end of the stream may still have to say. */
  detach(): void {
    this.handler = IGNORE;
    if (this.id === 0 || !this.localEnded) return this.close();
    this.#upstream.detached(this);
    this.resume();
  }

  override close(): void {
    const silent = this.id !== 0 && this.#upstream.received === this.#receivedBefore;
    super.close();
    if (silent) this.#upstream.suspect();
  }
}
