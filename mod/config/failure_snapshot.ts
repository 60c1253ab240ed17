/** The parts of a snapshot that say what happens where something takes too long or fails. */
import type { BreakerTerms } from "../base/breaker.ts";
import type { PoolSnapshot } from "./snapshot.ts";

/** Of requests, towards clients. */
export interface RequestTimeouts {
  readonly bodyMs: number;
  readonly tunnelMs: number;
  /** From the head of a request to the end of its answer; 0: no limit. */
  readonly requestMs: number;
}

/** What holds for the requests of one route in the place of what its pools say. */
export interface PoolTerms {
  readonly timeouts: Partial<PoolSnapshot["timeouts"]>;
  readonly queue: Partial<PoolSnapshot["queue"]>;
  readonly retry: Partial<RetrySnapshot>;
}

/** A number is a status. */
export type RetryCondition = "connect" | "empty" | "reset" | "malformed" | "timeout" | number;

export interface RetrySnapshot {
  readonly attempts: number;
  readonly on: readonly RetryCondition[];
  /** Most, as a share of requests. */
  readonly budget: number;
  /** Of requests that may be sent again once a server may have seen them; absent: those that are idempotent. */
  readonly methods?: "all" | readonly string[];
  /** When another server is tried if there is one; absent: when an attempt has failed. */
  readonly perTryMs?: number;
  /** When a second attempt is made beside one that is slow: after so long, or longer than this share takes; absent: never. */
  readonly hedge?: { readonly afterMs: number } | { readonly quantile: number } | "never";
  /** Bounds of the wait before the first retry, and before any; absent: there is none. */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
}

/** When the servers of a pool are spared requests. */
export interface BreakerSnapshot extends BreakerTerms {
  /** Under way at all of its servers; 0: no limit. */
  readonly maxRequests: number;
}

/** What a request gets when its pool fails it: one of the two. */
export interface FallbackSnapshot {
  /** Of servers, that count as failures. */
  readonly statuses: readonly number[];
  readonly pool?: string;
  readonly answer?: SorryAnswer;
}

export interface SorryAnswer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  /** Lines of the head, each with its CR LF. */
  readonly fields?: string;
}
