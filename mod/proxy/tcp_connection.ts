/**
 * One TCP connection through the balancer: choose a server, connect, and pump both ways.
 *
 * Nothing is read from the client before its server is there, so any attempt to connect may be repeated. It must
 * not know what the bytes mean.
 */
import type { ErrorCode } from "../base/errors.ts";
import { SERVER_COLUMN } from "../base/counters.ts";
import { NO_SERVER, QUEUED, type Waiter } from "../balance/pool.ts";
import { plainAddress } from "../http/forwarded.ts";
import type { Dial, DialHandler, Stream, StreamHandler } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import type { ListenerState, LivePool, ProxyEnvironment } from "./environment.ts";
import { hashText } from "./hash_key.ts";
import { Pump, type PumpOwner } from "./pump.ts";
import { type AccessRecorder, Record } from "./record.ts";

const WAITING = 0, CONNECTING = 1, PUMPING = 2, CLOSED = 3;

export interface TcpOwner {
  readonly environment: ProxyEnvironment;
  readonly recorder: AccessRecorder;
  onGone(connection: TcpConnection): void;
}

export class TcpConnection implements StreamHandler, DialHandler, PumpOwner, Waiter {
  /** For the queue only. */
  ticket = -1;
  readonly address: string;
  readonly #environment: ProxyEnvironment;
  readonly #timer: Timer;
  readonly #record = new Record();
  readonly #pool: LivePool;
  #state = WAITING;
  #index = -1;
  #slot = -1;
  #dial: Dial | null = null;
  #pump: Pump | null = null;
  #tried: number[] = [];
  #idleMs: number;

  constructor(readonly owner: TcpOwner, readonly listener: ListenerState, readonly stream: Stream) {
    this.#environment = owner.environment;
    this.address = plainAddress(stream.remoteHost);
    this.#timer = new Timer(this);
    this.#pool = listener.live.routes[0]!.pool!;
    this.#idleMs = listener.live.snapshot.timeouts.idleMs;
    stream.handler = this;
  }

  start(): void {
    const now = this.#environment.now();
    this.#record.start(now, 0);
    this.#pool.budget.onRequest();
    this.#acquire(now);
  }

  /** A tcp connection has no point at which it could stop gently: it runs on until the deadline of the drain. */
  drain(): void {}

  close(): void {
    this.#end("clientGone");
  }

  onDeadline(): void {
    if (this.#state === WAITING) this.#end("queueTimeout");
    else if (this.#state === CONNECTING) this.#failed("connectTimeout");
    else if (this.#state === PUMPING) {
      this.#record.error = "tunnelIdle";
      this.#pump!.close();
    }
  }

  onGranted(slot: number): void {
    this.#use(this.#pool.balancer.indexOf(slot), this.#environment.now());
  }

  onOpen(stream: Stream): void {
    this.#dial = null;
    const now = this.#environment.now();
    this.#record.connectedAt = this.#record.firstByteAt = now;
    this.#environment.counters.addServer(this.#slot, SERVER_COLUMN.connections, 1);
    this.#pool.balancer.observe(this.#index, now - this.#record.acquiredAt, now);
    this.#record.error = null;
    this.#state = PUMPING;
    this.#pump = new Pump(this, this.stream, stream);
    this.#arm(now + this.#idleMs);
    this.#pump.start();
  }

  onFailed(_error: Error): void {
    this.#dial = null;
    this.#failed("connectFailed");
  }

  onMoved(up: boolean, size: number): void {
    if (up) this.#record.bytesIn += size;
    else this.#record.bytesOut += size;
    this.#arm(this.#environment.now() + this.#idleMs);
  }

  onPumped(fromServer: boolean, error: Error | null): void {
    this.#record.error ??= error === null ? null : fromServer ? "responseReset" : "clientGone";
    this.#gone();
  }

  /** Before the pump takes over, the client can only leave. */
  onClosed(_error: Error | null): void {
    this.#end("clientGone");
  }
  onData(): void {}
  onEnd(): void {}
  onDrain(): void {}

  #acquire(now: number): void {
    const { balancer, snapshot } = this.#pool;
    const hash = hashText(this.address);
    const index = balancer.acquire(hash, this.#tried, now, this);
    if (index >= 0) return this.#use(index, now);
    if (index === QUEUED) {
      this.#state = WAITING;
      return this.#arm(now + snapshot.queue.timeoutMs);
    }
    this.#end(index === NO_SERVER ? this.#record.error ?? "noServer" : "queueFull");
  }

  #use(index: number, now: number): void {
    const { snapshot } = this.#pool;
    const server = snapshot.servers[index]!;
    this.#index = index;
    this.#slot = server.slot;
    this.#record.acquired(snapshot.name, server.name, now);
    this.#environment.counters.addServer(this.#slot, SERVER_COLUMN.requests, 1);
    this.#state = CONNECTING;
    this.#arm(now + snapshot.timeouts.connectMs);
    this.#dial = this.#environment.dialer.dial(server.host, server.port, this);
  }

  #failed(code: ErrorCode): void {
    const { counters } = this.#environment;
    counters.addServer(this.#slot, SERVER_COLUMN.connectErrors, 1);
    if (code === "connectTimeout") counters.addServer(this.#slot, SERVER_COLUMN.connectTimeouts, 1);
    const { retry } = this.#pool.snapshot;
    const again = retry.on.includes("connect") && this.#record.retries < retry.attempts &&
      this.#pool.budget.take();
    if (!again) return this.#end(code);
    counters.addServer(this.#slot, SERVER_COLUMN.retries, 1);
    this.#record.error = code;
    this.#record.retries++;
    this.#tried.push(this.#slot);
    this.#leaveServer();
    this.#acquire(this.#environment.now());
  }

  #end(code: ErrorCode): void {
    if (this.#state === CLOSED) return;
    this.#record.error = code;
    if (this.#pump !== null) return this.#pump.close();
    this.stream.close();
    this.#gone();
  }

  #gone(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#leaveServer();
    this.#environment.wheel.clear(this.#timer);
    const { live } = this.listener;
    const now = this.#environment.now();
    this.#record.account(this.#environment, live.snapshot.row, now);
    if (live.logged) this.#log(now);
    this.owner.onGone(this);
  }

  #leaveServer(): void {
    if (this.ticket >= 0) this.#pool.balancer.cancel(this);
    this.#dial?.cancel();
    this.#dial = null;
    if (this.#slot < 0) return;
    this.#record.leaving(this.#environment, this.#slot, this.#environment.now());
    this.#pool.balancer.release(this.#slot);
    this.#slot = -1;
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

  #arm(at: number): void {
    this.#environment.wheel.set(this.#timer, at);
  }
}
