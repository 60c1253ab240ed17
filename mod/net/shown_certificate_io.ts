/**
 * The certificate that a client has shown. What few ask for is read when somebody does, once.
 */
import { alternativeNames } from "./alternative_names.ts";
import { readCertificate } from "./certificate_io.ts";
import type { TlsClient, TlsClientFacts } from "./tls.ts";

const PEM_LINES = /-----[^-]+-----|\s/g;

export class ShownCertificate implements TlsClient {
  readonly subject: string;
  readonly fingerprint: string;
  readonly #pem: () => string;
  #facts: TlsClientFacts | null = null;

  /** `subject`: a part a line. */
  constructor(subject: string, fingerprint: string, pem: () => string) {
    this.subject = inLine(subject);
    this.fingerprint = fingerprint;
    this.#pem = pem;
  }

  get facts(): TlsClientFacts {
    return this.#facts ??= factsIn(this.#pem());
  }
}

function factsIn(pem: string): TlsClientFacts {
  const read = readCertificate(pem);
  return {
    issuer: inLine(read?.issuer ?? ""),
    serial: read?.serial ?? "",
    names: alternativeNames(Uint8Array.fromBase64(pem.replaceAll(PEM_LINES, ""))),
    expiresAt: read?.validTo ?? NaN,
  };
}

function inLine(name: string): string {
  return name.trim().replaceAll("\n", ",");
}
