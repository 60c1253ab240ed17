/**
 * Our end of TLS with servers, by OpenSSL: who they are is verified within the handshake, and sessions are taken up
 * again: the last one of each server and name, as with HAProxy.
 */
import { isIP } from "node:net";
import type { ServerTlsSnapshot } from "../config/snapshot.ts";
import { cString } from "../base/libc_io.ts";
import type { BufferPool } from "./buffers.ts";
import { alternativesOf } from "./openssl_certificate_io.ts";
import { clientContext, type Context } from "./openssl_context_io.ts";
import { codecUnderWay, OpensslCodec } from "./openssl_codec_io.ts";
import { type OpenSsl, openssl, type Pointer, textAt } from "./openssl_library_io.ts";
import type { TlsCodecEvents, TlsConnector, TlsFacts } from "./tls.ts";
import { certificateFault, nameFault, OPENSSL_CODES, serverRefused } from "./tls_failure.ts";

const SET_SERVER_NAME = 55;
/** Sessions kept a pool. */
const MAX_SESSIONS = 1024;
/** After that many reads without a ticket none will come any more. */
const READS_FOR_A_TICKET = 4;
/** `X509_CHECK_FLAG_…`: `*.example.com`, but not `a*.example.com` (RFC 9525 section 6.3). */
const NO_PARTIAL_WILDCARDS = 4;
/** `X509_V_ERR_HOSTNAME_MISMATCH` and `IP_ADDRESS_MISMATCH`. */
const NAME_CODES: readonly number[] = [62, 64];

export function opensslConnector(
  lib: OpenSsl,
  terms: ServerTlsSnapshot,
  buffers: BufferPool,
  resume: boolean,
): TlsConnector {
  const context = clientContext(lib, terms);
  if (terms.verify) lib.ssl.SSL_CTX_set_cert_verify_callback(context.pointer, VERIFY, null);
  const sessions = new Sessions(lib, resume ? MAX_SESSIONS : 0);
  return {
    open: (host, port, name, events) => {
      const asked = { name: name === "" ? host : name, key: `${host}|${port}|${name}` };
      return new ClientCodec(lib, context, buffers, events, asked, sessions);
    },
  };
}

const leftovers = new FinalizationRegistry<() => void>((free) => free());

/** The newest session of each server and name; the oldest of all are forgotten first. */
class Sessions {
  readonly #lib: OpenSsl;
  readonly #byServer = new Map<string, Pointer>();

  constructor(lib: OpenSsl, readonly most: number) {
    this.#lib = lib;
    const held = this.#byServer;
    leftovers.register(this, () => held.forEach((session) => lib.ssl.SSL_SESSION_free(session)));
  }

  get(key: string): Pointer {
    return this.#byServer.get(key) ?? null;
  }

  /** Takes over what refers to the session. */
  put(key: string, session: Pointer): void {
    this.#drop(key);
    this.#byServer.set(key, session);
    for (const oldest of this.#byServer.keys()) {
      if (this.#byServer.size <= this.most) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const before = this.#byServer.get(key);
    if (before !== undefined) this.#lib.ssl.SSL_SESSION_free(before);
    this.#byServer.delete(key);
  }
}

interface Asked {
  /** What the certificate has to be for. */
  readonly name: string;
  /** Whose session it is. */
  readonly key: string;
}

class ClientCodec extends OpensslCodec {
  #reads = 0;
  /** The names of a certificate that is for another one. */
  #names = "";

  constructor(
    lib: OpenSsl,
    context: Context,
    buffers: BufferPool,
    events: TlsCodecEvents,
    readonly asked: Asked,
    readonly sessions: Sessions,
  ) {
    super(lib, context, buffers, events);
    const { ssl } = lib;
    ssl.SSL_set_connect_state(this.ssl);
    const session = sessions.get(asked.key);
    if (session !== null) ssl.SSL_set_session(this.ssl, session);
    if (this.#expect()) this.begin();
    else {
      this.reason = `no certificate can be for ${asked.name}`;
      this.fail();
    }
  }

  /** Says whom the certificate has to be for; false: that cannot be said, and anybody's would do. */
  #expect(): boolean {
    const { ssl, crypto } = this.lib;
    const name = cString(this.asked.name);
    const parameters = ssl.SSL_get0_param(this.ssl);
    // RFC 6066 section 3: literal addresses are not permitted as a server name.
    if (isIP(this.asked.name) !== 0) return crypto.X509_VERIFY_PARAM_set1_ip_asc(parameters, name) === 1;
    crypto.X509_VERIFY_PARAM_set_hostflags(parameters, NO_PARTIAL_WILDCARDS);
    return crypto.X509_VERIFY_PARAM_set1_host(parameters, name, BigInt(name.length - 1)) === 1 &&
      ssl.SSL_ctrl_bytes(this.ssl, SET_SERVER_NAME, 0n, name) === 1;
  }

  /** The library has verified a certificate, and it is not good. */
  onUntrusted(store: Pointer): void {
    const { crypto } = this.lib;
    if (!NAME_CODES.includes(crypto.X509_STORE_CTX_get_error(store))) return;
    this.#names = alternativesOf(this.lib, crypto.X509_STORE_CTX_get0_cert(store));
  }

  protected override facts(): TlsFacts {
    return {
      ...this.agreed,
      serverName: this.asked.name,
      alpn: "",
      resumed: this.lib.ssl.SSL_session_reused(this.ssl) === 1,
      client: null,
    };
  }

  protected override certificateFault(code: number): string {
    if (NAME_CODES.includes(code)) return nameFault(this.asked.name, this.#names);
    const words = textAt(this.lib, this.lib.crypto.X509_verify_cert_error_string(BigInt(code)));
    return certificateFault(OPENSSL_CODES[code] ?? "", words);
  }

  protected override refusedBy(alert: string): string {
    return serverRefused(alert);
  }

  /** With TLS 1.3 the ticket comes after the handshake, at the latest with the first answer. */
  protected override onProgress(): void {
    if (this.#reads >= READS_FOR_A_TICKET) return;
    this.#reads++;
    const { ssl } = this.lib;
    if (ssl.SSL_SESSION_is_resumable(ssl.SSL_get_session(this.ssl)) !== 1) return;
    this.#reads = READS_FOR_A_TICKET;
    this.sessions.put(this.asked.key, ssl.SSL_get1_session(this.ssl));
  }
}

/** What the library calls to verify a server, for good: it does so itself, and we look at what was wrong. */
const VERIFY = openssl === null ? null : verifyCall(openssl);

function verifyCall(lib: OpenSsl): Deno.PointerObject {
  return new Deno.UnsafeCallback({ parameters: ["pointer", "pointer"], result: "i32" }, (store) => {
    const result = lib.crypto.X509_verify_cert(store);
    if (result !== 1) (codecUnderWay() as ClientCodec).onUntrusted(store);
    return result;
  }).pointer;
}
