/**
 * How much repeating of failed requests a pool can afford.
 *
 * The budget keeps retries from multiplying the load of a pool that is failing as a whole: each request earns a
 * share of a retry. Connections that could not be made cost no server anything and are not counted, so that a server
 * killed under load fails no request until health knows. (Finagle's RetryBudget; Envoy's retry_budget.) Pure.
 */

import type { RetrySnapshot } from "../config/failure_snapshot.ts";

/** Retries a fresh or quiet pool can afford at once. */
const RESERVE = 100;
/** Savings are bounded, so that a long calm does not pay for an endless storm. */
const MOST = 1000;

export class RetryBudget {
  #tokens = RESERVE;

  /** `share`: retries allowed per request, 0.2 for one in five. */
  constructor(readonly share: number) {}

  onRequest(): void {
    if (this.#tokens < MOST) this.#tokens += this.share;
  }

  /** Takes one retry; false: there is none left. */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** What was taken could not be used: there was no server left to try. */
  giveBack(): void {
    this.#tokens++;
  }
}

/** How long to wait before the retry of this number, from 1; `random`: from 0 to 1. Envoy's "full jitter". */
export function backoffMs({ backoff }: RetrySnapshot, retry: number, random: () => number): number {
  if (backoff === undefined) return 0;
  return random() * Math.min(backoff.maxMs, backoff.baseMs * 2 ** (retry - 1));
}

/** True when a request with this method may be sent again although a server may have seen it. */
export function repeatsMethod(
  { methods }: RetrySnapshot,
  idempotent: boolean,
  method: () => string,
): boolean {
  if (methods === undefined) return idempotent;
  return methods === "all" || methods.includes(method());
}
