/**
 * Fits `Location`, `Refresh` and `Set-Cookie` of a server to how its clients see it: nginx's `proxy_redirect`,
 * `proxy_cookie_domain` and `proxy_cookie_path`. Pure: text in, text out; what fits nothing stays as it is.
 */

/** What stands in the place of what `from` is; the text is made only where it is needed. */
export interface Substitution {
  readonly from: string;
  to(): string;
}

/** The value of `Location` (or `Refresh`): the first `from` that it begins with becomes its `to`. */
export function fixLocation(value: string, substitutions: readonly Substitution[]): string {
  // `Refresh: 5; url=…`, which no RFC has and every browser knows.
  const [, before = "", url = value] = /^(\s*\d+\s*[;,]\s*url\s*=\s*["']?)(.*)$/i.exec(value) ?? [];
  const found = substitutions.find(({ from }) => url.startsWith(from));
  return found === undefined ? value : before + found.to() + url.slice(found.from.length);
}

/** A `Set-Cookie` with another domain: the first `from` that its domain is, whatever the case and a dot before it. */
export function fixCookieDomain(value: string, substitutions: readonly Substitution[]): string {
  return withAttribute(value, "domain", (domain) => {
    const bare = domain.replace(/^\./, "").toLowerCase();
    return substitutions.find(({ from }) => from.replace(/^\./, "").toLowerCase() === bare)?.to();
  });
}

/** A `Set-Cookie` with another path: the first `from` that its path begins with becomes its `to`. */
export function fixCookiePath(value: string, substitutions: readonly Substitution[]): string {
  return withAttribute(value, "path", (path) => {
    const found = substitutions.find(({ from }) => path.startsWith(from));
    return found === undefined ? undefined : found.to() + path.slice(found.from.length);
  });
}

/** RFC 6265 section 5.2: attributes stand behind semicolons, the value of the cookie before the first. */
function withAttribute(
  cookie: string,
  name: string,
  change: (value: string) => string | undefined,
): string {
  const [pair = "", ...attributes] = cookie.split(";");
  const changed = attributes.map((attribute) => {
    const equals = attribute.indexOf("=");
    if (equals < 0 || attribute.slice(0, equals).trim().toLowerCase() !== name) return attribute;
    const value = change(attribute.slice(equals + 1).trim());
    // A semicolon would begin another attribute.
    return value === undefined ? attribute : `${attribute.slice(0, equals)}=${value.replaceAll(";", "")}`;
  });
  return [pair, ...changed].join(";");
}
