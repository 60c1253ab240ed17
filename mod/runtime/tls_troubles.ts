/**
 * What workers told of servers that TLS did not come about with: what of it is logged, and what status shows. Pure.
 */
import type { TlsTrouble } from "../proxy/environment.ts";

/** The same reason of the same server is logged once in so long. */
const LOG_EVERY_MS = 60_000;
/** Status shows what happened within so long. */
const RECENT_MS = 60_000;

export class TlsTroubles {
  readonly #servers = new Map<number, { reason: string; at: number; loggedAt: number }>();

  /** True when it is to be logged. */
  note({ slot, reason }: TlsTrouble, now: number): boolean {
    const before = this.#servers.get(slot);
    const known = before?.reason === reason && now - before.loggedAt < LOG_EVERY_MS;
    this.#servers.set(slot, { reason, at: now, loggedAt: known ? before.loggedAt : now });
    return !known;
  }

  /** What failed lately at the server of a slot; null: nothing. */
  recent(slot: number, now: number): string | null {
    const trouble = this.#servers.get(slot);
    return trouble !== undefined && now - trouble.at < RECENT_MS ? trouble.reason : null;
  }

  /** Another server has the slot now. */
  forget(slot: number): void {
    this.#servers.delete(slot);
  }
}
