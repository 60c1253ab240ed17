/**
 * The copy of a request on its way to a mirror's pool: gets a connection, sends, reads the answer and forgets it.
 *
 * A machine of its own, which the request it is a copy of knows nothing of. It ends by itself: what it waits for has
 * deadlines, and of an answer it reads no more than would cost less than a new connection. Results are only counted.
 */
import { LISTENER_COLUMN, SERVER_COLUMN } from "../base/counters.ts";
import type { ErrorCode } from "../base/errors.ts";
import { BodyReader, DATA, END, MORE, UNTIL_CLOSE } from "../http1/body.ts";
import type { Head } from "../http1/head.ts";
import type { ResponseInfo } from "../http1/response.ts";
import type { Lease } from "../net/buffers.ts";
import { type Stream, Unprocessed } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import { type AttemptOwner, Attempts } from "./attempts.ts";
import type { LiveMirror, ProxyEnvironment } from "./environment.ts";
import { Record } from "./record.ts";
import { type ResponseHandler, ServerConnection } from "./server_connection.ts";

/** Of an answer that is longer the rest is not read: its connection is closed. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** A whole request, as it was sent to a server. */
export interface CopiedRequest {
  /** Whose bytes from `start` to `end` are head and body; released with the copy. */
  readonly lease: Lease;
  readonly start: number;
  readonly end: number;
  readonly isHead: boolean;
  readonly idempotent: boolean;
  /** For the policy of the pool. */
  readonly hash: number;
  /** Of the listener, in the counters. */
  readonly row: number;
}

export class MirrorRequest implements AttemptOwner, ResponseHandler {
  readonly headRequest: boolean;
  readonly #mirror: LiveMirror;
  readonly #environment: ProxyEnvironment;
  readonly #request: CopiedRequest;
  readonly #record = new Record();
  readonly #attempts: Attempts;
  readonly #timer: Timer;
  readonly #body = new BodyReader();
  #server: ServerConnection | null = null;
  #answered = false;
  #serverKeepAlive = true;
  #bytes = 0;

  constructor(mirror: LiveMirror, environment: ProxyEnvironment, request: CopiedRequest) {
    this.headRequest = request.isHead;
    this.#mirror = mirror;
    this.#environment = environment;
    this.#request = request;
    this.#attempts = new Attempts(this, environment, this.#record);
    this.#timer = new Timer(this);
  }

  start(): void {
    const now = this.#environment.now();
    this.#record.start(now, this.#request.end - this.#request.start);
    this.#attempts.start(this.#mirror.pool, this.#request.hash, now, null);
  }

  arm(at: number): void {
    this.#environment.wheel.set(this.#timer, at);
  }

  onDeadline(): void {
    if (this.#server === null) return this.#attempts.onDeadline();
    this.#attempts.count(SERVER_COLUMN.responseTimeouts);
    this.#finish(false, false);
  }

  reuse(slot: number, now: number): boolean {
    const idle = this.#environment.idle.take(slot);
    if (idle === null) return false;
    this.#attempts.count(SERVER_COLUMN.reuses);
    this.#send(idle, now);
    return true;
  }

  /** A copy has no client, and its pool no PROXY header. */
  preface(): null {
    return null;
  }

  onConnected(stream: Stream, now: number): void {
    const { idleMs } = this.#attempts.pool!.snapshot.timeouts;
    this.#send(new ServerConnection(this.#environment, stream, this.#attempts.slot, idleMs), now);
  }

  onGivenUp(_code: ErrorCode): void {
    this.#finish(false, false);
  }

  onServerDrain(): void {}

  onMalformedResponse(): void {
    this.#attempts.count(SERVER_COLUMN.badResponses);
    this.#finish(false, false);
  }

  onServerClosed(error: Error | null, begun: boolean): void {
    if (this.#answered || begun) {
      const complete = error === null && this.#body.framing === UNTIL_CLOSE;
      if (!complete) this.#attempts.count(SERVER_COLUMN.resets);
      return this.#finish(complete, false);
    }
    const again = error instanceof Unprocessed && this.#attempts.reuses;
    const stale = again || this.#server!.uses > 1;
    this.#letGo(false);
    this.#attempts.failed("emptyReply", again || this.#request.idempotent, stale);
  }

  onResponseHead(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number): boolean {
    const { status } = head;
    if (status === 101) {
      this.onMalformedResponse();
      return false;
    }
    if (status < 200) return true;
    const now = this.#environment.now();
    this.#answered = true;
    this.#record.status = status;
    this.#record.firstByteAt = now;
    this.#attempts.observe(now - this.#record.connectedAt, now);
    this.#serverKeepAlive = info.keepAlive;
    this.#body.start(info.framing, info.contentLength);
    return this.onResponseBytes(bytes, head.end, end);
  }

  onResponseBytes(bytes: Uint8Array, start: number, end: number): boolean {
    const body = this.#body;
    let step;
    while ((step = body.next(bytes, start, end)) === DATA) {
      this.#bytes += body.dataEnd - body.dataStart;
      start = body.at;
    }
    this.#record.bytesOut = this.#bytes;
    if (step === MORE && this.#bytes <= MAX_ANSWER_BYTES) return true;
    const whole = step === END && body.at === end;
    this.#finish(step === END || step === MORE, whole && this.#serverKeepAlive);
    return false;
  }

  #send(server: ServerConnection, now: number): void {
    const { lease, start, end } = this.#request;
    this.#server = server;
    this.#record.connectedAt = now;
    server.attach(this);
    server.stream.writeLease(lease.share(), start, end);
    this.arm(now + this.#attempts.pool!.snapshot.timeouts.responseMs);
  }

  /** It is over. `answered`: the pool has taken it; `reusable`: the connection is kept. */
  #finish(answered: boolean, reusable: boolean): void {
    this.#letGo(reusable);
    this.#attempts.leave();
    this.#environment.wheel.drop(this.#timer);
    this.#request.lease.release();
    this.#mirror.pending--;
    const column = answered ? LISTENER_COLUMN.mirrorsAnswered : LISTENER_COLUMN.mirrorsFailed;
    this.#environment.counters.addListener(this.#request.row, column, 1);
  }

  #letGo(reusable: boolean): void {
    const server = this.#server;
    this.#server = null;
    server?.release(reusable);
  }
}
