/**
 * Tokens of others (RFC 7519, RFC 6750): their signatures are checked elsewhere, a good one is remembered until it
 * expires. Pure.
 */
import type { JwtSnapshot } from "../config/guard_snapshot.ts";
import { cookieValue } from "../route/cookie.ts";
import { queryValue } from "../route/query.ts";
import type { Denial, Guard, GuardRequest, Verdict } from "./guard.ts";
import { type Identity, Remembered, type TokenResult, type Tokens } from "./identity.ts";

/** Larger than any that fits into a head together with the rest of it. */
const MAX_CHARS = 16 * 1024;
const BUSY: Denial = { kind: "deny", code: "credentialsBusy" };

interface Known {
  readonly identity: Identity;
  readonly expiresAt: number;
}

export class Jwt implements Guard {
  readonly #settings: JwtSnapshot;
  readonly #tokens: Tokens;
  readonly #good = new Remembered<Known>();

  constructor(settings: JwtSnapshot, tokens: Tokens) {
    this.#settings = settings;
    this.#tokens = tokens;
  }

  check(request: GuardRequest): Verdict {
    const token = this.#tokenOf(request);
    if (token === null || token.length > MAX_CHARS) return this.#denial("");
    const known = this.#good.get(token);
    if (known !== undefined && request.now < known.expiresAt) {
      return { kind: "identity", identity: known.identity };
    }
    if (known !== undefined) this.#good.delete(token);
    return {
      kind: "ask",
      ask: (answer) => {
        this.#tokens.check(this.#settings.terms, token, (result) => answer(this.#verdict(token, result)));
        return true;
      },
      otherwise: BUSY,
    };
  }

  #tokenOf({ facts }: GuardRequest): string | null {
    const { from } = this.#settings;
    if (from.kind === "cookie") return cookieValue(facts.header("cookie"), from.name);
    if (from.kind === "query") return queryValue(facts.query, from.name);
    const field = facts.header(from.name);
    return field === null ? null : field.replace(/^bearer +/i, "");
  }

  #verdict(token: string, result: TokenResult): Verdict {
    if ("problem" in result) return this.#denial("invalid_token");
    const { claims, expiresAt } = result;
    if (!this.#settings.require.every(([name, values]) => holds(claims[name], values))) {
      return this.#denial("insufficient_scope");
    }
    const identity = { user: textOf(claims["sub"]), claim: (name: string) => textOf(claims[name]) };
    this.#good.set(token, { identity, expiresAt });
    return { kind: "identity", identity };
  }

  /** RFC 6750 section 3: what came without a token is not told of errors. */
  #denial(error: string): Denial {
    const { realm } = this.#settings;
    const forbidden = error === "insufficient_scope";
    return {
      kind: "deny",
      code: forbidden ? "forbidden" : "unauthorized",
      fields: `WWW-Authenticate: Bearer realm="${realm}"${error === "" ? "" : `, error="${error}"`}\r\n`,
    };
  }
}

/** True when a claim is one of the values, or has one of them: among its items, or its words, as `scope` has them. */
function holds(claim: unknown, values: readonly string[]): boolean {
  const items = Array.isArray(claim) ? claim.map(textOf) : [textOf(claim), ...textOf(claim).split(" ")];
  return values.some((value) => items.includes(value));
}

/** Latin-1 or question marks: it may go into a header. */
function textOf(claim: unknown): string {
  if (claim === undefined || claim === null) return "";
  const text = typeof claim === "object" ? JSON.stringify(claim) : String(claim);
  return text.replace(/[^\x20-\x7e]/g, "?");
}
