/**
 * The byte classes of HTTP's grammar (RFC 9110 section 5.6, RFC 9112), as tables of 256 entries.
 * One table look-up a byte is what keeps strict parsing as cheap as sloppy parsing.
 */

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

function table(accept: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => accept(byte) ? 1 : 0);
}

const alphanumeric = (byte: number) =>
  (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

/** tchar: what a method or a field name is made of (RFC 9110 section 5.6.2). */
export const TOKEN = table((byte) =>
  alphanumeric(byte) || "!#$%&'*+-.^_`|~".includes(String.fromCharCode(byte))
);

/** What a field value may hold: visible characters, space, tab and obs-text (RFC 9110 section 5.5). */
export const FIELD_VALUE = table((byte) => byte === TAB || (byte >= 0x20 && byte !== 0x7f));

/** What a request target may hold: visible ASCII without `#`, which no client may send (RFC 9112 section 3.2). */
export const TARGET = table((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x23);

/** What a host name may hold (RFC 3986 section 3.2.2), without percent-encoding, and without `,`: two joined `Host`s. */
export const HOST = table((byte) =>
  alphanumeric(byte) || "-._~!$&'()*+;=".includes(String.fromCharCode(byte))
);

/** Value of a hexadecimal digit, or 255. */
export const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? 255 : digit;
});

/** True when the ASCII bytes from `start` to `end` are `lower` (lower-case text), ignoring case. */
export function equalsLower(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    let byte = bytes[start + i]!;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** Text of a byte range, one character a byte (Latin-1), for the places off the fast path. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** The UTF-8 bytes of a text, one character a byte. */
export function utf8AsLatin1(text: string): string {
  // deno-lint-ignore no-control-regex -- what is not ASCII is looked for
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  const bytes = new TextEncoder().encode(text);
  return latin1(bytes, 0, bytes.length);
}

/** The text whose UTF-8 bytes are these, one character a byte; what is none becomes U+FFFD. */
export function latin1AsUtf8(text: string): string {
  // deno-lint-ignore no-control-regex -- what is not ASCII is looked for
  return /^[\x00-\x7f]*$/.test(text) ? text : decoder.decode(fromLatin1(text));
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes of a text of characters up to U+00FF. */
export function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
