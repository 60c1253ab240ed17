/**
 * Reading single parameters of a raw query string (`application/x-www-form-urlencoded`, WHATWG URL).
 *
 * Walks the pairs in place and decodes only what is compared. Pure; it never throws: what is not valid percent
 * encoding stands for itself, so no query can break a match.
 */

/** The decoded value of the first parameter called `name` for which `test` holds, or null. */
export function queryFind(query: string, name: string, test: (value: string) => boolean): string | null {
  for (let at = nextOf(query, name, 0); at >= 0; at = nextOf(query, name, pairEnd(query, at) + 1)) {
    const value = valueAt(query, at);
    if (test(value)) return value;
  }
  return null;
}

/** The decoded value of the first parameter called `name`, or null. `?name` alone has the empty value. */
export function queryValue(query: string, name: string): string | null {
  const at = nextOf(query, name, 0);
  return at < 0 ? null : valueAt(query, at);
}

/** The same as it stands there, still encoded; empty: there is none. */
export function rawQueryValue(query: string, name: string): string {
  const at = nextOf(query, name, 0);
  if (at < 0) return "";
  const end = pairEnd(query, at);
  return query.slice(nameEnd(query, at, end) + 1, end);
}

/** The decoded name of one pair. */
export function parameterName(pair: string): string {
  return decode(pair.slice(0, nameEnd(pair, 0, pair.length)));
}

/** Start of the first pair from `at` on whose name is `name`; -1: none. */
function nextOf(query: string, name: string, at: number): number {
  while (at < query.length) {
    const end = pairEnd(query, at);
    if (decode(query.slice(at, nameEnd(query, at, end))) === name && end > at) return at;
    at = end + 1;
  }
  return -1;
}

function pairEnd(query: string, at: number): number {
  const end = query.indexOf("&", at);
  return end < 0 ? query.length : end;
}

function nameEnd(query: string, at: number, end: number): number {
  const equals = query.indexOf("=", at);
  return equals < 0 || equals > end ? end : equals;
}

function valueAt(query: string, at: number): string {
  const end = pairEnd(query, at);
  return decode(query.slice(nameEnd(query, at, end) + 1, end));
}

function decode(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
