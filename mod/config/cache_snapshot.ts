/** The part of the snapshot that is about the cache: plain data, as all of it. */
import type { RouteMatch } from "./snapshot.ts";

/** What stored answers may take in all workers together. */
export interface CacheStoreSnapshot {
  readonly maxBytes: number;
  /** Of one body. */
  readonly maxObjectBytes: number;
}

/** How the answers of a route are stored. */
export interface CacheSnapshot {
  /** Tells routes apart that make something else of a request. */
  readonly identity: string;
  /** Of answers that do not say how long they are fresh; the first that has the status counts, others are not stored. */
  readonly ttl: readonly { readonly first: number; readonly last: number; readonly ttlMs: number }[];
  /** However much longer an answer says; null: no bound. */
  readonly maxTtlMs: number | null;
  /** For answers that say nothing of it. */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly key: CacheKeySnapshot;
  /** Requests of which any matches go to a server, and nothing of them is stored. */
  readonly bypass: readonly RouteMatch[];
  /** Null: every request fetches by itself. */
  readonly collapse: { readonly waiting: number; readonly timeoutMs: number } | null;
  /** `Cache-Control` of requests is heeded. */
  readonly requestDirectives: boolean;
  /** Answers tell of it in `Cache-Status`. */
  readonly statusHeader: boolean;
}

/** What of a request counts besides path and scheme. Names of headers in lower case. */
export interface CacheKeySnapshot {
  readonly host: boolean;
  /** Names may end with `*`. */
  readonly query:
    | { readonly kind: "all" }
    | { readonly kind: "none" }
    | { readonly kind: "only" | "except"; readonly names: readonly string[] };
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
}
