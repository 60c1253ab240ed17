/**
 * Reading one cookie of a request (RFC 6265, section 4.2.1). Pure.
 */

/** Value of the first cookie of this name, as it stands there; `cookies`: the field, null: there is none. */
export function cookieValue(cookies: string | null, name: string): string | null {
  for (const pair of cookies?.split(/;\s*/) ?? []) {
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  }
  return null;
}
