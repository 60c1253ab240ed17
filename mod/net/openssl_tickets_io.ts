/**
 * Seals and opens tickets for sessions with keys of ours (`SSL_CTX_set_tlsext_ticket_key_evp_cb`): the library knows a
 * single key of its own, and with it every turn would cost all sessions.
 *
 * The library encrypts and signs; it calls for a key once a ticket, which costs a few microseconds of some hundred that
 * a handshake takes.
 */
import { cString } from "../base/libc_io.ts";
import type { OpenSsl, Pointer } from "./openssl_library_io.ts";
import { keyNamed, type KeyRing, type TicketKey } from "./ticket_keys.ts";

/** What the library is answered: give up the handshake; do without; done; done, and give the client another ticket. */
const FAILED = -1;
const UNKNOWN = 0;
const GOOD = 1;
const STALE = 2;
/** `OSSL_PARAM_OCTET_STRING`, `OSSL_PARAM_UTF8_STRING`. */
const OCTETS = 5n;
const TEXT = 4n;
const END_OF_PARAMS = [0n, 0n, 0n, 0n, 0n];
const IV_BYTES = 16;
const NAME_BYTES = 16n;

export class Tickets {
  readonly #lib: OpenSsl;
  /** Looked up once: by name it would be with every ticket. */
  readonly #cipher: Pointer;
  readonly #name = new Uint8Array(16);
  readonly #signing: SigningKey;

  /** Needs the permission to call libraries, which it does without later. */
  constructor(lib: OpenSsl) {
    this.#lib = lib;
    this.#cipher = lib.crypto.EVP_CIPHER_fetch(null, cString("AES-256-CBC"), null);
    if (this.#cipher === null) throw new Error("Cannot make tickets for sessions as there is no AES-256-CBC");
    this.#signing = signingKey();
  }

  /** For a ticket in the making: writes the name of its key and its random beginning, and sets both algorithms up. */
  seal(ring: KeyRing, name: Pointer, iv: Pointer, cipher: Pointer, mac: Pointer): number {
    const { crypto } = this.#lib;
    const [, key] = ring;
    crypto.memcpy_into(name, key.name, NAME_BYTES);
    if (crypto.RAND_bytes(iv, IV_BYTES) !== 1) return FAILED;
    if (crypto.EVP_EncryptInit_ex(cipher, this.#cipher, null, key.aes, iv) !== 1) return FAILED;
    return this.#sign(mac, key) ? GOOD : FAILED;
  }

  /** For a ticket that came: sets both algorithms up to open it. */
  open(ring: KeyRing, name: Pointer, iv: Pointer, cipher: Pointer, mac: Pointer): number {
    const { crypto } = this.#lib;
    crypto.memcpy(this.#name, name, NAME_BYTES);
    const key = keyNamed(ring, this.#name);
    if (key === null) return UNKNOWN;
    if (!this.#sign(mac, key)) return FAILED;
    if (crypto.EVP_DecryptInit_ex(cipher, this.#cipher, null, key.aes, iv) !== 1) return FAILED;
    return key === ring[1] ? GOOD : STALE;
  }

  #sign(mac: Pointer, key: TicketKey): boolean {
    const { secret, params } = this.#signing;
    secret.set(key.mac);
    return this.#lib.crypto.EVP_MAC_CTX_set_params(mac, params) === 1;
  }
}

/** What the library is told to sign with, in memory that stays where it is. */
interface SigningKey {
  readonly secret: Uint8Array<ArrayBuffer>;
  /** An array of `OSSL_PARAM` (name, type, data, size, size that was returned), with an end of zeros. */
  readonly params: Uint8Array<ArrayBuffer>;
  /** What the parameters point to. */
  readonly names: readonly Uint8Array<ArrayBuffer>[];
}

function signingKey(): SigningKey {
  const secret = new Uint8Array(32);
  const [key, digest, sha256] = [cString("key"), cString("digest"), cString("SHA256")] as const;
  const words = [
    ...[addressOf(key), OCTETS, addressOf(secret), BigInt(secret.length), 0n],
    ...[addressOf(digest), TEXT, addressOf(sha256), BigInt(sha256.length - 1), 0n],
    ...END_OF_PARAMS,
  ];
  return { secret, params: new Uint8Array(BigUint64Array.from(words).buffer), names: [key, digest, sha256] };
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}
