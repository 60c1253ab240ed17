/**
 * The one form of a path that routes are matched on, and only for that: what goes upstream is what came.
 *
 * RFC 3986, sections 6.2.2.1–3: escapes of unreserved characters are decoded (`%61` is `a`), the others get
 * upper-case digits, dot segments are removed, as nearly every server behind us will do. `%2F` stays an escape and
 * never parts segments; `//` is not merged. Pure; a path without `%` and `/.` is returned as it is.
 *
 * Expressions are for people, who write `é` and spaces: they see a path whose escapes of what no path can hold are
 * decoded too. Those of what it can (`%2F`, `%3B`) stay, so that what was taken is encoded to just what came.
 */
import { utf8AsLatin1 } from "../http/grammar.ts";
import { encodePath } from "./encode.ts";

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

/** A canonical path as expressions see it. */
export function readablePath(path: string): string {
  return path.includes("%") ? path.replace(UNHOLDABLE, readableEscapes) : path;
}

/** A text from a readable path as it stands in a URL. */
export function escapedPath(text: string): string {
  return encodePath(utf8AsLatin1(text));
}

/** Space, `"#<>?\^`, backquote, `{|}`, and what is beyond ASCII. No control character: they would end a line. */
const UNHOLDABLE = /%(?:2[023]|3[CEF]|5[CE]|60|7[BCD])|(?:%[89A-F][0-9A-F])+/g;

function readableEscapes(escapes: string): string {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return escapes;
  }
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
