/**
 * The socket seam on epoll: reads when told that there is something, writes at once.
 *
 * An idle connection has no buffer at all. A read that is shorter than its buffer has emptied the socket, so that
 * nothing is asked for twice; one that fills it makes the next one large, and takes turns with other connections.
 * A stream never calls its handler from within a call to it.
 */
import { EAGAIN, ECONNRESET, EINTR, EPIPE, errorName, type SocketLibc } from "../base/libc_io.ts";
import { type BufferPool, type Lease, SMALL_BYTES } from "./buffers.ts";
import { HIGH_WATER_BYTES, IGNORE, type StreamWorld } from "./deno_io.ts";
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, type Pollable, type Poller } from "./epoll_io.ts";
import { readSocketAddress, SOCKADDR_BYTES } from "./sockaddr.ts";
import {
  type Address,
  FILE_ENDED,
  FILE_REFUSED,
  PEER_GONE,
  type Stream,
  type StreamHandler,
} from "./stream.ts";

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
const READABLE = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
/** No more can come than what is there: a short read is not the last. */
const ENDING = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

/** A file leaves in pieces of this size, so that a slow disk or a fast client leaves others their turns. nginx: the same. */
const FILE_PIECE_BYTES = 2 * 1024 * 1024;
/** Where `sendfile` reads from; one for all, as it is used within a call. */
const fileOffset = new BigInt64Array(1);
const fileOffsetBytes = new Uint8Array(fileOffset.buffer);

/** By their numbers, made once each: where an error was made is of no use here, and costs what a request does. */
const failures = new Map<number, Error>();

function failure(code: number): Error {
  let error = failures.get(code);
  if (error === undefined) failures.set(code, error = new Error(errorName(code)));
  return error;
}

interface Queued {
  readonly lease: Lease;
  start: number;
  readonly end: number;
}

export class EpollStream implements Stream, Pollable {
  handler: StreamHandler = IGNORE;
  queued = 0;
  readonly #libc: SocketLibc;
  readonly #buffers: BufferPool;
  /** Where the bytes of the call under way are. */
  #input: Lease | null = null;
  #taken = false;
  #delivering = false;
  #paused = true;
  /** There may be something to read. */
  #readable = false;
  /** The end, or an error, is behind what there is to read. */
  #ending = false;
  #ended = false;
  /** What a write heard of a reset. */
  #reset: Error | null = null;
  #large = false;
  #waiting: Queued[] = [];
  #wantsDrain = false;
  #finishing = false;
  #finished = false;
  #closed = false;
  #turn = false;
  /** More of a file was asked for than is sent in one turn. */
  #drainTurn = false;
  #local: Address | null = null;

  /** Starts paused: set `handler`, then `resume()`. `release` closes the descriptor. */
  constructor(
    readonly fd: number,
    public remoteHost: string,
    public remotePort: number,
    readonly poller: Poller,
    readonly world: StreamWorld,
    readonly release: () => void,
  ) {
    this.#libc = poller.libc;
    this.#buffers = world.buffers;
  }

  get blocked(): boolean {
    return this.#wantsDrain;
  }

  /** There is something to do once there is room. */
  get #waits(): boolean {
    return this.#waiting.length > 0 || this.#wantsDrain;
  }

  get localHost(): string {
    return this.#localAddress().host;
  }

  get localPort(): number {
    return this.#localAddress().port;
  }

  setAddresses(remote: Address, local: Address): void {
    this.remoteHost = remote.host;
    this.remotePort = remote.port;
    this.#local = local;
  }

  write(view: Uint8Array): boolean {
    if (this.#closed || this.#finishing) return true;
    const size = view.length;
    const sent = this.#waiting.length > 0 ? 0 : this.#send(view as Uint8Array<ArrayBuffer>, size);
    if (sent < 0 || sent === size) return true;
    const lease = this.#buffers.atLeast(size - sent);
    lease.bytes.set(sent === 0 ? view : view.subarray(sent));
    return this.#queue(lease, 0, size - sent);
  }

  writeLease(lease: Lease, start: number, end: number): boolean {
    if (this.#closed || this.#finishing || start === end) {
      lease.release();
      return true;
    }
    if (this.#waiting.length > 0) return this.#queue(lease, start, end);
    const sent = this.#sendLease(lease, start, end);
    if (sent >= 0 && start + sent < end) return this.#queue(lease, start + sent, end);
    lease.release();
    return true;
  }

  sendFile(fd: number, at: number, end: number): number {
    if (this.#closed || this.#finishing) return PEER_GONE;
    if (!this.poller.sendsFiles) return FILE_REFUSED;
    if (this.#waiting.length > 0) {
      this.#wantsDrain = true;
      return 0;
    }
    const asked = Math.min(end - at, FILE_PIECE_BYTES);
    let sent = 0;
    // Until it says itself that there is no room: only then an event tells of room.
    while (sent < asked) {
      fileOffset[0] = BigInt(at + sent);
      const size = this.#libc.sendfile(this.fd, fd, fileOffsetBytes, BigInt(asked - sent));
      if (size > 0) {
        sent += size;
        continue;
      }
      const problem = size === 0 ? FILE_ENDED : this.#fileProblem(this.poller.errno());
      if (problem === 0) break;
      if (sent === 0) return problem;
      // Told when the rest is asked for.
      this.#drainSoon();
      break;
    }
    if (sent < end - at) {
      this.#wantsDrain = true;
      if (sent === asked) this.#drainSoon();
    }
    return sent;
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
    if (!this.#delivering) this.#readSoon();
  }

  bulk(on: boolean): void {
    this.#large = on;
  }

  end(): void {
    if (this.#finishing || this.#closed) return;
    this.#finishing = true;
    if (this.#waiting.length === 0) this.#finish();
  }

  close(): void {
    this.#close(null);
  }

  onEvents(events: number): void {
    if (this.#closed) return;
    if ((events & ENDING) !== 0) this.#ending = true;
    if ((events & READABLE) !== 0) {
      this.#readable = true;
      if (this.#ended && (events & EPOLLERR) !== 0) return this.#close(failure(ECONNRESET));
      this.#read();
    }
    if ((events & EPOLLOUT) !== 0 && this.#waits && !this.#closed) this.#flush();
  }

  onTurn(): void {
    if (this.#drainTurn) {
      this.#drainTurn = false;
      if (this.#waits && !this.#closed) this.#flush();
    }
    if (!this.#turn) return;
    this.#turn = false;
    this.#read();
  }

  #drainSoon(): void {
    if (this.#drainTurn) return;
    this.#drainTurn = true;
    this.poller.later(this);
  }

  #readSoon(): void {
    if (!this.#readable || this.#paused || this.#ended || this.#closed || this.#turn) return;
    this.#turn = true;
    this.poller.later(this);
  }

  #read(): void {
    if (!this.#readable || this.#paused || this.#ended || this.#closed) return;
    const lease = this.#large ? this.#buffers.large() : this.#buffers.small();
    const { bytes } = lease;
    const size = this.#libc.recv(this.fd, bytes, BigInt(bytes.length), MSG_DONTWAIT);
    if (size <= 0) {
      const code = size < 0 ? this.poller.errno() : 0;
      lease.release();
      return this.#nothing(size, code);
    }
    const full = size === bytes.length;
    if (!full && !this.#ending) this.#readable = false;
    this.#large = full || (this.#large && size > SMALL_BYTES);
    this.#deliver(lease, size);
    this.#readSoon();
  }

  #nothing(size: number, code: number): void {
    if (size < 0 && code === EINTR) return this.#readSoon();
    if (size < 0 && code === EAGAIN) {
      this.#readable = false;
      return;
    }
    if (size < 0) return this.#close(failure(code));
    // The kernel tells of a reset once, and a write has heard it: this is no end.
    if (this.#reset !== null) return this.#close(this.#reset);
    this.#ended = true;
    this.#tell(() => this.handler.onEnd());
    if (this.#finished) this.#close(null);
  }

  #deliver(lease: Lease, size: number): void {
    this.#input = lease;
    this.#taken = false;
    this.#delivering = true;
    try {
      this.handler.onData(lease.first(size));
    } catch (error) {
      this.world.onBug(error);
      this.close();
    }
    this.#delivering = false;
    this.#input = null;
    if (!this.#taken) lease.release();
  }

  #sendLease(lease: Lease, start: number, end: number): number {
    const bytes = start === 0 ? lease.bytes : lease.bytes.subarray(start, end);
    return this.#send(bytes as Uint8Array<ArrayBuffer>, end - start);
  }

  /** How many bytes the kernel took; -1: it never will take any more. */
  #send(bytes: Uint8Array<ArrayBuffer>, size: number): number {
    const sent = this.#libc.send(this.fd, bytes, BigInt(size), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    const code = this.poller.errno();
    if (code === EAGAIN || code === EINTR) return 0;
    this.#peerGone(code);
    return -1;
  }

  #peerGone(code: number): void {
    const error = failure(code);
    if (code === ECONNRESET) this.#reset = error;
    this.#writeFailed(error);
  }

  /** What the error of a `sendfile` comes to; 0: there is no room now. */
  #fileProblem(code: number): number {
    if (code === EINTR) this.#drainSoon();
    if (code === EAGAIN || code === EINTR) return 0;
    if (code !== EPIPE && code !== ECONNRESET) return FILE_REFUSED;
    this.#peerGone(code);
    return PEER_GONE;
  }

  #queue(lease: Lease, start: number, end: number): boolean {
    this.#waiting.push({ lease, start, end });
    this.queued += end - start;
    if (this.queued <= HIGH_WATER_BYTES) return true;
    this.#wantsDrain = true;
    return false;
  }

  #flush(): void {
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0]!;
      const sent = this.#sendLease(next.lease, next.start, next.end);
      if (sent < 0) return;
      next.start += sent;
      this.queued -= sent;
      if (next.start < next.end) return;
      next.lease.release();
      this.#waiting.shift();
    }
    if (this.#wantsDrain) {
      this.#wantsDrain = false;
      this.#tell(() => this.handler.onDrain());
    }
    if (this.#finishing && this.#waiting.length === 0) this.#finish();
  }

  /** What the peer sent before it stopped listening (an early 413, say) is still read, where reading is wanted. */
  #writeFailed(error: Error): void {
    this.#dropWrites();
    this.#finishing = this.#finished = true;
    this.#ending = this.#readable = true;
    if (this.#paused || this.#ended) this.#close(error);
    else if (!this.#delivering) this.#readSoon();
  }

  #dropWrites(): void {
    for (const { lease } of this.#waiting) lease.release();
    this.#waiting = [];
    this.queued = 0;
  }

  #finish(): void {
    if (this.#finished || this.#closed) return;
    this.#finished = true;
    if (this.#ended) return this.#close(null);
    this.#libc.shutdown(this.fd, SHUT_WR);
  }

  #close(error: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#localAddress();
    this.#dropWrites();
    this.poller.remove(this.fd);
    this.release();
    queueMicrotask(() => {
      const { handler } = this;
      this.handler = IGNORE;
      this.world.tick();
      this.#tell(() => handler.onClosed(error));
    });
  }

  #localAddress(): Address {
    if (this.#local !== null) return this.#local;
    const bytes = new Uint8Array(SOCKADDR_BYTES);
    const length = new Uint8Array(Uint32Array.of(SOCKADDR_BYTES).buffer);
    const known = !this.#closed && this.#libc.getsockname(this.fd, bytes, length) === 0;
    return this.#local = known ? readSocketAddress(bytes) : { host: "0.0.0.0", port: 0 };
  }

  /** A session that throws loses its connection; the worker goes on. */
  #tell(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.world.onBug(error);
      this.close();
    }
  }
}
