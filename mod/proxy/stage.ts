/**
 * What comes before a session on a client's connection: something is read first, within a time-out, and then the
 * stream goes on to whoever is next. A base for such stages.
 *
 * A stage that ends without a session is counted and logged as a connection that failed, unless its client left
 * without having said anything. It must not know what it reads.
 */
import type { ErrorCode } from "../base/errors.ts";
import type { Stream, StreamHandler } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import { logConnection } from "./connection_log.ts";
import type { ListenerState, ProxyEnvironment } from "./environment.ts";
import { HeldBytes } from "./held.ts";
import { type AccessRecorder, Record } from "./record.ts";

/** How long a client that has said nothing is kept when its listener drains. The same as for an idle one. */
const DRAIN_GRACE_MS = 1000;

/** What has a client's connection, one after the other. */
export interface Session {
  readonly listener: ListenerState;
  start(): void;
  drain(): void;
  close(): void;
}

export interface StageOwner {
  readonly environment: ProxyEnvironment;
  readonly recorder: AccessRecorder;
  /** The connection is gone for good. */
  onGone(session: Session): void;
  /** `next` has the connection from now on. */
  onReplaced(stage: Session, next: Session): void;
}

export abstract class Stage implements Session, StreamHandler {
  /** What came and is not used yet. */
  protected held: HeldBytes;
  /** The name that the client asks for, for the log; empty: not known. */
  protected serverName = "";
  readonly #environment: ProxyEnvironment;
  readonly #timer: Timer;
  readonly #startedAt: number;
  #over = false;

  constructor(readonly owner: StageOwner, readonly listener: ListenerState, readonly stream: Stream) {
    this.#environment = owner.environment;
    this.#startedAt = owner.environment.now();
    this.#timer = new Timer(this);
    this.held = new HeldBytes(owner.environment.buffers);
    stream.handler = this;
  }

  /** The code of a client that is too slow. */
  protected abstract readonly timeout: ErrorCode;
  /** Uses what it can of the bytes, all that came so far; what it keeps it must put into `held`. */
  abstract onData(view: Uint8Array): void;

  start(): void {
    this.#environment.wheel.set(this.#timer, this.#startedAt + this.listener.live.snapshot.timeouts.headMs);
    this.stream.resume();
  }

  drain(): void {
    if (this.#over || !this.held.empty) return;
    this.#environment.wheel.set(this.#timer, this.#environment.now() + DRAIN_GRACE_MS);
  }

  close(): void {
    this.fail("draining");
  }

  onDeadline(): void {
    this.fail(this.listener.draining && this.held.empty ? "draining" : this.timeout);
  }

  onEnd(): void {
    this.fail("clientGone");
  }

  onDrain(): void {}

  onClosed(_error: Error | null): void {
    this.fail("clientGone");
  }

  /** How long it has taken so far. */
  protected get tookMs(): number {
    return this.#environment.now() - this.#startedAt;
  }

  /** Gives the connection, paused, to the session that `make` makes. Whatever is held must have been used. */
  protected proceed(make: () => Session): void {
    if (this.#over) return;
    this.#leave();
    this.stream.pause();
    const next = make();
    this.owner.onReplaced(this, next);
    next.start();
    if (this.listener.draining) next.drain();
  }

  /** Ends the connection. */
  protected fail(code: ErrorCode): void {
    if (this.#over) return;
    const silent = this.held.empty && code === "clientGone";
    this.#leave();
    this.stream.close();
    if (!silent) this.#account(code);
    this.owner.onGone(this);
  }

  #leave(): void {
    this.#over = true;
    this.held.drop();
    this.#environment.wheel.drop(this.#timer);
  }

  #account(code: ErrorCode): void {
    const { live } = this.listener;
    const now = this.#environment.now();
    const record = new Record();
    record.start(this.#startedAt, 0);
    record.error = code;
    record.account(this.#environment, live.snapshot.row, now);
    logConnection(this.owner, this.listener, this.stream, record, now, this.serverName);
  }
}
