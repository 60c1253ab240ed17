/**
 * The certificates that a configuration names and no listener shows: of the admin address, for the servers of pools,
 * and of authorities. Pure: reading is a parameter.
 */
import type { TlsFiles } from "./certificates.ts";
import type { FileKind } from "./named_files.ts";
import { certificateBlocks } from "./pem.ts";
import type { Config } from "./schema.ts";

/** A file of more is a bundle that others keep up to date. */
const MAX_AUTHORITIES = 16;

export interface NamedCertificate {
  /** What it is for, as the configuration calls the place: `pools.app.tls.ca`. */
  readonly use: string;
  /** The first name of one that is shown; of others who it is for: `CN=…,O=…` */
  readonly name: string;
  readonly issuer: string;
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** SHA-256, lower-case hex. */
  readonly fingerprint: string;
}

export interface NamedSources {
  readonly tls: TlsFiles;
  /** The text of a file as it is written; undefined: it is not known. */
  readonly text: (file: string, kind: FileKind) => string | undefined;
  /** What a certificate in PEM says; null: it is none. */
  readonly read: (
    pem: string,
  ) => {
    readonly subject: string;
    readonly issuer: string;
    readonly validTo: number;
    readonly fingerprint: string;
  } | null;
}

/** By place; of a file of authorities each. */
export function namedCertificates(
  { listeners, pools, acme, admin }: Pick<Config, "listeners" | "pools" | "acme" | "admin">,
  { tls, text, read }: NamedSources,
): NamedCertificate[] {
  const found: NamedCertificate[] = [];
  // Many pools have the same authorities.
  const known = new Map<string, NonNullable<ReturnType<typeof read>>>();
  const add = (use: string, file: string, pems: readonly string[]) => {
    for (const pem of pems) {
      const facts = known.get(pem) ?? read(pem);
      if (facts === null) continue;
      known.set(pem, facts);
      const { subject, issuer, validTo: expiresAt, fingerprint } = facts;
      found.push({ use, name: inLine(subject), issuer: inLine(issuer), file, expiresAt, fingerprint });
    }
  };
  const addAuthorities = (use: string, file: string, pem: string | undefined) => {
    const all = certificateBlocks(pem ?? "");
    if (all.length <= MAX_AUTHORITIES) add(use, file, all);
  };
  const shown = admin?.tls === undefined ? undefined : tls.findCertificate(admin.tls);
  if (shown !== undefined) {
    const { names, certFile: file, issuer, expiresAt, fingerprint } = shown;
    found.push({ use: "admin.tls", name: names[0] ?? file, issuer, file, expiresAt, fingerprint });
  }
  if (acme?.ca !== undefined) addAuthorities("acme.ca", acme.ca, text(acme.ca, "authorities"));
  for (const { name, tls: own } of listeners) {
    const ca = own?.clientAuth?.ca;
    if (ca !== undefined) addAuthorities(`listeners.${name}.tls.clientAuth.ca`, ca, tls.findAuthorities(ca));
  }
  for (const [name, { tls: own, check }] of Object.entries(pools)) {
    for (const [place, terms] of [["tls", own], ["check.tls", check?.tls ?? null]] as const) {
      for (const file of terms?.ca ?? []) {
        addAuthorities(`pools.${name}.${place}.ca`, file, text(file, "authorities"));
      }
      const cert = terms?.clientCertificate?.cert;
      if (cert === undefined) continue;
      const [leaf = ""] = certificateBlocks(text(cert, "certificate") ?? "");
      add(`pools.${name}.${place}.clientCertificate`, cert, [leaf]);
    }
  }
  return found;
}

function inLine(name: string): string {
  return name.trim().replaceAll("\n", ",");
}
