/** The certificates of a node as one list: those had by ACME with how it goes with them, then those of files. Pure. */
import type { IssuerStatus } from "../acme/issuer_status.ts";
import type { CertificateStatus, NodeStatus } from "./status.ts";

/** Times are milliseconds since 1970. */
export interface CertificateEntry {
  /** The name that it is had for, or the first that it has. */
  readonly name: string;
  /** `file`: it is one of the configuration's files, and renewed by others. */
  readonly state: IssuerStatus["state"] | "file";
  /** `CN=…,O=…`; empty: there is none yet. */
  readonly issuer: string;
  /** Null: there is none yet. */
  readonly expiresAt: number | null;
  /** When the authority is asked next; null: nobody asks one. */
  readonly nextAt: number | null;
  /** Attempts that failed in a row. */
  readonly failures: number;
  /** Why the last attempt failed; empty: it did not. */
  readonly lastError: string;
  /** Where it is shown. */
  readonly listeners: readonly string[];
  /** What it is for besides, as the configuration calls the places: `pools.app.tls.ca`. */
  readonly uses: readonly string[];
}

export function certificateList(
  { acme, listeners, certificates: named = [] }: Pick<NodeStatus, "acme" | "listeners" | "certificates">,
): CertificateEntry[] {
  const shown = listeners.flatMap(({ name, certificates }) =>
    certificates.map((certificate) => ({ listener: name, certificate }))
  );
  const where = (
    wanted: (certificate: CertificateStatus) => boolean,
  ) => [...new Set(shown.filter(({ certificate }) => wanted(certificate)).map(({ listener }) => listener))];
  const had = acme.names.map((one): CertificateEntry => {
    const isIts = (certificate: CertificateStatus) => certificate.acme && certificate.name === one.name;
    const good = shown.find(({ certificate }) => isIts(certificate) && !certificate.selfSigned);
    const { name, state, expiresAt, nextAt, failures, lastError } = one;
    const issuer = good?.certificate.issuer ?? "";
    return { name, state, issuer, expiresAt, nextAt, failures, lastError, listeners: where(isIts), uses: [] };
  });
  const files = new Map(
    shown.filter(({ certificate }) => !certificate.acme).map((
      { certificate },
    ) => [certificate.file, certificate]),
  );
  const ofFile = (
    { name, issuer, expiresAt }: Pick<CertificateStatus, "name" | "issuer" | "expiresAt">,
    places: Pick<CertificateEntry, "listeners" | "uses">,
  ): CertificateEntry => ({
    ...{ name, state: "file", issuer, expiresAt, nextAt: null, failures: 0, lastError: "" },
    ...places,
  });
  const others = new Map(named.map((one) => [one.fingerprint, one]));
  return [
    ...had,
    ...[...files.values()].map((one) =>
      ofFile(one, {
        listeners: where((certificate) => !certificate.acme && certificate.file === one.file),
        uses: [],
      })
    ),
    ...[...others.values()].map((one) =>
      ofFile(one, {
        listeners: [],
        uses: named.filter(({ fingerprint }) => fingerprint === one.fingerprint).map(({ use }) => use),
      })
    ),
  ];
}
