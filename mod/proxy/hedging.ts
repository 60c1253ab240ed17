/**
 * A second attempt at a request whose first has not been answered in its time: the same request to another server.
 * Whichever answers first is used, the other is cancelled.
 *
 * Only of requests that may be sent again, have no body and belong to no session. Failures of the second attempt are
 * its own: the first goes on. When the first fails, the second takes its place. Made with the first request that is
 * hedged, and used again.
 */
import { SERVER_COLUMN } from "../base/counters.ts";
import type { ErrorCode } from "../base/errors.ts";
import type { Head } from "../http1/head.ts";
import type { ResponseInfo } from "../http1/response.ts";
import type { Dial, DialHandler, Stream } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import type { Attempts } from "./attempts.ts";
import type { LivePool, ProxyEnvironment } from "./environment.ts";
import { Record } from "./record.ts";
import type { UpstreamRequest } from "./request_head.ts";
import type { ReusableConnections } from "./reusable.ts";
import type { ResponseHandler, ServerConnection } from "./server_connection.ts";

/** The first attempt, and what both have in common. */
export interface HedgedSide {
  readonly attempts: Attempts;
  readonly request: UpstreamRequest;
  readonly reusable: ReusableConnections;
  readonly handler: ResponseHandler;
  preface(pool: LivePool): Uint8Array | null;
  /** The second attempt is the only one from now on. */
  onHedgeTaken(server: ServerConnection): void;
}

export class Hedging implements DialHandler, ResponseHandler {
  readonly #side: HedgedSide;
  readonly #environment: ProxyEnvironment;
  readonly #timer: Timer;
  readonly #record = new Record();
  #pool: LivePool | null = null;
  /** Of the server where a place is held, or -1. */
  #index = -1;
  #dial: Dial | null = null;
  #server: ServerConnection | null = null;

  constructor(side: HedgedSide, environment: ProxyEnvironment) {
    this.#side = side;
    this.#environment = environment;
    this.#timer = new Timer(this);
  }

  get headRequest(): boolean {
    return this.#side.handler.headRequest;
  }

  /** The first attempt is under way; a second is made at `at`. */
  begin(at: number): void {
    this.#environment.wheel.set(this.#timer, at);
  }

  onDeadline(now: number): void {
    const { attempts } = this.#side;
    const index = attempts.hedge(now);
    if (index < 0) return;
    const pool = this.#pool = attempts.pool!;
    const { name, servers } = pool.snapshot;
    const server = servers[index]!;
    this.#index = index;
    this.#record.start(now, 0);
    this.#record.acquired(name, server.name, now);
    this.#count(SERVER_COLUMN.requests);
    this.#count(SERVER_COLUMN.hedges);
    const idle = this.#side.reusable.take(pool.snapshot, server.slot);
    if (idle !== null) {
      this.#count(SERVER_COLUMN.reuses);
      return this.#send(idle, now);
    }
    // No longer than the first attempt is waited for.
    this.#dial = (pool.dialer ?? this.#environment.dialer).dial(server.host, server.port, this, {
      name: server.tlsName ?? "",
      preface: this.#side.preface(pool),
    });
  }

  onOpen(stream: Stream): void {
    this.#dial = null;
    this.#count(stream.reused === true ? SERVER_COLUMN.reuses : SERVER_COLUMN.connections);
    const { snapshot } = this.#pool!;
    const adopted = this.#side.reusable.adopt(stream, this.#slot, snapshot);
    this.#send(adopted, this.#environment.now());
  }

  onFailed(_error: Error): void {
    this.#dial = null;
    this.#count(SERVER_COLUMN.connectErrors);
    this.cancel();
  }

  /** The first attempt has failed, by `code` (null: not by its server's fault): true when this one takes its place. */
  takeOver(code: ErrorCode | null): boolean {
    if (this.#server === null) return false;
    if (code !== null) this.#side.attempts.countFailure(code);
    this.#take(this.#server);
    return true;
  }

  /** Only the first attempt goes on, if any. */
  cancel(): void {
    this.#environment.wheel.clear(this.#timer);
    this.#dial?.cancel();
    this.#dial = null;
    this.#server?.release(false);
    this.#server = null;
    if (this.#index < 0) return;
    const slot = this.#slot;
    const now = this.#environment.now();
    this.#index = -1;
    this.#record.leaving(this.#environment, slot, now);
    this.#pool!.balancer.release(slot, now);
    this.#pool = null;
  }

  /** There will be no request any more. */
  drop(): void {
    this.cancel();
    this.#environment.wheel.drop(this.#timer);
  }

  onResponseHead(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number, fresh: boolean): boolean {
    const { status } = head;
    if (status > 101 && status < 200 || status === 100) return true;
    // A refusal is no answer while another may come.
    if (status === 101 || status === 408 || status >= 500) {
      this.#record.answered(status, this.#environment.now());
      this.cancel();
      return false;
    }
    const { handler } = this.#side;
    this.#count(SERVER_COLUMN.hedgesWon);
    this.#take(this.#server!);
    return handler.onResponseHead(head, info, bytes, end, fresh);
  }

  /** Nothing of a body is read before a head has won. */
  onResponseBytes(): boolean {
    return false;
  }

  onMalformedResponse(): void {
    this.#count(SERVER_COLUMN.badResponses);
    this.cancel();
  }

  onServerClosed(_error: Error | null, begun: boolean): void {
    // An idle connection may have been too old, which is no fault of the server.
    if (begun) this.#count(SERVER_COLUMN.resets);
    else if (this.#server!.uses === 1) this.#count(SERVER_COLUMN.emptyReplies);
    this.cancel();
  }

  onServerDrain(): void {}

  get #slot(): number {
    return this.#pool!.snapshot.servers[this.#index]!.slot;
  }

  #count(column: number): void {
    this.#environment.counters.addServer(this.#slot, column, 1);
  }

  #send(server: ServerConnection, now: number): void {
    const { request } = this.#side;
    this.#server = server;
    this.#record.connected(now);
    server.attach(this);
    server.stream.writeLease(request.lease!.share(), 0, request.length);
  }

  #take(server: ServerConnection): void {
    const index = this.#index;
    this.#server = this.#pool = null;
    this.#index = -1;
    this.#environment.wheel.clear(this.#timer);
    server.exchange = this.#side.handler;
    this.#side.attempts.goOnAt(index, this.#record);
    this.#side.onHedgeTaken(server);
  }
}
