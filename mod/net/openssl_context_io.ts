/**
 * Contexts of OpenSSL: what many connections have in common, as the configuration says it. Made at a reload, not for
 * a connection. A context is freed when nothing in here refers to it any more; connections that use it keep it.
 *
 * Only what is modern is spoken: TLS 1.2 and 1.3, AEAD ciphers with forward secrecy, no renegotiation.
 */
import { createHash } from "node:crypto";
import { rootCertificates } from "node:tls";
import type { ServerTlsSnapshot, TlsSnapshot } from "../config/snapshot.ts";
import { cString } from "../base/libc_io.ts";
import { NO_PASSPHRASE } from "./openssl_certificate_io.ts";
import { eachOfPem, mayFreeBuffers, type OpenSsl, type Pointer, textAt } from "./openssl_library_io.ts";

const SET_MIN_PROTO_VERSION = 123;
const SET_SESSION_CACHE_MODE = 44;
const SET_MODE = 33;
const ADD_CHAIN_CERTIFICATE = 89;
const VERSION = { "1.2": 0x0303n, "1.3": 0x0304n } as const;
/** `SSL_OP_…`: CIPHER_SERVER_PREFERENCE, PRIORITIZE_CHACHA, NO_RENEGOTIATION, NO_COMPRESSION. */
const OPTIONS = (1n << 22n) | (1n << 21n) | (1n << 30n) | (1n << 17n);
/** `SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER`, and `RELEASE_BUFFERS` where codecs must not see to that, at less cost. */
const MODES = mayFreeBuffers ? 0x2n : 0x12n;
const CIPHERS_OF_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";
const VERIFY_NONE = 0;
const VERIFY_PEER = 1;
const FAIL_WITHOUT_CERTIFICATE = 2;
/** An authority that is trusted need not be a root (`X509_V_FLAG_PARTIAL_CHAIN`). */
const PARTIAL_CHAIN = 0x80000n;

const leftovers = new FinalizationRegistry<() => void>((free) => free());

/** One context, freed some time after nobody refers to it any more. */
export class Context {
  constructor(lib: OpenSsl, readonly pointer: Pointer) {
    leftovers.register(this, () => lib.ssl.SSL_CTX_free(pointer));
  }
}

/** For a listener: one context for each certificate, in order. Throws with the name of the file that cannot be used. */
export function serverContexts(lib: OpenSsl, terms: TlsSnapshot): Context[] {
  const { clientAuth, certificates } = terms;
  const store = clientAuth === null ? null : storeOf(lib, clientAuth.ca);
  const scope = scopeOf(terms);
  const contexts = certificates.map(({ cert, key, certFile }) => {
    const context = newContext(lib, terms.minVersion);
    const { pointer } = context;
    const problem = useCertificate(lib, pointer, cert, key);
    if (problem !== null) throw new Error(`Cannot use the certificate ${certFile} as ${problem}`);
    must(lib, lib.ssl.SSL_CTX_set_session_id_context(pointer, scope, scope.length));
    if (clientAuth !== null) {
      lib.ssl.SSL_CTX_set1_cert_store(pointer, store);
      eachCertificate(lib, clientAuth.ca, (one) => void lib.ssl.SSL_CTX_add_client_CA(pointer, one));
      const required = clientAuth.mode === "required" ? FAIL_WITHOUT_CERTIFICATE : 0;
      lib.ssl.SSL_CTX_set_verify(pointer, VERIFY_PEER | required, null);
    }
    return context;
  });
  lib.crypto.X509_STORE_free(store);
  return contexts;
}

/**
 * Where a session counts: where the same authorities are asked for, and certificates for the same names are shown. Else
 * a client that was led to another listener of ours would take it for the one that it knows, without a certificate.
 */
function scopeOf({ clientAuth, certificates }: TlsSnapshot): Uint8Array<ArrayBuffer> {
  const names = [...new Set(certificates.flatMap((one) => one.names))].sort();
  return new Uint8Array(createHash("sha256").update(JSON.stringify([clientAuth, names])).digest());
}

/** For a pool. Throws when its certificate or an authority cannot be used. */
export function clientContext(lib: OpenSsl, terms: ServerTlsSnapshot): Context {
  const context = newContext(lib, terms.minVersion);
  const { pointer } = context;
  const { clientCertificate, alpn, verify, ca } = terms;
  if (clientCertificate !== null) {
    const problem = useCertificate(lib, pointer, clientCertificate.cert, clientCertificate.key);
    if (problem !== null) throw new Error(`Cannot use the certificate for servers as ${problem}`);
  }
  if (alpn.length > 0) {
    const names = alpn.map((name) => new TextEncoder().encode(name));
    const wire = Uint8Array.from(names.flatMap((name) => [name.length, ...name]));
    lib.ssl.SSL_CTX_set_alpn_protos(pointer, wire, wire.length);
  }
  lib.ssl.SSL_CTX_set_verify(pointer, verify ? VERIFY_PEER : VERIFY_NONE, null);
  if (!verify) return context;
  const store = ca === null ? wellKnown(lib) : storeOf(lib, ca);
  lib.ssl.SSL_CTX_set1_cert_store(pointer, store);
  lib.crypto.X509_STORE_free(store);
  return context;
}

function newContext(lib: OpenSsl, minVersion: "1.2" | "1.3"): Context {
  const { ssl } = lib;
  const pointer = ssl.SSL_CTX_new(ssl.TLS_method());
  if (pointer === null) throw new Error(`Cannot use OpenSSL: ${lastReason(lib)}`);
  const context = new Context(lib, pointer);
  must(lib, ssl.SSL_CTX_ctrl(pointer, SET_MIN_PROTO_VERSION, VERSION[minVersion], null));
  ssl.SSL_CTX_ctrl(pointer, SET_MODE, MODES, null);
  // Sessions are with the peers, as tickets: memory here would have to be bounded and is not shared.
  ssl.SSL_CTX_ctrl(pointer, SET_SESSION_CACHE_MODE, 0n, null);
  ssl.SSL_CTX_set_options(pointer, OPTIONS);
  must(lib, ssl.SSL_CTX_set_cipher_list(pointer, cString(CIPHERS_OF_1_2)));
  return context;
}

/** The library did what a promise to the user rests on, or nothing is served. */
function must(lib: OpenSsl, result: number): void {
  if (result !== 1) throw new Error(`Cannot set TLS up: ${lastReason(lib)}`);
}

/** Why a certificate cannot be used with its key, or null. */
export function certificateProblem(lib: OpenSsl, cert: string, key: string): string | null {
  return useCertificate(lib, newContext(lib, "1.2").pointer, cert, key);
}

/** The first certificate of `cert` is ours, the others its chain. The reason why they cannot be used, or null. */
function useCertificate(lib: OpenSsl, context: Pointer, cert: string, key: string): string | null {
  const { ssl, crypto } = lib;
  let count = 0;
  let good = true;
  eachCertificate(lib, cert, (one) => {
    good &&= count++ === 0
      ? ssl.SSL_CTX_use_certificate(context, one) === 1
      : ssl.SSL_CTX_ctrl(context, ADD_CHAIN_CERTIFICATE, 1n, one) === 1;
  });
  let loaded = false;
  eachOfPem(lib, key, (bio) => {
    const pointer = crypto.PEM_read_bio_PrivateKey(bio, null, null, NO_PASSPHRASE);
    loaded = pointer !== null && ssl.SSL_CTX_use_PrivateKey(context, pointer) === 1;
    crypto.EVP_PKEY_free(pointer);
    return false;
  });
  const fits = good && count > 0 && loaded && ssl.SSL_CTX_check_private_key(context) === 1;
  const reason = lastReason(lib);
  return fits ? null : reason;
}

function storeOf(lib: OpenSsl, pem: string): Pointer {
  const store = lib.crypto.X509_STORE_new();
  lib.crypto.X509_STORE_set_flags(store, PARTIAL_CHAIN);
  eachCertificate(lib, pem, (one) => void lib.crypto.X509_STORE_add_cert(store, one));
  return store;
}

/** Mozilla's authorities, which come with the runtime, and the system's. */
function wellKnown(lib: OpenSsl): Pointer {
  const store = storeOf(lib, rootCertificates.join("\n"));
  lib.crypto.X509_STORE_set_default_paths(store);
  lib.crypto.ERR_clear_error();
  return store;
}

function eachCertificate(lib: OpenSsl, pem: string, use: (certificate: Pointer) => void): void {
  eachOfPem(lib, pem, (bio) => {
    const certificate = lib.crypto.PEM_read_bio_X509(bio, null, null, null);
    if (certificate === null) return false;
    use(certificate);
    lib.crypto.X509_free(certificate);
    return true;
  });
}

/** Why the call before failed, in OpenSSL's words; forgets it, and whatever else went wrong. */
export function lastReason(lib: OpenSsl): string {
  const { crypto } = lib;
  const code = crypto.ERR_get_error();
  crypto.ERR_clear_error();
  return textAt(lib, crypto.ERR_reason_error_string(BigInt(code))) || "OpenSSL does not say why";
}
