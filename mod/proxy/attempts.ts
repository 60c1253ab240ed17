/**
 * Finds a connection to a server for one request or client: choose, wait for a place, reuse or dial, and, after a
 * failure, decide whether to try again elsewhere. The same for HTTP exchanges and TCP connections.
 *
 * A machine: called by the pool, the dialer and its owner; `slot` says where it holds a place, until `leave`. It must
 * not know what is sent over the connection.
 */
import type { Breaker } from "../base/breaker.ts";
import { type ErrorCode, ERRORS } from "../base/errors.ts";
import { SERVER_COLUMN } from "../base/counters.ts";
import type { RetryCondition } from "../config/failure_snapshot.ts";
import { acquireFor, type Stick } from "../balance/stick.ts";
import { NO_SERVER, QUEUED, type Waiter } from "../balance/pool.ts";
import { type Dial, type DialHandler, type Stream, TlsFailure } from "../net/stream.ts";
import { backoffMs } from "./retry.ts";
import type { LivePool, ProxyEnvironment } from "./environment.ts";
import type { Record } from "./record.ts";

const NONE_TRIED: number[] = [];

export interface AttemptOwner {
  /** Sets the one deadline of what is awaited. */
  arm(at: number): void;
  /** Goes on with an idle connection to the server of `slot`; false: there is none. */
  reuse(slot: number, now: number): boolean;
  /** What a new connection to a server of the pool begins with; null: nothing. */
  preface(pool: LivePool): Uint8Array | null;
  /** A new connection to the server that was chosen. */
  onConnected(stream: Stream, now: number): void;
  /** There will be no connection. */
  onGivenUp(code: ErrorCode): void;
}

export class Attempts implements DialHandler, Waiter {
  /** For the queue only. */
  ticket = -1;
  /** The pool of the request under way. */
  pool: LivePool | null = null;
  /** Slot of the server where a place is held, or -1. */
  slot = -1;
  /** True while waiting in the queue; else, without a connection, one is being made. */
  queued = false;
  readonly #owner: AttemptOwner;
  readonly #environment: ProxyEnvironment;
  readonly #record: Record;
  #index = -1;
  #dial: Dial | null = null;
  #tried = NONE_TRIED;
  #count = 0;
  #hash = 0;
  /** The next attempt is one more at what has failed, and not at what an idle connection was too old for. */
  #backsOff = false;
  /** A place is held, for an attempt that is not to be made yet. */
  #pausing = false;
  /** Null: the request belongs to no session. */
  #stick: Stick | null = null;
  /** Slot of the server whose attempt failed, until there is another attempt; -1: none. */
  #left = -1;
  /** The attempt that is being prepared was paid for from the budget. */
  #paid = false;
  /** An idle connection had gone stale: the next one must be new. */
  #freshOnly = false;

  constructor(owner: AttemptOwner, environment: ProxyEnvironment, record: Record) {
    this.#owner = owner;
    this.#environment = environment;
    this.#record = record;
  }

  /** No connection has turned out to be stale yet, so that one may. */
  get reuses(): boolean {
    return !this.#freshOnly;
  }

  /** Begins for a new request. `stick`: of the session that it may belong to, or null. */
  start(pool: LivePool, hash: number, now: number, stick: Stick | null): void {
    this.pool = pool;
    this.#hash = hash;
    this.#stick = stick;
    this.#tried = NONE_TRIED;
    this.#count = 0;
    this.#freshOnly = false;
    pool.budget.onRequest();
    this.#left = -1;
    this.#paid = false;
    this.#record.pool = pool.snapshot.name;
    this.#record.poolRow = pool.snapshot.row;
    const refusal = pool.breaker === null ? null : this.#refusal(pool, pool.breaker);
    if (refusal !== null) return this.#owner.onGivenUp(refusal);
    this.#acquire(now);
  }

  /** What is awaited did not come in time. */
  onDeadline(): void {
    if (this.#pausing) this.#resume(this.#environment.now());
    else if (this.queued) this.#owner.onGivenUp("queueTimeout");
    else this.failed("connectTimeout", true, false);
  }

  /**
   * The attempt failed. `resendable`: what was sent may be sent again; `stale`: an idle connection turned out to be
   * gone, which is no fault of the server. Goes on elsewhere or gives up.
   */
  failed(code: ErrorCode, resendable: boolean, stale: boolean): void {
    if (!stale) this.countFailure(code);
    if (!resendable || !(stale || this.#mayRetry(code))) return this.#owner.onGivenUp(code);
    this.#record.error = code;
    this.#retreat(stale);
    this.#acquire(this.#environment.now());
  }

  /**
   * When `condition` is one to retry on, takes a place on another server and answers its index, for `moveTo`; else -1.
   * An answer in hand, or awaited, is better than none, so nobody queues for it.
   */
  elsewhere(condition: RetryCondition): number {
    const { snapshot: { retry, servers }, budget, balancer } = this.pool!;
    if (!retry.on.includes(condition) || !this.moreAttempts || this.#stays()) return -1;
    const now = this.#environment.now();
    let index = balancer.acquire(this.#hash, [...this.#tried, this.slot], now, null);
    if (index === NO_SERVER && retry.backoff !== undefined) {
      index = balancer.acquire(this.#hash, NONE_TRIED, now, null);
    }
    if (index < 0 || budget.take()) return index;
    balancer.release(servers[index]!.slot);
    return -1;
  }

  /** True while the request may be sent to yet another server. */
  get moreAttempts(): boolean {
    const { snapshot, breaker } = this.pool!;
    return this.#count < snapshot.retry.attempts && breaker?.closed !== false;
  }

  /** Takes a place on another server while the present one is slow; its index, or -1. Nobody queues for it. */
  hedge(now: number): number {
    const { snapshot: { servers }, budget, balancer, breaker } = this.pool!;
    if (breaker?.closed === false) return -1;
    const index = balancer.acquire(this.#hash, [...this.#tried, this.slot], now, null);
    if (index < 0) return -1;
    if (budget.take()) {
      this.#record.retries++;
      return index;
    }
    balancer.release(servers[index]!.slot);
    return -1;
  }

  /** Leaves the present server for that of a hedge, which has its place already and is at `record`. */
  goOnAt(index: number, { acquiredAt, connectedAt }: Record): void {
    const { name, servers } = this.pool!.snapshot;
    // It was one more attempt, and the server that is left has had its chance.
    this.#count++;
    this.#tried = [...this.#tried, this.slot];
    this.leave();
    this.#index = index;
    this.slot = servers[index]!.slot;
    this.#record.acquired(name, servers[index]!.name, acquiredAt);
    this.#record.connectedAt = connectedAt;
  }

  /** True for a request of a session. */
  get stuck(): boolean {
    return this.#stick !== null;
  }

  /** Leaves the present server for the one that `elsewhere` found. */
  moveTo(index: number): void {
    this.#retreat(false);
    this.#stick?.settle(index);
    this.#use(index, this.#environment.now());
  }

  /** The head of the answer, or for TCP the connection (status 0), came after `ms`. */
  observe(ms: number, now: number, status = 0): void {
    const { balancer, breaker, latencies } = this.pool!;
    balancer.observe(this.#index, ms, now);
    latencies?.add(ms);
    if (breaker === null) return;
    if (status >= 500) breaker.onFailure(this.#environment.wallClock());
    else breaker.onSuccess(this.#environment.wallClock());
  }

  /** Lets go of queue, attempt and place, whichever there is. */
  leave(): void {
    if (this.ticket >= 0) this.pool!.balancer.cancel(this);
    this.#dial?.cancel();
    this.#dial = null;
    this.queued = this.#pausing = false;
    if (this.slot < 0) return;
    const { slot } = this;
    const now = this.#environment.now();
    this.#record.leaving(this.#environment, slot, now);
    this.slot = -1;
    this.pool!.balancer.release(slot, now);
  }

  /** Adds one to a counter of the present server. */
  count(column: number): void {
    this.#environment.counters.addServer(this.slot, column, 1);
  }

  onGranted(slot: number): void {
    this.#environment.counters.addServer(slot, SERVER_COLUMN.queued, 1);
    const { balancer } = this.pool!;
    const now = this.#environment.now();
    const index = balancer.indexOf(slot);
    if (this.#stick === null || this.#stick.settle(index) === index) return this.#use(index, now);
    // While it waited, another worker put its session on another server.
    this.queued = false;
    balancer.release(slot, now);
    this.#acquire(now);
  }

  onOpen(stream: Stream): void {
    this.#dial = null;
    this.count(stream.reused === true ? SERVER_COLUMN.reuses : SERVER_COLUMN.connections);
    this.#owner.onConnected(stream, this.#environment.now());
  }

  onFailed(error: Error): void {
    this.#dial = null;
    if (!(error instanceof TlsFailure)) return this.failed("connectFailed", true, false);
    const { name, servers } = this.pool!.snapshot;
    this.#environment.onTlsFailure?.({
      pool: name,
      server: servers[this.#index]!.name,
      slot: this.slot,
      reason: error.message,
    });
    this.failed(error.untrusted ? "serverCertificate" : "connectFailed", true, false);
  }

  #acquire(now: number): void {
    const { snapshot } = this.pool!;
    let index = this.#place(now);
    if (index === NO_SERVER && this.#tried.length > 0 && snapshot.retry.backoff !== undefined) {
      this.#tried = NONE_TRIED;
      index = this.#place(now);
    }
    if (index >= 0) return this.#use(index, now);
    if (index === QUEUED) {
      this.queued = true;
      return this.#owner.arm(now + snapshot.queue.timeoutMs);
    }
    if (this.#paid) this.pool!.budget.giveBack();
    // With no server left, the reason is what went wrong with the last one.
    this.#owner.onGivenUp(index === NO_SERVER ? this.#record.error ?? "noServer" : "queueFull");
  }

  #refusal({ snapshot, balancer }: LivePool, breaker: Breaker): ErrorCode | null {
    const { maxRequests } = snapshot.breaker!;
    if (maxRequests > 0 && balancer.active >= maxRequests) return "overloaded";
    return breaker.admits(this.#environment.wallClock()) ? null : "breakerOpen";
  }

  #place(now: number): number {
    const { balancer } = this.pool!;
    if (this.#stick === null) return balancer.acquire(this.#hash, this.#tried, now, this);
    return acquireFor(this.#stick, balancer, this.#hash, this.#tried, now, this);
  }

  /** A place on a server is ours. */
  #use(index: number, now: number): void {
    const { snapshot, random } = this.pool!;
    const server = snapshot.servers[index]!;
    const pauseMs = this.#left < 0 || !this.#backsOff ? 0 : backoffMs(snapshot.retry, this.#count, random);
    this.queued = false;
    if (this.#left >= 0) {
      this.#environment.counters.addServer(this.#left, SERVER_COLUMN.retries, 1);
      this.#record.retries++;
      this.#left = -1;
    }
    this.#paid = false;
    this.#index = index;
    this.slot = server.slot;
    this.#record.acquired(snapshot.name, server.name, now);
    if (pauseMs === 0) return this.#connect(now);
    this.#pausing = true;
    this.#owner.arm(now + pauseMs);
  }

  #resume(now: number): void {
    this.#pausing = false;
    const { pool, server } = this.#record;
    this.#record.acquired(pool, server, now);
    this.#connect(now);
  }

  #connect(now: number): void {
    const { snapshot } = this.pool!;
    const server = snapshot.servers[this.#index]!;
    this.count(SERVER_COLUMN.requests);
    if (this.#tried.length > 0) this.count(SERVER_COLUMN.redispatches);
    if (!this.#freshOnly && this.#owner.reuse(server.slot, now)) return;
    this.#owner.arm(now + snapshot.timeouts.connectMs);
    const dialer = this.pool!.dialer ?? this.#environment.dialer;
    this.#dial = dialer.dial(server.host, server.port, this, {
      name: server.tlsName ?? "",
      preface: this.#owner.preface(this.pool!),
    });
  }

  #mayRetry(code: ErrorCode): boolean {
    const { snapshot: { retry }, budget } = this.pool!;
    const condition = ERRORS[code].retry;
    if (condition === null || !retry.on.includes(condition) || !this.moreAttempts) return false;
    // Where no connection was made no server has done any work: there is no load to be multiplied.
    this.#paid = condition !== "connect" && budget.take();
    return this.#paid || condition === "connect";
  }

  /** Leaves the server of a failed attempt and notes that there was one. */
  #retreat(stale: boolean): void {
    this.#left = this.slot;
    this.#backsOff = !stale;
    if (stale) this.#freshOnly = true;
    else {
      this.#count++;
      if (!this.#stays()) this.#tried = [...this.#tried, this.slot];
    }
    this.leave();
  }

  /** True when the request must not leave the server that its session has been on. */
  #stays(): boolean {
    return this.#stick !== null && !this.pool!.sticky!.redispatch && this.#stick.home === this.#index;
  }

  /** Notes that the attempt at the present server has failed. */
  countFailure(code: ErrorCode): void {
    if (ERRORS[code].side === "upstream") this.pool!.breaker?.onFailure(this.#environment.wallClock());
    if (code === "connectFailed" || code === "serverCertificate") this.count(SERVER_COLUMN.connectErrors);
    else if (code === "connectTimeout") {
      this.count(SERVER_COLUMN.connectErrors);
      this.count(SERVER_COLUMN.connectTimeouts);
    } else if (code === "emptyReply") this.count(SERVER_COLUMN.emptyReplies);
    else if (code === "responseTimeout") this.count(SERVER_COLUMN.responseTimeouts);
    else if (code === "responseReset") this.count(SERVER_COLUMN.resets);
    else if (code === "badResponse") this.count(SERVER_COLUMN.badResponses);
  }
}
