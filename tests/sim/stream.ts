/**
 * The socket seam in memory, as unkind as the contract allows: bytes come in any pieces, one more piece may come
 * after `pause`, and a view is overwritten as soon as the call is over, so that whoever keeps one is found out.
 *
 * `Peer` is the other end: a test says what it sends, whether it reads, and when it closes.
 */
import { type Lease, SMALL_BYTES } from "../../mod/net/buffers.ts";
import {
  type Address,
  FILE_ENDED,
  FILE_REFUSED,
  PEER_GONE,
  type Stream,
  type StreamHandler,
} from "../../mod/net/stream.ts";
import type { Network } from "./network.ts";

/** What stands in a buffer that is nobody's. */
const POISON = 0xdd;

/** The most of a file that is sent at once. */
const FILE_PIECE_BYTES = 100_000;

interface Piece {
  readonly lease: Lease;
  start: number;
  readonly end: number;
}

const IGNORE: StreamHandler = { onData() {}, onEnd() {}, onDrain() {}, onClosed() {} };

export class SimStream implements Stream {
  handler: StreamHandler = IGNORE;
  queued = 0;
  /** The most that was ever queued. */
  mostQueued = 0;
  closed = false;
  /** `onClosed` has been called. */
  told = false;
  readonly peer: Peer;
  readonly #network: Network;
  #paused = true;
  #ended = false;
  #large = false;
  #taken = false;
  #input: Lease | null = null;
  #readDue = false;
  #inCall = false;
  #output: Piece[] = [];
  #writeDue = false;
  #wantsDrain = false;
  #finishing = false;
  #finished = false;
  #writeBroken = false;

  /** Only where the network has it. */
  readonly sendFile?: (fd: number, at: number, end: number) => number;

  localHost = "192.0.2.1";
  localPort = 80;

  constructor(network: Network, public remoteHost: string, public remotePort: number) {
    this.#network = network;
    this.peer = new Peer(network, this);
    if (network.sendsFiles) this.sendFile = this.#sendFile;
    network.streams.push(this);
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
    if (this.closed || this.#finishing) return true;
    const lease = this.#network.buffers.atLeast(view.length);
    lease.bytes.set(view);
    return this.writeLease(lease, 0, view.length);
  }

  writeLease(lease: Lease, start: number, end: number): boolean {
    if (this.closed || this.#finishing || start === end) {
      lease.release();
      return true;
    }
    this.queued += end - start;
    this.mostQueued = Math.max(this.mostQueued, this.queued);
    this.#output.push({ lease, start, end });
    this.scheduleWrite();
    if (this.queued <= this.#network.highWater) return true;
    this.#wantsDrain = true;
    return false;
  }

  take(): Lease {
    if (this.#input === null) throw new Error("Cannot take a buffer outside of onData");
    this.#taken = true;
    return this.#input;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.scheduleRead();
  }

  end(): void {
    if (this.#finishing || this.closed) return;
    this.#finishing = true;
    this.scheduleWrite();
  }

  close(): void {
    this.#close(null, false);
  }

  bulk(on: boolean): void {
    this.#large = on;
  }

  /** For the peer: something may be there to read. */
  scheduleRead(): void {
    if (this.#readDue || this.#paused || this.#ended || this.closed || !this.peer.hasNews) return;
    this.#readDue = true;
    this.#network.later(() => this.#read());
  }

  /** For the peer: there may be room to write. */
  scheduleWrite(): void {
    if (this.#writeDue || this.closed) return;
    this.#writeDue = true;
    this.#network.later(() => this.#flush());
  }

  /** For the peer: a reset has arrived. */
  onReset(): void {
    this.#close(new Error("Connection reset by peer"), true);
  }

  #read(): void {
    this.#readDue = false;
    if (this.closed || this.#ended) return;
    // A read that is under way when `pause` is called may still bring something, or may be kept back.
    if (this.#paused && this.#network.random() < 0.5) return;
    const { available, ended } = this.peer;
    if (available > 0) this.#deliver(available);
    else if (ended) {
      this.#ended = true;
      this.#call(() => this.handler.onEnd());
      if (this.#finished) this.#close(null, false);
      return;
    }
    this.scheduleRead();
  }

  #deliver(available: number): void {
    const { buffers } = this.#network;
    const lease = this.#large || available > SMALL_BYTES ? buffers.large() : buffers.small();
    const size = this.#network.cut(available, lease.bytes.length);
    this.peer.moveTo(lease.bytes, size);
    this.#input = lease;
    this.#taken = false;
    this.#call(() => this.handler.onData(lease.bytes.subarray(0, size)));
    this.#input = null;
    if (this.#taken) return;
    lease.bytes.fill(POISON, 0, size);
    lease.release();
  }

  #flush(): void {
    this.#writeDue = false;
    if (this.closed) return;
    if (this.#writeBroken) this.#drop();
    for (;;) {
      const piece = this.#output[0];
      if (piece === undefined) break;
      const size = this.#network.cut(piece.end - piece.start, this.peer.room);
      if (size === 0) return;
      this.peer.receive(piece.lease.bytes.subarray(piece.start, piece.start + size));
      this.queued -= size;
      piece.start += size;
      if (piece.start < piece.end) return this.scheduleWrite();
      piece.lease.release();
      this.#output.shift();
    }
    if (this.#wantsDrain) {
      this.#wantsDrain = false;
      this.#call(() => this.handler.onDrain());
    }
    if (this.#finishing && this.#output.length === 0 && !this.closed) this.#finish();
  }

  #sendFile = (fd: number, at: number, end: number): number => {
    if (this.closed || this.#finishing) return PEER_GONE;
    if (this.#output.length > 0) {
      this.#wantsDrain = true;
      return 0;
    }
    const size = this.#network.cut(end - at, Math.min(this.peer.room, FILE_PIECE_BYTES));
    const bytes = this.#network.readFile(fd, at, size);
    if (bytes === null) return FILE_REFUSED;
    if (size > 0 && bytes.length === 0) return FILE_ENDED;
    if (bytes.length > 0) this.peer.receive(bytes);
    if (at + bytes.length === end) return bytes.length;
    this.#wantsDrain = true;
    if (this.peer.room > 0) this.scheduleWrite();
    return bytes.length;
  };

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#ended) this.#close(null, false);
    else this.peer.receiveEnd();
  }

  #close(error: Error | null, byPeer: boolean): void {
    if (this.closed) return;
    this.closed = true;
    const lost = this.#output.length > 0;
    this.#drop();
    if (!byPeer) this.peer.receiveClose(this.peer.available > 0, lost || !this.#finished);
    this.#network.later(() => {
      const { handler } = this;
      this.#call(() => handler.onClosed(error));
      this.told = true;
      this.handler = FORBIDDEN(this.#network);
    });
  }

  #drop(): void {
    for (const { lease } of this.#output) lease.release();
    this.#output = [];
    this.queued = 0;
  }

  /** Calls the handler; an error it throws is kept for the test. */
  #call(run: () => void): void {
    if (this.#inCall) this.#network.faults.push(new Error("A handler was called within a call to it"));
    this.#inCall = true;
    try {
      run();
    } catch (error) {
      this.#network.faults.push(error);
      this.close();
    }
    this.#inCall = false;
  }
}

/** The handler of a stream that is gone: every call is a fault. */
function FORBIDDEN(network: Network): StreamHandler {
  const fault = () => {
    network.faults.push(new Error("A handler was called after onClosed"));
  };
  return { onData: fault, onEnd: fault, onDrain: fault, onClosed: fault };
}

/** What the peer of a stream is told. */
export interface PeerHandler {
  onData?(view: Uint8Array): void;
  onEnd?(): void;
  /** The stream was closed; `reset`: bytes of either side may be lost. */
  onClosed?(reset: boolean): void;
}

/** The other end of a `SimStream`: a client, a server, or a part of a test. */
export class Peer {
  handler: PeerHandler = {};
  /** What has arrived, unless `keep` is false. */
  received: Uint8Array[] = [];
  receivedBytes = 0;
  keep = true;
  /** The stream has ended its side, orderly or by closing. */
  gotEnd = false;
  gotClose = false;
  gotReset = false;
  /** Bytes the stream has not read yet. */
  available = 0;
  ended = false;
  #network: Network;
  #reading = true;
  /** Arrived while not reading. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #pieces: (Uint8Array | number)[] = [];
  #reset = false;
  #gone = false;
  /** Breaks off after that many more bytes sent or received. */
  #sendLimit = Infinity;
  #receiveLimit = Infinity;
  #breakOff: () => void = () => {};

  constructor(network: Network, readonly stream: SimStream) {
    this.#network = network;
  }

  /** True when the stream can read something. */
  get hasNews(): boolean {
    return this.available > 0 || this.ended;
  }

  /** Bytes that still fit on the way to this peer. */
  get room(): number {
    return this.#reading ? Infinity : this.#network.window - this.#waitingBytes;
  }

  get text(): string {
    let text = "";
    for (const piece of this.received) for (const byte of piece) text += String.fromCharCode(byte);
    return text;
  }

  /** Sends Latin-1 text or bytes; a number: that many bytes of no interest, which take no memory. */
  send(what: string | Uint8Array | number): void {
    if (this.ended || this.#reset || this.gotClose) return;
    let piece = typeof what === "string" ? Uint8Array.from(what, (char) => char.charCodeAt(0)) : what;
    let size = typeof piece === "number" ? piece : piece.length;
    const breaks = size >= this.#sendLimit;
    if (breaks) {
      size = this.#sendLimit;
      piece = typeof piece === "number" ? size : piece.subarray(0, size);
    }
    this.#sendLimit -= size;
    this.available += size;
    if (size > 0) this.#pieces.push(piece);
    if (breaks) this.#breakOff();
    else if (size > 0) this.stream.scheduleRead();
  }

  /** FIN after everything sent. */
  end(): void {
    if (this.ended || this.#reset) return;
    this.ended = true;
    this.stream.scheduleRead();
  }

  /** RST: what was sent and not read yet is lost. */
  reset(): void {
    if (this.#reset || this.gotClose) return;
    this.#reset = true;
    this.#network.later(() => this.stream.onReset());
  }

  /** Closes both ways, as a process that is done does: what still arrives is answered by a reset. */
  hangUp(): void {
    this.end();
    this.#gone = true;
  }

  /** Stops reading: what arrives fills the window, then the stream has to wait. */
  stop(): void {
    this.#reading = false;
  }

  go(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#take();
    this.stream.scheduleWrite();
  }

  /** Reads `size` bytes while stopped, as a slow receiver does. */
  sip(size: number): void {
    while (size > 0 && this.#waiting.length > 0) {
      const first = this.#waiting[0]!;
      const part = first.subarray(0, size);
      if (part.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(part.length);
      this.#waitingBytes -= part.length;
      size -= part.length;
      this.#note(part);
    }
    this.stream.scheduleWrite();
  }

  /** From now on: after `bytes` more bytes sent, ends or resets. */
  breakSending(bytes: number, how: "end" | "hangUp" | "reset"): void {
    this.#sendLimit = bytes;
    this.#breakOff = () => this[how]();
  }

  /** From now on: after `bytes` more bytes received, ends or resets. */
  breakReceiving(bytes: number, how: "end" | "hangUp" | "reset"): void {
    this.#receiveLimit = bytes;
    this.#breakOff = () => this[how]();
  }

  /** For the stream. */
  moveTo(out: Uint8Array, size: number): void {
    this.available -= size;
    let at = 0;
    while (at < size) {
      const first = this.#pieces[0]!;
      const length = typeof first === "number" ? first : first.length;
      const part = Math.min(length, size - at);
      if (typeof first !== "number") out.set(first.subarray(0, part), at);
      if (part === length) this.#pieces.shift();
      else this.#pieces[0] = typeof first === "number" ? first - part : first.subarray(part);
      at += part;
    }
  }

  /** For the stream: bytes arrive. */
  receive(view: Uint8Array): void {
    if (this.#gone) return this.reset();
    if (this.#reading) return this.#note(this.keep ? view.slice() : view);
    this.#waiting.push(view.slice());
    this.#waitingBytes += view.length;
  }

  /** For the stream: its FIN arrives. */
  receiveEnd(): void {
    this.#network.later(() => {
      if (this.gotEnd) return;
      this.#take();
      this.gotEnd = true;
      this.handler.onEnd?.();
    });
  }

  /** For the stream: it was closed. `unread`: it had bytes of ours left, so that a reset follows. */
  receiveClose(unread: boolean, lost: boolean): void {
    this.gotClose = true;
    this.#network.later(() => {
      this.gotReset = unread;
      // A reset takes what has arrived and was not read.
      if (!unread) this.#take();
      if (!this.gotEnd) this.handler.onEnd?.();
      this.gotEnd = true;
      this.handler.onClosed?.(unread || lost);
    });
  }

  #take(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const view of waiting) this.#note(view);
  }

  #note(view: Uint8Array): void {
    if (this.#gone || this.#reset) return;
    const size = Math.min(view.length, this.#receiveLimit);
    const part = view.subarray(0, size);
    this.#receiveLimit -= size;
    this.receivedBytes += size;
    if (this.keep) this.received.push(part);
    this.handler.onData?.(part);
    if (this.#receiveLimit > 0) return;
    this.#receiveLimit = Infinity;
    this.#breakOff();
    if (size < view.length) this.#note(view.subarray(size));
  }
}
