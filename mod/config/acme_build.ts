/**
 * What authorities that ask for names by ACME are told, in a snapshot. Pure.
 */
import type { CertificateSnapshot, ListenerSnapshot, RouteSnapshot } from "./snapshot.ts";

export interface AcmeAnswers {
  /** Of the account's key, for HTTP-01; empty: there is none. */
  readonly thumbprint: string;
  /** For TLS-ALPN-01, by name. */
  readonly proofs: ReadonlyMap<string, CertificateSnapshot>;
}

/** RFC 8555 section 8.3. */
const ACME_PATH = "/.well-known/acme-challenge/:token";

/** Authorities ask for every name: without TLS before all other routes, with it at each listener that has some. */
export function withAnswers(
  snapshot: ListenerSnapshot,
  { own, all, answers }: {
    readonly own: readonly string[];
    readonly all: readonly string[];
    readonly answers: AcmeAnswers | undefined;
  },
): ListenerSnapshot {
  const { protocol, tls, routes } = snapshot;
  if (answers === undefined || all.length === 0) return snapshot;
  if (tls === null) {
    if (protocol !== "http" || answers.thumbprint === "") return snapshot;
    const match = { hosts: all, path: ACME_PATH, methods: [], headers: [], query: [] };
    const route: RouteSnapshot = { match, action: { kind: "acme", thumbprint: answers.thumbprint } };
    return { ...snapshot, routes: [route, ...routes] };
  }
  // They ask at port 443 alone, also for a name that clients have at another listener.
  const proofs = own.length === 0 ? [] : all.flatMap((name) => answers.proofs.get(name) ?? []);
  return proofs.length === 0 ? snapshot : { ...snapshot, tls: { ...tls, proofs } };
}
