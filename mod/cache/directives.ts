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
const FORBIDDING = /\b(?:no-store|private|no-cache|must-revalidate)\b/gi;

/** Of several of one name the first counts (section 4.2.1). Null: there is no such field. */
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
    if (!found.has(name)) found.set(name, (one[2] ?? one[3] ?? "").replace(/\\(.)/g, "$1"));
  }
  return found;
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
