/**
 * Checks the signatures and claims of tokens with `jose`, over the runtime's WebCrypto. Answers come later, as those of
 * WebCrypto do; the keys of each terms are read once.
 */
import {
  createLocalJWKSet,
  importSPKI,
  type JWTHeaderParameters,
  jwtVerify,
  type JWTVerifyGetKey,
} from "jose";
import type { TokenTerms } from "../config/guard_snapshot.ts";
import type { TokenResult, Tokens } from "./identity.ts";

export class JoseTokens implements Tokens {
  readonly #keys = new WeakMap<TokenTerms, JWTVerifyGetKey>();

  check(terms: TokenTerms, token: string, done: (result: TokenResult) => void): void {
    this.#verify(terms, token).then(done, (error: Error) => done({ problem: error.message }));
  }

  async #verify(terms: TokenTerms, token: string): Promise<TokenResult> {
    const { algorithms, issuers, audiences, leewayMs } = terms;
    const { payload } = await jwtVerify(token, this.#keyOf(terms), {
      algorithms: [...algorithms],
      clockTolerance: leewayMs / 1000,
      ...(issuers.length === 0 ? {} : { issuer: [...issuers] }),
      ...(audiences.length === 0 ? {} : { audience: [...audiences] }),
    });
    return {
      claims: payload,
      expiresAt: payload.exp === undefined ? Infinity : payload.exp * 1000 + leewayMs,
    };
  }

  #keyOf(terms: TokenTerms): JWTVerifyGetKey {
    const known = this.#keys.get(terms);
    if (known !== undefined) return known;
    const made = makeKey(terms.key);
    this.#keys.set(terms, made);
    return made;
  }
}

function makeKey({ kind, text }: TokenTerms["key"]): JWTVerifyGetKey {
  if (kind === "jwks") return createLocalJWKSet(JSON.parse(text));
  if (kind === "pem") return ({ alg }: JWTHeaderParameters) => importSPKI(text, alg);
  const secret = new TextEncoder().encode(text);
  return () => Promise.resolve(secret);
}
