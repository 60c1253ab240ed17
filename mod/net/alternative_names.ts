/**
 * The alternative names of a certificate, from its bytes (RFC 5280 section 4.2.1.6). Pure.
 *
 * What a library prints of them can be read in two ways where a name has a comma in it, and servers may go by them.
 */
import { context, oid, readAll, readValue, TAG } from "../acme/der.ts";
import { formatIp } from "../base/address.ts";

const SUBJECT_ALT_NAME = oid("2.5.29.17").subarray(2);
const EXTENSIONS = context(3, true);
const KINDS = new Map([[context(1, false), "email"], [context(2, false), "DNS"], [context(6, false), "URI"]]);
const ADDRESS = context(7, false);
/** Visible ASCII but the comma that stands between two of them. */
const PLAIN = /^[\x21-\x2b\x2d-\x7e]+$/;
const NOTHING = new Uint8Array();

/** `DNS:a.test`, `email:a@b.test`, `URI:spiffe://a/b`, `IP:10.0.0.1`. Others are left out, as are those with spaces and commas. */
export function alternativeNames(certificate: Uint8Array): string[] {
  return readAll(namesIn(certificate)).flatMap(({ tag, content }) => {
    if (tag === ADDRESS) {
      return content.length === 4 || content.length === 16 ? [`IP:${formatIp(content)}`] : [];
    }
    const kind = KINDS.get(tag);
    const text = String.fromCharCode(...content.subarray(0, MAX_NAME + 1));
    return kind === undefined || text.length > MAX_NAME || !PLAIN.test(text) ? [] : [`${kind}:${text}`];
  });
}

/** Longer than any host name or SPIFFE id. */
const MAX_NAME = 2048;

function namesIn(certificate: Uint8Array): Uint8Array {
  const inner = (bytes: Uint8Array) => readValue(bytes, 0)?.content ?? NOTHING;
  const parts = readAll(inner(inner(certificate)));
  const extensions = parts.find(({ tag }) => tag === EXTENSIONS)?.content ?? NOTHING;
  for (const { content } of readAll(inner(extensions))) {
    const [id, ...rest] = readAll(content);
    if (id?.tag === TAG.oid && id.content.toHex() === SUBJECT_ALT_NAME.toHex()) {
      return inner(rest.at(-1)?.content ?? NOTHING);
    }
  }
  return NOTHING;
}
