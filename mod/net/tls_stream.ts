/**
 * A stream of text over a stream of TLS: the seam of `stream.ts` on both sides, a codec between them.
 *
 * The handshake runs by itself once `start` is called, and ends in `onSecure` or `onRefused`. With a client the codec
 * is made with its first byte, so that connections that say nothing cost nothing. Text is handed over in the buffer
 * that the codec filled, and is held back while paused; the stream below is paused with it, so that no more than one
 * read waits. A client that leaves without saying so (close_notify) may have been cut off by somebody in between: that
 * is an error, not an end. Of servers too many leave so: that is an end, as it is to HAProxy and nginx.
 */
import type { Lease } from "./buffers.ts";
import type { Address, Stream, StreamHandler } from "./stream.ts";
import { LEFT_EARLY, NO_TLS } from "./tls_failure.ts";
import type { TlsCodec, TlsCodecEvents, TlsFacts } from "./tls.ts";

/** Encrypted at a time: two records. */
const WRITE_BYTES = 32 * 1024;
/** Read and thrown away after a failed handshake: more than any client sends before it sees the alert. */
const DISCARD_BYTES = 64 * 1024;
/** Content types of records (RFC 8446 section 5.1): every client begins with the second, a server may with the first. */
const ALERT_RECORD = 0x15;
const HANDSHAKE_RECORD = 0x16;

/** Which of the two is at the other end. */
export type TlsPeer = "client" | "server";

export interface TlsStreamOwner {
  /** The handshake is over: set the stream's handler, and resume it. */
  onSecure(stream: TlsStream, facts: TlsFacts): void;
  /**
   * The handshake failed, and all that is sent now is an alert: close the stream soon. Empty reason: the client
   * left without a word.
   */
  onRefused(reason: string, untrusted: boolean): void;
  /** The connection is gone, after `onRefused`. */
  onGone(): void;
  /** The stream's handler threw where the stream below does not see it: a bug of ours. */
  onBug(error: unknown): void;
}

/** Decrypted, the first `size` bytes of a buffer. */
interface Text {
  readonly lease: Lease;
  readonly size: number;
}

const NOT_TLS = { client: "it does not speak TLS", server: NO_TLS } as const;

/** Made once, as many clients leave so: making one costs more than what is left of the connection. */
const CUT_OFF = new Error("the client left without an end of TLS (close_notify)");

const IGNORE: StreamHandler = { onData() {}, onEnd() {}, onDrain() {}, onClosed() {} };

export class TlsStream implements Stream, StreamHandler, TlsCodecEvents {
  handler: StreamHandler = IGNORE;
  tls?: TlsFacts;
  readonly #below: Stream;
  readonly #peer: TlsPeer;
  readonly #open: (events: TlsCodecEvents) => TlsCodec;
  readonly #owner: TlsStreamOwner;
  #codec: TlsCodec | null = null;
  #facts: TlsFacts | null = null;
  #secure = false;
  #paused = true;
  #receiving = false;
  #delivering = false;
  /** Text that nobody has seen yet: the first `#size` bytes of a buffer, mostly all there is; null: none. */
  #text: Lease | null = null;
  #size = 0;
  /** What comes behind it. */
  #texts: Text[] = [];
  #ended = false;
  #endTold = false;
  #fault: string | null = null;
  #untrusted = false;
  /** A byte of the peer has come. */
  #begun = false;
  #finishing = false;
  #closed = false;
  #refused = false;
  /** Bytes thrown away since the handshake failed. */
  #discarded = 0;
  #error: Error | null = null;
  /** The text that is being delivered, for `take`. */
  #current: Lease | null = null;
  #taken = false;

  /** `open` makes the codec. */
  constructor(
    below: Stream,
    peer: TlsPeer,
    open: (events: TlsCodecEvents) => TlsCodec,
    owner: TlsStreamOwner,
  ) {
    this.#below = below;
    this.#peer = peer;
    this.#open = open;
    this.#owner = owner;
    below.handler = this;
  }

  /** Begins the handshake. */
  start(): void {
    if (this.#peer === "server") {
      this.#codec = this.#open(this);
      if (this.#fault !== null) return this.#refuse(this.#fault);
    }
    this.#below.resume();
  }

  get remoteHost(): string {
    return this.#below.remoteHost;
  }

  get remotePort(): number {
    return this.#below.remotePort;
  }

  get localHost(): string {
    return this.#below.localHost;
  }

  get localPort(): number {
    return this.#below.localPort;
  }

  setAddresses(remote: Address, local: Address): void {
    this.#below.setAddresses(remote, local);
  }

  get queued(): number {
    return this.#below.queued;
  }

  get blocked(): boolean {
    return this.#below.blocked;
  }

  write(view: Uint8Array): boolean {
    return this.#write(view, 0, view.length);
  }

  writeLease(lease: Lease, start: number, end: number): boolean {
    const more = this.#write(lease.bytes, start, end);
    lease.release();
    return more;
  }

  #write(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#finishing) return true;
    for (let at = start; at < end && !this.#closed; at += WRITE_BYTES) {
      this.#codec!.write(at === 0 ? bytes : bytes.subarray(at), Math.min(end - at, WRITE_BYTES));
      if (this.#fault !== null) this.#close(new Error(this.#fault));
    }
    return this.#closed || !this.#below.blocked;
  }

  take(): Lease {
    this.#taken = true;
    return this.#current!;
  }

  pause(): void {
    this.#paused = true;
    this.#below.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#receiving || this.#delivering) return;
    if (this.#text !== null || this.#ended && !this.#endTold) {
      void Promise.resolve().then(this.#deliverLater);
    } else this.#below.resume();
  }

  bulk(on: boolean): void {
    this.#below.bulk(on);
  }

  end(): void {
    if (this.#finishing || this.#closed) return;
    this.#finishing = true;
    this.#codec!.end();
    this.#below.end();
  }

  close(): void {
    this.#close(null);
  }

  // What the stream below tells.

  onData(view: Uint8Array): void {
    if (this.#closed) return;
    if (this.#refused) return this.#discard(view.length);
    // RFC 8446 section 6.1: what comes after a close_notify is ignored.
    if (this.#ended) return;
    if (!this.#begun) {
      this.#begun = true;
      const alert = view[0] === ALERT_RECORD && this.#peer === "server";
      if (view[0] !== HANDSHAKE_RECORD && !alert) return this.#refuse(NOT_TLS[this.#peer]);
      this.#codec ??= this.#open(this);
    }
    this.#receiving = true;
    try {
      this.#codec!.receive(view);
    } finally {
      this.#receiving = false;
    }
    if (this.#fault !== null) return this.#broken(this.#fault);
    if (this.#facts !== null && !this.#secure) this.#becomeSecure(this.#facts);
    if (this.#secure) this.#deliver();
  }

  onEnd(): void {
    if (this.#closed || this.#refused) return;
    if (!this.#secure) return this.#refuse(this.#left);
    if (this.#ended) return;
    if (this.#peer === "client") {
      return this.#close(CUT_OFF);
    }
    this.#ended = true;
    this.#deliver();
  }

  onDrain(): void {
    if (this.#secure) this.handler.onDrain();
  }

  onClosed(error: Error | null): void {
    const { handler } = this;
    this.#closed = true;
    this.handler = IGNORE;
    this.#codec?.destroy();
    this.#text?.release();
    this.#text = null;
    for (const { lease } of this.#texts) lease.release();
    this.#texts = [];
    if (this.#secure) return handler.onClosed(this.#error ?? error);
    if (!this.#refused) this.#owner.onRefused(this.#left, false);
    this.#owner.onGone();
  }

  // What the codec tells.

  onSecure(facts: TlsFacts): void {
    this.#facts = facts;
  }

  onText(lease: Lease, size: number): void {
    if (this.#text !== null) this.#texts.push({ lease, size });
    else {
      this.#text = lease;
      this.#size = size;
    }
  }

  onBytes(lease: Lease, size: number): void {
    this.#below.writeLease(lease, 0, size);
  }

  onTextEnd(): void {
    this.#ended = true;
  }

  onFault(reason: string, untrusted: boolean): void {
    this.#fault ??= reason;
    this.#untrusted = untrusted;
  }

  /** Why there is no handshake when the peer is gone. */
  get #left(): string {
    if (this.#peer === "server") return LEFT_EARLY;
    return this.#begun ? "the client left" : "";
  }

  #becomeSecure(facts: TlsFacts): void {
    this.#secure = true;
    this.tls = facts;
    this.#owner.onSecure(this, facts);
    if (this.#paused && !this.#closed) this.#below.pause();
  }

  #deliverLater = (): void => {
    if (this.#closed || this.#paused) return;
    try {
      this.#deliver();
    } catch (error) {
      this.#owner.onBug(error);
      this.close();
    }
    if (!this.#paused && !this.#closed) this.#below.resume();
  };

  #deliver(): void {
    this.#delivering = true;
    try {
      while (this.#text !== null && !this.#paused && !this.#closed) {
        const text = this.#text;
        const size = this.#size;
        const next = this.#texts.length === 0 ? undefined : this.#texts.shift();
        this.#text = next?.lease ?? null;
        this.#size = next?.size ?? 0;
        this.#hand(text, size);
      }
    } finally {
      this.#delivering = false;
    }
    if (this.#paused || this.#closed || !this.#ended || this.#endTold) return;
    this.#endTold = true;
    this.handler.onEnd();
  }

  #hand(lease: Lease, size: number): void {
    this.#current = lease;
    this.#taken = false;
    try {
      this.handler.onData(lease.first(size));
    } finally {
      this.#current = null;
      if (!this.#taken) lease.release();
    }
  }

  #broken(reason: string): void {
    if (this.#secure) this.#close(new Error(reason));
    else this.#refuse(reason);
  }

  /** Ends a handshake that failed. What the client goes on sending is read: else our alert could be lost in a reset. */
  #refuse(reason: string): void {
    this.#refused = true;
    this.#below.end();
    this.#owner.onRefused(reason, this.#untrusted);
  }

  #discard(size: number): void {
    this.#discarded += size;
    if (this.#discarded > DISCARD_BYTES) this.close();
  }

  #close(error: Error | null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#below.close();
  }
}
