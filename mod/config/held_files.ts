/**
 * What the files of the configuration in force hold, kept for a balancer that has to be started anew: it goes on with
 * what the one before had, whatever has become of the files meanwhile. Pure.
 */
import { z } from "zod";
import { type CertificateReader, TlsFiles } from "./certificates.ts";
import type { FileReader } from "./named_files.ts";
import { keyBlock } from "./pem.ts";

/** What is kept: thousands of certificates with their chains. */
export const MAX_HELD_CHARS = 16 * 1024 * 1024;

const certificate = z.strictObject({
  certFile: z.string(),
  cert: z.string(),
  key: z.string(),
  names: z.array(z.string()),
  issuer: z.string(),
  expiresAt: z.number(),
  fingerprint: z.string(),
  had: z.enum(["acme", "selfSigned"]).exactOptional(),
});
const certificates = z.array(z.tuple([z.string(), certificate]));
const texts = z.array(z.tuple([z.string(), z.string()]));

const HELD = z.strictObject({
  texts,
  tls: z.strictObject({ certificates, authorities: texts, had: certificates }),
});

export interface HeldFiles {
  /** Of the files that a configuration names, by path as written. */
  readonly texts: ReadonlyMap<string, string>;
  readonly tls: TlsFiles;
}

/** As text, keys included; null: it is too long to be kept. */
export function heldText({ texts, tls }: HeldFiles): string | null {
  const text = JSON.stringify({ texts: [...texts], tls: tls.entries });
  return text.length > MAX_HELD_CHARS ? null : text;
}

/** And back; null: it is none. */
export function heldFiles(text: string): HeldFiles | null {
  try {
    const { texts, tls } = HELD.parse(JSON.parse(text));
    return { texts: new Map(texts), tls: new TlsFiles(tls) };
  } catch {
    return null;
  }
}

/** Reads what is held, and other files with `reader`. */
export function heldOr(held: HeldFiles, reader: FileReader): FileReader {
  return {
    read: (path, kind) => {
      const text = held.texts.get(path);
      if (text === undefined) return reader.read(path, kind);
      return { text: kind === "key" ? keyBlock(text) : text, warning: null };
    },
    belong: (certificate, key) => reader.belong(certificate, key),
  };
}

/** The same for certificates of listeners and their authorities. */
export function heldCertificatesOr({ tls }: HeldFiles, reader: CertificateReader): CertificateReader {
  return {
    ...reader,
    certificate: async (cert, key) => {
      const certificate = tls.findCertificate({ cert, key });
      if (certificate === undefined) return await reader.certificate(cert, key);
      return { certificate, problems: [], warnings: [] };
    },
    authorities: async (file) => {
      const pem = tls.findAuthorities(file);
      return pem === undefined ? await reader.authorities(file) : { pem };
    },
  };
}
