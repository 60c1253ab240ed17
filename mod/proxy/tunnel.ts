/**
 * Two streams pumped into one another until both have ended or nothing moves for too long: a tcp connection, or
 * an HTTP connection that was upgraded. It counts what moved; it must not know what the bytes mean.
 */
import type { ErrorCode } from "../base/errors.ts";
import type { Stream } from "../net/stream.ts";
import { type DeadlineHandler, Timer } from "../net/wheel.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { Pump, type PumpOwner } from "./pump.ts";

export interface TunnelOwner {
  /** Both streams are gone. */
  onTunnelEnded(tunnel: Tunnel): void;
}

export class Tunnel implements PumpOwner, DeadlineHandler {
  /** Bytes moved from the client to the server. */
  bytesUp = 0;
  bytesDown = 0;
  /** Null for an orderly end. */
  error: ErrorCode | null = null;
  readonly #pump: Pump;
  readonly #timer = new Timer(this);

  constructor(
    readonly owner: TunnelOwner,
    readonly environment: ProxyEnvironment,
    client: Stream,
    server: Stream,
    readonly idleMs: number,
  ) {
    this.#pump = new Pump(this, client, server);
  }

  /** Takes over both streams; `clientEnded`: the client's FIN has come before. */
  start(clientEnded: boolean): void {
    this.#arm();
    this.#pump.start(clientEnded);
  }

  /** Closes both at once. */
  close(error: ErrorCode): void {
    this.error ??= error;
    this.#pump.close();
  }

  onDeadline(): void {
    this.close("tunnelIdle");
  }

  onMoved(up: boolean, size: number): void {
    if (up) this.bytesUp += size;
    else this.bytesDown += size;
    this.#arm();
  }

  onPumped(fromServer: boolean, error: Error | null): void {
    if (error !== null) this.error ??= fromServer ? "responseReset" : "clientGone";
    this.environment.wheel.drop(this.#timer);
    this.owner.onTunnelEnded(this);
  }

  #arm(): void {
    this.environment.wheel.set(this.#timer, this.environment.now() + this.idleMs);
  }
}
