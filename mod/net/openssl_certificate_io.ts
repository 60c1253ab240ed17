/**
 * What a certificate says, as OpenSSL reads it: without the runtime, whose older versions know half of it, and in the
 * words that `X509Certificate` of Node has for it.
 */
import { eachOfPem, type OpenSsl, type Pointer } from "./openssl_library_io.ts";

/** `XN_FLAG_…` of a name as one line a part: escaped control characters, UTF-8, short names. */
const SUBJECT_LINES = 0x1 | 0x2 | 0x10 | (4 << 16);
const SUBJECT_ALT_NAME = 85;
/** `X509_V_OK` */
const ISSUED = 0;

/** Its subject, a part a line: `CN=…`. */
export function subjectOf(lib: OpenSsl, certificate: Pointer): string {
  return nameOf(lib, lib.crypto.X509_get_subject_name(certificate));
}

function nameOf(lib: OpenSsl, name: Pointer): string {
  return printed(lib, (bio) => lib.crypto.X509_NAME_print_ex(bio, name, 0, BigInt(SUBJECT_LINES)));
}

/** The names that it is for: `DNS:…, IP Address:…`; empty: none but its subject's. */
export function alternativesOf(lib: OpenSsl, certificate: Pointer): string {
  const { crypto } = lib;
  const at = crypto.X509_get_ext_by_NID(certificate, SUBJECT_ALT_NAME, -1);
  if (at < 0) return "";
  return printed(lib, (bio) => crypto.X509V3_EXT_print(bio, crypto.X509_get_ext(certificate, at), 0n, 0));
}

/** SHA-256 of it, lower-case hex. */
export function fingerprintOf(lib: OpenSsl, certificate: Pointer): string {
  const { crypto } = lib;
  const digest = new Uint8Array(32);
  crypto.X509_digest(certificate, crypto.EVP_sha256(), digest, null);
  return digest.toHex();
}

/** A long one is printed in lines. */
function serialOf(lib: OpenSsl, certificate: Pointer): string {
  const { crypto } = lib;
  const serial = crypto.X509_get_serialNumber(certificate);
  return printed(lib, (bio) => crypto.i2a_ASN1_INTEGER(bio, serial)).replaceAll("\\\n", "");
}

/** It, as PEM. */
export function pemOf(lib: OpenSsl, certificate: Pointer): string {
  return printed(lib, (bio) => lib.crypto.PEM_write_bio_X509(bio, certificate));
}

/** What is known of one, once it has been read. */
export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly alternatives: string;
  /** Upper-case hex. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
  readonly fingerprint: string;
}

/** Reads a PEM certificate; null: it is none. */
export function factsOf(lib: OpenSsl, pem: string): CertificateFacts | null {
  const { crypto } = lib;
  return withCertificate(lib, pem, (certificate) => ({
    subject: subjectOf(lib, certificate),
    issuer: nameOf(lib, crypto.X509_get_issuer_name(certificate)),
    alternatives: alternativesOf(lib, certificate),
    serial: serialOf(lib, certificate),
    validFrom: timeOf(lib, crypto.X509_get0_notBefore(certificate)),
    validTo: timeOf(lib, crypto.X509_get0_notAfter(certificate)),
    fingerprint: fingerprintOf(lib, certificate),
  }));
}

/** Whether a certificate says that the other one issued it; both are PEM. */
export function issuedBy(lib: OpenSsl, pem: string, issuer: string): boolean {
  return withCertificate(lib, pem, (certificate) => {
    return withCertificate(
      lib,
      issuer,
      (other) => lib.crypto.X509_check_issued(other, certificate) === ISSUED,
    );
  }) ?? false;
}

/** Whether a key is that of a certificate; both are PEM. */
export function fits(lib: OpenSsl, pem: string, key: string): boolean {
  const { crypto } = lib;
  let good = false;
  withCertificate(lib, pem, (certificate) => {
    eachOfPem(lib, key, (bio) => {
      const pointer = crypto.PEM_read_bio_PrivateKey(bio, null, null, NO_PASSPHRASE);
      good = pointer !== null && crypto.X509_check_private_key(certificate, pointer) === 1;
      crypto.EVP_PKEY_free(pointer);
      return false;
    });
  });
  return good;
}

/** An empty one, as the terminal is asked for one else. */
export const NO_PASSPHRASE = new Uint8Array(1);

function timeOf(lib: OpenSsl, time: Pointer): number {
  return Date.parse(printed(lib, (bio) => lib.crypto.ASN1_TIME_print(bio, time)));
}

function withCertificate<T>(lib: OpenSsl, pem: string, use: (certificate: Pointer) => T): T | null {
  let result: T | null = null;
  eachOfPem(lib, pem, (bio) => {
    const certificate = lib.crypto.PEM_read_bio_X509(bio, null, null, null);
    if (certificate !== null) result = use(certificate);
    lib.crypto.X509_free(certificate);
    return false;
  });
  return result;
}

function printed(lib: OpenSsl, print: (bio: Pointer) => void): string {
  const { crypto } = lib;
  const bio = crypto.BIO_new(crypto.BIO_s_mem());
  print(bio);
  const bytes = new Uint8Array(crypto.BIO_ctrl_pending(bio));
  crypto.BIO_read(bio, bytes, bytes.length);
  crypto.BIO_free(bio);
  crypto.ERR_clear_error();
  return new TextDecoder().decode(bytes);
}
