/**
 * The socket seam: what a session sees of a connection, and what a connection calls on a session.
 *
 * Push style: bytes and events arrive as calls, nothing is awaited. `mod/net/deno_io.ts` implements it on
 * `Deno.Conn`; the simulator in `tests/sim/` on memory. A session must not know which.
 */
import type { Lease } from "./buffers.ts";
import type { TlsFacts } from "./tls.ts";

/** What `Stream.sendFile` answers instead of a number of bytes: the file is shorter than that. */
export const FILE_ENDED = -1;
/** The kernel cannot send this file: read it. */
export const FILE_REFUSED = -2;
/** Nobody will take any more. */
export const PEER_GONE = -3;

/** Called by a stream. A stream calls nothing after `onClosed`, which comes exactly once. */
export interface StreamHandler {
  /** Bytes arrived. `view` is good only during the call, unless the lease is kept (see `Stream.take`). */
  onData(view: Uint8Array): void;
  /** The peer finished sending (FIN). Writing is still possible. */
  onEnd(): void;
  /** Everything that was queued has been handed to the kernel, after a `write` that returned false. */
  onDrain(): void;
  /** The stream is gone: by `close`, by a reset (`error` says so), or after both sides ended. */
  onClosed(error: Error | null): void;
}

export interface Address {
  /** Textual IP address. */
  readonly host: string;
  readonly port: number;
}

export interface Stream {
  /** Where events go. May be changed at any time, also during a call. */
  handler: StreamHandler;
  /** Textual IP address and port of the other side. */
  readonly remoteHost: string;
  readonly remotePort: number;
  /** Textual IP address and port of our side. */
  readonly localHost: string;
  readonly localPort: number;
  /** The other side speaks for somebody else (a PROXY header): from now on the addresses are these. */
  setAddresses(remote: Address, local: Address): void;
  /** How the client's connection is encrypted; absent: not by us. */
  readonly tls?: TlsFacts;
  /** It is a stream of a connection of HTTP/2. */
  readonly http2?: boolean;
  /** It is on a connection that has been used before. */
  readonly reused?: boolean;
  /** Queues a copy of `view`. False: more than the high-water mark is queued, wait for `onDrain`. */
  write(view: Uint8Array): boolean;
  /** Queues bytes `start` to `end` of a lease without copying; the stream releases the lease when they are written. */
  writeLease(lease: Lease, start: number, end: number): boolean;
  /**
   * Where the kernel passes files on by itself: sends bytes `at` to `end` of the open file `fd`, and says how many
   * there was room for. Fewer than asked for: `onDrain` comes when to go on. Nothing of the file is queued, so that it
   * may be closed at any time.
   */
  sendFile?(fd: number, at: number, end: number): number;
  /**
   * During `onData` only: takes over the buffer behind the view, which the stream then no longer reuses.
   * `offset` of the view in `lease.bytes` is `view.byteOffset - lease.bytes.byteOffset`.
   */
  take(): Lease;
  /** Stop calling `onData` (at most one more call may follow a read that is already under way). */
  pause(): void;
  resume(): void;
  /** Half-close: FIN after everything queued. */
  end(): void;
  /** Close at once; what is queued is lost. */
  close(): void;
  /**
   * For a stream that serves one exchange only, once that is over: nothing is called any more, and it ends by itself.
   * Absent: it may be used again.
   */
  detach?(): void;
  /** Says that a long transfer is expected (large buffers) or that the stream will wait (a small one). */
  bulk(on: boolean): void;
  /** Bytes queued and not yet handed to the kernel. */
  readonly queued: number;
  /** True from a `write` that returned false until `onDrain`: the peer is slow, or does not read. */
  readonly blocked: boolean;
}

/** Opens connections to servers. `onOpen` or `onFailed` is called exactly once, later. */
export interface Dialer {
  dial(host: string, port: number, handler: DialHandler, terms?: DialTerms): Dial;
}

export interface DialTerms {
  /** What a TLS server's certificate has to be for; absent or empty: for its address. */
  readonly name?: string;
  /** What the connection begins with, before any TLS: a PROXY header. */
  readonly preface?: Uint8Array | null;
}

/** There was a connection, but no TLS over it. The message says why, for people. */
export class TlsFailure extends Error {
  /** `untrusted`: the server's certificate did not prove that it is the one that was meant. */
  constructor(message: string, readonly untrusted: boolean) {
    super(message);
  }
}

/** The server has not looked at what was sent, and says so (RFC 9113 section 8.7): it may be sent again. */
export class Unprocessed extends Error {}

/** The server does not speak what the client wants to upgrade to. */
export class NoSuchProtocol extends Error {}

export interface DialHandler {
  onOpen(stream: Stream): void;
  onFailed(error: Error): void;
}

/** An attempt under way. `cancel` makes sure that neither call comes. */
export interface Dial {
  cancel(): void;
}
