/**
 * The one form of a path that routes are matched on, and only for that: what goes upstream is what came.
 *
 * RFC 3986, sections 6.2.2.1–3: escapes of unreserved characters are decoded (`%61` is `a`), the others get
 * upper-case digits, dot segments are removed, as nearly every server behind us will do. `%2F` stays an escape and
 * never parts segments; `//` is not merged. Pure; a path without `%` and `/.` is returned as it is.
 */

/** Canonical form of a raw path. Never throws: a `%` without two hex digits stands for itself. */
export function canonicalPath(path: string): string {
  const plain = path.includes("%") ? path.replace(ESCAPE, canonicalEscape) : path;
  return plain.includes("/.") ? removeDotSegments(plain) : plain;
}

const ESCAPE = /%[0-9A-Fa-f]{2}/g;
const UNRESERVED = /[A-Za-z0-9._~-]/;

function canonicalEscape(escape: string): string {
  const character = String.fromCharCode(parseInt(escape.slice(1), 16));
  return UNRESERVED.test(character) ? character : escape.toUpperCase();
}

/** RFC 3986, section 5.2.4, for a path that begins with a slash. */
function removeDotSegments(path: string): string {
  const segments = path.split("/");
  const kept: string[] = [];
  segments.forEach((segment, index) => {
    const dots = segment === "." || segment === "..";
    if (segment === ".." && kept.length > 1) kept.pop();
    if (!dots) kept.push(segment);
    else if (index === segments.length - 1) kept.push("");
  });
  return kept.join("/");
}
