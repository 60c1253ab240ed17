/**
 * TLS by OpenSSL as a codec. What is particular to our end of it, server or client, is in `openssl_server_io.ts` and
 * `openssl_client_io.ts`.
 *
 * The wire is two memory BIOs that all codecs of the thread share: each call fills and empties them before it returns,
 * so that a connection keeps none of OpenSSL's memory but what it has decrypted in part, and its buffers while it is
 * one of the last that began to be used. What it costs: a small request takes six calls (bytes in, text out, is there more, is
 * there an answer; text in, bytes out).
 * The library keeps one queue of errors a thread, and takes one that is left in there for the next call's, of whatever
 * connection: each step of a handshake ends with an empty one, and so does everything that fails.
 */
import { type BufferPool, type Lease, SMALL_BYTES } from "./buffers.ts";
import { type Context, lastReason } from "./openssl_context_io.ts";
import { mayFreeBuffers, type OpenSsl, openssl, type Pointer, textAt } from "./openssl_library_io.ts";
import { alertInWords } from "./tls_failure.ts";
import type { TlsCodec, TlsCodecEvents, TlsFacts } from "./tls.ts";
import { Warm, type Warmable } from "./warm.ts";

/** Given to the library at a time, as a memory BIO never shrinks: one record. */
const STEP_BYTES = 16 * 1024;
/** More than a record adds to its text. */
const RECORD_ADDED_BYTES = 256;
const BIO_RESET = 1;
/** Connections of a thread that keep the library's buffers, up to 34 KB each: to get them anew costs a request 0.2 µs. */
export const MOST_WARM = 256;
/** `SSL_ERROR_…` */
const WANT_READ = 2;
const ZERO_RETURN = 6;
/** `SSL_R_CERTIFICATE_VERIFY_FAILED` */
const NOT_VERIFIED = 134;
/** Reasons from here on are alerts of the peer (`SSL_AD_REASON_OFFSET`). */
const ALERT_OFFSET = 1000;
const REASON_MASK = 0x7fffff;

/** Names of versions and of ciphers, by their numbers: the library has few. */
const names = new Map<number, string>([[0x0303, "TLSv1.2"], [0x0304, "TLSv1.3"]]);

/** What codecs share: between two calls both ways are empty. */
class Wire {
  readonly in: Pointer;
  readonly out: Pointer;
  #used = false;

  constructor(readonly lib: OpenSsl) {
    const { crypto } = lib;
    this.in = crypto.BIO_new(crypto.BIO_s_mem());
    this.out = crypto.BIO_new(crypto.BIO_s_mem());
  }

  /** For a connection, until `leave`. What a call that threw has left behind must never reach another one. */
  enter(): void {
    if (this.#used) this.#empty();
    this.#used = true;
  }

  leave(): void {
    this.#used = false;
  }

  #empty(): void {
    this.lib.crypto.BIO_ctrl(this.in, BIO_RESET, 0n, null);
    this.lib.crypto.BIO_ctrl(this.out, BIO_RESET, 0n, null);
    this.lib.crypto.ERR_clear_error();
  }
}

const wire = openssl === null ? null : new Wire(openssl);
/** Null: the library gives buffers back by itself, after each record. */
const warm = mayFreeBuffers ? new Warm(MOST_WARM) : null;

/** The codec whose call into the library is under way: the library calls back from within it. */
let current: OpensslCodec | null = null;

/** That codec, for what the library calls. */
export function codecUnderWay(): OpensslCodec {
  return current!;
}

export abstract class OpensslCodec implements TlsCodec, Warmable {
  place = -1;
  /** Null: freed. */
  protected ssl: Pointer;
  /** What goes wrong in a call from the library. */
  protected reason: string | null = null;
  readonly #wire: Wire = wire!;
  #established = false;
  /** The peer said that it sends no more: what comes all the same is ignored (RFC 8446 section 6.1). */
  #ended = false;
  #faulty = false;

  protected constructor(
    protected readonly lib: OpenSsl,
    /** Kept, as it would be freed else. */
    protected readonly context: Context,
    readonly buffers: BufferPool,
    readonly events: TlsCodecEvents,
  ) {
    const { ssl, crypto } = lib;
    this.ssl = ssl.SSL_new(context.pointer);
    if (this.ssl === null) throw new Error(`Cannot begin TLS: ${lastReason(lib)}`);
    // What refers to them is given back when the connection is freed.
    crypto.BIO_up_ref(this.#wire.in);
    crypto.BIO_up_ref(this.#wire.out);
    ssl.SSL_set_bio(this.ssl, this.#wire.in, this.#wire.out);
  }

  /** What the connection is like, once the handshake is over. */
  protected abstract facts(): TlsFacts;
  /** Why the certificate of the peer was not accepted, by its code (`X509_V_ERR_…`). */
  protected abstract certificateFault(code: number): string;
  /** What the peer refused, by an alert. */
  protected abstract refusedBy(alert: string): string;
  /** Bytes of the peer were read, and the connection is good. */
  protected abstract onProgress(): void;

  receive(bytes: Uint8Array): void {
    if (this.#faulty || this.#ended) return;
    this.#enter();
    for (let at = 0; at < bytes.length && !this.#faulty && !this.#ended; at += STEP_BYTES) {
      const step = bytes.length <= STEP_BYTES ? bytes : bytes.subarray(at, at + STEP_BYTES);
      this.lib.crypto.BIO_write(this.#wire.in, step as Uint8Array<ArrayBuffer>, step.length);
      if (this.#established || this.#handshake()) this.#read(step.length);
    }
    if (this.#established && !this.#faulty) this.onProgress();
    this.#leave();
  }

  write(text: Uint8Array, size: number): void {
    if (this.#faulty) return;
    this.#enter();
    if (this.lib.ssl.SSL_write(this.ssl, text as Uint8Array<ArrayBuffer>, size) <= 0) this.fail();
    this.#send(size + RECORD_ADDED_BYTES);
    this.#wire.leave();
  }

  end(): void {
    if (this.#faulty || !this.#established) return;
    this.#enter();
    // 0: the peer has not said so yet.
    if (this.lib.ssl.SSL_shutdown(this.ssl) < 0) this.lib.crypto.ERR_clear_error();
    this.#leave();
  }

  destroy(): void {
    this.#faulty = true;
    warm?.remove(this);
    if (this.ssl !== null) this.lib.ssl.SSL_free(this.ssl);
    this.ssl = null;
  }

  /** What has come in part is kept all the same. */
  cool(): void {
    this.lib.ssl.SSL_free_buffers(this.ssl);
  }

  /** Version and cipher of the connection, once the handshake is over. */
  protected get agreed(): Pick<TlsFacts, "version" | "cipher"> {
    const { ssl } = this.lib;
    const cipher = ssl.SSL_get_current_cipher(this.ssl);
    const id = ssl.SSL_CIPHER_get_protocol_id(cipher);
    let name = names.get(id);
    if (name === undefined) names.set(id, name = textAt(this.lib, ssl.SSL_CIPHER_get_name(cipher)));
    return { version: names.get(ssl.SSL_version(this.ssl)) ?? "", cipher: name };
  }

  /** The first step of our end, for who begins. */
  protected begin(): void {
    this.#enter();
    this.lib.crypto.ERR_clear_error();
    this.#handshake();
    this.#leave();
  }

  /** Goes on with the handshake; true: it is over. */
  #handshake(): boolean {
    const { ssl, crypto } = this.lib;
    current = this;
    const result = ssl.SSL_do_handshake(this.ssl);
    current = null;
    if (result !== 1) {
      if (ssl.SSL_get_error(this.ssl, result) === WANT_READ) crypto.ERR_clear_error();
      else this.fail();
      return false;
    }
    crypto.ERR_clear_error();
    this.#established = true;
    this.events.onSecure(this.facts());
    return true;
  }

  /** Decrypts what has come, `size` bytes of the peer; what does not fit into the buffer is told, and the rest is in a new one. */
  #read(size: number): void {
    const { ssl, crypto } = this.lib;
    let lease = size <= SMALL_BYTES ? this.buffers.small() : this.buffers.large();
    let filled = 0;
    while (true) {
      const rest = filled === 0 ? lease.bytes : lease.bytes.subarray(filled);
      const result = ssl.SSL_read(this.ssl, rest as Uint8Array<ArrayBuffer>, rest.length);
      if (result <= 0) {
        const error = ssl.SSL_get_error(this.ssl, result);
        this.#tell(lease, filled);
        return this.#stopped(error);
      }
      filled += result;
      if (result === rest.length) {
        this.#tell(lease, filled);
        lease = this.buffers.large();
        filled = 0;
      } else if (crypto.BIO_ctrl_pending(this.#wire.in) === 0) return this.#tell(lease, filled);
    }
  }

  /** There is no more text to be had now, or never. */
  #stopped(error: number): void {
    if (error === WANT_READ) return;
    if (error !== ZERO_RETURN) return this.fail();
    this.#ended = true;
    this.events.onTextEnd();
  }

  #tell(lease: Lease, size: number): void {
    if (size > 0) this.events.onText(lease, size);
    else lease.release();
  }

  /** Before each call into the library that reads or writes. */
  #enter(): void {
    this.#wire.enter();
    if (this.place < 0) warm?.add(this);
  }

  /** After all but a write, which has something to send in any case. */
  #leave(): void {
    const { crypto } = this.lib;
    const size = crypto.BIO_ctrl_pending(this.#wire.out);
    if (size > 0) this.#send(size);
    // What follows the end of the text, or a fault, is left in there: the next call empties it.
    if (!this.#ended && !this.#faulty) this.#wire.leave();
  }

  /** Tells what is to be sent, probably of `size` bytes. */
  #send(size: number): void {
    while (true) {
      const lease = size <= SMALL_BYTES ? this.buffers.small() : this.buffers.large();
      const bytes = lease.bytes as Uint8Array<ArrayBuffer>;
      const got = this.lib.crypto.BIO_read(this.#wire.out, bytes, bytes.length);
      if (got > 0) this.events.onBytes(lease, got);
      else lease.release();
      if (got < bytes.length) return;
    }
  }

  protected fail(): void {
    if (this.#faulty) return;
    this.#faulty = true;
    const { crypto, ssl } = this.lib;
    const code = crypto.ERR_get_error();
    const kind = code & REASON_MASK;
    const words = textAt(this.lib, crypto.ERR_reason_error_string(BigInt(code)));
    crypto.ERR_clear_error();
    if (this.reason !== null) return this.events.onFault(this.reason, false);
    if (kind === NOT_VERIFIED) {
      return this.events.onFault(this.certificateFault(ssl.SSL_get_verify_result(this.ssl)), true);
    }
    const alert = kind - ALERT_OFFSET;
    const refused = alert >= 0 ? this.refusedBy(alertInWords(alert) ?? words) : null;
    this.events.onFault(refused ?? (words || lastReason(this.lib)), false);
  }
}
