/**
 * TLS by OpenSSL as a codec: its two memory BIOs are the wire. What is particular to our end of it, server or client,
 * is in `openssl_server_io.ts` and `openssl_client_io.ts`.
 *
 * What it costs: a small request takes four calls (bytes in, text out, text in, bytes out) and no allocation but for
 * the views; measured in memory 1.6 to 2.0 µs, of which rustls with the runtime's objects around it takes 3.9 to 4.7.
 * The library keeps one queue of errors a thread: whoever fails empties it, so that it is empty before each call.
 */
import { type BufferPool, type Lease, SMALL_BYTES } from "./buffers.ts";
import { type Context, lastReason } from "./openssl_context_io.ts";
import { type OpenSsl, type Pointer, textAt } from "./openssl_library_io.ts";
import { alertInWords } from "./tls_failure.ts";
import { DRAIN_BYTES, type TlsCodec, type TlsCodecEvents, type TlsFacts } from "./tls.ts";

/** Given to the library at a time: a memory BIO never shrinks. */
const STEP_BYTES = 16 * 1024;
const WANT_READ = 2;
const ZERO_RETURN = 6;
/** `SSL_R_CERTIFICATE_VERIFY_FAILED` */
const NOT_VERIFIED = 134;
/** Reasons from here on are alerts of the peer (`SSL_AD_REASON_OFFSET`). */
const ALERT_OFFSET = 1000;
const REASON_MASK = 0x7fffff;

/** Decrypted, in the making. */
interface Text {
  lease: Lease;
  size: number;
}

/** For all codecs of the thread: what is drained is good until the next call only. */
const drained = new Uint8Array(DRAIN_BYTES);

/** The codec whose call into the library is under way: the library calls back from within it. */
let current: OpensslCodec | null = null;

/** That codec, for what the library calls. */
export function codecUnderWay(): OpensslCodec {
  return current!;
}

export abstract class OpensslCodec implements TlsCodec {
  /** Null: freed. */
  protected ssl: Pointer;
  /** What goes wrong in a call from the library. */
  protected reason: string | null = null;
  readonly #in: Pointer;
  readonly #out: Pointer;
  #established = false;
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
    this.#in = crypto.BIO_new(crypto.BIO_s_mem());
    this.#out = crypto.BIO_new(crypto.BIO_s_mem());
    ssl.SSL_set_bio(this.ssl, this.#in, this.#out);
  }

  /** What the connection is like, once the handshake is over. */
  protected abstract facts(): TlsFacts;
  /** Why the certificate of the peer was not accepted, by its code (`X509_V_ERR_…`). */
  protected abstract certificateFault(code: number): string;
  /** What the peer refused, by an alert. */
  protected abstract refusedBy(alert: string): string;
  /** Bytes of the peer were read. */
  protected abstract onProgress(): void;

  receive(bytes: Uint8Array): void {
    let text: Text | null = null;
    let outcome: number = WANT_READ;
    for (let at = 0; at < bytes.length && outcome === WANT_READ && !this.#faulty; at += STEP_BYTES) {
      const step = bytes.length <= STEP_BYTES ? bytes : bytes.subarray(at, at + STEP_BYTES);
      this.lib.crypto.BIO_write(this.#in, step as Uint8Array<ArrayBuffer>, step.length);
      if (!this.#established && !this.handshake()) continue;
      text ??= { lease: bytes.length <= SMALL_BYTES ? this.buffers.small() : this.buffers.large(), size: 0 };
      outcome = this.#read(text);
    }
    if (text === null) return;
    this.#tell(text);
    if (outcome === ZERO_RETURN) this.events.onTextEnd();
    else if (outcome !== WANT_READ) this.#fail();
    if (!this.#faulty) this.onProgress();
  }

  write(text: Uint8Array): void {
    if (this.#faulty) return;
    const done = this.lib.ssl.SSL_write(this.ssl, text as Uint8Array<ArrayBuffer>, text.length);
    if (done <= 0) this.#fail();
  }

  end(): void {
    if (this.#faulty || !this.#established) return;
    // 0: the peer has not said so yet.
    if (this.lib.ssl.SSL_shutdown(this.ssl) < 0) this.lib.crypto.ERR_clear_error();
  }

  drain(): Uint8Array | null {
    if (this.ssl === null) return null;
    const size = this.lib.crypto.BIO_read(this.#out, drained, DRAIN_BYTES);
    return size > 0 ? drained.subarray(0, size) : null;
  }

  destroy(): void {
    this.#faulty = true;
    if (this.ssl !== null) this.lib.ssl.SSL_free(this.ssl);
    this.ssl = null;
  }

  /** Goes on with the handshake; true: it is over. */
  protected handshake(): boolean {
    current = this;
    const result = this.lib.ssl.SSL_do_handshake(this.ssl);
    current = null;
    if (result !== 1) {
      if (this.lib.ssl.SSL_get_error(this.ssl, result) !== WANT_READ) this.#fail();
      return false;
    }
    this.#established = true;
    this.events.onSecure(this.facts());
    return true;
  }

  /** Decrypts what has come; what does not fit into the buffer is told, and the rest is in a new one. Why it ended. */
  #read(text: Text): number {
    const { ssl, crypto } = this.lib;
    do {
      if (text.size === text.lease.bytes.length) {
        this.#tell(text);
        text.lease = this.buffers.large();
        text.size = 0;
      }
      const rest = text.size === 0 ? text.lease.bytes : text.lease.bytes.subarray(text.size);
      const result = ssl.SSL_read(this.ssl, rest as Uint8Array<ArrayBuffer>, rest.length);
      if (result <= 0) return ssl.SSL_get_error(this.ssl, result);
      text.size += result;
    } while (ssl.SSL_pending(this.ssl) > 0 || crypto.BIO_ctrl_pending(this.#in) > 0);
    return WANT_READ;
  }

  #tell({ lease, size }: Text): void {
    if (size > 0) this.events.onText(lease, size);
    else lease.release();
  }

  #fail(): void {
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
