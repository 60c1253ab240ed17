/**
 * What a connection of a TLS listener is until its handshake is over: a stream, a deadline, and nothing else. No
 * server is chosen and no request is read for a client that may not be served. It must not know what TLS is.
 */
import { LISTENER_COLUMN } from "../base/counters.ts";
import type { ErrorCode } from "../base/errors.ts";
import { plainAddress } from "../http/forwarded.ts";
import type { Stream } from "../net/stream.ts";
import type { TlsAcceptor, TlsFacts } from "../net/tls.ts";
import { TlsStream, type TlsStreamOwner } from "../net/tls_stream.ts";
import { Timer } from "../net/wheel.ts";
import { logConnection } from "./connection_log.ts";
import type { ListenerState, ProxyEnvironment } from "./environment.ts";
import { Record } from "./record.ts";
import type { Session, StageOwner } from "./stage.ts";

/** How long a client whose handshake failed may take to close. */
const LINGER_MS = 1000;

export interface HandshakeOwner extends StageOwner {
  /** A handshake failed; for the log. */
  onRefused(listener: string, client: string, reason: string): void;
  /** A session threw: a bug of ours, which costs its connection. */
  onBug(error: unknown): void;
}

export class Handshake implements Session, TlsStreamOwner {
  readonly #environment: ProxyEnvironment;
  readonly #timer: Timer;
  readonly #stream: TlsStream;
  readonly #startedAt: number;
  #over = false;

  /** `next` makes the session that serves the stream of text. */
  constructor(
    readonly owner: HandshakeOwner,
    readonly listener: ListenerState,
    below: Stream,
    acceptor: TlsAcceptor,
    readonly next: (text: Stream) => Session,
  ) {
    this.#environment = owner.environment;
    this.#startedAt = owner.environment.now();
    this.#timer = new Timer(this);
    this.#stream = new TlsStream(below, "client", (events) => acceptor.open(events), this);
  }

  start(): void {
    const { headMs } = this.listener.live.snapshot.timeouts;
    this.#environment.wheel.set(this.#timer, this.#startedAt + headMs);
    this.#stream.start();
  }

  /** A client in its handshake is about to send something: it is served as one that came before. */
  drain(): void {}

  close(): void {
    this.#over = true;
    this.#stream.close();
  }

  onDeadline(): void {
    if (!this.#over) this.#refused("tlsTimeout", "it was not over in time");
    this.#stream.close();
  }

  onSecure(text: TlsStream, facts: TlsFacts): void {
    this.#over = true;
    this.#environment.wheel.drop(this.#timer);
    const { row } = this.listener.live.snapshot;
    const column = facts.resumed ? LISTENER_COLUMN.tlsResumed : LISTENER_COLUMN.tlsHandshakes;
    this.#environment.counters.addListener(row, column, 1);
    const next = this.next(text);
    this.owner.onReplaced(this, next);
    next.start();
    if (this.listener.draining) next.drain();
  }

  onRefused(reason: string): void {
    if (this.#over) return;
    // A client that leaves without a word is mostly one that only wants to know whether somebody listens.
    this.#refused(reason === "" ? null : "tlsFailed", reason);
    this.#environment.wheel.set(this.#timer, this.#environment.now() + LINGER_MS);
  }

  onGone(): void {
    this.#environment.wheel.drop(this.#timer);
    this.owner.onGone(this);
  }

  onBug(error: unknown): void {
    this.owner.onBug(error);
  }

  #refused(code: ErrorCode | null, reason: string): void {
    this.#over = true;
    if (code === null) return;
    const { live } = this.listener;
    const { row, name } = live.snapshot;
    this.#environment.counters.addListener(row, LISTENER_COLUMN[code], 1);
    const record = new Record();
    record.start(this.#startedAt, 0);
    record.error = code;
    logConnection(this.owner, this.listener, this.#stream, record, this.#environment.now(), "");
    this.owner.onRefused(name, plainAddress(this.#stream.remoteHost), reason);
  }
}
