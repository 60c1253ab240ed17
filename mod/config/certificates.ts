/**
 * The files that TLS needs, as they were read for one configuration, and what is wrong with them as findings.
 * Pure: reading is a parameter (`certificates_io.ts`).
 */
import type { Path } from "./problem.ts";
import type { RuleContext } from "./rules.ts";
import { acmeNamesOf } from "./acme_names.ts";
import type { AcmeConfig } from "./acme_schema.ts";
import type { Config } from "./schema.ts";
import type { CertificateSnapshot } from "./snapshot.ts";

/** What is wrong with a file, or worth a warning. */
export interface FileProblem {
  /** Which of the two files it is about. */
  readonly file: "cert" | "key";
  readonly message: string;
}

export interface ReadCertificate {
  /** Null when there is a problem. */
  readonly certificate: CertificateSnapshot | null;
  readonly problems: readonly FileProblem[];
  readonly warnings: readonly FileProblem[];
}

/** The files of a certificate, as the configuration names them. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** What a configuration says of certificates. */
export type CertificateNeeds = Pick<Config, "listeners" | "acme" | "admin">;

/** Reads the files that a configuration names. Never rejects. */
export interface CertificateReader {
  certificate(cert: string, key: string): Promise<ReadCertificate>;
  /** Changes when any of the files that a configuration names has changed; cheap to ask. */
  stamp(config: CertificateNeeds): Promise<string>;
  /** Certificates of authorities, as PEM. */
  authorities(file: string): Promise<{ readonly pem: string } | { readonly problem: string }>;
  /** The certificate for a name that is had by ACME, or one in its place; absent: they are not looked at. */
  had?(name: string, acme: AcmeConfig): Promise<CertificateSnapshot>;
}

/** What a `TlsFiles` has, as plain data. */
export interface TlsFileEntries {
  /** By `cert` and `key` as JSON. */
  readonly certificates: readonly (readonly [pair: string, certificate: CertificateSnapshot])[];
  /** PEM by file. */
  readonly authorities: readonly (readonly [file: string, pem: string])[];
  readonly had: readonly (readonly [name: string, certificate: CertificateSnapshot])[];
}

/** Everything that was read for one configuration. */
export class TlsFiles {
  readonly #certificates: Map<string, CertificateSnapshot>;
  readonly #authorities: Map<string, string>;
  readonly #had: Map<string, CertificateSnapshot>;

  constructor({ certificates = [], authorities = [], had = [] }: Partial<TlsFileEntries> = {}) {
    this.#certificates = new Map(certificates);
    this.#authorities = new Map(authorities);
    this.#had = new Map(had);
  }

  get entries(): TlsFileEntries {
    return {
      certificates: [...this.#certificates],
      authorities: [...this.#authorities],
      had: [...this.#had],
    };
  }

  /** What is missing is not added. */
  addCertificate({ cert, key }: CertificatePair, certificate: CertificateSnapshot | undefined): void {
    if (certificate !== undefined) this.#certificates.set(JSON.stringify([cert, key]), certificate);
  }

  addAuthorities(file: string, pem: string | undefined): void {
    if (pem !== undefined) this.#authorities.set(file, pem);
  }

  addHad(name: string, certificate: CertificateSnapshot): void {
    this.#had.set(name, certificate);
  }

  /** Those for the names, in their order. */
  had(names: readonly string[]): readonly CertificateSnapshot[] {
    return names.flatMap((name) => this.#had.get(name) ?? []);
  }

  /** Undefined: it has none of these files. */
  findCertificate({ cert, key }: CertificatePair): CertificateSnapshot | undefined {
    return this.#certificates.get(JSON.stringify([cert, key]));
  }

  findAuthorities(file: string): string | undefined {
    return this.#authorities.get(file);
  }

  certificate(cert: string, key: string): CertificateSnapshot {
    return this.findCertificate({ cert, key }) ?? notRead(cert);
  }

  authorities(file: string): string {
    return this.findAuthorities(file) ?? notRead(file);
  }

  /** Equal for equal contents. */
  get content(): string {
    return JSON.stringify(this.entries);
  }
}

function notRead(file: string): never {
  throw new Error(`Cannot use ${file} as it has not been read`);
}

export interface TlsFinding {
  readonly path: Path;
  readonly message: string;
}

export interface ReadTlsFiles {
  /** What is good, and in the place of what is not, what was before. */
  readonly files: TlsFiles;
  readonly problems: readonly TlsFinding[];
  readonly warnings: readonly TlsFinding[];
}

/** Reads every file that TLS of listeners and of the admin address names; `before`: what there was of them. */
export async function readTlsFiles(
  { listeners, acme, admin }: CertificateNeeds,
  reader: CertificateReader,
  before = new TlsFiles(),
): Promise<ReadTlsFiles> {
  const files = new TlsFiles();
  const problems: TlsFinding[] = [];
  const warnings: TlsFinding[] = [];
  const readPair = async (path: Path, pair: CertificatePair) => {
    const read = await reader.certificate(pair.cert, pair.key);
    for (const { file, message } of read.problems) problems.push({ path: [...path, file], message });
    for (const { file, message } of read.warnings) warnings.push({ path: [...path, file], message });
    files.addCertificate(pair, read.certificate ?? before.findCertificate(pair));
  };
  if (admin?.tls !== undefined) await readPair(["admin", "tls"], admin.tls);
  for (const [at, listener] of listeners.entries()) {
    const { tls } = listener;
    if (tls === undefined) continue;
    for (const name of acmeNamesOf(listener)) {
      if (acme !== undefined && reader.had !== undefined) files.addHad(name, await reader.had(name, acme));
    }
    for (const [index, pair] of tls.certificates.entries()) {
      await readPair(["listeners", at, "tls", "certificates", index], pair);
    }
    const { clientAuth } = tls;
    if (clientAuth === undefined) continue;
    const read = await reader.authorities(clientAuth.ca);
    files.addAuthorities(clientAuth.ca, "pem" in read ? read.pem : before.findAuthorities(clientAuth.ca));
    if ("pem" in read) continue;
    problems.push({ path: ["listeners", at, "tls", "clientAuth", "ca"], message: read.problem });
  }
  return { files, problems, warnings };
}

/** The same for a configuration that is being checked: what is wrong is said where the file is named. */
export async function checkTlsFiles(context: RuleContext, reader: CertificateReader): Promise<TlsFiles> {
  const { files, problems, warnings } = await readTlsFiles(context.config, reader);
  for (const { path, message } of problems) context.error(path, message);
  for (const { path, message } of warnings) context.warn(path, message);
  return files;
}
