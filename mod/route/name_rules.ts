/**
 * Finds what is to be done with a field by its name, where it lies. One look-up by length parts most names at once.
 *
 * `_` and `-` are one letter here: servers of the kind of CGI fold both, and a rule that sets `X-User` must not leave
 * a client's `X_User` beside it. Pure.
 */
import { fromLatin1 } from "../http/grammar.ts";

interface Candidate {
  readonly name: Uint8Array;
  readonly rule: number;
}

export class NameRules {
  readonly #byLength: Candidate[][] = [];
  readonly #prefixes: Candidate[] = [];

  /** Rules by lower-case name; a name that ends in `*` is the beginning of one. Exact names go first. */
  constructor(rules: ReadonlyMap<string, number>) {
    for (const [text, rule] of rules) {
      const prefix = text.endsWith("*");
      const name = fromLatin1(text.replaceAll("_", "-").slice(0, prefix ? -1 : undefined));
      if (prefix) this.#prefixes.push({ name, rule });
      else (this.#byLength[name.length] ??= []).push({ name, rule });
    }
  }

  /** The rule for the name from `start` to `end`, or 0. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const candidates = this.#byLength[end - start];
    if (candidates !== undefined) {
      for (let at = 0; at < candidates.length; at++) {
        const { name, rule } = candidates[at]!;
        if (begins(bytes, start, name)) return rule;
      }
    }
    const prefixes = this.#prefixes;
    for (let at = 0; at < prefixes.length; at++) {
      const { name, rule } = prefixes[at]!;
      if (name.length <= end - start && begins(bytes, start, name)) return rule;
    }
    return 0;
  }
}

function begins(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let at = 0; at < name.length; at++) {
    let byte = bytes[start + at]!;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    else if (byte === 0x5f) byte = 0x2d;
    if (byte !== name[at]) return false;
  }
  return true;
}
