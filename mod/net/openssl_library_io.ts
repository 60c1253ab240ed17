/**
 * The system's OpenSSL 3, as far as TLS needs it: `libssl.so.3`, which HAProxy and nginx use on the same machine, by
 * calls of C. Loaded once a thread, when this file is; null where it is not, and then `rustls_io.ts` does what it can.
 *
 * Pointers are the library's. Who gets one from a function with `new` in its name (or `get1`, `read`) has to free it,
 * and must not use it afterwards: there is nothing here that would notice.
 */
import { cString } from "../base/libc_io.ts";
import { maySafelyFreeBuffers } from "./openssl_version.ts";

const LIBSSL = "libssl.so.3";
const LIBCRYPTO = "libcrypto.so.3";

const SSL_SYMBOLS = {
  TLS_method: { parameters: [], result: "pointer" },
  SSL_CTX_new: { parameters: ["pointer"], result: "pointer" },
  SSL_CTX_free: { parameters: ["pointer"], result: "void" },
  SSL_CTX_ctrl: { parameters: ["pointer", "i32", "i64", "pointer"], result: "i32" },
  SSL_CTX_set_tlsext_ticket_key_evp_cb: { parameters: ["pointer", "function"], result: "i32" },
  SSL_CTX_callback_ctrl: { parameters: ["pointer", "i32", "function"], result: "i32" },
  SSL_CTX_set_options: { parameters: ["pointer", "u64"], result: "u64" },
  SSL_CTX_set_cipher_list: { parameters: ["pointer", "buffer"], result: "i32" },
  SSL_CTX_use_certificate: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_use_PrivateKey: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_check_private_key: { parameters: ["pointer"], result: "i32" },
  SSL_CTX_set_verify: { parameters: ["pointer", "i32", "pointer"], result: "void" },
  SSL_CTX_set_cert_verify_callback: { parameters: ["pointer", "function", "pointer"], result: "void" },
  SSL_CTX_set1_cert_store: { parameters: ["pointer", "pointer"], result: "void" },
  SSL_CTX_add_client_CA: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_CTX_set_session_id_context: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  SSL_CTX_set_alpn_select_cb: { parameters: ["pointer", "function", "pointer"], result: "void" },
  SSL_CTX_set_alpn_protos: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  SSL_new: { parameters: ["pointer"], result: "pointer" },
  SSL_free: { parameters: ["pointer"], result: "void" },
  SSL_set_bio: { parameters: ["pointer", "pointer", "pointer"], result: "void" },
  SSL_set_accept_state: { parameters: ["pointer"], result: "void" },
  SSL_set_connect_state: { parameters: ["pointer"], result: "void" },
  SSL_set_SSL_CTX: { parameters: ["pointer", "pointer"], result: "pointer" },
  SSL_ctrl_bytes: { name: "SSL_ctrl", parameters: ["pointer", "i32", "i64", "buffer"], result: "i32" },
  SSL_do_handshake: { parameters: ["pointer"], result: "i32" },
  SSL_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  SSL_free_buffers: { parameters: ["pointer"], result: "i32" },
  SSL_shutdown: { parameters: ["pointer"], result: "i32" },
  SSL_get_error: { parameters: ["pointer", "i32"], result: "i32" },
  SSL_version: { parameters: ["pointer"], result: "i32" },
  SSL_get_current_cipher: { parameters: ["pointer"], result: "pointer" },
  SSL_CIPHER_get_name: { parameters: ["pointer"], result: "pointer" },
  SSL_CIPHER_get_protocol_id: { parameters: ["pointer"], result: "u16" },
  SSL_get_servername: { parameters: ["pointer", "i32"], result: "pointer" },
  SSL_session_reused: { parameters: ["pointer"], result: "i32" },
  SSL_get1_peer_certificate: { parameters: ["pointer"], result: "pointer" },
  SSL_get_verify_result: { parameters: ["pointer"], result: "i32" },
  SSL_get0_param: { parameters: ["pointer"], result: "pointer" },
  SSL_get_session: { parameters: ["pointer"], result: "pointer" },
  SSL_get1_session: { parameters: ["pointer"], result: "pointer" },
  SSL_set_session: { parameters: ["pointer", "pointer"], result: "i32" },
  SSL_SESSION_free: { parameters: ["pointer"], result: "void" },
  SSL_SESSION_is_resumable: { parameters: ["pointer"], result: "i32" },
} as const;

const CRYPTO_SYMBOLS = {
  OpenSSL_version_num: { parameters: [], result: "u64" },
  BIO_new: { parameters: ["pointer"], result: "pointer" },
  BIO_s_mem: { parameters: [], result: "pointer" },
  BIO_new_mem_buf: { parameters: ["buffer", "i32"], result: "pointer" },
  BIO_free: { parameters: ["pointer"], result: "i32" },
  BIO_read: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  BIO_write: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  BIO_ctrl: { parameters: ["pointer", "i32", "i64", "pointer"], result: "i32" },
  BIO_up_ref: { parameters: ["pointer"], result: "i32" },
  // Far below 4 GiB here; a 64-bit result would come back as a BigInt.
  BIO_ctrl_pending: { parameters: ["pointer"], result: "u32" },
  PEM_read_bio_X509: { parameters: ["pointer", "pointer", "pointer", "pointer"], result: "pointer" },
  PEM_read_bio_PrivateKey: { parameters: ["pointer", "pointer", "pointer", "buffer"], result: "pointer" },
  PEM_write_bio_X509: { parameters: ["pointer", "pointer"], result: "i32" },
  EVP_PKEY_free: { parameters: ["pointer"], result: "void" },
  X509_free: { parameters: ["pointer"], result: "void" },
  X509_check_private_key: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_check_issued: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_digest: { parameters: ["pointer", "pointer", "buffer", "pointer"], result: "i32" },
  EVP_CIPHER_fetch: { parameters: ["pointer", "buffer", "pointer"], result: "pointer" },
  EVP_EncryptInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "buffer", "pointer"],
    result: "i32",
  },
  EVP_DecryptInit_ex: {
    parameters: ["pointer", "pointer", "pointer", "buffer", "pointer"],
    result: "i32",
  },
  EVP_MAC_CTX_set_params: { parameters: ["pointer", "buffer"], result: "i32" },
  RAND_bytes: { parameters: ["pointer", "i32"], result: "i32" },
  EVP_sha256: { parameters: [], result: "pointer" },
  X509_get_subject_name: { parameters: ["pointer"], result: "pointer" },
  X509_get_serialNumber: { parameters: ["pointer"], result: "pointer" },
  i2a_ASN1_INTEGER: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_get_issuer_name: { parameters: ["pointer"], result: "pointer" },
  X509_NAME_print_ex: { parameters: ["pointer", "pointer", "i32", "u64"], result: "i32" },
  X509_get_ext_by_NID: { parameters: ["pointer", "i32", "i32"], result: "i32" },
  X509_get_ext: { parameters: ["pointer", "i32"], result: "pointer" },
  X509V3_EXT_print: { parameters: ["pointer", "pointer", "u64", "i32"], result: "i32" },
  X509_get0_notBefore: { parameters: ["pointer"], result: "pointer" },
  X509_get0_notAfter: { parameters: ["pointer"], result: "pointer" },
  ASN1_TIME_print: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_STORE_new: { parameters: [], result: "pointer" },
  X509_STORE_free: { parameters: ["pointer"], result: "void" },
  X509_STORE_add_cert: { parameters: ["pointer", "pointer"], result: "i32" },
  X509_STORE_set_flags: { parameters: ["pointer", "u64"], result: "i32" },
  X509_STORE_set_default_paths: { parameters: ["pointer"], result: "i32" },
  X509_verify_cert: { parameters: ["pointer"], result: "i32" },
  X509_verify_cert_error_string: { parameters: ["i64"], result: "pointer" },
  X509_STORE_CTX_get_error: { parameters: ["pointer"], result: "i32" },
  X509_STORE_CTX_get0_cert: { parameters: ["pointer"], result: "pointer" },
  X509_VERIFY_PARAM_set1_host: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
  X509_VERIFY_PARAM_set_hostflags: { parameters: ["pointer", "u32"], result: "void" },
  X509_VERIFY_PARAM_set1_ip_asc: { parameters: ["pointer", "buffer"], result: "i32" },
  // Codes have 32 bits.
  ERR_get_error: { parameters: [], result: "u32" },
  ERR_clear_error: { parameters: [], result: "void" },
  ERR_reason_error_string: { parameters: ["u64"], result: "pointer" },
  // Of libc, which comes along. The runtime's own views of memory look at the permission each time.
  strlen: { parameters: ["pointer"], result: "u32" },
  memcpy: { parameters: ["buffer", "pointer", "usize"], result: "void" },
  memcpy_into: { name: "memcpy", parameters: ["pointer", "buffer", "usize"], result: "void" },
  memcpy_from: { name: "memcpy", parameters: ["buffer", "u64", "usize"], result: "void" },
  memcpy_to: { name: "memcpy", parameters: ["u64", "buffer", "usize"], result: "void" },
} as const;

export type Pointer = Deno.PointerValue;

export interface OpenSsl {
  readonly ssl: Deno.DynamicLibrary<typeof SSL_SYMBOLS>["symbols"];
  readonly crypto: Deno.DynamicLibrary<typeof CRYPTO_SYMBOLS>["symbols"];
}

/** Null: there is no such library here, or this thread may not load one. */
export const openssl: OpenSsl | null = load();

/** False: connections give their buffers back after each record, as the library does it by itself. */
export const mayFreeBuffers = openssl !== null &&
  maySafelyFreeBuffers(Number(openssl.crypto.OpenSSL_version_num()));

/** Never closed: OpenSSL stays in memory for good once it is there, and contexts point into it. */
function load(): OpenSsl | null {
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return null;
    const crypto = Deno.dlopen(LIBCRYPTO, CRYPTO_SYMBOLS).symbols;
    return { ssl: Deno.dlopen(LIBSSL, SSL_SYMBOLS).symbols, crypto };
  } catch {
    return null;
  }
}

const decoder = new TextDecoder();

/** Text of C, which is not freed; empty for null. */
export function textAt({ crypto }: OpenSsl, pointer: Pointer): string {
  if (pointer === null) return "";
  const bytes = new Uint8Array(crypto.strlen(pointer));
  crypto.memcpy(bytes, pointer, BigInt(bytes.length));
  return decoder.decode(bytes);
}

/** Memory of C at an address. */
export function bytesAt({ crypto }: OpenSsl, address: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  crypto.memcpy_from(bytes, address, BigInt(size));
  return bytes;
}

/** Writes to memory of C at an address. */
export function putAt({ crypto }: OpenSsl, address: bigint, bytes: Uint8Array<ArrayBuffer>): void {
  crypto.memcpy_to(address, bytes, BigInt(bytes.length));
}

/** Calls `read` with each object of a PEM text in turn, until it finds no more. */
export function eachOfPem({ crypto }: OpenSsl, pem: string, read: (bio: Pointer) => boolean): void {
  const bytes = cString(pem);
  const bio = crypto.BIO_new_mem_buf(bytes, bytes.length - 1);
  if (bio === null) throw new Error("Cannot read a certificate as there is no memory");
  try {
    while (read(bio));
  } finally {
    crypto.BIO_free(bio);
    // The end of the text is an error to the reader.
    crypto.ERR_clear_error();
  }
}
