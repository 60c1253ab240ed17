/**
 * Who a client has shown itself to be, and what is remembered of credentials that were found good. Pure: the checks
 * themselves, which take long, are made elsewhere and answer later.
 */
import type { TokenTerms } from "../config/guard_snapshot.ts";

export interface Identity {
  readonly user: string;
  /** Text of a claim of its token; empty: it has none of this name. */
  claim(name: string): string;
}

/** Checks a password in a thread of its own. False: too many are waiting, and `done` is never called. */
export interface Passwords {
  /** `done` is called later; null: nobody could tell. */
  check(hash: string, password: string, done: (good: boolean | null) => void): boolean;
}

/** A token that is good until `expiresAt` (milliseconds since 1970, or Infinity), or what is wrong with it. */
export type TokenResult =
  | { readonly claims: Readonly<Record<string, unknown>>; readonly expiresAt: number }
  | { readonly problem: string };

export interface Tokens {
  /** `done` is called later. */
  check(terms: TokenTerms, token: string, done: (result: TokenResult) => void): void;
}

/** Credentials remembered, of each guard in each worker. */
const MOST_REMEMBERED = 1024;

/** A map that forgets what was put into it first. */
export class Remembered<V> {
  readonly #known = new Map<string, V>();

  get(key: string): V | undefined {
    return this.#known.get(key);
  }

  set(key: string, value: V): void {
    if (this.#known.size === MOST_REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(key, value);
  }

  delete(key: string): void {
    this.#known.delete(key);
  }
}
