/** How it goes with certificates by ACME, for people: plain data. */

/** How it goes with a name. Times are milliseconds since 1970. */
export interface IssuerStatus {
  readonly name: string;
  /** `issued`: there is one; `waiting`: there is none yet; `asking`: just now; `failing`: the last attempt failed. */
  readonly state: "issued" | "waiting" | "asking" | "failing";
  /** Null: there is no certificate. */
  readonly expiresAt: number | null;
  /** When this node, or the one that is active, tries next. */
  readonly nextAt: number;
  readonly failures: number;
  readonly lastError: string;
}
