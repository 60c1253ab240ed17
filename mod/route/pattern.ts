/**
 * Path patterns: what is allowed, what the router gets, and what one path captures. They are in hono's syntax, or
 * expressions, which no router gets.
 *
 * hono's two routers differ at the edges (constraints that cross a slash, `*` amid a path, characters special to a
 * regular expression), and a SmartRouter may use either. So the router gets only what both read alike: literal
 * segments, whole-segment parameters and one `*` at the end; a constraint is tested here, on its segment alone.
 * Everything else is refused when the configuration is read. Pure; it must not know hono.
 */
import { type Expression, isExpression, parseExpression, parseWholeExpression } from "./expression.ts";
import { canonicalPath, escapedPath, readablePath } from "./path.ts";

export interface Pattern {
  /**
   * Equivalent patterns for hono's router, constraints left out; two when the last parameter is optional, none when
   * only `matches` can tell.
   */
  readonly routerPaths: readonly string[];
  /** Names of the parameters, in order, or of an expression's groups. */
  readonly names: readonly string[];
  /** True when it ends in `*`. */
  readonly wildcard: boolean;
  /** True when the router's word is not enough and `matches` must agree. */
  readonly constrained: boolean;
  /** True when `path` (canonical) matches. */
  matches(path: string): boolean;
  /** Whether a path that matches can begin with these whole segments (canonical, `/a/b`); an expression: it may. */
  mayBeginWith(prefix: string): boolean;
  /** Values of the parameters by name and of the last `*` as `*`, or null when `path` (canonical) does not match. */
  capture(path: string): ReadonlyMap<string, string> | null;
}

/** What is wrong with a path pattern, as a sentence for the configuration's reader, or null. */
export function patternProblem(path: string): string | null {
  const pattern = parsePattern(path);
  return typeof pattern === "string" ? pattern : null;
}

/** Reads a pattern; a string says what is wrong with it. */
export function parsePattern(path: string): Pattern | string {
  if (path === "*") return parsePattern("/*");
  if (isExpression(path)) return parseExpressionPath(path);
  if (!path.startsWith("/")) return "a path must begin with `/`";
  const texts = splitSegments(path.slice(1));
  const segments: Segment[] = [];
  for (const [index, text] of texts.entries()) {
    const segment = parseSegment(text, index === texts.length - 1);
    if (typeof segment === "string") return segment;
    segments.push(segment);
  }
  const named = segments.filter((segment) => segment.kind === "param" && segment.name !== "");
  const names = named.map((segment) => segment.name);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) return `the parameter \`:${twice}\` stands twice in the path`;
  const last = segments.at(-1);
  const wildcard = last?.kind === "rest" || last?.kind === "prefix";
  const constrained = named.some((segment) => segment.test !== null);
  const dynamic = wildcard || segments.some((segment) => segment.kind === "param");
  if (dynamic && /@[0-9]/.test(path)) return "`@` before a digit is not possible beside parameters or `*`";
  if (dynamic && segments.some((segment) => segment.kind !== "param" && segment.text.includes(":"))) {
    return "a `:` amid a segment is not possible beside parameters or `*`";
  }
  const capture = capturer(segments);
  return {
    routerPaths: routerPathsOf(segments),
    names,
    wildcard,
    constrained,
    matches: (path) => capture(path) !== null,
    mayBeginWith: (prefix) => mayBeginWith(segments, prefix.slice(1).split("/")),
    capture,
  };
}

function parseExpressionPath(text: string): Pattern | string {
  const expression = parseExpression(text);
  if (typeof expression === "string") return expression;
  // The target of `OPTIONS *` is no path.
  const isPath = (path: string) => path.startsWith("/");
  return {
    routerPaths: [],
    names: expression.names,
    wildcard: false,
    constrained: true,
    matches: (path) => isPath(path) && expression.test(readablePath(path)),
    mayBeginWith: () => true,
    capture: (path) => {
      const groups = isPath(path) ? expression.groups(readablePath(path)) : null;
      return groups === null ? null : new Map([...groups].map(([name, text]) => [name, escapedPath(text)]));
    },
  };
}

interface Segment {
  /** rest: `*` alone at the end; prefix: literal characters and then `*` at the end. */
  readonly kind: "literal" | "param" | "prefix" | "rest";
  /** Literal characters, canonical. */
  readonly text: string;
  /** Empty for a `*` amid the path: a parameter without a name. */
  readonly name: string;
  readonly test: Expression | null;
  readonly optional: boolean;
}

/** RFC 3986's `pchar`, without the percent sign; anything else in a request target is percent-encoded. */
const LITERAL = /^(?:[A-Za-z0-9\-._~!$&'()+,;=:@]|%[0-9A-Fa-f]{2})*$/;
const PARAM = /^:([A-Za-z_][A-Za-z0-9_]*)(?:\{(.+)\})?(\?)?$/s;

/** Splits at slashes outside of braces. */
function splitSegments(path: string): string[] {
  const segments = [""];
  let depth = 0;
  for (const character of path) {
    if (character === "{") depth++;
    if (character === "}") depth--;
    if (character === "/" && depth === 0) segments.push("");
    else segments.push(segments.pop() + character);
  }
  return segments;
}

function parseSegment(text: string, last: boolean): Segment | string {
  if (text.startsWith(":")) return parseParam(text, last);
  if (text === "*") return segment(last ? "rest" : "param");
  const prefix = last && text.endsWith("*");
  const literal = prefix ? text.slice(0, -1) : text;
  if (literal.includes("*")) return "`*` must be a whole segment or the last character of the path";
  if (literal.includes("?") || literal.includes("#")) {
    return "a path holds no `?` or `#`; conditions on the query go under `query`";
  }
  const encoded = encodeNonAscii(literal);
  if (encoded === null || !LITERAL.test(encoded)) {
    return `the segment \`${text}\` has a character that a URL's path cannot hold; percent-encode it`;
  }
  // Not a dot segment yet, so that `/.*` is possible: something else follows.
  if (prefix) return segment("prefix", canonicalPath(`/${encoded}_`).slice(1, -1));
  const canonical = canonicalPath("/" + encoded).slice(1);
  if (canonical !== "" || literal === "") return segment("literal", canonical);
  return "a path must not hold `.` or `..` segments: they are removed from a request's path before it is matched";
}

function parseParam(text: string, last: boolean): Segment | string {
  const parts = PARAM.exec(text);
  if (parts === null) {
    return `\`${text}\` is not a parameter; allowed are \`:name\`, \`:name{regex}\` and, at the end, \`:name?\``;
  }
  const [, name = "", source, optional] = parts;
  if (optional !== undefined && !last) return `only the last segment can be optional, \`${text}\` is not`;
  if (source === undefined) return { ...segment("param"), name, optional: optional !== undefined };
  if (source.includes("/")) {
    return `the constraint of \`:${name}\` holds a \`/\`, but is matched within one segment`;
  }
  const test = parseWholeExpression(source);
  if (typeof test === "string") return `in the constraint of \`:${name}\` ${test}`;
  return { ...segment("param"), name, test, optional: optional !== undefined };
}

function segment(kind: Segment["kind"], text = ""): Segment {
  return { kind, text, name: "", test: null, optional: false };
}

/** Null when the text holds half a surrogate pair. */
function encodeNonAscii(text: string): string | null {
  try {
    return text.replace(/[\u0080-\uffff]+/g, encodeURIComponent);
  } catch {
    return null;
  }
}

function routerPathsOf(segments: readonly Segment[]): string[] {
  const texts = segments.map((segment, index) => {
    if (segment.kind === "param") return `:p${index}`;
    return segment.kind === "literal" ? segment.text : segment.text + "*";
  });
  const whole = "/" + texts.join("/");
  return segments.at(-1)?.optional === true ? ["/" + texts.slice(0, -1).join("/"), whole] : [whole];
}

/** One anchored expression for the shape, then the constraints on what it captured. */
function capturer(segments: readonly Segment[]): Pattern["capture"] {
  const captured = segments.filter((segment) => segment.kind !== "literal");
  const shape = new RegExp(`^${segments.map(shapeOf).join("")}$`);
  return (path) => {
    const found = shape.exec(path);
    if (found === null) return null;
    const values = new Map<string, string>();
    for (const [index, { kind, name, test }] of captured.entries()) {
      const value = found[index + 1];
      if (test !== null && value !== undefined && !test.test(readablePath(value))) return null;
      if (kind !== "param") values.set("*", value ?? "");
      else if (name !== "") values.set(name, value ?? "");
    }
    return values;
  };
}

/** Segment by segment; behind a `*` at the end of the pattern everything may come. */
function mayBeginWith(segments: readonly Segment[], prefix: readonly string[]): boolean {
  for (const [index, text] of prefix.entries()) {
    const segment = segments[index];
    if (segment === undefined) return false;
    if (segment.kind === "rest") return true;
    if (segment.kind === "prefix") return text.startsWith(segment.text);
    if (
      segment.kind === "literal" ? segment.text !== text : segment.test?.test(readablePath(text)) === false
    ) return false;
  }
  return true;
}

function shapeOf(segment: Segment, index: number): string {
  const literal = segment.text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (segment.kind === "literal") return "/" + literal;
  if (segment.kind === "prefix") return `/${literal}([^]*)`;
  if (segment.kind === "rest") return index === 0 ? "/([^]*)" : "(?:/([^]*))?";
  if (!segment.optional) return "/([^/]+)";
  return index === 0 ? "/([^/]+)?" : "(?:/([^/]+))?";
}
