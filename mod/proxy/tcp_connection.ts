/**
 * One TCP connection through the balancer: get a connection to a server, and pump both ways.
 *
 * Nothing is read from the client before its server is there, so any attempt to connect may be repeated. It must
 * not know what the bytes mean.
 */
import type { ErrorCode } from "../base/errors.ts";
import { hashText } from "../base/hash.ts";
import { plainAddress } from "../http/forwarded.ts";
import type { Stream, StreamHandler } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import { type AttemptOwner, Attempts } from "./attempts.ts";
import type { ListenerState, ProxyEnvironment } from "./environment.ts";
import { type AccessRecorder, Record } from "./record.ts";
import { Tunnel, type TunnelOwner } from "./tunnel.ts";

export interface TcpOwner {
  readonly environment: ProxyEnvironment;
  readonly recorder: AccessRecorder;
  onGone(connection: TcpConnection): void;
}

export class TcpConnection implements StreamHandler, AttemptOwner, TunnelOwner {
  readonly address: string;
  readonly #environment: ProxyEnvironment;
  readonly #timer: Timer;
  readonly #record = new Record();
  readonly #attempts: Attempts;
  readonly #idleMs: number;
  #tunnel: Tunnel | null = null;
  #closed = false;

  constructor(readonly owner: TcpOwner, readonly listener: ListenerState, readonly stream: Stream) {
    this.#environment = owner.environment;
    this.address = plainAddress(stream.remoteHost);
    this.#timer = new Timer(this);
    this.#attempts = new Attempts(this, owner.environment, this.#record);
    this.#idleMs = listener.live.snapshot.timeouts.idleMs;
    stream.handler = this;
  }

  start(): void {
    const now = this.#environment.now();
    this.#record.start(now, 0);
    this.#attempts.start(this.listener.live.routes[0]!.pool!, hashText(this.address), now);
  }

  /** A tcp connection has no point at which it could stop gently: it runs on until the deadline of the drain. */
  drain(): void {}

  close(): void {
    if (this.#tunnel !== null) this.#tunnel.close("draining");
    else this.onGivenUp("draining");
  }

  arm(at: number): void {
    this.#environment.wheel.set(this.#timer, at);
  }

  onDeadline(): void {
    this.#attempts.onDeadline();
  }

  /** A connection that was used for one client is never used for another. */
  reuse(): boolean {
    return false;
  }

  onConnected(stream: Stream, now: number): void {
    const record = this.#record;
    record.connectedAt = record.firstByteAt = now;
    record.error = null;
    this.#attempts.observe(now - record.acquiredAt, now);
    this.#environment.wheel.drop(this.#timer);
    this.#tunnel = new Tunnel(this, this.#environment, this.stream, stream, this.#idleMs);
    this.#tunnel.start(false);
  }

  onGivenUp(code: ErrorCode): void {
    if (this.#closed) return;
    this.#record.error = code;
    this.stream.close();
    this.#gone();
  }

  onTunnelEnded({ bytesUp, bytesDown, error }: Tunnel): void {
    this.#record.bytesIn = bytesUp;
    this.#record.bytesOut = bytesDown;
    this.#record.error = error;
    this.#gone();
  }

  /** Before the tunnel takes over, the client can only leave. */
  onClosed(_error: Error | null): void {
    this.onGivenUp("clientGone");
  }
  onData(): void {}
  onEnd(): void {}
  onDrain(): void {}

  #gone(): void {
    this.#closed = true;
    this.#attempts.leave();
    this.#environment.wheel.drop(this.#timer);
    const { live } = this.listener;
    const now = this.#environment.now();
    this.#record.account(this.#environment, live.snapshot.row, now);
    if (live.logged) this.#log(now);
    this.owner.onGone(this);
  }

  #log(now: number): void {
    const { recorder } = this.owner;
    recorder.setRequest(null, 1);
    const access = recorder.record;
    this.#record.fill(access, this.#environment, now);
    access.tcp = true;
    access.listener = this.listener.live.snapshot.name;
    access.clientHost = this.address;
    access.clientPort = this.stream.remotePort;
    this.#environment.logAccess(access);
  }
}
