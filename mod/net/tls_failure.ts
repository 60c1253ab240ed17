/**
 * Why a TLS handshake with a server failed, in words for people, and whether it was the certificate. Pure.
 *
 * The runtime names the checks of a certificate as OpenSSL does (x509_vfy.h), and everything else by an alert or by
 * what of the protocol was broken.
 */
import { TlsFailure } from "./stream.ts";

/** Codes of what can be wrong with a chain of certificates, as the end of "the server's certificate …". */
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
  HOSTNAME_MISMATCH: "is for another name",
};
const ANOTHER_NAME = "ERR_TLS_CERT_ALTNAME_INVALID";
/** Those of the same family that have no words of their own here. */
const CERTIFICATE_CODE = /^(CERT_|CRL_|UNABLE_TO_|ERROR_IN_CERT|SUBJECT_ISSUER_|AKID_|KEYUSAGE_|INVALID_)/;
/** A record that does not look like one: the server speaks something else. */
const NO_TLS = /InvalidContentType|wrong version number/;
/** A certificate may have hundreds of names. */
const MAX_NAMES = 200;
const ALERT = /received fatal alert: (\w+)/;

/** What to tell of an error of the runtime; null when it is no failure of TLS (a refused connection, say). */
export function tlsFailure(error: Error & { code?: unknown }, name: string): TlsFailure | null {
  const code = typeof error.code === "string" ? error.code : "";
  if (code === ANOTHER_NAME) {
    return new TlsFailure(`the server's certificate is not for ${name}${namesOf(error.message)}`, true);
  }
  const words = CERTIFICATE[code];
  if (words !== undefined) return new TlsFailure(`the server's certificate ${words}`, true);
  if (CERTIFICATE_CODE.test(code)) {
    return new TlsFailure(`the server's certificate is not accepted: ${error.message}`, true);
  }
  if (NO_TLS.test(error.message)) return new TlsFailure("the server does not speak TLS on this port", false);
  const alert = ALERT.exec(error.message)?.[1];
  if (alert !== undefined) {
    return new TlsFailure(`the server refused the TLS handshake: ${inWords(alert)}`, false);
  }
  return code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")
    ? new TlsFailure(`the TLS handshake failed: ${error.message}`, false)
    : null;
}

/** The names that the certificate is for, as the runtime tells them; a stranger wrote them. */
function namesOf(message: string): string {
  const names = /cert's (?:altnames|list|CN): (.+)$/s.exec(message)?.[1];
  if (names === undefined) return "";
  const shown = names.replaceAll("DNS:", "").replaceAll("IP Address:", "").replace(/[^\x20-\x7e]/g, "?");
  return ` but for ${shown.length > MAX_NAMES ? `${shown.slice(0, MAX_NAMES)}…` : shown}`;
}

/** `NoApplicationProtocol` as words. */
function inWords(alert: string): string {
  return alert.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}
