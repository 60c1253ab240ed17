/**
 * Moves bytes both ways between two streams until both have ended: TCP forwarding and HTTP tunnels.
 *
 * Half-close travels on; a reset on one side closes the other at once; a slow side pauses the other. Pure: the
 * owner holds the deadline and learns of progress, so that one timer serves both directions.
 */
import type { Stream, StreamHandler } from "../net/stream.ts";

/** Views of this size and more are handed over with their buffer; smaller ones are cheaper to copy. */
export const HAND_OVER_BYTES = 2048;

export interface PumpOwner {
  /** Bytes moved, `up` towards the server. */
  onMoved(up: boolean, size: number): void;
  /** Both sides are gone. `fromServer`: which side closed or failed first; `error`: null for an orderly end. */
  onPumped(fromServer: boolean, error: Error | null): void;
}

/** Writes `view`, which `from` has just delivered, to `to`, and pauses `from` when `to` is slow. */
export function forward(from: Stream, to: Stream, view: Uint8Array): void {
  const flowing = view.length >= HAND_OVER_BYTES ? handOver(from, to, view) : to.write(view);
  if (!flowing) from.pause();
}

function handOver(from: Stream, to: Stream, view: Uint8Array): boolean {
  const lease = from.take();
  const start = view.byteOffset - lease.bytes.byteOffset;
  return to.writeLease(lease, start, start + view.length);
}

class Side implements StreamHandler {
  ended = false;
  closed = false;
  other!: Side;

  constructor(readonly pump: Pump, readonly stream: Stream, readonly server: boolean) {}

  onData(view: Uint8Array): void {
    this.pump.owner.onMoved(!this.server, view.length);
    forward(this.stream, this.other.stream, view);
  }

  onEnd(): void {
    this.ended = true;
    this.other.stream.end();
  }

  onDrain(): void {
    this.other.stream.resume();
  }

  onClosed(error: Error | null): void {
    this.closed = true;
    this.pump.sideClosed(this, error);
  }
}

export class Pump {
  readonly #client: Side;
  readonly #server: Side;
  #first: Side | null = null;
  #error: Error | null = null;

  constructor(readonly owner: PumpOwner, client: Stream, server: Stream) {
    this.#client = new Side(this, client, false);
    this.#server = new Side(this, server, true);
    this.#client.other = this.#server;
    this.#server.other = this.#client;
  }

  /**
   * Takes over both streams. What the client had already sent must have been written to the server before;
   * `clientEnded`: so had its FIN come.
   */
  start(clientEnded = false): void {
    this.#client.stream.handler = this.#client;
    this.#server.stream.handler = this.#server;
    this.#client.stream.resume();
    this.#server.stream.resume();
    if (clientEnded) this.#client.onEnd();
  }

  close(): void {
    this.#client.stream.close();
    this.#server.stream.close();
  }

  /** For the sides only. */
  sideClosed(side: Side, error: Error | null): void {
    if (this.#first === null) {
      this.#first = side;
      this.#error = error;
    }
    const { other } = side;
    if (!other.closed) {
      // Orderly on both sides: the other one still has to send what is queued.
      if (error === null && side.ended && other.ended) other.stream.end();
      else other.stream.close();
      return;
    }
    this.owner.onPumped(this.#first.server, this.#error);
  }
}
