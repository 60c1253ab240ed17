/**
 * What a stored answer is found by: the URL as the client asked for it, what else the route counts, and where its
 * requests go (RFC 9111 section 2). Pure.
 */
import { anyQuery } from "../base/cache_memory.ts";
import type { CacheKeySnapshot } from "../config/cache_snapshot.ts";
import { cookieValue } from "../route/cookie.ts";
import type { RequestFacts } from "../route/match.ts";
import { parameterName } from "../route/query.ts";

/** A request as the cache knows it. */
export interface CacheKey {
  /** All of it, as one text. */
  readonly text: string;
  /** Lower case, without a port; what purges name. Empty: it is the same for all hosts. */
  readonly host: string;
  /** Path, and what of the query counts. */
  readonly target: string;
  /** What it is called when it has changed, together with the host (`cache_memory.ts`). */
  readonly changed: string;
}

/** Where a request comes and goes. */
export interface KeyPlace {
  /** Tells what the route makes of a request from what another one makes of it. */
  readonly route: string;
  readonly pool: string;
  readonly scheme: string;
  /** Host and port as they came, and as proxies have told them. */
  readonly authority: string;
}

/** Between parts, none of which can hold it. */
const END = "\n";

/** The key of a request. */
export function cacheKey(counts: CacheKeySnapshot, facts: RequestFacts, place: KeyPlace): CacheKey {
  const all = counts.query.kind === "all";
  const query = facts.query === "" ? "" : countedQuery(counts, facts.query);
  const target = query === "" ? facts.path : `${facts.path}?${query}`;
  const changed = all ? target : anyQuery(facts.path);
  const authority = counts.host ? place.authority.toLowerCase() : "";
  let text = place.route + END + place.pool + END + place.scheme + END + authority + END + target;
  for (const name of counts.headers) text += END + present(facts.header(name));
  for (const name of counts.cookies) text += END + present(cookieValue(facts.header("cookie"), name));
  return { text, host: counts.host ? facts.host : "", target, changed };
}

/** Path and query, all of it. */
export function targetOf({ path, query }: RequestFacts): string {
  return query === "" ? path : `${path}?${query}`;
}

/** Absent is not empty. */
function present(value: string | null): string {
  return value === null ? "" : `=${value}`;
}

/** The parameters that count, in the order in which they came. */
function countedQuery({ query }: CacheKeySnapshot, text: string): string {
  if (query.kind === "all") return text;
  if (query.kind === "none") return "";
  const wanted = query.kind === "only";
  // Some servers end a parameter at a semicolon too: what stands behind it may be one that counts.
  const counts = (pair: string) => pair.includes(";") || named(query.names, parameterName(pair)) === wanted;
  return text.split("&").filter(counts).join("&");
}

/** With `*` at its end a name is the beginning of one. */
function named(names: readonly string[], name: string): boolean {
  return names.some((one) => one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : name === one);
}
