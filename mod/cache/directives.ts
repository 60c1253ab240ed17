/**
 * `Cache-Control` (RFC 9111 section 5.2): a list of directives, some with an argument. Pure.
 *
 * What is unknown is passed over by whoever looks. Of what is malformed only words that forbid are taken: reading too
 * little of it would share what is private.
 */

/** The argument of each directive by its lower-case name, empty where there is none. */
export type Directives = ReadonlyMap<string, string>;

/** `delta-seconds` beyond it count as this (section 1.2.2). */
const MAX_SECONDS = 2 ** 31;
/** More than anybody means; a head has its own limit. */
const MAX_DIRECTIVES = 64;

const ONE =
  /[ \t,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?[ \t]*(?=,|$)/y;

const NONE: Directives = new Map();
/** Words that are understood wherever they stand. */
const FORBIDDING = /\b(?:no-store|private|no-cache)\b/gi;
/** With an argument they forbid less (sections 5.2.2.4 and 5.2.2.7): it counts only as it is to be written, quoted. */
const QUALIFIED = new Set(["private", "no-cache"]);

/**
 * Of several of one name the first counts (section 4.2.1), or what forbids more. Of too many only that they forbid.
 * Null: there is no such field.
 */
export function parseDirectives(text: string | null): Directives {
  if (text === null || text === "") return NONE;
  const found = new Map<string, string>();
  ONE.lastIndex = 0;
  while (ONE.lastIndex < text.length && found.size < MAX_DIRECTIVES) {
    const at = ONE.lastIndex;
    const one = ONE.exec(text);
    if (one === null) {
      ONE.lastIndex = forbidden(found, text, at);
      continue;
    }
    const name = one[1]!.toLowerCase();
    const quoted = one[2]?.replace(/\\(.)/g, "$1");
    if (QUALIFIED.has(name)) found.set(name, stricter(found.get(name), quoted ?? ""));
    else if (!found.has(name)) found.set(name, quoted ?? one[3] ?? "");
  }
  if (ONE.lastIndex < text.length) { for (const word of ["no-store", "private"]) found.set(word, ""); }
  return found;
}

/** Of two arguments of a directive that without one forbids all. */
function stricter(before: string | undefined, argument: string): string {
  if (before === undefined) return argument;
  return before === "" || argument === "" ? "" : `${before},${argument}`;
}

/** Takes what a malformed member at `at` forbids; where the next one begins. */
function forbidden(found: Map<string, string>, text: string, at: number): number {
  const comma = text.indexOf(",", at + 1);
  const end = comma < 0 ? text.length : comma;
  for (const [word] of text.slice(at, end).matchAll(FORBIDDING)) found.set(word.toLowerCase(), "");
  return end;
}

/** Milliseconds that a directive says; null: it is not there. What is no number is stale at once (section 4.2.1). */
export function millisecondsOf(directives: Directives, name: string): number | null {
  const text = directives.get(name);
  if (text === undefined) return null;
  return /^[0-9]+$/.test(text) ? 1000 * Math.min(Number(text), MAX_SECONDS) : 0;
}

/** The field names, in lower case, that the argument of a directive lists (sections 5.2.2.4 and 5.2.2.7). */
export function namesOf(directives: Directives, name: string): readonly string[] {
  const text = directives.get(name) ?? "";
  return text.split(",").map((one) => one.trim().toLowerCase()).filter((one) => one !== "");
}
