/**
 * Which route a TLS connection takes that is passed on unread: by the name and the protocols that its client asks
 * for. First match wins, as for requests; names stand in maps, so that thousands of them cost two look-ups.
 *
 * Pure; it must not know how a ClientHello is read.
 */
import type { RouteSnapshot, TlsMatch } from "../config/snapshot.ts";

/** What a client says in its ClientHello. */
export interface HelloFacts {
  /** Lower case; empty: none. */
  readonly serverName: string;
  readonly protocols: readonly string[];
}

interface Candidate {
  readonly index: number;
  readonly alpn: readonly string[];
}

export class SniTable {
  /** Index of the first route without conditions, for what is not TLS; -1: there is none. */
  readonly fallback: number;
  readonly #exact = new Map<string, Candidate[]>();
  /** By what follows the star: `.example.com`. */
  readonly #suffixes = new Map<string, Candidate[]>();
  readonly #anyName: Candidate[] = [];

  constructor(routes: readonly RouteSnapshot[]) {
    this.fallback = routes.findIndex(({ match }) => match.tls === undefined);
    for (const [index, { match: { tls } }] of routes.entries()) {
      this.#add(index, tls ?? { sni: [], alpn: [] });
    }
  }

  /** Index of the first route that matches; -1: none. */
  match({ serverName, protocols }: HelloFacts): number {
    let best = first(this.#anyName, protocols, Infinity);
    if (serverName !== "") {
      best = first(this.#exact.get(serverName), protocols, best);
      // From 1: the star stands for at least one label.
      for (let dot = serverName.indexOf(".", 1); dot > 0; dot = serverName.indexOf(".", dot + 1)) {
        best = first(this.#suffixes.get(serverName.slice(dot)), protocols, best);
      }
    }
    return best === Infinity ? -1 : best;
  }

  #add(index: number, { sni, alpn }: TlsMatch): void {
    const candidate = { index, alpn };
    if (sni.length === 0) this.#anyName.push(candidate);
    for (const name of sni) {
      const wildcard = name.startsWith("*.");
      const table = wildcard ? this.#suffixes : this.#exact;
      const key = wildcard ? name.slice(1) : name;
      const candidates = table.get(key);
      if (candidates === undefined) table.set(key, [candidate]);
      else candidates.push(candidate);
    }
  }
}

/** True when routes can only be told apart by what a ClientHello says. */
export function needsHello(routes: readonly RouteSnapshot[]): boolean {
  return routes.some(({ match }) => match.tls !== undefined);
}

/** The lowest index below `bound` of a candidate that the client's protocols allow, or `bound`. */
function first(
  candidates: readonly Candidate[] | undefined,
  offered: readonly string[],
  bound: number,
): number {
  for (const { index, alpn } of candidates ?? []) {
    if (index >= bound) return bound;
    if (alpn.length === 0 || alpn.some((protocol) => offered.includes(protocol))) return index;
  }
  return bound;
}
