/**
 * Why a TLS handshake with a server failed, in words for people. Pure.
 *
 * What can be wrong with a certificate is named as OpenSSL does (x509_vfy.h), and the runtime after it; alerts are
 * those of RFC 8446 section 6.
 */

/** The end of "the server's certificate …". */
const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "has expired",
  CERT_NOT_YET_VALID: "is not valid yet",
  CERT_REVOKED: "was revoked",
  CERT_REJECTED: "was rejected",
  CERT_UNTRUSTED: "is not trusted",
  CERT_SIGNATURE_FAILURE: "has a wrong signature",
  CERT_CHAIN_TOO_LONG: "has too long a chain",
  DEPTH_ZERO_SELF_SIGNED_CERT: "is signed by itself, and is not among the trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "comes from an authority that is not among the trusted",
  UNABLE_TO_GET_ISSUER_CERT: "has an issuer that is unknown",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "has an issuer that is unknown",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "has an issuer that is unknown",
  INVALID_CA: "was issued by what is no authority",
  INVALID_PURPOSE: "is not meant for servers",
  PATH_LENGTH_EXCEEDED: "has too long a chain",
};

/** `X509_V_ERR_…` of OpenSSL by number. */
export const OPENSSL_CODES: Readonly<Record<number, string>> = {
  2: "UNABLE_TO_GET_ISSUER_CERT",
  7: "CERT_SIGNATURE_FAILURE",
  9: "CERT_NOT_YET_VALID",
  10: "CERT_HAS_EXPIRED",
  18: "DEPTH_ZERO_SELF_SIGNED_CERT",
  19: "SELF_SIGNED_CERT_IN_CHAIN",
  20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  22: "CERT_CHAIN_TOO_LONG",
  23: "CERT_REVOKED",
  25: "PATH_LENGTH_EXCEEDED",
  26: "INVALID_PURPOSE",
  27: "CERT_UNTRUSTED",
  28: "CERT_REJECTED",
  79: "INVALID_CA",
};

const ALERTS: Readonly<Record<number, string>> = {
  10: "unexpected message",
  20: "bad record mac",
  22: "record overflow",
  40: "handshake failure",
  42: "bad certificate",
  43: "unsupported certificate",
  44: "certificate revoked",
  45: "certificate expired",
  46: "certificate unknown",
  47: "illegal parameter",
  48: "unknown ca",
  49: "access denied",
  50: "decode error",
  51: "decrypt error",
  70: "protocol version",
  71: "insufficient security",
  80: "internal error",
  86: "inappropriate fallback",
  90: "user canceled",
  109: "missing extension",
  110: "unsupported extension",
  112: "unrecognized name",
  113: "bad certificate status response",
  115: "unknown psk identity",
  116: "certificate required",
  120: "no application protocol",
};

/** A certificate may have hundreds of names. */
const MAX_NAMES = 200;

export const NO_TLS = "the server does not speak TLS on this port";
export const LEFT_EARLY = "the server closed the connection during the handshake";

/** What is wrong with a server's certificate; `otherwise`: the library's words for what has none here. */
export function certificateFault(code: string, otherwise: string): string {
  const words = CERTIFICATE[code];
  return words === undefined
    ? `the server's certificate is not accepted: ${otherwise}`
    : `the server's certificate ${words}`;
}

/** The certificate is for others: those of `alternatives`, as `X509Certificate` tells them; a stranger wrote them. */
export function nameFault(name: string, alternatives: string): string {
  const shown = alternatives.replaceAll("DNS:", "").replaceAll("IP Address:", "")
    .replace(/[^\x20-\x7e]/g, "?");
  const others = shown.length > MAX_NAMES ? `${shown.slice(0, MAX_NAMES)}…` : shown;
  return `the server's certificate is not for ${name}${others === "" ? "" : ` but for ${others}`}`;
}

/** The server ended the handshake with an alert. */
export function serverRefused(alert: string): string {
  return `the server refused the TLS handshake: ${alert}`;
}

/** The name of an alert, by its number; null: it has none here. */
export function alertInWords(alert: number): string | null {
  return ALERTS[alert] ?? null;
}
