/**
 * Reads certificates and their keys from files, and says what is wrong with them in words that name the file and
 * never show what is in it.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { dirname, resolve } from "node:path";
import { certificateProblem } from "../net/tls_engine_io.ts";
import { acmeNames } from "./acme_names.ts";
import type { AcmeConfig } from "./acme_schema.ts";
import type { CertificateReader, FileProblem, ReadCertificate } from "./certificates.ts";
import type { CertificateSnapshot } from "./snapshot.ts";

const CERTIFICATE_PEM = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** What is wrong with one of the two files. */
class Fault extends Error {
  constructor(readonly file: FileProblem["file"], message: string) {
    super(message);
  }
}

/** Where certificates are that are had by ACME. */
export interface HadCertificates {
  fileOf(name: string, acme: AcmeConfig): string;
  /** One of our own, for a name that has none yet. */
  placeholder(name: string): CertificateSnapshot;
}

/**
 * Reads files as the configuration in `configFile` names them: relative to it. `now`: milliseconds since 1970; without
 * `had` the ones of ACME are not looked at.
 */
export function certificateReader(
  configFile: string,
  now: () => number,
  had?: HadCertificates,
): CertificateReader {
  const base = dirname(resolve(configFile));
  return {
    certificate: async (cert, key) => await readCertificate(resolve(base, cert), resolve(base, key), now()),
    stamp: async ({ listeners, acme }) => {
      const ours = had === undefined || acme === undefined
        ? []
        : acmeNames({ listeners }).map((name) => had.fileOf(name, acme));
      const names = listeners.flatMap(({ tls }) =>
        tls === undefined ? [] : [
          ...tls.certificates.flatMap(({ cert, key }) => [cert, key]),
          ...(tls.clientAuth === undefined ? [] : [tls.clientAuth.ca]),
        ]
      );
      return JSON.stringify(
        await Promise.all([...names, ...ours].map((name) => stampOf(resolve(base, name)))),
      );
    },
    authorities: async (file) => {
      const path = resolve(base, file);
      try {
        const pem = await readText("cert", path);
        certificatesOf(pem, path);
        return { pem };
      } catch (error) {
        return { problem: (error as Error).message };
      }
    },
    ...(had === undefined ? {} : {
      had: async (name: string, acme: AcmeConfig) => {
        const file = had.fileOf(name, acme);
        // The same file holds both. One that is broken is soon another.
        const { certificate } = await readCertificate(file, file, now());
        return certificate === null ? had.placeholder(name) : { ...certificate, had: "acme" as const };
      },
    }),
  };
}

async function readCertificate(certFile: string, keyFile: string, now: number): Promise<ReadCertificate> {
  const problems: FileProblem[] = [];
  const attempt = async <T>(make: () => T | Promise<T>): Promise<T | null> => {
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      problems.push({ file: error.file, message: error.message });
      return null;
    }
  };
  const cert = await attempt(() => readText("cert", certFile));
  const chain = cert === null ? null : await attempt(() => certificatesOf(cert, certFile));
  const key = await attempt(async () => keyBlock(await readText("key", keyFile)));
  const privateKey = key === null ? null : await attempt(() => keyOf(key, keyFile));
  const [leaf] = chain ?? [];
  if (cert === null || chain === null || leaf === undefined || key === null || privateKey === null) {
    return { certificate: null, problems, warnings: [] };
  }
  const pair = await attempt(() => checkPair(leaf, privateKey, { cert, key, certFile, keyFile }));
  const certificate = pair === null ? null : {
    certFile,
    cert,
    key,
    names: namesOf(leaf),
    expiresAt: Date.parse(leaf.validTo),
    fingerprint: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
  return { certificate, problems, warnings: warningsOf(chain, certFile, now) };
}

/** Time, size and inode: a file that is put in place by renaming may have an old time. */
async function stampOf(file: string): Promise<readonly (string | number | null)[]> {
  try {
    const { mtime, size, ino } = await Deno.stat(file);
    return [file, mtime?.getTime() ?? null, size, ino];
  } catch {
    return [file];
  }
}

async function readText(which: FileProblem["file"], file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Deno.errors.IsADirectory
      ? "it is a directory"
      : error instanceof Deno.errors.PermissionDenied
      ? "this user may not read it"
      : "it is not text";
    throw new Fault(which, `cannot read ${file}: ${reason}`);
  }
}

function certificatesOf(pem: string, file: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE_PEM) ?? [];
  if (blocks.length === 0) throw new Fault("cert", `${file} holds no certificate (PEM)`);
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Fault("cert", `${file} is broken: its certificate number ${at + 1} cannot be read`);
    }
  });
}

/** The key alone: HAProxy's files hold the certificates too, and OpenSSL's a curve's parameters before it. */
function keyBlock(pem: string): string {
  return /^-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^]*?-----END \1PRIVATE KEY-----\n?/m.exec(pem)?.[0] ?? pem;
}

function keyOf(pem: string, file: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    throw new Fault("key", `${file} is encrypted, and a node has nobody to ask for the passphrase`);
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Fault("key", `${file} holds no private key (PEM)`);
  }
}

interface Pair {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

function checkPair(leaf: X509Certificate, privateKey: KeyObject, pair: Pair): true {
  const { cert, key, certFile, keyFile } = pair;
  if (!belongs(leaf, privateKey, certFile)) {
    throw new Fault("key", `the key in ${keyFile} does not belong to the certificate in ${certFile}`);
  }
  const problem = certificateProblem(cert, key);
  if (problem !== null) throw new Fault("cert", `${certFile} cannot be used: ${problem}`);
  return true;
}

/** A runtime that does not know this does not know the names in a certificate either, and would show wrong ones. */
function belongs(leaf: X509Certificate, privateKey: KeyObject, certFile: string): boolean {
  try {
    return leaf.checkPrivateKey(privateKey);
  } catch {
    throw new Fault(
      "cert",
      `${certFile} cannot be used: this version of the runtime cannot read certificates, Deno 2.9 can`,
    );
  }
}

function warningsOf(chain: readonly X509Certificate[], file: string, now: number): FileProblem[] {
  const warnings: FileProblem[] = [];
  const warn = (message: string) => warnings.push({ file: "cert", message });
  const day = (text: string) => new Date(text).toISOString().slice(0, 10);
  const [leaf] = chain;
  if (Date.parse(leaf!.validTo) < now) warn(`${file} has expired on ${day(leaf!.validTo)}`);
  if (Date.parse(leaf!.validFrom) > now) warn(`${file} is valid from ${day(leaf!.validFrom)} on only`);
  if (namesOf(leaf!).length === 0) warn(`${file} is for no name that a client could ask for`);
  for (let at = 1; at < chain.length; at++) {
    if (chain[at - 1]!.checkIssued(chain[at]!)) continue;
    warn(`${file}: its certificate number ${at + 1} is not the issuer of the one before it`);
    break;
  }
  return warnings;
}

/** The names for SNI, which are never addresses; the common name counts where there are no others. */
function namesOf({ subjectAltName, subject }: X509Certificate): string[] {
  const names = [...(subjectAltName ?? "").matchAll(/(?:^|, )DNS:([^,\s]+)/g)].map((found) => found[1]!);
  const common = /^CN=([^\s]+)$/m.exec(subject ?? "")?.[1];
  const all = names.length > 0 || subjectAltName ? names : common === undefined ? [] : [common];
  return [...new Set(all.map((name) => name.toLowerCase()))];
}
