/**
 * TLS by the runtime's own rustls, for where there is no OpenSSL. It is used as a codec: `node:tls` keeps it in a native
 * object (`TLSWrap`) that takes and gives bytes without a socket. Nothing else in the product touches that object.
 *
 * Why not `Deno.listenTls`: it knows one certificate without, or several with, a new configuration for each connection and no resumption;
 * and neither a client's certificate, a least version, nor what was negotiated. The object is no public interface, so
 * what we rely on is tried in memory before the first listener uses it (`tls_trial_io.ts`), and where it fails the
 * listener does not start.
 *
 * All sessions of a thread are in one store, and a session that is taken up again is not verified again, not even
 * one whose certificate was found bad, or was never asked for. So a client's certificate counts only if a whole
 * handshake for the same authorities has found it good: see `verified`. With servers sessions are not taken up again,
 * as the runtime does that only between connections with the same authorities, which for it are its own.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { Lease } from "./buffers.ts";
import { ShownCertificate } from "./shown_certificate_io.ts";
import type { TlsClient, TlsCodec, TlsCodecEvents, TlsFacts } from "./tls.ts";
import { certificateFault, nameFault, serverRefused } from "./tls_failure.ts";
import type { VerifiedClients } from "./verified_clients.ts";

/** The native object, as far as it is used. */
interface NativeTls {
  initServerTls(context: object): number;
  initClientTls(serverName: string, context: object): number;
  attachJsStream(): number;
  setHandle(handle: NativeTls): void;
  setOnread(call: (text: ArrayBuffer | undefined) => void): void;
  setAlpnProtocols(names: readonly string[]): void;
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
  "setAlpnProtocols",
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

/** The client's end of one connection. */
export interface ClientTerms {
  readonly context: TlsContext;
  /** What the server's certificate has to be for: a name, which is asked for, or an address. */
  readonly name: string;
  readonly verify: boolean;
  readonly alpn: readonly string[];
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
  return new ServerCodec(terms, events);
}

/** The client's end of one connection, which begins at once. */
export function clientCodec(terms: ClientTerms, events: TlsCodecEvents): TlsCodec {
  return new ClientCodec(terms, events);
}

abstract class RustlsCodec implements TlsCodec {
  protected readonly native: NativeTls;
  protected serverName = "";
  protected alert: Uint8Array | null = null;
  /** Nothing more is sent: what waits are tickets for a client that we refuse, or our part of a handshake that failed. */
  protected mute = false;
  readonly #events: TlsCodecEvents;
  #established = false;
  #faulty = false;

  protected constructor(kind: number, events: TlsCodecEvents) {
    this.#events = events;
    const Native = nativeTls();
    if (Native === null) throw new Error("Cannot use TLS as this runtime does not have what it takes");
    this.native = new Native(kind, 0);
  }

  /** The handshake is over: what is known of the connection; null: it failed, and that has been told. */
  protected abstract shaken(): TlsFacts | null;
  /** What the runtime says of a failure, in words for people. */
  protected abstract inWords(message: string): string;

  protected begin(): void {
    const it = this.native;
    it.attachJsStream();
    it.setHandle(it);
    it.onhandshakedone = () => {
      if (this.#faulty) return;
      const facts = this.shaken();
      if (facts === null) return;
      this.#established = true;
      this.#events.onSecure(facts);
    };
    it.onerror = ({ message }) => this.fail(this.inWords(message));
    it.onread = (text) => {
      if (this.#faulty || !this.#established) return;
      if (text === undefined) this.#events.onTextEnd();
      else this.#events.onText(new Lease(new Uint8Array(text), null), text.byteLength);
    };
    it.setOnread(it.onread);
    it.start();
    it.readStart();
    this.#send();
  }

  receive(bytes: Uint8Array): void {
    if (this.#faulty) return;
    this.native.receive(bytes);
    this.#send();
  }

  write(text: Uint8Array, size: number): void {
    if (this.#faulty) return;
    this.native.writeBuffer(REQUEST, text.subarray(0, size));
    this.#send();
  }

  end(): void {
    if (this.#faulty) return;
    this.native.shutdown(REQUEST);
    this.#send();
  }

  destroy(): void {
    this.#faulty = true;
    this.native.destroySsl();
  }

  protected fail(reason: string, untrusted = false): void {
    if (this.#faulty) return;
    this.#faulty = true;
    this.#events.onFault(reason, untrusted);
  }

  /** Tells what is to be sent. */
  #send(): void {
    if (this.alert !== null) this.#events.onBytes(new Lease(this.alert, null), this.alert.length);
    this.alert = null;
    let bytes = this.native.drainEncOut();
    while (bytes !== undefined && bytes.length > 0) {
      if (!this.mute) this.#events.onBytes(new Lease(bytes, null), bytes.length);
      bytes = this.native.drainEncOut();
    }
  }

  protected facts(client: TlsClient | null): TlsFacts {
    const out: Record<string, string> = {};
    const alpn: Record<string, string | false> = {};
    this.native.getProtocol(out);
    this.native.getCipher(out);
    this.native.getAlpnNegotiatedProtocol(alpn);
    return {
      version: out.protocol ?? "",
      cipher: out.name ?? "",
      serverName: this.serverName,
      alpn: alpn.alpnProtocol || "",
      resumed: this.native.isSessionReused(),
      client,
    };
  }

  /** The peer's own certificate. */
  protected certificate(): X509Certificate | null {
    const [certificate] = this.native.getPeerCertificateChain()?.certificates ?? [];
    return certificate === undefined ? null : new X509Certificate(certificate as never);
  }
}

class ServerCodec extends RustlsCodec {
  constructor(readonly terms: ServerTerms, events: TlsCodecEvents) {
    super(SERVER, events);
    // The context comes with the ClientHello: each one that is set up costs 50 µs and more.
    this.native.enableClientHelloCb();
    this.native.onclienthello = () => this.#onHello();
    this.begin();
  }

  protected override shaken(): TlsFacts | null {
    const client = this.#client();
    const problem = this.terms.clientAuth === null ? null : this.#clientProblem(client);
    if (problem === null) return this.facts(client);
    this.mute = true;
    this.fail(problem);
    return null;
  }

  protected override inWords(message: string): string {
    return message;
  }

  #onHello(): void {
    this.serverName = (this.native.getServername() ?? "").toLowerCase();
    const context = this.terms.choose(this.serverName);
    if (context === null) {
      return this.#refuseHello(UNRECOGNIZED_NAME, "no certificate is for the name that the client asks for");
    }
    const offered = this.native.getClientHelloAlpn() ?? [];
    const wanted = this.terms.alpn;
    const alpn = wanted.find((name) => offered.includes(name)) ?? null;
    // RFC 7301 section 3.2: a client that offers protocols and shares none is refused.
    if (alpn === null && wanted.length > 0 && offered.length > 0) {
      return this.#refuseHello(NO_APPLICATION_PROTOCOL, "the client offers no protocol that is spoken here");
    }
    this.native.finishAccept(context.native, alpn);
  }

  /** Answers a ClientHello with a fatal alert; nothing is encrypted yet. */
  #refuseHello(alert: number, reason: string): void {
    this.alert = new Uint8Array([0x15, 0x03, 0x03, 0, 2, 2, alert]);
    this.fail(reason);
  }

  /** The runtime lets the handshake pass and only says afterwards that the client's certificate is not good. */
  #clientProblem(client: TlsClient | null): string | null {
    const { clientAuth, verified } = this.terms;
    if (client === null) return clientAuth === "required" ? "the client showed no certificate" : null;
    if (this.native.isSessionReused()) {
      return verified.has(client.fingerprint)
        ? null
        : "the session taken up again has no verified certificate";
    }
    const reason = this.native.verifyError();
    if (reason !== "") return `the client's certificate is not accepted: ${reason}`;
    verified.add(client.fingerprint);
    return null;
  }

  #client(): TlsClient | null {
    if (this.terms.clientAuth === null) return null;
    const certificate = this.certificate();
    return certificate === null ? null : clientOf(certificate);
  }
}

class ClientCodec extends RustlsCodec {
  constructor(readonly terms: ClientTerms, events: TlsCodecEvents) {
    super(CLIENT, events);
    this.serverName = terms.name;
    this.native.initClientTls(terms.name, terms.context.native);
    if (terms.alpn.length > 0) this.native.setAlpnProtocols(terms.alpn);
    this.begin();
  }

  protected override shaken(): TlsFacts | null {
    const reason = this.terms.verify ? this.#problem() : null;
    if (reason === null) return this.facts(null);
    this.mute = true;
    this.fail(reason, true);
    return null;
  }

  protected override inWords(message: string): string {
    const alert = ALERT.exec(message)?.[1];
    return alert === undefined
      ? message
      : serverRefused(alert.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase());
  }

  /** As with clients, the runtime says afterwards what is wrong, and about the name it says nothing. */
  #problem(): string | null {
    const { name } = this.terms;
    const code = this.native.verifyError();
    if (code !== "") return certificateFault(code, code);
    const certificate = this.certificate();
    if (certificate === null) return "the server showed no certificate";
    // The runtime takes those of version 1 from anybody.
    if (isVersion1(certificate.raw)) return certificateFault("", "its version is 1");
    const matches = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
    return matches === undefined ? nameFault(name, certificate.subjectAltName ?? "") : null;
  }
}

const ALERT = /received fatal alert: (\w+)/;

/** What an access log and routes may know of a client's certificate. */
function clientOf(certificate: X509Certificate): TlsClient {
  const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  return new ShownCertificate(certificate.subject, fingerprint, () => certificate.toString());
}

/** RFC 5280 section 4.1: within two sequences the version comes first, but for that of 1. */
function isVersion1(der: Uint8Array): boolean {
  const VERSION_TAG = 0xa0;
  let at = 0;
  for (let depth = 0; depth < 2; depth++) at += 2 + (der[at + 1]! < 0x80 ? 0 : der[at + 1]! & 0x7f);
  return der[at] !== VERSION_TAG;
}
