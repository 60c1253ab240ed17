/**
 * How much repeating of failed requests a pool can afford.
 *
 * The budget keeps retries from multiplying the load of a pool that is failing as a whole: each request earns a
 * share of a retry. Connections that could not be made cost no server anything and are not counted, so that a server
 * killed under load fails no request until health knows. (Finagle's RetryBudget; Envoy's retry_budget.) Pure.
 */

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
