/**
 * One TCP connection through the balancer: get a connection to a server, and pump both ways.
 *
 * Nothing is read from the client before its server is there, or only what a stage before read to find the route,
 * and nothing of it is sent before, so any attempt to connect may be repeated. It must not know what the bytes mean.
 */
import { type ErrorCode, POOL_ERRORS } from "../base/errors.ts";
import { hashText } from "../base/hash.ts";
import { allowsAll } from "../guard/access.ts";
import { plainAddress } from "../http/forwarded.ts";
import type { Stream, StreamHandler } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import { type AttemptOwner, Attempts } from "./attempts.ts";
import { logConnection } from "./connection_log.ts";
import type { ListenerState, LivePool, LiveRoute, ProxyEnvironment } from "./environment.ts";
import { poolAt } from "./hash_key.ts";
import { HeldBytes } from "./held.ts";
import type { Opening } from "./hello_stage.ts";
import { type AccessRecorder, Record } from "./record.ts";
import { sentHeader } from "./sent_header.ts";
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
  /** Where it goes when the pool of its route fails it; null: nowhere, or it is there already. */
  #fallback: LivePool | null = null;
  /** Bytes that came before the server was there; null: none did. */
  #early: HeldBytes | null;
  #ended = false;
  #tunnel: Tunnel | null = null;
  #closed = false;

  /** `opening`: what a stage before has found out; null: the listener has one route for everything. */
  constructor(
    readonly owner: TcpOwner,
    readonly listener: ListenerState,
    readonly stream: Stream,
    readonly opening: Opening | null,
  ) {
    this.#environment = owner.environment;
    this.address = plainAddress(stream.remoteHost);
    this.#timer = new Timer(this);
    this.#attempts = new Attempts(this, owner.environment, this.#record);
    this.#early = opening === null ? null : opening.bytes;
    this.#idleMs = listener.live.snapshot.timeouts.idleMs;
    stream.handler = this;
  }

  start(): void {
    const now = this.#environment.now();
    this.#record.start(now, 0);
    const route = this.opening === null ? this.#route() : this.opening.route;
    if (route === undefined) return this.onGivenUp("noRoute");
    this.#record.taken(route.snapshot);
    if (!allowsAll(route.access, this.address)) return this.onGivenUp("accessDenied");
    this.#fallback = route.fallback?.pool ?? null;
    this.#goTo(route.split === null ? route.pool! : poolAt(route.split, hashText(this.address)), now);
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

  preface({ snapshot }: LivePool): Uint8Array | null {
    return sentHeader(snapshot, this.stream, this.address, this.serverName);
  }

  onConnected(stream: Stream, now: number): void {
    const record = this.#record;
    record.connectedAt = record.firstByteAt = now;
    record.error = null;
    this.#attempts.observe(now - record.acquiredAt, now);
    this.#environment.wheel.drop(this.#timer);
    this.#tunnel = new Tunnel(this, this.#environment, this.stream, stream, this.#idleMs);
    if (this.#early !== null && !this.#early.empty) this.#passEarly(this.#early, stream, this.#tunnel);
    this.#tunnel.start(this.#ended);
  }

  onGivenUp(code: ErrorCode): void {
    if (this.#closed) return;
    if (this.#fallback !== null && POOL_ERRORS.has(code)) return this.#fallBack(this.#fallback);
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

  /** Before the tunnel takes over, the client can leave, and what a stage before has read goes on arriving. */
  onClosed(_error: Error | null): void {
    this.onGivenUp("clientGone");
  }
  onData(view: Uint8Array): void {
    this.#early ??= new HeldBytes(this.#environment.buffers);
    this.#early.append(view);
  }
  onEnd(): void {
    this.#ended = true;
  }
  onDrain(): void {}

  #goTo(pool: LivePool, now: number): void {
    const stick = pool.sticky?.ofConnection(this, this.#environment.wallClock()) ?? null;
    this.#attempts.start(pool, hashText(this.address), now, stick);
  }

  /** No server has seen anything of the client yet. */
  #fallBack(pool: LivePool): void {
    this.#fallback = null;
    this.#record.fellBack = true;
    this.#record.error = null;
    this.#attempts.leave();
    this.#goTo(pool, this.#environment.now());
  }

  /** Where TLS ends here, its name and protocol tell the route. */
  #route(): LiveRoute | undefined {
    const { sni, routes } = this.listener.live;
    const { tls } = this.stream;
    if (sni === null || tls === undefined) return routes[0];
    return routes[sni.match({ serverName: tls.serverName, protocols: tls.alpn === "" ? [] : [tls.alpn] })];
  }

  /** What the client asked for in TLS, read from outside or by ourselves. */
  get serverName(): string {
    return this.opening?.serverName ?? this.stream.tls?.serverName ?? "";
  }

  #passEarly(early: HeldBytes, server: Stream, tunnel: Tunnel): void {
    const { start, end } = early;
    tunnel.bytesUp = end - start;
    server.writeLease(early.take(), start, end);
  }

  #gone(): void {
    this.#closed = true;
    this.#early?.drop();
    this.#attempts.leave();
    this.#environment.wheel.drop(this.#timer);
    const { live } = this.listener;
    const now = this.#environment.now();
    this.#record.account(this.#environment, live.snapshot.row, now);
    const headMs = this.opening?.headMs ?? -1;
    logConnection(this.owner, this.listener, this.stream, this.#record, now, this.serverName, headMs);
    this.owner.onGone(this);
  }
}
