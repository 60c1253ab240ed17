/**
 * Keys on P-256: of accounts and of certificates, and what is signed with them. In here alone keys are more than text.
 */
import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  type X509Certificate,
} from "node:crypto";
import { certificateBody, type OwnCertificate, requestBody, signed } from "./x509.ts";

/** OpenSSL's name of P-256. */
const CURVE = "prime256v1";

export class Key {
  readonly #private: KeyObject;
  readonly #public: KeyObject;

  private constructor(key: KeyObject) {
    this.#private = key;
    this.#public = createPublicKey(key);
  }

  static make(): Key {
    return new Key(generateKeyPairSync("ec", { namedCurve: CURVE }).privateKey);
  }

  /** Null when the text is no such key (PEM). */
  static tryRead(pem: string): Key | null {
    try {
      const key = createPrivateKey(pem);
      return key.asymmetricKeyDetails?.namedCurve === CURVE ? new Key(key) : null;
    } catch {
      return null;
    }
  }

  /** A secret. */
  get pem(): string {
    return this.#private.export({ format: "pem", type: "pkcs8" }).toString();
  }

  /** Its members in the order that RFC 7638 wants for the thumbprint. */
  get jwk(): Record<"crv" | "kty" | "x" | "y", string> {
    const { crv, kty, x, y } = this.#public.export({ format: "jwk" });
    return { crv: crv!, kty: kty!, x: x!, y: y! };
  }

  isFor(certificate: X509Certificate): boolean {
    return certificate.checkPrivateKey(this.#private);
  }

  get thumbprint(): string {
    return createHash("sha256").update(JSON.stringify(this.jwk)).digest("base64url");
  }

  /** A request in JWS (RFC 7515), as RFC 8555 section 6.2 wants it: text for the body. */
  jws(head: Record<string, unknown>, payload: unknown): string {
    return flattened(
      { alg: "ES256", ...head },
      payload,
      (text) => sign("sha256", text, { key: this.#private, dsaEncoding: "ieee-p1363" }),
    );
  }

  /** A request for a certificate of a name (PKCS #10, DER). */
  request(name: string): Uint8Array {
    return this.#signed(requestBody(name, this.#spki()));
  }

  /** A certificate of its own making (PEM). */
  certificate(terms: Pick<OwnCertificate, "name" | "from" | "until" | "challenge">): string {
    const serial = randomBytes(16);
    serial[0]! &= 0x7f;
    serial[0]! |= 0x40;
    return pemOf(this.#signed(certificateBody({ ...terms, spki: this.#spki(), serial })));
  }

  #spki(): Uint8Array {
    return this.#public.export({ format: "der", type: "spki" });
  }

  #signed(body: Uint8Array): Uint8Array {
    return signed(body, sign("sha256", body, this.#private));
  }
}

/** The proof of an account elsewhere (RFC 8555 section 7.3.4), with the secret that the authority gave for it. */
export function externalAccount(
  { id, secret, url, jwk }: { id: string; secret: string; url: string; jwk: unknown },
): unknown {
  const mac = (text: Uint8Array) => createHmac("sha256", base64Bytes(secret)).update(text).digest();
  return JSON.parse(flattened({ alg: "HS256", kid: id, url }, jwk, mac));
}

export function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function base64Bytes(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}

function pemOf(der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

/** `payload` undefined: the request asks for what is there, and says nothing (POST-as-GET). */
function flattened(head: unknown, payload: unknown, seal: (text: Uint8Array) => Uint8Array): string {
  const encode = (part: unknown) => base64url(new TextEncoder().encode(JSON.stringify(part)));
  const text = { protected: encode(head), payload: payload === undefined ? "" : encode(payload) };
  const signature = seal(new TextEncoder().encode(`${text.protected}.${text.payload}`));
  return JSON.stringify({ ...text, signature: base64url(signature) });
}
