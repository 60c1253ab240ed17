/**
 * What a route makes of path, query and host before they go to a server.
 *
 * The path is rewritten in the form in which it was matched (`canonicalPath`), else `/%61dmin` would slip past a
 * prefix that is to be taken off; without rules for the path it goes on as it came. What comes out is encoded and
 * without dot segments, whatever a variable held. Pure.
 */
import type { RewriteSnapshot } from "../config/snapshot.ts";
import { encodePath, encodeTarget, queryText, urlText } from "./encode.ts";
import { bareExpressionOf, type Expression } from "./expression.ts";
import { canonicalPath, escapedPath, readablePath } from "./path.ts";
import { QueryEdit } from "./query_edit.ts";
import { fillTemplate, type Scope, type Template, templateOf, urlTemplateOf } from "./template.ts";
import type { RequestSource, RequestVariable } from "./variables.ts";

/** What may stand in `rewrite.path`. */
export const PATH_SCOPE: Scope = { answers: false, groups: 0, placeholders: true };
/** The same in texts that have no use for `:id`. */
export const TEXT_SCOPE: Scope = { answers: false, groups: 0, placeholders: false };

/** What may stand in the text that replaces what an expression matched. */
export function groupScope({ groupCount }: Expression, answers = false): Scope {
  return { answers, groups: groupCount + 1, placeholders: false };
}

interface Replacement {
  readonly match: Expression;
  readonly to: Template;
}

export class Rewrite {
  readonly #path: Template | null;
  readonly #stripPrefix: string;
  readonly #replace: readonly Replacement[];
  readonly #addPrefix: string;
  readonly #query: Template | QueryEdit | null;
  readonly #host: Template | null;
  readonly #changesPath: boolean;

  constructor({ path, stripPrefix, replace, addPrefix, query, host }: RewriteSnapshot) {
    this.#path = path === null ? null : urlTemplateOf(path, PATH_SCOPE);
    this.#stripPrefix = stripPrefix;
    this.#replace = replace.map(({ match, with: text }) => {
      const expression = bareExpressionOf(match);
      return { match: expression, to: templateOf(text, groupScope(expression)) };
    });
    this.#addPrefix = addPrefix;
    this.#query = typeof query === "string"
      ? urlTemplateOf(query, TEXT_SCOPE)
      : query === null
      ? null
      : new QueryEdit(query);
    this.#host = host === null ? null : templateOf(host, TEXT_SCOPE);
    this.#changesPath = path !== null || stripPrefix !== "" || replace.length > 0 || addPrefix !== "";
  }

  /** Path and query as the server gets them; null: as they came, which the `*` of `OPTIONS *` always does. */
  target(source: RequestSource): string | null {
    const { path, query } = source.facts;
    if (path === "*" || !this.#changesPath && this.#query === null) return null;
    const newPath = this.#changesPath ? this.#rewritten(canonicalPath(path), source) : path;
    const newQuery = this.#query === null ? query : this.#newQuery(this.#query, query, source);
    return newQuery === "" ? newPath : `${newPath}?${newQuery}`;
  }

  /** The host as the server gets it; null: as it came. Not yet checked to be one. */
  host(source: RequestSource): string | null {
    return this.#host === null ? null : fillTemplate(this.#host, source, (value) => value);
  }

  #rewritten(path: string, source: RequestSource): string {
    let text = this.#path === null ? path : fillTemplate(this.#path, source, urlText);
    const prefix = this.#stripPrefix;
    if (
      prefix !== "" && text.startsWith(prefix) &&
      (text.length === prefix.length || text[prefix.length] === "/")
    ) {
      text = text.slice(prefix.length);
    }
    for (const { match, to } of this.#replace) {
      const readable = readablePath(text);
      text = escapedPath(match.replace(readable, (groups) => fillTemplate(to, source, urlText, groups)));
    }
    text = this.#addPrefix + text;
    return canonicalPath(encodePath(text.startsWith("/") ? text : `/${text}`));
  }

  #newQuery(rule: Template | QueryEdit, query: string, source: RequestSource): string {
    return rule instanceof QueryEdit
      ? rule.apply(query, source)
      : encodeTarget(fillTemplate(rule, source, wholeQueryText)).replaceAll("#", "%23");
  }
}

/** The query of the request stands in a whole query as it is. */
function wholeQueryText(value: string, encoded: boolean, { name }: RequestVariable): string {
  return name === "query" ? value : queryText(value, encoded);
}
