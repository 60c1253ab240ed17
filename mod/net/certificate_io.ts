/** What a certificate says: by OpenSSL where it is, as in TLS, else by the runtime. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { type CertificateFacts, factsOf, fits, issuedBy } from "./openssl_certificate_io.ts";
import { openssl } from "./openssl_library_io.ts";

/** Reads a PEM certificate; null: it is none. */
export function readCertificate(pem: string): CertificateFacts | null {
  if (openssl !== null) return factsOf(openssl, pem);
  const read = byRuntime(pem);
  return read === null ? null : {
    subject: read.subject,
    issuer: read.issuer,
    alternatives: read.subjectAltName ?? "",
    serial: read.serialNumber.toUpperCase(),
    validFrom: Date.parse(read.validFrom),
    validTo: Date.parse(read.validTo),
    fingerprint: read.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}

/** Whether a certificate says that the other one issued it; both are PEM. */
export function wasIssuedBy(pem: string, issuer: string): boolean {
  if (openssl !== null) return issuedBy(openssl, pem, issuer);
  return new X509Certificate(pem).checkIssued(new X509Certificate(issuer));
}

/** Whether a key is that of a certificate; both are PEM. Throws where the runtime cannot tell. */
export function isKeyOf(pem: string, key: string): boolean {
  if (openssl !== null) return fits(openssl, pem, key);
  return new X509Certificate(pem).checkPrivateKey(createPrivateKey(key));
}

function byRuntime(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}
