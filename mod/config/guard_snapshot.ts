/**
 * The guards of listeners and routes as they stand in a snapshot: plain data, like the rest of it.
 */

/** What must hold before a request, or a connection of a tcp listener, goes on. Absent: nobody asks. */
export interface GuardsSnapshot {
  /** All must allow the client. */
  readonly access?: readonly AccessSnapshot[];
  readonly rateLimits?: readonly RateLimitSnapshot[];
  readonly concurrencyLimits?: readonly ConcurrencySnapshot[];
  readonly cors?: CorsSnapshot;
  readonly tarpit?: TarpitSnapshot;
  readonly basicAuth?: BasicAuthSnapshot;
  readonly jwt?: JwtSnapshot;
}

/** Blocks of addresses. The narrowest that an address is in decides; what is in none is allowed unless some are. */
export interface AccessSnapshot {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** What a request is counted by; `name` is for header (lower case), cookie and query. */
export type KeySource =
  | { readonly kind: "address"; readonly name: string }
  | { readonly kind: "host" | "path" | "route" | "header" | "cookie" | "query"; readonly name: string };

/** Bits of an address that count. */
export interface MaskSnapshot {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** What all limits have. */
export interface LimitSnapshot {
  readonly kind: "rate" | "requests" | "connections";
  /** Those of one kind and name share what they count, and keep it at a reload. */
  readonly name: string;
  readonly key: readonly KeySource[];
  readonly mask: MaskSnapshot;
  /** What the route is called where it is part of the key. */
  readonly scope: string;
  /** Keys that fit. */
  readonly size: number;
  readonly status: number;
  readonly dryRun: boolean;
}

export interface RateLimitSnapshot extends LimitSnapshot {
  readonly kind: "rate";
  /** From one request to the next; mostly no whole number. */
  readonly stepMs: number;
  readonly burst: number;
  /** Requests of the burst that pass at once before the others wait; null: all do. */
  readonly delay: number | null;
}

export interface ConcurrencySnapshot extends LimitSnapshot {
  readonly kind: "requests" | "connections";
  /** Most at a time. */
  readonly most: number;
}

/** Which pages of other origins may read answers. */
export interface CorsSnapshot {
  /** Origins, `*` in the place of names below a domain or for all, or expressions that begin with `~`. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  /** Null: those that are asked for. */
  readonly headers: readonly string[] | null;
  readonly exposeHeaders: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
}

export interface TarpitSnapshot {
  readonly delayMs: number;
  /** Most requests held at a time, in each worker. */
  readonly most: number;
}

/** Holds hashes of passwords: never to be shown. */
export interface BasicAuthSnapshot {
  readonly realm: string;
  /** At least one. */
  readonly users: readonly (readonly [name: string, hash: string])[];
}

/** May hold a secret: never to be shown. */
export interface JwtSnapshot {
  readonly realm: string;
  readonly terms: TokenTerms;
  /** Claims, each with values of which one is enough. */
  readonly require: readonly (readonly [name: string, values: readonly string[]])[];
  /** Where the token is; the name of a header in lower case. */
  readonly from: { readonly kind: "header" | "cookie" | "query"; readonly name: string };
}

/** What tokens must be like. */
export interface TokenTerms {
  /** A JSON Web Key Set, a public key in PEM, or a secret. */
  readonly key: { readonly kind: "jwks" | "pem" | "secret"; readonly text: string };
  readonly algorithms: readonly string[];
  /** One of these; empty: any. */
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
  /** By how much clocks may differ. */
  readonly leewayMs: number;
}
