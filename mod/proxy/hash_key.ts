/**
 * The number that the hash policies and splits choose by: 32 bits over what `hashOn` names.
 * A request without that header, cookie or parameter is spread by its source address.
 */
import { hash32, hashText } from "../base/hash.ts";
import type { HashOn, PoolSnapshot } from "../config/snapshot.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import { cookieValue } from "../route/cookie.ts";
import { queryValue } from "../route/query.ts";
import { pointOf } from "../route/split.ts";
import type { LivePool, LiveRoute, LiveSplit } from "./environment.ts";
import type { HeadFacts } from "./facts.ts";

/** The hash for a pool; 0 at no cost when its policy does not hash. */
export function hashOfRequest(
  pool: PoolSnapshot,
  client: string,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
  facts: HeadFacts,
): number {
  if (pool.balance !== "hash" && pool.balance !== "maglev") return 0;
  return hashBy(pool.hashOn, client, head, info, bytes, facts);
}

/** The pool that a request goes to; null: the route answers by itself, or there is none. */
export function poolOfRequest(
  route: LiveRoute | undefined,
  client: string,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
  facts: HeadFacts,
): LivePool | null {
  const split = route?.split ?? null;
  if (split === null) return route?.pool ?? null;
  const hash = split.hashOn === null ? 0 : hashBy(split.hashOn, client, head, info, bytes, facts);
  return poolAt(split, hash);
}

/** The same by a hash; it does not count where chance decides. */
export function poolAt({ parts, hashOn, random }: LiveSplit, hash: number): LivePool {
  return parts.at(hashOn === null ? random() : pointOf(hash));
}

function hashBy(
  { kind, name }: HashOn,
  client: string,
  head: Head,
  info: RequestInfo,
  bytes: Uint8Array,
  facts: HeadFacts,
): number {
  if (kind === "sourceIp") return hashText(client);
  if (kind === "uri") return hash32(bytes, info.pathStart, head.targetEnd);
  if (kind === "path") return hash32(bytes, info.pathStart, info.pathEnd);
  return hashText(namedValue(kind, name, facts.set(head, info, bytes, client)) ?? client);
}

/** What a request has under a name; null: nothing. */
export function namedValue(
  kind: "header" | "cookie" | "query",
  name: string,
  facts: HeadFacts,
): string | null {
  if (kind === "header") return facts.header(name);
  if (kind === "query") return queryValue(facts.query, name);
  return cookieValue(facts.header("cookie"), name);
}
