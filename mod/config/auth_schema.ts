/**
 * The schema of credentials: names with passwords, and tokens of others. Pure.
 */
import { z } from "zod";
import { acrossIssue, duration, line, off, oneOrMore, token } from "./fields.ts";
import type { JwtSnapshot } from "./guard_snapshot.ts";

const BCRYPT = /^\$2[aby]\$(?:0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}$/;
const ARGON2 =
  /^\$argon2(?:id|i|d)\$v=19\$m=[0-9]{1,7},t=[0-9]{1,3},p=[0-9]{1,2}\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/;
const SHA_CRYPT = /^\$[56]\$(?:rounds=[0-9]{4,7}\$)?[^$:\s]{1,16}\$[./A-Za-z0-9]{43,86}$/;
export const HASH_HINT =
  "must be a hash of bcrypt, argon2, sha512-crypt or sha256-crypt, as `htpasswd -B` writes them";

/** True for a hash that can be checked. */
export function isPasswordHash(text: string): boolean {
  return BCRYPT.test(text) || ARGON2.test(text) || SHA_CRYPT.test(text);
}

const realm = line(1, 100).regex(/^[^"\\\u0080-\uffff]*$/, "must be ASCII without quotes and backslashes");
const userName = z.string().regex(/^[^:\s]{1,255}$/, "must be a name without colons and spaces");

const basicAuth = z.strictObject({
  users: z.record(userName, line(1, 512).refine(isPasswordHash, HASH_HINT).meta({ kind: "secret" })).prefault(
    {},
  )
    .describe("Names with hashes of their passwords, of bcrypt, argon2, sha512-crypt or sha256-crypt."),
  file: line(1, 4096).optional().describe(
    "A file with more of them, as `htpasswd -B` writes it; read with the configuration and relative to its directory.",
  ),
  realm: realm.prefault("tandem").describe("What browsers say that the password is for."),
}).refine(
  ({ users, file }) => file !== undefined || Object.keys(users).length > 0,
  { error: "must have users or file", when: ({ issues }) => issues.length === 0 },
);

export const basicAuthSetting = z.union([off(), basicAuth]).optional().describe(
  "Ask for a name and a password. A route's stands in the place of the listener's; `false`: not there.",
);

export type BasicAuthConfig = Exclude<z.output<typeof basicAuthSetting>, false | undefined>;

const PUBLIC_KEY_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];
const SECRET_ALGORITHMS = ["HS256", "HS384", "HS512"];
/** RFC 7518 section 3.2: as long as the hash. */
const MIN_SECRET = 32;

const FROM = /^(?:header|cookie|query):.{1,256}$/;

const jwt = z.strictObject({
  keys: line(1, 4096).optional().describe(
    "File with the keys that sign tokens: a JSON Web Key Set, or one public key in PEM. Needed unless there is `secret`.",
  ),
  secret: line(MIN_SECRET, 1024).meta({ kind: "secret" }).optional().describe(
    `Secret of at least ${MIN_SECRET} characters that tokens are signed with (HS256 and its like).`,
  ),
  algorithms: oneOrMore(z.enum([...PUBLIC_KEY_ALGORITHMS, ...SECRET_ALGORITHMS])).optional()
    .describe("What tokens may be signed with. Without: all that go with `keys`, or with `secret`."),
  issuer: oneOrMore(line(1)).default([]).describe(
    "`iss` that tokens must have, one or a list. Without: any.",
  ),
  audience: oneOrMore(line(1)).default([]).describe(
    "`aud` that tokens must have, one or a list. Without: any.",
  ),
  require: z.record(line(1, 256), oneOrMore(line(1))).prefault({}).transform((record) =>
    Object.entries(record)
  )
    .describe("Claims that tokens must have, each with a value or a list of which one is enough (403 else)."),
  from: z.string().regex(FROM, "must be header:NAME, cookie:NAME or query:NAME").prefault(
    "header:Authorization",
  )
    .transform((text): JwtSnapshot["from"] => {
      const [kind = ""] = text.split(":");
      const named = text.slice(kind.length + 1);
      return { kind, name: kind === "header" ? named.toLowerCase() : named } as JwtSnapshot["from"];
    }).describe(
      "Where the token is: `header:NAME`, with or without `Bearer`, `cookie:NAME` or `query:NAME`.",
    ),
  claims: z.record(token("a header name"), line(1, 256)).prefault({}).transform((record) =>
    Object.entries(record)
  )
    .describe(
      "Headers that servers get, each with the claim that is its value; what clients send of them is left out.",
    ),
  leeway: duration(0).prefault("30s").describe("By how much clocks may differ."),
  realm: realm.prefault("tandem").describe("Named in the answer to who has no good token."),
}).superRefine(({ keys, secret, algorithms = [] }, context) => {
  if ((keys === undefined) === (secret === undefined)) {
    context.addIssue(acrossIssue("must have either keys or secret"));
    return;
  }
  const fitting = secret === undefined ? PUBLIC_KEY_ALGORITHMS : SECRET_ALGORITHMS;
  // A public key taken for a secret is no secret at all.
  if (algorithms.some((one) => !fitting.includes(one))) {
    context.addIssue(acrossIssue(`must be among ${fitting.join(", ")} here`, "algorithms"));
  }
});

export const jwtSetting = z.union([off(), jwt]).optional().describe(
  "Ask for a JSON Web Token. A route's stands in the place of the listener's; `false`: not there.",
);

export type JwtConfig = Exclude<z.output<typeof jwtSetting>, false | undefined>;

/** What is taken unless it is said. */
export function algorithmsOf({ algorithms, secret }: JwtConfig): readonly string[] {
  return algorithms ?? (secret === undefined ? PUBLIC_KEY_ALGORITHMS : SECRET_ALGORITHMS);
}
