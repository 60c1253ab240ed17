/**
 * Credentials as they stand in a snapshot, and the files that they are in. Pure: the texts of files are a parameter.
 */
import {
  algorithmsOf,
  type BasicAuthConfig,
  HASH_HINT,
  isPasswordHash,
  type JwtConfig,
} from "./auth_schema.ts";
import type { BasicAuthSnapshot, JwtSnapshot } from "./guard_snapshot.ts";

type Texts = ReadonlyMap<string, string>;

/** Of a name that stands in both, the file's counts. */
export function basicAuthSnapshot({ users, file, realm }: BasicAuthConfig, files: Texts): BasicAuthSnapshot {
  const more = file === undefined ? [] : usersOf(textOf(file, files)).users;
  return { realm, users: [...new Map([...Object.entries(users), ...more])] };
}

export function jwtSnapshot(jwt: JwtConfig, files: Texts): JwtSnapshot {
  const { keys, secret, issuer, audience, require, from, leeway, realm } = jwt;
  const text = keys === undefined ? secret! : textOf(keys, files);
  const kind = keys === undefined ? "secret" : isPem(text) ? "pem" : "jwks";
  return {
    terms: {
      key: { kind, text },
      algorithms: algorithmsOf(jwt),
      issuers: issuer,
      audiences: audience,
      leewayMs: leeway,
    },
    require,
    from,
    realm,
  };
}

/** The lines of a file of `htpasswd`, or what is wrong with it. */
export function usersOf(text: string): { users: [string, string][]; problem: string | null } {
  const users: [string, string][] = [];
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const [name, hash] = [line.slice(0, colon), line.slice(colon + 1).split(":")[0]!];
    if (colon <= 0) return { users, problem: `line ${at + 1} is not a name, a colon and a hash` };
    if (!isPasswordHash(hash)) {
      return { users, problem: `line ${at + 1}: the hash of "${name}" ${HASH_HINT}` };
    }
    users.push([name, hash]);
  }
  return { users, problem: users.length === 0 ? "has no users" : null };
}

/** What is wrong with a file of keys; null: nothing. */
export function keysProblem(text: string): string | null {
  if (isPem(text)) return null;
  try {
    const keys = (JSON.parse(text) as { keys?: unknown }).keys;
    return Array.isArray(keys) && keys.length > 0 ? null : "is a JSON Web Key Set without keys";
  } catch {
    return "is neither a JSON Web Key Set nor a public key in PEM";
  }
}

function isPem(text: string): boolean {
  return /^-----BEGIN PUBLIC KEY-----/m.test(text);
}

function textOf(file: string, files: Texts): string {
  const text = files.get(file);
  if (text === undefined) throw new Error(`Cannot use ${file} as it was not read`);
  return text;
}
