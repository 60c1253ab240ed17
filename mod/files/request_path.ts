/**
 * From the path of a request to a path below a root, or to nothing. Every file has exactly one path here: what could
 * be a second name for it (an encoded slash, an empty segment) names nothing, so that a route over a path holds for
 * the file whatever the request was made of.
 *
 * Dot segments are gone before, as the routes are matched without them too (`route/path.ts`). Pure: it must not know
 * what exists.
 */
import { canonicalPath } from "../route/path.ts";

/** A path below a root, decoded: `/a/b`, `/a/` (asked for as a directory), `/`, or empty (the root without its slash). */
export interface FilePath {
  readonly path: string;
  /** The whole path of the request in its one form, still encoded: what a redirect goes on from. */
  readonly encoded: string;
}

export interface PathRules {
  /** Taken off in front; empty or a path without a slash at its end. */
  readonly stripPrefix: string;
  /** Whether names that begin with a dot may be asked for. */
  readonly hidden: boolean;
}

/** File names of all systems that we run on have at most 255 bytes, and paths 4095. */
const MAX_PATH = 4095;
/** RFC 8615: meant for everybody, although it begins with a dot. */
const WELL_KNOWN = ".well-known";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The path of a raw request path (Latin-1, without the query); null: it can name no file. */
export function filePath(raw: string, rules: PathRules): FilePath | null {
  const encoded = canonicalPath(raw);
  const { stripPrefix } = rules;
  if (!encoded.startsWith(stripPrefix)) return null;
  const rest = encoded.slice(stripPrefix.length);
  if (rest === "") return stripPrefix === "" ? null : { path: "", encoded };
  if (rest.charCodeAt(0) !== SLASH) return null;
  const path = decodePath(rest);
  if (path === null || path.length > MAX_PATH || !goodSegments(path, rules.hidden)) return null;
  return { path, encoded };
}

const SLASH = 0x2f;

/** Percent-decoded as UTF-8; null for what is no text, holds a NUL, or hides a slash. */
function decodePath(text: string): string | null {
  if (PLAIN.test(text)) return text;
  if (/%(?![0-9A-Fa-f]{2})|%2F|%00|\0/i.test(text)) return null;
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) !== PERCENT) bytes[length++] = text.charCodeAt(at);
    else {
      bytes[length++] = parseInt(text.slice(at + 1, at + 3), 16);
      at += 2;
    }
  }
  try {
    return decoder.decode(bytes.subarray(0, length));
  } catch {
    return null;
  }
}

const PERCENT = 0x25;
const PLAIN = /^[!-$&-~]*$/;

/** True when every segment names something; the last may be empty, as a directory is asked for so. */
function goodSegments(path: string, hidden: boolean): boolean {
  for (let start = 1; start < path.length;) {
    const slash = path.indexOf("/", start);
    const end = slash < 0 ? path.length : slash;
    if (end === start) return false;
    if (path.charCodeAt(start) === DOT && !mayBeHidden(path.slice(start, end), start === 1, hidden)) {
      return false;
    }
    start = end + 1;
  }
  return true;
}

const DOT = 0x2e;

function mayBeHidden(segment: string, first: boolean, hidden: boolean): boolean {
  if (segment === "." || segment === "..") return false;
  return hidden || (first && segment === WELL_KNOWN);
}
