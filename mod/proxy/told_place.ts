/**
 * Scheme and host of a request, as far as proxies that are believed tell its server of them: a server makes other links
 * and redirects of them, which are not for clients that came another way. Pure.
 */
import type { RequestFacts } from "../route/match.ts";

/** How a client has come. */
export interface CameBy {
  readonly scheme: string;
  /** Host and port. */
  readonly authority: string;
}

/** What `Forwarded` (RFC 7239) says of it, in whatever element, be it well-formed or not. */
const SCHEME = /\bproto=(?:"[^"]*"|[^;,]*)/gi;
const HOST = /\bhost=(?:"[^"]*"|[^;,]*)/gi;

/** All that a proxy says of it, as parts of a key. `came`: as it is seen here. */
export function toldPlace(facts: RequestFacts, { scheme, authority }: CameBy): CameBy {
  const forwarded = facts.header("forwarded") ?? "";
  const told = (own: string, header: string, parameter: RegExp) =>
    [own, facts.header(header) ?? "", ...forwarded.match(parameter) ?? []].join(",").toLowerCase();
  return {
    scheme: told(scheme, "x-forwarded-proto", SCHEME),
    authority: told(authority, "x-forwarded-host", HOST),
  };
}
