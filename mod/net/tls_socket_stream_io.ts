/**
 * The socket seam on a `TLSSocket` of `node:tls`, once its handshake is done.
 *
 * Every read is a buffer of its own that the runtime has made, so a lease on it belongs to no pool; it may be larger
 * than what sessions are used to, and is handed over in pieces. The socket queues writes itself; what is counted here is what it has not handed on yet. A stream never calls its handler
 * from within a call to it.
 */
import type { TLSSocket } from "node:tls";
import { Buffer } from "node:buffer";
import { LARGE_BYTES, Lease } from "./buffers.ts";
import { HIGH_WATER_BYTES, IGNORE, type StreamWorld } from "./deno_io.ts";
import type { Address, Stream, StreamHandler } from "./stream.ts";

export class TlsSocketStream implements Stream {
  handler: StreamHandler = IGNORE;
  remoteHost: string;
  remotePort: number;
  localHost: string;
  localPort: number;
  queued = 0;
  readonly #socket: TLSSocket;
  readonly #world: StreamWorld;
  #input: Lease | null = null;
  #paused = true;
  /** What has come and was not handed over yet. */
  #held: Uint8Array | null = null;
  #delivering = false;
  #wantsDrain = false;
  /** The peer has finished. */
  #ended = false;
  /** We have, and everything is out. */
  #finished = false;
  #finishing = false;
  #closed = false;
  #error: Error | null = null;

  /** Starts paused: set `handler`, then `resume()`. */
  constructor(socket: TLSSocket, world: StreamWorld) {
    this.#socket = socket;
    this.#world = world;
    this.remoteHost = socket.remoteAddress ?? "";
    this.remotePort = socket.remotePort ?? 0;
    this.localHost = socket.localAddress ?? "";
    this.localPort = socket.localPort ?? 0;
    socket.pause();
    socket.on("data", this.#onData);
    socket.once("end", this.#onEnd);
    socket.once("finish", this.#onFinish);
    socket.on("error", (error) => this.#error ??= error);
    socket.once("close", this.#onClose);
  }

  get blocked(): boolean {
    return this.#wantsDrain;
  }

  setAddresses(remote: Address, local: Address): void {
    this.remoteHost = remote.host;
    this.remotePort = remote.port;
    this.localHost = local.host;
    this.localPort = local.port;
  }

  write(view: Uint8Array): boolean {
    if (this.#closed || this.#finishing) return true;
    const lease = this.#world.buffers.atLeast(view.length);
    lease.bytes.set(view);
    return this.writeLease(lease, 0, view.length);
  }

  writeLease(lease: Lease, start: number, end: number): boolean {
    if (this.#closed || this.#finishing || start === end) {
      lease.release();
      return true;
    }
    const size = end - start;
    this.queued += size;
    const { buffer, byteOffset } = lease.bytes;
    this.#socket.write(Buffer.from(buffer, byteOffset + start, size), () => {
      lease.release();
      this.queued -= size;
      if (this.queued === 0) this.#drained();
    });
    if (this.queued <= HIGH_WATER_BYTES) return true;
    this.#wantsDrain = true;
    return false;
  }

  take(): Lease {
    return this.#input!;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    if (this.#delivering) return;
    if (this.#held === null) this.#socket.resume();
    else queueMicrotask(this.#deliver);
  }

  /** The runtime chooses the size of its buffers itself. */
  bulk(_on: boolean): void {}

  end(): void {
    if (this.#finishing || this.#closed) return;
    this.#finishing = true;
    this.#socket.end();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
  }

  #onData = (chunk: Buffer): void => {
    if (this.#closed) return;
    this.#held = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#deliver();
  };

  /** Hands over what has come, piece by piece, until the handler wants a pause. */
  #deliver = (): void => {
    this.#world.tick();
    this.#delivering = true;
    while (this.#held !== null && !this.#paused && !this.#closed) {
      const all = this.#held;
      const bytes = all.length > LARGE_BYTES ? all.subarray(0, LARGE_BYTES) : all;
      this.#held = bytes === all ? null : all.subarray(LARGE_BYTES);
      this.#input = new Lease(bytes, null);
      this.#tell(() => this.handler.onData(bytes));
    }
    this.#input = null;
    this.#delivering = false;
    // The handler may have paused and gone on within one call.
    if (!this.#paused && !this.#closed && this.#socket.isPaused()) this.#socket.resume();
  };

  #onEnd = (): void => {
    if (this.#closed) return;
    this.#ended = true;
    this.#world.tick();
    this.#tell(() => this.handler.onEnd());
    if (this.#finished) this.close();
  };

  #onFinish = (): void => {
    this.#finished = true;
    if (this.#ended) this.close();
  };

  #drained(): void {
    if (!this.#wantsDrain || this.#closed) return;
    this.#wantsDrain = false;
    this.#world.tick();
    this.#tell(() => this.handler.onDrain());
  }

  #onClose = (): void => {
    // What was closed by us has no error, whatever the socket says on its way out.
    const error = this.#closed ? null : this.#error;
    this.#closed = true;
    const { handler } = this;
    this.handler = IGNORE;
    this.#world.tick();
    this.#tell(() => handler.onClosed(error));
  };

  /** A session that throws loses its connection; the worker goes on. */
  #tell(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.#world.onBug(error);
      this.close();
    }
  }
}
