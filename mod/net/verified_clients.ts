/**
 * The clients' certificates that were verified not long ago, by fingerprint; the oldest are forgotten first. Pure.
 */

/** rustls keeps 256 sessions a configuration by default; far more clients than that come with tickets. */
const MAX_CLIENTS = 10_000;

export class VerifiedClients {
  /** A set is in the order of insertion. */
  readonly #fingerprints = new Set<string>();

  add(fingerprint: string): void {
    this.#fingerprints.delete(fingerprint);
    this.#fingerprints.add(fingerprint);
    if (this.#fingerprints.size <= MAX_CLIENTS) return;
    for (const oldest of this.#fingerprints) {
      this.#fingerprints.delete(oldest);
      return;
    }
  }

  has(fingerprint: string): boolean {
    return this.#fingerprints.has(fingerprint);
  }
}
