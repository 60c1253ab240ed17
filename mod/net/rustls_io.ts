/**
 * TLS by the runtime's own rustls, used as a codec: `node:tls` keeps it in a native object (`TLSWrap`) that takes and
 * gives bytes without a socket, which is just what a stream needs. Nothing else in the product touches that object.
 *
 * Why not `Deno.listenTls`: it knows one certificate without, or several with, a new configuration for each connection and no resumption;
 * and neither a client's certificate, a least version, nor what was negotiated. The object is no public interface, so
 * what we rely on is tried in memory before the first listener uses it (`tls_trial_io.ts`), and where it fails the
 * listener does not start. Measured: 2 µs a small request more than `Deno.listenTls`.
 *
 * All sessions of a thread are in one store, and a session that is taken up again is not verified again, not even
 * one whose certificate was found bad, or was never asked for. So a client's certificate counts only if a whole
 * handshake for the same authorities has found it good: see `verified`.
 */
import { X509Certificate } from "node:crypto";
import { Duplex } from "node:stream";
import tls from "node:tls";
import type { VerifiedClients } from "./verified_clients.ts";
import type { TlsClient, TlsCodec, TlsCodecEvents, TlsFacts } from "./tls.ts";

/** The native object, as far as it is used. */
interface NativeTls {
  initServerTls(context: object): number;
  initClientTls(serverName: string, context: object): number;
  attachJsStream(): number;
  setHandle(handle: NativeTls): void;
  setOnread(call: (text: ArrayBuffer | undefined) => void): void;
  enableClientHelloCb(): void;
  getServername(): string | null;
  finishAccept(context: object, alpn: string | null): void;
  getClientHelloAlpn(): readonly string[] | null;
  start(): number;
  readStart(): number;
  receive(bytes: Uint8Array): void;
  drainEncOut(): Uint8Array | undefined;
  writeBuffer(request: object, text: Uint8Array): number;
  shutdown(request: object): number;
  destroySsl(): void;
  verifyError(): string;
  getProtocol(out: Record<string, string>): number;
  getCipher(out: Record<string, string>): number;
  getAlpnNegotiatedProtocol(out: Record<string, string | false>): number;
  getPeerCertificateChain(): { certificates: Uint8Array[] } | null | undefined;
  isSessionReused(): boolean;
  onhandshakedone: () => void;
  onclienthello: () => void;
  onerror: (error: Error) => void;
  onread: (text: ArrayBuffer | undefined) => void;
}

const METHODS = [
  "initServerTls",
  "initClientTls",
  "attachJsStream",
  "setHandle",
  "setOnread",
  "enableClientHelloCb",
  "getServername",
  "getClientHelloAlpn",
  "finishAccept",
  "start",
  "readStart",
  "receive",
  "drainEncOut",
  "writeBuffer",
  "shutdown",
  "destroySsl",
  "verifyError",
  "getProtocol",
  "getCipher",
  "getAlpnNegotiatedProtocol",
  "getPeerCertificateChain",
  "isSessionReused",
] as const;

type NativeConstructor = new (kind: number, provider: number) => NativeTls;

const CLIENT = 0;
const SERVER = 1;
/** The native side calls this when it thinks that a write is done; we look at what it gives instead. */
const REQUEST = { oncomplete() {} };
/** Alerts (RFC 8446 section 6). */
const UNRECOGNIZED_NAME = 112;
const NO_APPLICATION_PROTOCOL = 120;

let native: NativeConstructor | null | undefined;

/** The native class, by way of a socket that is never used; null: this runtime has none that we know how to use. */
function nativeTls(): NativeConstructor | null {
  if (native !== undefined) return native;
  try {
    const nowhere = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const socket = new tls.TLSSocket(nowhere as never, { isServer: true });
    socket.on("error", () => {});
    const handle = (socket as unknown as { _handle?: object })._handle;
    socket.destroy();
    const found = handle?.constructor as NativeConstructor | undefined;
    const whole = found !== undefined && METHODS.every((name) => typeof found.prototype[name] === "function");
    native = whole ? found : null;
  } catch {
    native = null;
  }
  return native;
}

/** True when this runtime has what `serverCodec` needs. */
export function tlsAvailable(): boolean {
  return nativeTls() !== null;
}

/** A certificate chain with its key and how to use them, as the native side wants it. */
export interface TlsContext {
  readonly native: object;
}

export interface ContextTerms {
  readonly cert?: string;
  readonly key?: string;
  readonly minVersion?: "1.2" | "1.3";
  readonly maxVersion?: "1.2" | "1.3";
  /** PEM of the only authorities that are trusted. */
  readonly ca?: string;
  readonly clientAuth?: "optional" | "required";
}

/** Throws when the key or a certificate cannot be read. */
export function tlsContext(terms: ContextTerms): TlsContext {
  const { cert, key, ca, clientAuth } = terms;
  const context = tls.createSecureContext({
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
    minVersion: `TLSv${terms.minVersion ?? "1.2"}`,
    maxVersion: `TLSv${terms.maxVersion ?? "1.3"}`,
  }) as unknown as { context: object };
  return {
    native: {
      ...context.context,
      requestCert: clientAuth !== undefined,
      rejectUnauthorized: clientAuth === "required",
    },
  };
}

/** Why the runtime's TLS cannot serve with a context, or null. */
export function contextProblem({ native: context }: TlsContext): string | null {
  const Native = nativeTls();
  if (Native === null) return "this version of the runtime has no TLS that Tandem knows how to use";
  const trial = new Native(SERVER, 0);
  const good = trial.initServerTls(context) === 0;
  trial.destroySsl();
  return good ? null : "the key is of a kind that is not supported (RSA, ECDSA and Ed25519 are)";
}

export interface ServerTerms {
  /** Protocols for ALPN, the most wanted first. */
  readonly alpn: readonly string[];
  /** The context for the name that the client asks for (lower case, empty: none); null: refuse it. */
  choose(serverName: string): TlsContext | null;
  readonly clientAuth: "optional" | "required" | null;
  /** Certificates of clients that a whole handshake has found good, by fingerprint. */
  readonly verified: VerifiedClients;
}

/** The server's end of one connection. */
export function serverCodec(terms: ServerTerms, events: TlsCodecEvents): TlsCodec {
  return new RustlsCodec(SERVER, events, terms, "", null);
}

/** The client's end; for trials in memory. */
export function clientCodec(context: TlsContext, serverName: string, events: TlsCodecEvents): TlsCodec {
  return new RustlsCodec(CLIENT, events, null, serverName, context);
}

class RustlsCodec implements TlsCodec {
  readonly #native: NativeTls;
  readonly #events: TlsCodecEvents;
  readonly #terms: ServerTerms | null;
  #serverName = "";
  #established = false;
  #faulty = false;
  #alert: Uint8Array | null = null;
  /** Nothing more is sent: what waits are tickets for a client that we refuse. */
  #mute = false;

  constructor(
    kind: number,
    events: TlsCodecEvents,
    terms: ServerTerms | null,
    serverName: string,
    context: TlsContext | null,
  ) {
    this.#events = events;
    this.#terms = terms;
    const Native = nativeTls();
    if (Native === null) throw new Error("Cannot use TLS as this runtime does not have what it takes");
    const it = this.#native = new Native(kind, 0);
    // A server gets its context with the ClientHello: each one that is set up costs 50 µs and more.
    if (terms !== null) it.enableClientHelloCb();
    else if (context !== null) it.initClientTls(serverName, context.native);
    it.attachJsStream();
    it.setHandle(it);
    it.onclienthello = () => this.#onHello();
    it.onhandshakedone = () => this.#onDone();
    it.onerror = ({ message }) => this.#onFault(message);
    it.onread = (text) => {
      if (this.#faulty || !this.#established) return;
      if (text === undefined) events.onTextEnd();
      else events.onText(new Uint8Array(text));
    };
    it.setOnread(it.onread);
    it.start();
    it.readStart();
  }

  receive(bytes: Uint8Array): void {
    if (!this.#faulty) this.#native.receive(bytes);
  }

  write(text: Uint8Array): void {
    if (!this.#faulty) this.#native.writeBuffer(REQUEST, text);
  }

  end(): void {
    if (!this.#faulty) this.#native.shutdown(REQUEST);
  }

  drain(): Uint8Array | null {
    if (this.#alert !== null) {
      const alert = this.#alert;
      this.#alert = null;
      return alert;
    }
    const bytes = this.#native.drainEncOut();
    if (this.#mute) return null;
    return bytes === undefined || bytes.length === 0 ? null : bytes;
  }

  destroy(): void {
    this.#faulty = true;
    this.#native.destroySsl();
  }

  #onHello(): void {
    this.#serverName = (this.#native.getServername() ?? "").toLowerCase();
    const context = this.#terms!.choose(this.#serverName);
    if (context === null) {
      return this.#refuseHello(UNRECOGNIZED_NAME, "no certificate is for the name that the client asks for");
    }
    const offered = this.#native.getClientHelloAlpn() ?? [];
    const wanted = this.#terms!.alpn;
    const alpn = wanted.find((name) => offered.includes(name)) ?? null;
    // RFC 7301 section 3.2: a client that offers protocols and shares none is refused.
    if (alpn === null && wanted.length > 0 && offered.length > 0) {
      return this.#refuseHello(NO_APPLICATION_PROTOCOL, "the client offers no protocol that is spoken here");
    }
    this.#native.finishAccept(context.native, alpn);
  }

  /** Answers a ClientHello with a fatal alert; nothing is encrypted yet. */
  #refuseHello(alert: number, reason: string): void {
    this.#alert = new Uint8Array([0x15, 0x03, 0x03, 0, 2, 2, alert]);
    this.#onFault(reason);
  }

  #onDone(): void {
    if (this.#faulty) return;
    const client = this.#client();
    const problem = this.#terms?.clientAuth ? this.#clientProblem(client) : null;
    if (problem !== null) {
      this.#mute = true;
      return this.#onFault(problem);
    }
    this.#established = true;
    this.#events.onSecure(this.#facts(client));
  }

  /** The runtime lets the handshake pass and only says afterwards that the client's certificate is not good. */
  #clientProblem(client: TlsClient | null): string | null {
    const { clientAuth, verified } = this.#terms!;
    if (client === null) return clientAuth === "required" ? "the client showed no certificate" : null;
    if (this.#native.isSessionReused()) {
      return verified.has(client.fingerprint)
        ? null
        : "the session taken up again has no verified certificate";
    }
    const reason = this.#native.verifyError();
    if (reason !== "") return `the client's certificate is not accepted: ${reason}`;
    verified.add(client.fingerprint);
    return null;
  }

  #client(): TlsClient | null {
    if (this.#terms?.clientAuth === null) return null;
    const [certificate] = this.#native.getPeerCertificateChain()?.certificates ?? [];
    if (certificate === undefined) return null;
    const { subject, fingerprint256 } = new X509Certificate(certificate as never);
    return {
      subject: subject.trim().replaceAll("\n", ","),
      fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
    };
  }

  #facts(client: TlsClient | null): TlsFacts {
    const out: Record<string, string> = {};
    const alpn: Record<string, string | false> = {};
    this.#native.getProtocol(out);
    this.#native.getCipher(out);
    this.#native.getAlpnNegotiatedProtocol(alpn);
    return {
      version: out.protocol ?? "",
      cipher: out.name ?? "",
      serverName: this.#serverName,
      alpn: alpn.alpnProtocol || "",
      resumed: this.#native.isSessionReused(),
      client,
    };
  }

  #onFault(reason: string): void {
    if (this.#faulty) return;
    this.#faulty = true;
    this.#events.onFault(reason);
  }
}
