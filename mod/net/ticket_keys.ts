/**
 * The keys of tickets for TLS sessions: one seals what is given out now, and tickets of the one before it are opened
 * still. The next one is known beforehand, so that a worker that hears later of a turn takes what another has sealed.
 * Pure.
 */

/** How long a key seals, and then opens: OpenSSL's tickets are good for two hours. */
export const TICKET_TURN_MS = 2 * 3600_000;

/** A secret. */
export interface TicketKey {
  /** What a ticket calls it: 16 bytes, and no secret. */
  readonly name: Uint8Array<ArrayBuffer>;
  /** What a ticket is signed with, by HMAC-SHA-256: 32 bytes. */
  readonly mac: Uint8Array<ArrayBuffer>;
  /** What it is encrypted with, by AES-256: 32 bytes. */
  readonly aes: Uint8Array<ArrayBuffer>;
}

/** The next, the one that seals, the one before it. */
export type KeyRing = readonly [next: TicketKey, sealing: TicketKey, previous: TicketKey];

/** Those of a thread, which is told when another takes its turn. */
export interface TicketKeys {
  ring: KeyRing;
}

/** Another key takes its turn. */
export function turned([next, sealing]: KeyRing, fresh: TicketKey): KeyRing {
  return [fresh, next, sealing];
}

/** The key with which a ticket was sealed, by its name; null: none that is known. */
export function keyNamed(ring: KeyRing, name: Uint8Array): TicketKey | null {
  return ring.find((key) => name.every((byte, at) => byte === key.name[at])) ?? null;
}
