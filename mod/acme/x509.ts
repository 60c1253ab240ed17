/**
 * The requests and the certificates of our own that ACME takes: for one name, with a key on P-256. Pure: what is
 * signed is signed elsewhere.
 */
import { bits, context, integer, oid, readAll, readValue, sequence, TAG, time, utf8, value } from "./der.ts";

const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const COMMON_NAME = "2.5.4.3";
const SUBJECT_ALT_NAME = "2.5.29.17";
const AUTHORITY_KEY_IDENTIFIER = oid("2.5.29.35");
/** RFC 8737 section 3. */
const ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31";
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
/** An upper bound of X.520; the name itself stands in the extension. */
const MAX_COMMON_NAME = 64;
const DNS_NAME = context(2, false);

/** The part of a request that is signed (RFC 2986). `spki`: the public key. */
export function requestBody(name: string, spki: Uint8Array): Uint8Array {
  const extensions = sequence(oid(EXTENSION_REQUEST), value(TAG.set, sequence(altName(name))));
  return sequence(integer([0]), sequence(), spki, value(context(0, true), extensions));
}

export interface OwnCertificate {
  readonly name: string;
  readonly spki: Uint8Array;
  readonly serial: Uint8Array;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  /** SHA-256 of the key authorization that a `tls-alpn-01` challenge wants to see. */
  readonly challenge?: Uint8Array;
}

/** The part of a certificate that is signed (RFC 5280), by its own key. */
export function certificateBody({ name, spki, serial, from, until, challenge }: OwnCertificate): Uint8Array {
  const subject = subjectOf(name);
  const proof = challenge === undefined
    ? []
    : [extension(ACME_IDENTIFIER, true, value(TAG.octets, challenge))];
  return sequence(
    value(context(0, true), integer([2])),
    integer(serial),
    ECDSA_WITH_SHA256,
    subject,
    sequence(time(from), time(until)),
    subject,
    spki,
    value(context(3, true), sequence(altName(name), ...proof)),
  );
}

/** What was signed with its signature, in DER. */
export function signed(body: Uint8Array, signature: Uint8Array): Uint8Array {
  return sequence(body, ECDSA_WITH_SHA256, bits(signature));
}

/**
 * How an authority is asked about a certificate (RFC 9773 section 4.1): identifier of its issuer's key and serial
 * number; null: it says no such identifier.
 */
export function renewalParts(certificate: Uint8Array): { issuer: Uint8Array; serial: Uint8Array } | null {
  const outer = readValue(certificate, 0);
  const body = outer === null ? null : readValue(outer.content, 0);
  if (body === null) return null;
  const parts = readAll(body.content);
  const serial = parts.find(({ tag }) => tag === TAG.integer)?.content;
  const extensions = parts.find(({ tag }) => tag === context(3, true));
  const list = extensions === undefined ? null : readValue(extensions.content, 0);
  for (const { content } of list === null ? [] : readAll(list.content)) {
    const [id, ...rest] = readAll(content);
    if (id === undefined || !same(value(TAG.oid, id.content), AUTHORITY_KEY_IDENTIFIER)) continue;
    const identifier = readValue(rest.at(-1)?.content ?? new Uint8Array(), 0);
    const issuer = identifier === null ? null : readValue(identifier.content, 0);
    if (serial !== undefined && issuer?.tag === context(0, false)) return { issuer: issuer.content, serial };
  }
  return null;
}

function subjectOf(name: string): Uint8Array {
  if (name.length > MAX_COMMON_NAME) return sequence();
  return sequence(value(TAG.set, sequence(oid(COMMON_NAME), utf8(TAG.utf8, name))));
}

function altName(name: string): Uint8Array {
  return extension(SUBJECT_ALT_NAME, name.length > MAX_COMMON_NAME, sequence(utf8(DNS_NAME, name)));
}

function extension(id: string, critical: boolean, content: Uint8Array): Uint8Array {
  return sequence(
    oid(id),
    critical ? value(TAG.boolean, [0xff]) : new Uint8Array(),
    value(TAG.octets, content),
  );
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
