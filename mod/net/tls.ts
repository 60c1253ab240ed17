/**
 * What the listeners ask of an implementation of TLS: a codec between two kinds of bytes, and an acceptor that makes
 * one for each connection. Types only; `rustls_io.ts` implements them, the tests with codecs of their own.
 */
import type { TlsSnapshot } from "../config/snapshot.ts";

/** What is known of a connection once its handshake is over. */
export interface TlsFacts {
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly version: string;
  /** As OpenSSL calls it. */
  readonly cipher: string;
  /** The name that the client asked for, lower case; empty: none. */
  readonly serverName: string;
  /** The protocol agreed on by ALPN; empty: none. */
  readonly alpn: string;
  /** True when an earlier session was taken up again. */
  readonly resumed: boolean;
  /** The client's certificate, which has been verified; null: it showed none. */
  readonly client: TlsClient | null;
}

export interface TlsClient {
  /** `CN=…,O=…` */
  readonly subject: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
}

/** Called by a codec, always from within a call to it. */
export interface TlsCodecEvents {
  /** The handshake is over and the client may be served. Text may follow at once. */
  onSecure(facts: TlsFacts): void;
  /** Decrypted bytes, in a buffer of their own that nobody else uses. */
  onText(bytes: Uint8Array): void;
  /** The peer said that it sends no more (close_notify). */
  onTextEnd(): void;
  /** The connection cannot go on; an alert may be there to be drained. Last of all calls. */
  onFault(reason: string): void;
}

/** TLS without a socket: bytes in, bytes and events out. After a fault only `drain` and `destroy` may be called. */
export interface TlsCodec {
  /** Takes bytes that arrived; whatever comes of them is told before it returns. */
  receive(bytes: Uint8Array): void;
  /** Encrypts; the result waits for `drain`. */
  write(text: Uint8Array): void;
  /** Says that nothing more will be sent; the alert waits for `drain`. */
  end(): void;
  /** Bytes for the peer, in a buffer that is the caller's from now on; null: none. */
  drain(): Uint8Array | null;
  /** Frees what it holds. */
  destroy(): void;
}

/** Terminates TLS for one listener, as its configuration says. */
export interface TlsAcceptor {
  open(events: TlsCodecEvents): TlsCodec;
}

/** Makes an acceptor; throws with a message for people where the runtime cannot do what is asked. */
export type MakeTls = (terms: TlsSnapshot) => TlsAcceptor;
