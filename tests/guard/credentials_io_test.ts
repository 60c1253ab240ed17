/** The checks of passwords and tokens: with hashes of htpasswd and of others, and with tokens that were really signed. */
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { assertEquals } from "../assert.ts";
import type { TokenTerms } from "../../mod/config/guard_snapshot.ts";
import { isPasswordHash } from "../../mod/config/auth_schema.ts";
import { PasswordThread } from "../../mod/guard/passwords_io.ts";
import { JoseTokens } from "../../mod/guard/tokens_io.ts";

/** Of "secret": by `htpasswd -nbB -C 4`, `openssl passwd -6`, `openssl passwd -5`, and `argon2`. */
const HASHES = {
  bcrypt: "$2y$04$.yHTdqj71GxEmoTsZItSmOVvuxzWHYA04Hr8dMpBeZrOW.fxSltAy",
  sha512:
    "$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.",
  sha256: "$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.",
  argon2id: "$argon2id$v=19$m=512,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$UMXtaWkvkt7/W0KufvYig2KVukTdpM3aYlfLbCaRtP0",
};

Deno.test("check() tells good passwords from others by every kind of hash", async () => {
  const thread = new PasswordThread((error) => {
    throw error;
  });
  const check = (hash: string, password: string) =>
    new Promise<boolean | null>((resolve) => thread.check(hash, password, resolve));
  try {
    for (const [kind, hash] of Object.entries(HASHES)) {
      assertEquals(isPasswordHash(hash), true, kind);
      assertEquals([await check(hash, "secret"), await check(hash, "Secret")], [true, false], kind);
    }
    assertEquals(await check("$2y$nonsense", "secret"), false);
    const many = Array.from({ length: 100 }, () => thread.check("$6$x$y", "secret", () => {}));
    assertEquals([many[0], many[99]], [true, false]);
  } finally {
    thread.close();
  }
});

const TERMS: Omit<TokenTerms, "key"> = {
  algorithms: ["ES256"],
  issuers: ["me"],
  audiences: ["shop"],
  leewayMs: 0,
};
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

Deno.test("check() takes tokens that are signed, in time, and of whom and for whom they have to be", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const other = await generateKeyPair("ES256");
  const jwk = { ...await exportJWK(publicKey), kid: "k1", alg: "ES256" };
  const keys: TokenTerms["key"][] = [
    { kind: "jwks", text: JSON.stringify({ keys: [jwk] }) },
    { kind: "pem", text: await exportSPKI(publicKey) },
  ];
  const token = (change: (jwt: SignJWT) => SignJWT = (jwt) => jwt, key = privateKey) =>
    change(
      new SignJWT({ role: "admin" }).setProtectedHeader({ alg: "ES256", kid: "k1" }).setIssuer("me")
        .setAudience("shop").setSubject("u").setExpirationTime(inSeconds(60)),
    ).sign(key);
  for (const key of keys) {
    const terms: TokenTerms = { ...TERMS, key };
    const tokens = new JoseTokens();
    const good = (text: string) =>
      new Promise<boolean>((resolve) => tokens.check(terms, text, (result) => resolve("claims" in result)));
    assertEquals(await good(await token()), true);
    for (
      const bad of [
        await token((jwt) => jwt, other.privateKey),
        await token((jwt) => jwt.setIssuer("you")),
        await token((jwt) => jwt.setAudience("office")),
        await token((jwt) => jwt.setExpirationTime(inSeconds(-5))),
        await token((jwt) => jwt.setNotBefore(inSeconds(50))),
        // Not signed at all, and signed with the public key as a secret.
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJtZSIsImF1ZCI6InNob3AifQ.",
        await new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setIssuer("me").setAudience("shop")
          .sign(new TextEncoder().encode(key.text)),
        "nonsense",
        "a.b.c",
      ]
    ) assertEquals(await good(bad), false, bad);
  }
});

Deno.test("check() takes tokens signed with a secret, and says until when they are good", async () => {
  const text = "a secret of thirty-two characters";
  const expires = inSeconds(60);
  const token = await new SignJWT({ sub: "u" }).setProtectedHeader({ alg: "HS256" }).setExpirationTime(
    expires,
  )
    .sign(new TextEncoder().encode(text));
  const terms = {
    algorithms: ["HS256"],
    issuers: [],
    audiences: [],
    leewayMs: 1000,
    key: { kind: "secret", text },
  } as const;
  const result = await new Promise((resolve) => new JoseTokens().check(terms, token, resolve));
  assertEquals(result, { claims: { sub: "u", exp: expires }, expiresAt: expires * 1000 + 1000 });
});
