/**
 * Percent-encoding of values, for where they are written (RFC 3986). A character up to U+00FF is a byte of the wire.
 * Pure; it never throws.
 */

/** What cannot stand in a URI is percent-encoded; what is encoded stays. */
export function encodeTarget(target: string): string {
  return target.replace(/[^!#-;=?-[\]_a-z~]/gu, percentOf);
}

/** The same for a path, which ends at a query or a fragment. */
export function encodePath(path: string): string {
  return encodeTarget(path).replace(/[?#]/g, percentOf);
}

/** A value within a path or a URL: what is encoded already as it is, anything else as text. */
export function urlText(value: string, encoded: boolean): string {
  return encoded ? value : value.replace(/[^A-Za-z0-9\-._~/]/gu, percentOf);
}

/** A value as the value of one parameter of a query. */
export function queryText(value: string, encoded: boolean): string {
  return urlText(value, encoded).replace(/[&#+]/g, percentOf);
}

/** The name of a parameter, and a value that stands in the configuration. */
export function queryWord(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~!$'()*,;:@/?]/gu, percentOf);
}

function percentOf(character: string): string {
  const code = character.codePointAt(0)!;
  if (code > 0xff) return code >= 0xd800 && code <= 0xdfff ? "%EF%BF%BD" : encodeURIComponent(character);
  return "%" + code.toString(16).toUpperCase().padStart(2, "0");
}
