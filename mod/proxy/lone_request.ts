/**
 * A request without a client: the copy of one, on its way to a pool. It gets a connection, sends, and hands the answer
 * to whoever wants it.
 *
 * A machine of its own, which the request it is a copy of knows nothing of. It ends by itself: what it waits for has
 * deadlines. It must not know what the answer is for.
 */
import { SERVER_COLUMN } from "../base/counters.ts";
import type { ErrorCode } from "../base/errors.ts";
import { BodyReader, DATA, END, MORE, UNTIL_CLOSE } from "../http1/body.ts";
import type { Head } from "../http1/head.ts";
import type { ResponseInfo } from "../http1/response.ts";
import type { Lease } from "../net/buffers.ts";
import { type Stream, Unprocessed } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import { type AttemptOwner, Attempts } from "./attempts.ts";
import type { LivePool, ProxyEnvironment } from "./environment.ts";
import { Record } from "./record.ts";
import { type ResponseHandler, ServerConnection } from "./server_connection.ts";

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
}

/** Who wants the answer. */
export interface LoneOwner {
  /** Its final head, good only during the call. */
  onAnswerHead(head: Head, info: ResponseInfo, bytes: Uint8Array): void;
  /** Bytes of its body, good only during the call; false: no more of it is wanted. */
  onAnswerBody(bytes: Uint8Array, start: number, end: number): boolean;
  /** It is over: the answer is whole, no more was wanted of it, or it failed. Nothing more comes. */
  onAnswerOver(how: "whole" | "cut" | "failed"): void;
}

export class LoneRequest implements AttemptOwner, ResponseHandler {
  readonly headRequest: boolean;
  readonly #owner: LoneOwner;
  readonly #pool: LivePool;
  readonly #environment: ProxyEnvironment;
  readonly #request: CopiedRequest;
  readonly #record = new Record();
  readonly #attempts: Attempts;
  readonly #timer: Timer;
  readonly #body = new BodyReader();
  #server: ServerConnection | null = null;
  #answered = false;
  #serverKeepAlive = true;

  constructor(owner: LoneOwner, pool: LivePool, environment: ProxyEnvironment, request: CopiedRequest) {
    this.headRequest = request.isHead;
    this.#owner = owner;
    this.#pool = pool;
    this.#environment = environment;
    this.#request = request;
    this.#attempts = new Attempts(this, environment, this.#record);
    this.#timer = new Timer(this);
  }

  start(): void {
    const now = this.#environment.now();
    this.#record.start(now, this.#request.end - this.#request.start);
    this.#attempts.start(this.#pool, this.#request.hash, now, null);
  }

  arm(at: number): void {
    this.#environment.wheel.set(this.#timer, at);
  }

  onDeadline(): void {
    if (this.#server === null) return this.#attempts.onDeadline();
    if (this.#answered) this.#attempts.count(SERVER_COLUMN.responseTimeouts);
    else this.#attempts.countFailure("responseTimeout");
    this.#finish("failed", false);
  }

  reuse(slot: number, now: number): boolean {
    const idle = this.#environment.idle.take(slot);
    if (idle === null) return false;
    this.#attempts.count(SERVER_COLUMN.reuses);
    this.#send(idle, now);
    return true;
  }

  /** It has no client to be told of. */
  preface(): null {
    return null;
  }

  onConnected(stream: Stream, now: number): void {
    const { idleMs } = this.#attempts.pool!.snapshot.timeouts;
    this.#send(new ServerConnection(this.#environment, stream, this.#attempts.slot, idleMs), now);
  }

  onGivenUp(_code: ErrorCode): void {
    this.#finish("failed", false);
  }

  onServerDrain(): void {}

  onMalformedResponse(): void {
    this.#attempts.countFailure("badResponse");
    this.#finish("failed", false);
  }

  onServerClosed(error: Error | null, begun: boolean): void {
    if (this.#answered || begun) {
      const complete = error === null && this.#body.framing === UNTIL_CLOSE;
      if (!this.#answered) this.#attempts.countFailure("responseReset");
      else if (!complete) this.#attempts.count(SERVER_COLUMN.resets);
      return this.#finish(complete ? "whole" : "failed", false);
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
    this.#record.answered(status, now);
    this.#attempts.observe(now - this.#record.connectedAt, now, status);
    this.#serverKeepAlive = info.keepAlive;
    this.#body.start(info.framing, info.contentLength);
    this.#owner.onAnswerHead(head, info, bytes);
    return this.onResponseBytes(bytes, head.end, end);
  }

  onResponseBytes(bytes: Uint8Array, start: number, end: number): boolean {
    const body = this.#body;
    let step, wanted = true;
    while (wanted && (step = body.next(bytes, start, end)) === DATA) {
      this.#record.bytesOut += body.dataEnd - body.dataStart;
      wanted = this.#owner.onAnswerBody(bytes, body.dataStart, body.dataEnd);
      start = body.at;
    }
    if (wanted && step === MORE) return true;
    const clean = step === END && body.at === end;
    this.#finish(!wanted ? "cut" : step === END ? "whole" : "failed", clean && this.#serverKeepAlive);
    return false;
  }

  #send(server: ServerConnection, now: number): void {
    const { lease, start, end } = this.#request;
    this.#server = server;
    this.#record.connected(now);
    server.attach(this);
    server.stream.writeLease(lease.share(), start, end);
    this.arm(now + this.#attempts.pool!.snapshot.timeouts.responseMs);
  }

  /** `reusable`: the connection is kept. */
  #finish(how: Parameters<LoneOwner["onAnswerOver"]>[0], reusable: boolean): void {
    this.#letGo(reusable);
    this.#attempts.leave();
    this.#environment.wheel.drop(this.#timer);
    this.#owner.onAnswerOver(how);
    this.#request.lease.release();
  }

  #letGo(reusable: boolean): void {
    const server = this.#server;
    this.#server = null;
    server?.release(reusable);
  }
}
