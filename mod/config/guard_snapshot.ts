/**
 * The guards of listeners and routes as they stand in a snapshot: plain data, like the rest of it.
 */

/** What must hold before a request, or a connection of a tcp listener, goes on. Absent: nobody asks. */
export interface GuardsSnapshot {
  /** All must allow the client. */
  readonly access?: readonly AccessSnapshot[];
}

/** Blocks of addresses. The narrowest that an address is in decides; what is in none is allowed unless some are. */
export interface AccessSnapshot {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}
