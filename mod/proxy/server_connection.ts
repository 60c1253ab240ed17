/**
 * One connection to a server: reads responses and hands them to the exchange that has it, or waits idle.
 *
 * Anything that arrives while idle (even bytes of a late answer) closes it: the next request must never get the
 * answer to another one.
 */
import { DONE, Head, MORE, parseResponseHead } from "../http1/head.ts";
import { readResponse, ResponseInfo } from "../http1/response.ts";
import type { IdleConnections } from "../net/idle.ts";
import type { Stream, StreamHandler } from "../net/stream.ts";
import { Timer } from "../net/wheel.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { HeldBytes } from "./held.ts";

/** Largest response head. nginx: 4–8 KiB by default, HAProxy: 16 KiB. */
export const MAX_RESPONSE_HEAD_BYTES = 64 * 1024;
const MAX_RESPONSE_FIELDS = 500;

/** What an exchange is told. After `onServerClosed` nothing more comes. */
export interface ResponseHandler {
  readonly headRequest: boolean;
  /** A complete head, good only during the call; false: the exchange is over, stop. */
  onResponseHead(head: Head, info: ResponseInfo, bytes: Uint8Array, end: number, fresh: boolean): boolean;
  /** Body bytes, at least one; false as above. */
  onResponseBytes(bytes: Uint8Array, start: number, end: number, fresh: boolean): boolean;
  onMalformedResponse(): void;
  /** The server ended its sending side (`error` null) or the connection broke. `begun`: part of a head had come. */
  onServerClosed(error: Error | null, begun: boolean): void;
  onServerDrain(): void;
}

const scratchHead = new Head();
const scratchInfo = new ResponseInfo();

export class ServerConnection implements StreamHandler {
  exchange: ResponseHandler | null = null;
  /** True once the head of a final response was handed over, until the exchange is finished. */
  inBody = false;
  /** Requests sent on it. */
  uses = 0;
  closed = false;
  readonly #timer: Timer;
  /** An incomplete head. */
  readonly #held: HeldBytes;

  constructor(
    readonly environment: ProxyEnvironment,
    readonly stream: Stream,
    readonly slot: number,
    readonly idleMs: number,
    /** Where it waits for its next request: with all others, or with those of one client. */
    readonly idle: IdleConnections<ServerConnection> = environment.idle,
  ) {
    this.#timer = new Timer(this);
    this.#held = new HeldBytes(environment.buffers);
    stream.handler = this;
    stream.resume();
  }

  /** Gives it to an exchange. */
  attach(exchange: ResponseHandler): void {
    this.exchange = exchange;
    this.inBody = false;
    this.uses++;
    this.environment.wheel.clear(this.#timer);
  }

  /** Keeps it for another request, or closes it. */
  release(reusable: boolean): void {
    this.exchange = null;
    this.#held.drop();
    if (this.closed) return;
    if (reusable && this.stream.detach !== undefined) return this.#detach();
    if (!reusable || !this.idle.put(this.slot, this)) return this.close();
    this.stream.bulk(false);
    this.stream.resume();
    this.environment.wheel.set(this.#timer, this.environment.now() + this.idleMs);
  }

  #detach(): void {
    this.closed = true;
    this.environment.wheel.drop(this.#timer);
    this.stream.detach!();
  }

  close(): void {
    this.exchange = null;
    this.closed = true;
    this.#held.drop();
    this.environment.wheel.drop(this.#timer);
    this.stream.close();
  }

  onDeadline(): void {
    if (this.exchange === null) this.#leaveIdle();
  }

  onData(view: Uint8Array): void {
    if (this.exchange === null) return this.#leaveIdle();
    if (this.inBody) {
      this.exchange.onResponseBytes(view, 0, view.length, true);
      return;
    }
    const held = this.#held;
    if (held.empty) return this.#readHead(view, 0, view.length, true);
    held.append(view);
    const { start, end } = held;
    // Taken, as this connection may be at its next request before the call is over.
    const lease = held.take();
    this.#readHead(lease.bytes, start, end, false);
    lease.release();
  }

  onEnd(): void {
    this.#ended(null);
  }

  onDrain(): void {
    this.exchange?.onServerDrain();
  }

  onClosed(error: Error | null): void {
    this.closed = true;
    this.#ended(error);
  }

  #ended(error: Error | null): void {
    const { exchange } = this;
    const begun = !this.#held.empty;
    this.#held.drop();
    if (exchange === null) this.#leaveIdle();
    else exchange.onServerClosed(error, begun);
  }

  #leaveIdle(): void {
    this.idle.remove(this.slot, this);
    this.close();
  }

  /** Reads heads until the final one; interim ones (1xx) are handed over as they come. */
  #readHead(bytes: Uint8Array, at: number, end: number, fresh: boolean): void {
    while (at < end) {
      const exchange = this.exchange!;
      const progress = parseResponseHead(scratchHead, bytes, at, end, MAX_RESPONSE_FIELDS);
      if (progress === MORE && end - at < MAX_RESPONSE_HEAD_BYTES) {
        return this.#held.keep(bytes, at, end);
      }
      if (progress !== DONE || !readResponse(scratchInfo, scratchHead, bytes, exchange.headRequest)) {
        return exchange.onMalformedResponse();
      }
      at = scratchHead.end;
      const { status } = scratchHead;
      this.inBody = status >= 200 || status === 101;
      if (!exchange.onResponseHead(scratchHead, scratchInfo, bytes, end, fresh) || this.inBody) return;
    }
  }
}
