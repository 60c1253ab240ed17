/**
 * What a route's path may look like: hono's syntax, checked before a router sees it, so that a mistake has a
 * position in the file instead of a stack trace at the start. Pure; it knows no router.
 */

/** hono's wildcard and parameters count per pattern; no real route comes near. */
const MAX_SEGMENTS = 64;

/** What is wrong with a path pattern, as the end of a sentence, or null when it is good. */
export function pathPatternProblem(path: string): string | null {
  if (path === "*") return null;
  if (!path.startsWith("/")) return 'must start with "/"';
  if (/[\s#\\]/.test(path)) return "must not contain spaces, # or \\ (write them percent-encoded)";
  const segments = splitPattern(path);
  if (segments === null) return "has a { without its }";
  if (segments.length > MAX_SEGMENTS) return `must have at most ${MAX_SEGMENTS} segments`;
  const names = new Set<string>();
  for (const [at, segment] of segments.entries()) {
    const problem = segmentProblem(segment, at === segments.length - 1, names);
    if (problem !== null) return problem;
  }
  return null;
}

/** Segments between slashes; a slash inside `{…}` belongs to its expression. */
function splitPattern(path: string): string[] | null {
  const segments = [""];
  let depth = 0;
  for (const char of path.slice(1)) {
    if (char === "{") depth++;
    if (char === "}") depth--;
    if (depth < 0) return null;
    if (char === "/" && depth === 0) segments.push("");
    else segments[segments.length - 1] += char;
  }
  return depth === 0 ? segments : null;
}

function segmentProblem(segment: string, last: boolean, names: Set<string>): string | null {
  if (segment === "*") return null;
  if (!segment.startsWith(":")) {
    if (segment.includes("*")) return `can have * only as a whole segment, not in "${segment}"`;
    if (/[?{}]/.test(segment)) return `has ?, { or } outside of a parameter in "${segment}"`;
    return null;
  }
  const parameter = /^:([A-Za-z_][A-Za-z0-9_]*)(?:\{(.+)\})?(\?)?$/.exec(segment);
  if (parameter === null) {
    return `has a malformed parameter "${segment}" (write :name, :name? or :name{[0-9]+})`;
  }
  const [, name, expression, optional] = parameter;
  if (names.has(name!)) return `has the parameter :${name} twice`;
  names.add(name!);
  if (optional !== undefined && !last) return `can have an optional parameter (:${name}?) only at its end`;
  return expression === undefined ? null : expressionProblem(expression);
}

function expressionProblem(expression: string): string | null {
  // hono numbers the groups of the whole router, so a group of the user's would shift them.
  if (/\((?!\?[:=!<])/.test(expression)) return `must not have a capturing group in {${expression}}`;
  try {
    new RegExp(expression);
    return null;
  } catch {
    return `has a malformed expression {${expression}}`;
  }
}
