/**
 * The client's side of HTTP/1: reads requests one after the other, gives each to the exchange, and keeps the
 * connection as long as it is safe to. Pipelined requests wait in the buffer; answers leave in order.
 *
 * A machine over the stream seam: it never waits. It must not know of servers or policies.
 */
import type { ErrorCode } from "../base/errors.ts";
import type { Identity } from "../guard/identity.ts";
import { DONE, Head, MORE, parseRequestHead, VERSION } from "../http1/head.ts";
import { readRequest, RequestInfo } from "../http1/request.ts";
import { PREFACE } from "../http2/frame.ts";
import { clientAddress } from "../http/client_address.ts";
import { plainAddress } from "../http/forwarded.ts";
import { SMALL_BYTES } from "../net/buffers.ts";
import type { Stream, StreamHandler } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import { accountFor } from "./accounting.ts";
import { Answering } from "./answering.ts";
import type { ChunkEncoder } from "./chunks.ts";
import type { ListenerState, LivePool, ProxyEnvironment } from "./environment.ts";
import { Exchange } from "./exchange.ts";
import { fieldValue } from "./facts.ts";
import { ForwardedCache } from "./forwarded_cache.ts";
import { headProblem } from "./head_problem.ts";
import { HeldBytes } from "./held.ts";
import { Linger } from "./linger.ts";
import type { AccessRecorder } from "./record.ts";
import type { RequestEdit } from "./request_edit.ts";
import type { RequestAdditions } from "./request_head.ts";
import { Tunnel, type TunnelOwner } from "./tunnel.ts";
import { MAX_SKIPPED_BYTES } from "./unread_body.ts";

/** A client that has sent FIN and waits for its answer is given this long for it to begin: mostly it has left. */
const HALF_CLOSED_MS = 3000;
/** How long an idle connection is kept when its listener drains, for a request that crosses our FIN. nginx: not at all. */
const DRAIN_GRACE_MS = 1000;
/** Requests behind one that waits are read up to here, as only reading tells that the client has left. */
const READ_AHEAD_BYTES = SMALL_BYTES;

const HEAD = 0, EXCHANGE = 1, TUNNEL = 2, LINGER = 3, CLOSED = 4, SKIPPING = 5;
type State = 0 | 1 | 2 | 3 | 4 | 5;

const scratchHead = new Head();
const scratchInfo = new RequestInfo();

export interface ConnectionOwner {
  readonly environment: ProxyEnvironment;
  readonly encoder: ChunkEncoder;
  readonly recorder: AccessRecorder;
  /** The connection is gone for good. */
  onGone(connection: ClientConnection): void;
  /** It speaks HTTP/2 from its first byte on: `opening`, good only during the call. Absent: that is an error. */
  onHttp2?(connection: ClientConnection, opening: Uint8Array): void;
}

export class ClientConnection implements StreamHandler, TunnelOwner {
  readonly environment: ProxyEnvironment;
  /** Who is connected, without the IPv4-mapped prefix. */
  readonly peer: string;
  /** Whose the present request is: the same, or the client that a trusted proxy tells of. */
  address: string;
  /** Who the present request has shown to be of; null: nobody has asked. */
  identity: Identity | null = null;
  readonly answering: Answering;
  readonly #timer: Timer;
  readonly #exchange: Exchange;
  readonly #forwarded: ForwardedCache;
  #state: State = HEAD;
  /** Bytes that arrived and are not used yet. */
  readonly #held: HeldBytes;
  #working = false;
  #ended = false;
  /** There has been a request. */
  #served = false;
  /** Bytes of answers that were unread at the last deadline. */
  #queued = 0;
  #headSince = 0;
  /** While half-closed: when to stop waiting for an answer to begin. */
  #giveUpAt = Infinity;
  #linger: Linger | null = null;
  /** Bytes of a body that have been read for nothing. */
  #skipped = 0;
  #tunnel: Tunnel | null = null;

  constructor(readonly owner: ConnectionOwner, readonly listener: ListenerState, readonly stream: Stream) {
    this.environment = owner.environment;
    this.peer = this.address = plainAddress(stream.remoteHost);
    this.#timer = new Timer(this);
    this.#held = new HeldBytes(owner.environment.buffers);
    this.#exchange = new Exchange(this, owner.encoder);
    this.answering = new Answering(this, this.#exchange.request, this.#exchange.record);
    this.#forwarded = new ForwardedCache(
      this.peer,
      stream.tls === undefined ? "http" : "https",
      owner.environment.writeRequestId,
    );
    stream.handler = this;
  }

  /** What the client asked for by SNI; empty: nothing. */
  get serverName(): string {
    return this.stream.tls?.serverName ?? "";
  }

  start(): void {
    const { headMs } = this.listener.live.snapshot.timeouts;
    this.arm(this.environment.now() + headMs);
    this.stream.resume();
  }

  /** Sets the one deadline of this connection. */
  arm(at: number): void {
    this.environment.wheel.set(this.#timer, this.#ended ? this.#bounded(at) : at);
  }

  onData(view: Uint8Array): void {
    if (this.#held.empty) this.#work(view, 0, view.length, true);
    else {
      this.#held.append(view);
      this.#workHeld();
    }
  }

  onEnd(): void {
    this.#ended = true;
    this.#endOfRequests();
  }

  onDrain(): void {
    if (this.#state === EXCHANGE) this.#exchange.onClientDrain();
    else if (this.#state === HEAD) this.#nextRequest();
  }

  onClosed(_error: Error | null): void {
    this.#exchange.abandon("clientGone");
    this.#gone();
  }

  onDeadline(now: number): void {
    switch (this.#state) {
      case EXCHANGE:
        if (now >= this.#giveUpAt && !this.#exchange.responding) return this.#exchange.fail("clientGone");
        return this.#exchange.onDeadline(now);
      case HEAD:
        if (this.listener.draining && this.#held.empty && !this.stream.blocked) return this.#finish();
        if (this.stream.queued > 0 && this.stream.queued !== this.#queued) return this.#waitForReader(now);
        // Nothing of a request yet, or answers that nobody reads: the connection simply ends.
        if (this.#held.empty || this.stream.blocked) return this.abort();
        this.#exchange.record.start(this.#headSince || now, this.#held.length);
        return this.#reject("headTimeout");
      case SKIPPING:
        return this.#finish();
      case LINGER:
        return this.#lingerOn(now);
    }
  }

  /** Closes at once, as the node stops: what is not sent is lost. */
  close(): void {
    if (this.#tunnel !== null) return this.#tunnel.close("draining");
    this.#exchange.abandon("draining");
    this.abort();
  }

  /** An answer cannot be given, or not to its end: what is queued is still sent, then the connection ends. */
  breakOff(): void {
    this.#finish();
  }

  /** The connection cannot go on, and nothing can or need be sent any more. */
  abort(): void {
    this.stream.close();
    this.#gone();
  }

  /** Stops after the request under way. An idle client may have sent one that is still on its way: it is waited for. */
  drain(): void {
    if (this.#state === HEAD && this.#held.empty) this.arm(this.environment.now() + DRAIN_GRACE_MS);
  }

  /** Lines to add to the request. */
  additions(
    head: Head,
    info: RequestInfo,
    bytes: Uint8Array,
    pool: LivePool | null,
    edit: RequestEdit | null,
  ): RequestAdditions {
    const { live } = this.listener;
    return this.#forwarded.additions(head, info, bytes, this.address, live, pool, edit);
  }

  /** The server can take more of the body. */
  resumeBody(): void {
    if (this.#working) return;
    // Resumed first: whatever comes of what is held may pause again.
    this.stream.resume();
    if (!this.#held.empty) this.#workHeld();
  }

  /** The exchange is over and has been accounted for. */
  exchangeDone(keepAlive: boolean): void {
    if (this.#state === CLOSED) return;
    if (!keepAlive || this.listener.draining || this.#ended && this.#held.empty) return this.#finish();
    if (this.#exchange.requestDone) return this.#awaitRequest();
    this.#state = SKIPPING;
    this.#skipped = 0;
    this.arm(this.environment.now() + this.listener.live.snapshot.timeouts.bodyMs);
    this.resumeBody();
  }

  #awaitRequest(): void {
    this.#state = HEAD;
    this.#headSince = 0;
    this.#queued = this.stream.queued;
    const { timeouts } = this.listener.live.snapshot;
    const { blocked } = this.stream;
    this.arm(this.environment.now() + (blocked ? timeouts.idleMs : timeouts.keepAliveMs));
    // A client that pipelines and does not read must not make us queue answer after answer.
    if (blocked) this.stream.pause();
    else if (!this.#working) this.#nextRequest();
  }

  /** Becomes a tunnel to the server, whose first bytes have been written already; `idleMs`: how long it may be silent. */
  tunnel(server: Stream, idleMs: number): void {
    this.#state = TUNNEL;
    this.environment.wheel.drop(this.#timer);
    this.#tunnel = new Tunnel(this, this.environment, this.stream, server, idleMs);
    const { bytes, start, end } = this.#held;
    if (end > start) {
      server.write(bytes.subarray(start, end));
      this.#tunnel.bytesUp += end - start;
    }
    this.#held.drop();
    this.#tunnel.start(this.#ended);
  }

  onTunnelEnded(tunnel: Tunnel): void {
    this.#exchange.onTunnelEnded(tunnel);
    this.#gone();
  }

  /** Counts and logs a finished request. */
  account(exchange: Exchange): void {
    accountFor(this, exchange, this.answering.minor, this.#headSince);
  }

  /** The client has sent FIN: its answer must begin soon, whatever it waits for. */
  #armHalfClosed(): void {
    this.#giveUpAt = this.environment.now() + HALF_CLOSED_MS;
    if (!this.#exchange.responding) this.arm(this.#giveUpAt);
  }

  #bounded(at: number): number {
    return this.#state === EXCHANGE && !this.#exchange.responding ? Math.min(at, this.#giveUpAt) : at;
  }

  /** Goes on with what is held, or waits for more. */
  #nextRequest(): void {
    this.stream.bulk(false);
    this.resumeBody();
  }

  /** Uses what it can of the bytes and keeps the rest. `fresh`: the stream is delivering them right now. */
  #work(bytes: Uint8Array, at: number, end: number, fresh: boolean): void {
    const held = this.#held;
    this.#working = true;
    let used = -1;
    try {
      used = this.#use(bytes, at, end, fresh);
    } finally {
      this.#working = false;
      // What a mistake of ours was made of must not be made again.
      if (used < 0) held.drop();
    }
    at = used;
    if (this.#state === CLOSED || at >= end) held.drop();
    else {
      held.keep(bytes, at, end);
      if (this.#state !== HEAD && held.length >= READ_AHEAD_BYTES) this.stream.pause();
    }
    if (this.#ended) this.#endOfRequests();
  }

  /** Nothing more will come: what is held is the last of it, and may be part of a request that can never be. */
  #endOfRequests(): void {
    if (this.#state === HEAD) {
      // Our FIN follows what is queued, and then the stream closes by itself.
      if (this.#held.empty || !this.stream.blocked) this.#finish();
    } else if (this.#state === EXCHANGE) {
      if (!this.#exchange.requestDone && this.#held.empty) this.#exchange.fail("clientGone");
      else this.#armHalfClosed();
    } else if (this.#state === SKIPPING) this.#finish();
  }

  #workHeld(): void {
    const { bytes, start, end } = this.#held;
    this.#work(bytes, start, end, false);
  }

  #use(bytes: Uint8Array, at: number, end: number, fresh: boolean): number {
    while (at < end) {
      const before = at;
      const { state } = this;
      if (state === HEAD) {
        if (this.stream.blocked) return at;
        at = this.#readHead(bytes, at, end);
      } else if (state === EXCHANGE && !this.#exchange.requestDone) {
        at = this.#exchange.takeBody(bytes, at, end, fresh);
      } else if (state === SKIPPING) at = this.#skip(bytes, at, end);
      else if (state === LINGER) at = this.#discard(end - at, end);
      else return state === CLOSED ? end : at;
      if (at === before && state === this.state) return at;
    }
    return at;
  }

  /** Reads a body that nobody wants; then comes the next request. */
  #skip(bytes: Uint8Array, at: number, end: number): number {
    const next = this.#exchange.skipBody(bytes, at, end);
    this.#skipped += next - at;
    if (next < 0 || this.#skipped > MAX_SKIPPED_BYTES) {
      this.#finish();
      return end;
    }
    if (!this.#exchange.requestDone) return next;
    if (this.listener.draining) this.#finish();
    else this.#awaitRequest();
    return next;
  }

  get state(): State {
    return this.#state;
  }

  #readHead(bytes: Uint8Array, at: number, end: number): number {
    const { snapshot } = this.listener.live;
    const { limits, timeouts } = snapshot;
    const progress = parseRequestHead(scratchHead, bytes, at, end, limits.headers);
    if (progress === MORE && end - at <= limits.head) {
      if (this.#headSince === 0) {
        this.#headSince = this.environment.now();
        this.arm(this.#headSince + timeouts.headMs);
      }
      return at;
    }
    if (progress === VERSION && this.#becameHttp2(bytes, at, end)) return end;
    const now = this.environment.now();
    this.answering.minor = 1;
    this.address = this.peer;
    if (progress !== DONE || scratchHead.end - at > limits.head) {
      this.#exchange.record.start(now, end - at);
      this.#reject(headProblem(progress, scratchHead, bytes, at, end, limits.head));
      return end;
    }
    this.answering.minor = scratchHead.minor;
    const problem = readRequest(scratchInfo, scratchHead, bytes);
    if (problem !== null) {
      this.#exchange.record.start(now, end - at);
      this.#reject(problem, scratchInfo.isHead);
      return end;
    }
    const { trusts, clientFields } = this.listener.live;
    if (this.#forwarded.trusted(this.listener.live)) {
      this.address = clientAddress(
        clientFields,
        (name) => fieldValue(scratchHead, bytes, name),
        this.peer,
        trusts,
      );
    }
    this.#served = true;
    this.#state = EXCHANGE;
    return this.#exchange.begin(scratchHead, scratchInfo, bytes, end, now);
  }

  /** RFC 9113 section 3.3: a client that knows that we speak HTTP/2 begins with its preface. */
  #becameHttp2(bytes: Uint8Array, at: number, end: number): boolean {
    const { owner } = this;
    if (owner.onHttp2 === undefined || this.#served || !beginsLike(bytes, at, end, PREFACE)) return false;
    this.#state = CLOSED;
    this.environment.wheel.drop(this.#timer);
    owner.onHttp2(this, bytes.subarray(at, end));
    return true;
  }

  /** Refuses what could not be read as a request, and closes. */
  #reject(code: ErrorCode, bodyless = false): void {
    this.#exchange.record.error = code;
    this.answering.error(code, false, bodyless, this.listener.live.pages, null);
    this.account(this.#exchange);
    this.#finish();
  }

  /** Nothing more is answered: FIN behind what is queued, then the end. */
  #finish(): void {
    this.#state = LINGER;
    this.#dropHeldUnlessWorking();
    this.#linger ??= new Linger(this.stream);
    this.arm(this.#linger.start(this.environment.now()));
  }

  /** An answer is still being read, slowly: that goes on as long as it goes on. */
  #waitForReader(now: number): void {
    this.#queued = this.stream.queued;
    this.arm(now + this.listener.live.snapshot.timeouts.idleMs);
  }

  #lingerOn(now: number): void {
    const at = this.#linger!.onDeadline(now, this.listener.live.snapshot.timeouts.idleMs);
    if (at === 0) this.abort();
    else this.arm(at);
  }

  #discard(size: number, end: number): number {
    if (this.#linger!.discard(size)) this.abort();
    return end;
  }

  /** What is being worked on is dropped when that is over. */
  #dropHeldUnlessWorking(): void {
    if (!this.#working) this.#held.drop();
  }

  #gone(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.environment.wheel.drop(this.#timer);
    this.#dropHeldUnlessWorking();
    this.#exchange.forget();
    this.owner.onGone(this);
  }
}

/** True when as much of `start` as there is stands there. */
function beginsLike(bytes: Uint8Array, at: number, end: number, start: Uint8Array): boolean {
  for (let i = 0; i < start.length && at + i < end; i++) if (bytes[at + i] !== start[i]) return false;
  return true;
}
