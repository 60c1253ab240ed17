/**
 * Sets, adds and removes single parameters of a query, and leaves all others byte for byte as they came. Pure.
 */
import type { QueryRules } from "../config/snapshot.ts";
import { utf8AsLatin1 } from "../http/grammar.ts";
import { encodeTarget, queryText, queryWord } from "./encode.ts";
import { parameterName } from "./query.ts";
import { fillTemplate, type Scope, type Template, urlTemplateOf } from "./template.ts";
import type { RequestSource } from "./variables.ts";

const SCOPE: Scope = { answers: false, groups: 0, placeholders: false };

interface Parameter {
  readonly name: string;
  readonly value: Template;
}

export class QueryEdit {
  readonly #dropped: ReadonlySet<string>;
  /** Beginnings of names. */
  readonly #prefixes: readonly string[];
  readonly #added: readonly Parameter[];

  constructor({ set, add, remove }: QueryRules) {
    this.#dropped = new Set([...set.map(([name]) => name), ...remove.filter((name) => !name.endsWith("*"))]);
    this.#prefixes = remove.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
    this.#added = [...set, ...add].map(([name, text]) => ({
      name: queryWord(utf8AsLatin1(name)),
      // What stands in the configuration is text, and becomes part of a query.
      value: urlTemplateOf(text, SCOPE).map((piece) => typeof piece === "string" ? queryWord(piece) : piece),
    }));
  }

  /** The query as it is to be sent; a parameter whose value comes out empty is set all the same. */
  apply(query: string, source: RequestSource): string {
    const kept = query === "" ? [] : query.split("&").filter((pair) => !this.#drops(parameterName(pair)));
    const added = this.#added.map(({ name, value }) =>
      `${name}=${encodeTarget(fillTemplate(value, source, queryText))}`
    );
    return [...kept, ...added].join("&");
  }

  #drops(name: string): boolean {
    return this.#dropped.has(name) || this.#prefixes.some((prefix) => name.startsWith(prefix));
  }
}
