/**
 * The socket seam on `Deno.listen` and `Deno.connect`.
 *
 * One read is always under way unless paused, so that a peer that leaves is noticed at once. Idle streams wait in
 * a small buffer; a read that fills it makes the next one large. A write is tried at once by the runtime; while
 * one is under way, further ones queue. A stream never calls its handler from within a call to it.
 */
import { type BufferPool, type Lease, SMALL_BYTES } from "./buffers.ts";
import { type ConnOps, connOps } from "./deno_ops_io.ts";
import type { Address, Dial, Dialer, DialHandler, DialTerms, Stream, StreamHandler } from "./stream.ts";

/** Queued bytes above which `write` says to wait: one bulk read. HAProxy buffers 16 KiB a direction, nginx 32–64 KiB. */
export const HIGH_WATER_BYTES = 64 * 1024;
/** How long accepting rests at the limit of connections, or after an error such as "too many open files". */
export const ACCEPT_BACKOFF_MS = 50;

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ACCEPT_BACKOFF_MS));
}

interface Queued {
  readonly lease: Lease;
  readonly start: number;
  readonly end: number;
}

/** Handler of a stream that nobody owns any more. */
export const IGNORE: StreamHandler = { onData() {}, onEnd() {}, onDrain() {}, onClosed() {} };

/** What streams share in one worker. */
export interface StreamWorld {
  readonly buffers: BufferPool;
  /** Called before every event, so that a worker reads the clock once for all events of a turn and not once a use. */
  tick(): void;
  /** A session threw: a bug of ours, which costs this connection and no other. */
  onBug(error: unknown): void;
}

export class DenoStream implements Stream {
  handler: StreamHandler = IGNORE;
  remoteHost: string;
  remotePort: number;
  queued = 0;
  readonly #conn: Deno.TcpConn;
  /** Null: as the connection says. */
  #local: Address | null = null;
  readonly #ops: ConnOps;
  readonly #world: StreamWorld;
  readonly #buffers: BufferPool;
  /** Where the read under way puts its bytes; null while none is under way and nothing is held. */
  #input: Lease | null = null;
  /** Bytes that arrived while paused. */
  #held = 0;
  #reading = false;
  /** Inside `onData`: the buffer is in use, so that no read may start. */
  #delivering = false;
  #paused = true;
  #ended = false;
  #large = false;
  #taken = false;
  /** The write under way, and what of it is still to be written. */
  #writing: Lease | null = null;
  #writeStart = 0;
  #writeEnd = 0;
  #waiting: Queued[] = [];
  #wantsDrain = false;
  #finishing = false;
  #finished = false;
  #closed = false;

  /** Starts paused: set `handler`, then `resume()`. */
  constructor(conn: Deno.TcpConn, world: StreamWorld) {
    this.#conn = conn;
    this.#ops = connOps(conn);
    this.#world = world;
    this.#buffers = world.buffers;
    const { hostname, port } = conn.remoteAddr as Deno.NetAddr;
    this.remoteHost = hostname;
    this.remotePort = port;
    conn.setNoDelay(true);
  }

  get blocked(): boolean {
    return this.#wantsDrain;
  }

  get localHost(): string {
    return this.#local?.host ?? this.#conn.localAddr.hostname;
  }

  get localPort(): number {
    return this.#local?.port ?? this.#conn.localAddr.port;
  }

  setAddresses(remote: Address, local: Address): void {
    this.remoteHost = remote.host;
    this.remotePort = remote.port;
    this.#local = local;
  }

  write(view: Uint8Array): boolean {
    if (this.#closed || this.#finishing) return true;
    const lease = this.#buffers.atLeast(view.length);
    lease.bytes.set(view);
    return this.writeLease(lease, 0, view.length);
  }

  writeLease(lease: Lease, start: number, end: number): boolean {
    if (this.#closed || this.#finishing || start === end) {
      lease.release();
      return true;
    }
    this.queued += end - start;
    if (this.#writing === null) this.#startWrite(lease, start, end);
    else this.#waiting.push({ lease, start, end });
    if (this.queued <= HIGH_WATER_BYTES) return true;
    this.#wantsDrain = true;
    return false;
  }

  take(): Lease {
    this.#taken = true;
    return this.#input!;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#delivering) return;
    if (this.#held > 0) queueMicrotask(this.#deliverHeld);
    else this.#read();
  }

  bulk(on: boolean): void {
    this.#large = on;
  }

  end(): void {
    if (this.#finishing || this.#closed) return;
    this.#finishing = true;
    if (this.#writing === null) this.#finish();
  }

  close(): void {
    this.#close(null);
  }

  #read(): void {
    if (this.#reading || this.#paused || this.#ended || this.#closed) return;
    this.#reading = true;
    if (this.#input !== null && this.#large !== this.#input.bytes.length > SMALL_BYTES) {
      this.#input.release();
      this.#input = null;
    }
    this.#input ??= this.#large ? this.#buffers.large() : this.#buffers.small();
    this.#ops.read(this.#input.bytes).then(this.#onRead, this.#onReadError);
  }

  #onRead = (size: number): void => {
    this.#reading = false;
    if (this.#closed) return this.#releaseInput();
    this.#world.tick();
    if (size === 0) {
      this.#ended = true;
      this.#releaseInput();
      this.#tell(() => this.handler.onEnd());
      if (this.#finished) this.#close(null);
    } else if (this.#paused) this.#held = size;
    else this.#deliver(size);
  };

  #onReadError = (error: Error): void => {
    this.#reading = false;
    this.#releaseInput();
    this.#close(error);
  };

  #deliverHeld = (): void => {
    if (this.#held === 0 || this.#paused || this.#closed) return;
    const size = this.#held;
    this.#held = 0;
    this.#world.tick();
    this.#deliver(size);
  };

  #deliver(size: number): void {
    const input = this.#input!;
    this.#large = size === input.bytes.length || (this.#large && size > SMALL_BYTES);
    this.#taken = false;
    this.#delivering = true;
    try {
      this.handler.onData(input.first(size));
    } catch (error) {
      this.#world.onBug(error);
      this.close();
    }
    this.#delivering = false;
    if (this.#taken) this.#input = null;
    if (this.#closed) this.#releaseInput();
    else this.#read();
  }

  #releaseInput(): void {
    this.#held = 0;
    if (this.#input === null || this.#reading) return;
    this.#input.release();
    this.#input = null;
  }

  #startWrite(lease: Lease, start: number, end: number): void {
    this.#writing = lease;
    this.#writeStart = start;
    this.#writeEnd = end;
    this.#ops.write(lease.bytes.subarray(start, end)).then(this.#onWritten, this.#onWriteError);
  }

  #onWritten = (size: number): void => {
    const lease = this.#writing!;
    const start = this.#writeStart + size;
    this.queued -= size;
    if (this.#closed) return this.#dropWrites();
    if (start < this.#writeEnd) return this.#startWrite(lease, start, this.#writeEnd);
    lease.release();
    this.#writing = null;
    if (this.#waiting.length > 0) {
      const next = this.#waiting.shift()!;
      return this.#startWrite(next.lease, next.start, next.end);
    }
    if (this.#wantsDrain) {
      this.#wantsDrain = false;
      this.#world.tick();
      this.#tell(() => this.handler.onDrain());
    }
    if (this.#finishing && this.#writing === null) this.#finish();
  };

  /** What the peer sent before it stopped listening (an early 413, say) is still read, where a read is under way. */
  #onWriteError = (error: Error): void => {
    this.#dropWrites();
    this.#finishing = this.#finished = true;
    if (!this.#reading) this.#close(error);
  };

  #dropWrites(): void {
    this.#writing?.release();
    this.#writing = null;
    for (const item of this.#waiting) item.lease.release();
    this.#waiting = [];
    this.queued = 0;
  }

  #finish(): void {
    if (this.#finished || this.#closed) return;
    this.#finished = true;
    if (this.#ended) return this.#close(null);
    this.#conn.closeWrite().catch(this.#onWriteError);
  }

  #close(error: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    // With a read or a write under way its buffer stays ours until the runtime lets go of it.
    if (!this.#reading) this.#releaseInput();
    if (this.#writing === null) this.#dropWrites();
    try {
      this.#conn.close();
    } catch {
      // Already closed by the runtime.
    }
    queueMicrotask(() => {
      const { handler } = this;
      this.handler = IGNORE;
      this.#world.tick();
      this.#tell(() => handler.onClosed(error));
    });
  }

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

/** The stream of a new connection, or null when it has ended already. */
function streamOf(conn: Deno.TcpConn, world: StreamWorld): DenoStream | null {
  try {
    return new DenoStream(conn, world);
  } catch {
    conn.close();
    return null;
  }
}

/** Connects by `Deno.connect`. */
export class DenoDialer implements Dialer {
  constructor(readonly world: StreamWorld) {}

  dial(host: string, port: number, handler: DialHandler, { preface }: DialTerms = {}): Dial {
    let cancelled = false;
    // A server that drops what it gets would hold each socket for the two minutes of the kernel's own attempts.
    const abort = new AbortController();
    Deno.connect({ hostname: host, port, signal: abort.signal }).then(
      (conn) => {
        if (cancelled) return conn.close();
        this.world.tick();
        const stream = streamOf(conn, this.world);
        if (stream !== null) {
          if (preface) stream.write(preface);
          handler.onOpen(stream);
        } else handler.onFailed(new Error("the connection was gone as soon as it was made"));
      },
      (error) => {
        if (cancelled) return;
        this.world.tick();
        handler.onFailed(error);
      },
    ).catch(this.world.onBug);
    return {
      cancel() {
        if (cancelled) return;
        cancelled = true;
        abort.abort();
      },
    };
  }
}

export interface AcceptHandler {
  /** False: leave clients in the kernel's queue for now. */
  mayAccept(): boolean;
  onAccept(stream: Stream): void;
  /** Accepting failed for now (out of descriptors, say) and is tried again. */
  onAcceptError(error: Error): void;
}

/** A bound listening socket. Closing it resets what waits in its accept queue, so bind the successor first. */
export class DenoListener {
  readonly #listener: Deno.TcpListener;
  #closed = false;

  /** Throws what `Deno.listen` throws (address in use, no permission). */
  constructor(host: string, port: number, readonly world: StreamWorld) {
    this.#listener = Deno.listen({ hostname: host, port, reusePort: true });
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Begins to take clients; resolves when it is closed. */
  async accept(handler: AcceptHandler): Promise<void> {
    const { world } = this;
    while (!this.#closed) {
      if (!handler.mayAccept()) {
        await rest();
        continue;
      }
      let conn: Deno.TcpConn;
      try {
        conn = await this.#listener.accept();
      } catch (error) {
        if (this.#closed) return;
        // The client was gone before it was accepted: no reason to let the others wait.
        if (error instanceof Deno.errors.NotConnected) continue;
        handler.onAcceptError(error as Error);
        await rest();
        continue;
      }
      world.tick();
      const stream = streamOf(conn, world);
      if (stream === null) continue;
      try {
        handler.onAccept(stream);
      } catch (error) {
        world.onBug(error);
        stream.close();
      }
    }
  }

  /** The runtime does not say who waits. */
  finish(): void {
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }
}
