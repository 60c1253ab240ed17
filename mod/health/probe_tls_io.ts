/**
 * The tls probe: a server that completes a TLS handshake is healthy. And the connection over TLS that other probes of
 * a pool with TLS use.
 *
 * In a pool with TLS the probe connects as traffic does, but always with a whole handshake, so that a certificate that
 * has become bad is seen. Without, certificates are not verified: the question is whether the server speaks TLS, and
 * servers that traffic is passed through to prove themselves to its clients.
 */
import { isIP } from "node:net";
import type { ServerTlsSnapshot } from "../config/snapshot.ts";
import { BufferPool, type Lease } from "../net/buffers.ts";
import { makeTlsEngine, newTicketKeys } from "../net/tls_engine_io.ts";
import type { TlsCodec, TlsCodecEvents, TlsConnector, TlsFacts } from "../net/tls.ts";
import { LEFT_EARLY, NO_TLS } from "../net/tls_failure.ts";
import {
  type Channel,
  connect,
  type Probe,
  type ProbeScope,
  type ProbeTarget,
  runProbe,
} from "./probe_io.ts";

const READ_BYTES = 4096;
/** Content types of records with which a server may begin (RFC 8446 section 5.1): alert and handshake. */
const FIRST_RECORDS = [0x15, 0x16];
/** For a server that only has to speak TLS. */
const ANYBODY: ServerTlsSnapshot = {
  verify: false,
  ca: null,
  clientCertificate: null,
  alpn: [],
  minVersion: "1.2",
};

const engine = makeTlsEngine({ buffers: new BufferPool(), ticketKeys: newTicketKeys() });
/** Reading authorities takes milliseconds. */
const connectors = new WeakMap<ServerTlsSnapshot, TlsConnector>();

export const probeTls: Probe = (target, signal) =>
  runProbe(target.check.timeoutMs, signal, async (scope) => {
    const connected = await connectTls(target, target.check.tls, scope);
    if ("reason" in connected) return { ok: false, reason: connected.reason };
    // With a word of farewell, so that the server does not log an error for every probe.
    await connected.end();
    return { ok: true, reason: `handshake completed, ${connected.version}` };
  });

/** A connection over TLS, made as the check says; it is closed when the probe ends. */
export async function connectTls(
  target: ProbeTarget,
  tls: ServerTlsSnapshot | undefined,
  scope: ProbeScope,
): Promise<ProbeConnection | { reason: string }> {
  const conn = await connect(target, scope);
  conn.setNoDelay(true);
  return await openTls(conn, target, tls, scope);
}

/** TLS over a connection that stands; without `tls` whoever speaks it is good. */
export async function openTls(
  conn: Deno.TcpConn,
  target: ProbeTarget,
  tls: ServerTlsSnapshot = ANYBODY,
  scope: ProbeScope,
): Promise<ProbeConnection | { reason: string }> {
  let connector = connectors.get(tls);
  if (connector === undefined) connectors.set(tls, connector = engine.connector(tls, false));
  const connection = new ProbeConnection(
    conn,
    (events) => connector.open(target.host, target.port, nameOf(target, tls), events),
  );
  scope.closing(() => connection.close());
  const reason = await connection.handshake();
  return reason === null ? connection : { reason };
}

function nameOf({ check, tlsName }: ProbeTarget, tls: ServerTlsSnapshot): string {
  const host = String(check.settings["host"] ?? "").replace(/^\[|\]$/g, "");
  const asked = isIP(host) === 0 ? host : "";
  if (tls === ANYBODY) return asked;
  return check.tlsName ?? (check.type === "tls" && asked !== "" ? asked : tlsName ?? "");
}

/** Text over one connection, to be waited for. */
export class ProbeConnection implements TlsCodecEvents, Channel {
  version = "";
  readonly #conn: Deno.TcpConn;
  readonly #codec: TlsCodec;
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #texts: Uint8Array[] = [];
  /** For the server. */
  readonly #sending: Uint8Array[] = [];
  #secure = false;
  #ended = false;
  #fault: string | null = null;

  constructor(conn: Deno.TcpConn, open: (events: TlsCodecEvents) => TlsCodec) {
    this.#conn = conn;
    this.#codec = open(this);
  }

  onSecure({ version }: TlsFacts): void {
    this.#secure = true;
    this.version = version;
  }

  onText(lease: Lease, size: number): void {
    this.#texts.push(lease.bytes.slice(0, size));
    lease.release();
  }

  onBytes(lease: Lease, size: number): void {
    this.#sending.push(lease.bytes.slice(0, size));
    lease.release();
  }

  onTextEnd(): void {
    this.#ended = true;
  }

  onFault(reason: string): void {
    this.#fault = reason;
  }

  /** Null, or why there is no TLS. */
  async handshake(): Promise<string | null> {
    let begun = false;
    while (true) {
      await this.#flush();
      if (this.#fault !== null) return this.#fault;
      if (this.#secure) return null;
      const count = await this.#conn.read(this.#buffer);
      if (count === null) return LEFT_EARLY;
      if (!begun && !FIRST_RECORDS.includes(this.#buffer[0]!)) return NO_TLS;
      begun = true;
      this.#codec.receive(this.#buffer.subarray(0, count));
    }
  }

  /** Text that has come; null: no more will. */
  async read(): Promise<Uint8Array | null> {
    while (true) {
      const text = this.#texts.shift();
      if (text !== undefined) return text;
      if (this.#fault !== null) throw new Error(this.#fault);
      if (this.#ended) return null;
      const count = await this.#conn.read(this.#buffer);
      if (count === null) return null;
      this.#codec.receive(this.#buffer.subarray(0, count));
      await this.#flush();
    }
  }

  async write(text: Uint8Array): Promise<void> {
    this.#codec.write(text, text.length);
    await this.#flush();
  }

  async end(): Promise<void> {
    this.#codec.end();
    await this.#flush();
  }

  /** The connection below is closed by who opened it. */
  close(): void {
    this.#codec.destroy();
  }

  async #flush(): Promise<void> {
    for (let bytes = this.#sending.shift(); bytes !== undefined; bytes = this.#sending.shift()) {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    }
  }
}
