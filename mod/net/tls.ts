/**
 * What the streams ask of an implementation of TLS: a codec between two kinds of bytes, and what makes one for each
 * connection. Types only; `openssl_codec_io.ts` and `rustls_io.ts` implement them, the tests with codecs of their own.
 */
import type { ServerTlsSnapshot, TlsSnapshot } from "../config/snapshot.ts";
import type { Lease } from "./buffers.ts";

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
  /** What else it says; not read before somebody asks. */
  readonly facts: TlsClientFacts;
}

export interface TlsClientFacts {
  /** `CN=…,O=…` */
  readonly issuer: string;
  /** Upper-case hex. */
  readonly serial: string;
  /** As `alternativeNames()` has them. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Called by a codec, always from within a call to it. */
export interface TlsCodecEvents {
  /** The handshake is over and the peer may be spoken to. Text may follow at once. */
  onSecure(facts: TlsFacts): void;
  /** Decrypted bytes, the first `size` of a buffer that belongs to the receiver from now on. */
  onText(lease: Lease, size: number): void;
  /** Bytes for the peer, the first `size` of a buffer that belongs to the receiver from now on. */
  onBytes(lease: Lease, size: number): void;
  /** The peer said that it sends no more (close_notify). */
  onTextEnd(): void;
  /**
   * The connection cannot go on; all that follows is an alert for the peer. `untrusted`: the peer's certificate did
   * not prove that it is the one that was meant.
   */
  onFault(reason: string, untrusted: boolean): void;
}

/** TLS without a socket: bytes in, bytes and events out. After a fault only `destroy` does anything. */
export interface TlsCodec {
  /** Takes bytes that arrived; whatever comes of them is told before it returns. */
  receive(bytes: Uint8Array): void;
  /** Encrypts the first `size` bytes of `text`; the result is told before it returns. */
  write(text: Uint8Array, size: number): void;
  /** Tells the peer that nothing more will be sent. */
  end(): void;
  /** Frees what it holds. */
  destroy(): void;
}

/** Terminates TLS for one listener, as its configuration says. */
export interface TlsAcceptor {
  open(events: TlsCodecEvents): TlsCodec;
}

/** Begins TLS with the servers of one pool, as its configuration says. */
export interface TlsConnector {
  /**
   * `host` and `port`: where the connection goes, an IP address; `name`: what the certificate has to be for, and is
   * asked for; empty: the address.
   */
  open(host: string, port: number, name: string, events: TlsCodecEvents): TlsCodec;
}

/** Makes an acceptor; throws with a message for people where what is asked cannot be done. */
export type MakeTls = (terms: TlsSnapshot) => TlsAcceptor;

/** An implementation. Both throw as above. */
export interface TlsEngine {
  readonly name: "openssl" | "rustls";
  readonly acceptor: MakeTls;
  /** `resume`: sessions are taken up again, where the implementation can. */
  connector(terms: ServerTlsSnapshot, resume?: boolean): TlsConnector;
}
