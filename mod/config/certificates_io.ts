/**
 * Reads certificates and their keys from files, and says what is wrong with them in words that name the file and
 * never show what is in it.
 */
import { createPrivateKey } from "node:crypto";
import { dirname, resolve } from "node:path";
import { fileStamp } from "../base/file_stamp_io.ts";
import { isKeyOf, readCertificate as factsIn, wasIssuedBy } from "../net/certificate_io.ts";
import type { CertificateFacts } from "../net/openssl_certificate_io.ts";
import { certificateProblem } from "../net/tls_engine_io.ts";
import { acmeNames } from "./acme_names.ts";
import type { AcmeConfig } from "./acme_schema.ts";
import type { CertificateReader, FileProblem, ReadCertificate } from "./certificates.ts";
import { certificateBlocks, keyBlock } from "./pem.ts";
import type { CertificateSnapshot } from "./snapshot.ts";

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
  /** What is shown for a name now. */
  inForce(name: string): CertificateSnapshot | undefined;
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
    stamp: async ({ listeners, acme, admin }) => {
      const ours = had === undefined || acme === undefined
        ? []
        : acmeNames({ listeners }).map((name) => had.fileOf(name, acme));
      const names = listeners.flatMap(({ tls }) =>
        tls === undefined ? [] : [
          ...tls.certificates.flatMap(({ cert, key }) => [cert, key]),
          ...(tls.clientAuth === undefined ? [] : [tls.clientAuth.ca]),
        ]
      );
      const admins = admin?.tls === undefined ? [] : [admin.tls.cert, admin.tls.key];
      return JSON.stringify(
        await Promise.all([...names, ...admins, ...ours].map((name) => fileStamp(resolve(base, name)))),
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
        // The same file holds both. One that is broken, or cannot be read now, is soon another.
        const { certificate } = await readCertificate(file, file, now());
        if (certificate !== null) return { ...certificate, had: "acme" as const };
        const known = had.inForce(name);
        return known?.certFile === file && !await isEmpty(file) ? known : had.placeholder(name);
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
  const readable = key === null ? null : await attempt(() => checkKey(key, keyFile));
  const [leaf] = chain ?? [];
  if (cert === null || chain === null || leaf === undefined || key === null || readable === null) {
    return { certificate: null, problems, warnings: [] };
  }
  const pair = await attempt(() => checkPair(leaf, { cert, key, certFile, keyFile }));
  const certificate = pair === null ? null : {
    certFile,
    cert,
    key,
    names: namesOf(leaf),
    issuer: leaf.issuer.trim().replaceAll("\n", ","),
    expiresAt: leaf.validTo,
    fingerprint: leaf.fingerprint,
  };
  return { certificate, problems, warnings: warningsOf(chain, certFile, now) };
}

/** So it is left when an operator has it forgotten. */
async function isEmpty(file: string): Promise<boolean> {
  const facts = await Deno.stat(file).catch(() => null);
  return facts?.size === 0;
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

/** One of a file. */
interface Certificate extends CertificateFacts {
  readonly pem: string;
}

function certificatesOf(pem: string, file: string): Certificate[] {
  const blocks = certificateBlocks(pem);
  if (blocks.length === 0) throw new Fault("cert", `${file} holds no certificate (PEM)`);
  return blocks.map((block, at) => {
    const facts = factsIn(block);
    if (facts !== null) return { ...facts, pem: block };
    throw new Fault("cert", `${file} is broken: its certificate number ${at + 1} cannot be read`);
  });
}

function checkKey(pem: string, file: string): true {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    throw new Fault("key", `${file} is encrypted, and a node has nobody to ask for the passphrase`);
  }
  try {
    createPrivateKey(pem);
    return true;
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

function checkPair(leaf: Certificate, pair: Pair): true {
  const { cert, key, certFile, keyFile } = pair;
  if (!belongs(leaf, key, certFile)) {
    throw new Fault("key", `the key in ${keyFile} does not belong to the certificate in ${certFile}`);
  }
  const problem = certificateProblem(cert, key);
  if (problem !== null) throw new Fault("cert", `${certFile} cannot be used: ${problem}`);
  return true;
}

/** A runtime that does not know this does not know the names in a certificate either, and would show wrong ones. */
function belongs(leaf: Certificate, key: string, certFile: string): boolean {
  try {
    return isKeyOf(leaf.pem, key);
  } catch {
    throw new Fault(
      "cert",
      `${certFile} cannot be used: this version of the runtime cannot read certificates, Deno 2.9 can`,
    );
  }
}

function warningsOf(chain: readonly Certificate[], file: string, now: number): FileProblem[] {
  const warnings: FileProblem[] = [];
  const warn = (message: string) => warnings.push({ file: "cert", message });
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  const [leaf] = chain;
  if (leaf!.validTo < now) warn(`${file} has expired on ${day(leaf!.validTo)}`);
  if (leaf!.validFrom > now) warn(`${file} is valid from ${day(leaf!.validFrom)} on only`);
  if (namesOf(leaf!).length === 0) warn(`${file} is for no name that a client could ask for`);
  for (let at = 1; at < chain.length; at++) {
    if (wasIssuedBy(chain[at - 1]!.pem, chain[at]!.pem)) continue;
    warn(`${file}: its certificate number ${at + 1} is not the issuer of the one before it`);
    break;
  }
  return warnings;
}

/** The names for SNI, which are never addresses; the common name counts where there are no others. */
function namesOf({ alternatives, subject }: Certificate): string[] {
  const names = [...alternatives.matchAll(/(?:^|, )DNS:([^,\s]+)/g)].map((found) => found[1]!);
  const common = /^CN=([^\s]+)$/m.exec(subject)?.[1];
  const all = names.length > 0 || alternatives !== "" ? names : common === undefined ? [] : [common];
  return [...new Set(all.map((name) => name.toLowerCase()))];
}
