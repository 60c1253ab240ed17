/** The part of a snapshot that says how requests of one session come to one server. */

export type StickySnapshot = CookieSticky | TableSticky;

/** Sessions that the client remembers. */
export interface CookieSticky {
  readonly kind: "cookie";
  readonly mode: "insert" | "prefix" | "rewrite";
  /** Of the cookie. */
  readonly name: string;
  /** insert: the server does not see the cookie. */
  readonly indirect: boolean;
  /** insert: answers that set it are marked as private. */
  readonly noCache: boolean;
  /** insert: a cookie of this name that the server sets itself stays. */
  readonly preserve: boolean;
  /** 0: no limit. */
  readonly maxIdleMs: number;
  readonly maxLifeMs: number;
  /** insert: what follows the value, each part with its `; `. */
  readonly attributes: string;
  /** A session whose server cannot be connected to is put on another. */
  readonly redispatch: boolean;
}

/** Sessions that are remembered here. */
export interface TableSticky {
  readonly kind: "table";
  /** The first that a request has in the table counts. */
  readonly by: readonly StickKey[];
  /** Bits of a source address that count. */
  readonly mask: { readonly ipv4: number; readonly ipv6: number };
  /** How long a session is remembered after its last use. */
  readonly ttlMs: number;
  /** Most sessions. */
  readonly size: number;
  /** What of answers is remembered. */
  readonly learn: readonly LearnSource[];
  /** Whether a request that is not in the table is remembered by what it shows. */
  readonly storeRequest: boolean;
  readonly redispatch: boolean;
}

/** `name` is for header (lower case), cookie and query. */
export interface StickKey {
  readonly kind: "sourceIp" | "header" | "cookie" | "query" | "sni";
  readonly name: string;
}

/** `name` of a header is in lower case. */
export interface LearnSource {
  readonly kind: "header" | "setCookie";
  readonly name: string;
}
