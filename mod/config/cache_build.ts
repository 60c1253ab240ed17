/** The parts of a snapshot that are about the cache. Pure. */
import { hash128 } from "../base/hash.ts";
import { requestMatch } from "./match_schema.ts";
import type { RouteConfig } from "./route_schema.ts";
import type { Config } from "./schema.ts";
import type { CacheSnapshot } from "./cache_snapshot.ts";
import type { HeaderRules, ListenerSnapshot, Snapshot } from "./snapshot.ts";

/** `rules`: of requests, the listener's and the tokens'. */
export function cacheSnapshot(
  { cache, rewrite, headers }: RouteConfig,
  ...rules: readonly (HeaderRules | undefined)[]
): { cache?: CacheSnapshot } {
  if (cache === undefined) return {};
  const { ttl, maxTtl, staleWhileRevalidate, staleIfError, bypass, ...rest } = cache;
  return {
    cache: {
      ...rest,
      ttl,
      maxTtlMs: maxTtl ?? null,
      staleWhileRevalidateMs: staleWhileRevalidate,
      staleIfErrorMs: staleIfError,
      bypass: bypass.map(requestMatch),
      identity: identityOf([rewrite, headers?.request, ...rules, cache.key]),
    },
  };
}

/** Nothing where no route stores any. */
export function storeSnapshot(
  { maxSize, maxObjectSize }: Config["cache"],
  listeners: readonly ListenerSnapshot[],
): Pick<Snapshot, "cache"> {
  const used = listeners.some(({ routes }) => routes.some(({ cache }) => cache !== undefined));
  return used ? { cache: { maxBytes: maxSize, maxObjectBytes: maxObjectSize } } : {};
}

/** The same for the same changes to requests, also after a reload. */
function identityOf(changes: readonly unknown[]): string {
  const words = new Uint32Array(4);
  hash128(words, new TextEncoder().encode(JSON.stringify(changes)));
  return words.join(".");
}
