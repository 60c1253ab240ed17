/**
 * The number that the hash policies choose by: 32 bits of FNV-1a over what `hashOn` names.
 * A request without that header, cookie or parameter is spread by its source address.
 */
import type { PoolSnapshot } from "../config/snapshot.ts";
import type { Head } from "../http1/head.ts";
import type { RequestInfo } from "../http1/request.ts";
import type { HeadFacts } from "./facts.ts";

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Hash of text by its UTF-16 code units, of which addresses and Latin-1 text use only the low byte. */
export function hashText(text: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return finish(hash);
}

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_OFFSET;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return finish(hash);
}

/** FNV's high bits mix poorly for short keys: murmur3's finaliser spreads them. */
function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

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
  const { kind, name } = pool.hashOn;
  if (kind === "uri") return hashBytes(bytes, info.pathStart, head.targetEnd);
  if (kind === "path") return hashBytes(bytes, info.pathStart, info.pathEnd);
  const value = kind === "sourceIp" ? client : namedValue(kind, name, facts.set(head, info, bytes));
  return hashText(value ?? client);
}

function namedValue(kind: "header" | "cookie" | "query", name: string, facts: HeadFacts): string | null {
  if (kind === "header") return facts.header(name);
  if (kind === "cookie") return pairValue(facts.header("cookie") ?? "", name, /;\s*/);
  return pairValue(facts.query, name, /&/);
}

/** Value of `name=value` in a list of pairs, as it stands there. */
function pairValue(list: string, name: string, separator: RegExp): string | null {
  for (const pair of list.split(separator)) {
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  }
  return null;
}
