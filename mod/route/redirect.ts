/**
 * Where a redirect points: the `to` of the configuration, filled with what is known of the request.
 *
 * Values are data of a stranger: they are percent-encoded, may not make a new authority (`//host`), and stand only
 * behind the authority of `to`, but for the host that the request names itself. `redirectFaults` holds that at
 * configuration time. The query follows nginx's `rewrite`: it is passed on, behind the arguments of `to` if there
 * are any, unless `to` ends in `?` or says itself where the query goes.
 */
import { encodeTarget, urlText } from "./encode.ts";
import type { RequestFacts } from "./match.ts";
import {
  captureFaults,
  fillTemplate,
  parseTemplate,
  referencesOf,
  type Scope,
  type Template,
  type TemplateFault,
  urlTemplateOf,
} from "./template.ts";
import type { RequestSource, RequestVariable } from "./variables.ts";

/** What may stand in the `to` of a redirect. */
export const REDIRECT_SCOPE: Scope = { answers: false, groups: 0, placeholders: true };

/** A `to`, compiled. */
export interface Redirect {
  readonly to: Template;
  /** False for a path: then the answer must stay on this host. */
  readonly leaves: boolean;
  readonly passesQuery: boolean;
}

/** Compiles a `to` that has been checked. */
export function redirectOf(to: string): Redirect {
  const template = urlTemplateOf(to, REDIRECT_SCOPE);
  const ownQuery = template.some((piece) => typeof piece === "object" && isWholeQuery(piece));
  return { to: template, leaves: AUTHORITY.test(to), passesQuery: !ownQuery };
}

/** Value of the `Location` field. Printable ASCII without spaces, whatever came. */
export function redirectTarget({ to, leaves, passesQuery }: Redirect, source: RequestSource): string {
  const filled = fillTemplate(to, source, targetText);
  const target = encodeTarget(passesQuery ? withQuery(filled, source.facts.query) : filled);
  // `to: /*` and the path `/old//evil.example` must not become a redirect to another host.
  return leaves ? target : target.replace(/^\/{2,}/, "/");
}

/** Value of `Location` for the same place under https; null: the request names no host. */
export function httpsTarget(port: number, { host, path, query }: RequestFacts): string | null {
  if (host === "") return null;
  const authority = port === 443 ? host : `${host}:${port}`;
  return encodeTarget(`https://${authority}${path === "*" ? "/" : path}${query === "" ? "" : `?${query}`}`);
}

/** True when the target names the host of the request, which one of HTTP/1.0 may not have. */
export function needsHost({ to }: Redirect): boolean {
  return to.some((piece) => typeof piece === "object" && /^(host|authority)$/.test(piece.variable.name));
}

/** What is wrong with a redirect's `to` on a route that takes these captures, and perhaps what is lost. */
export function redirectFaults(
  to: string,
  captures: readonly string[],
  isLost?: (name: string) => boolean,
): TemplateFault[] {
  const fault = (message: string, part = to) => ({ message, part });
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const spaced = /[\x00-\x20\x7f]/.test(to) ? [fault("must not hold spaces or control characters")] : [];
  // `//host` and `/\host` would leave the site although they look like paths.
  if (!/^(?:https?|\$scheme):\/\/[^/?#]|^\/(?![/\\])/i.test(to)) {
    return [...spaced, fault('must be an http:// or https:// URL, or a path that begins with one "/"')];
  }
  const [authority = "", host = ""] = AUTHORITY.exec(to) ?? [];
  const parts = [
    parseTemplate(host, REDIRECT_SCOPE),
    parseTemplate(to.slice(authority.length), REDIRECT_SCOPE),
  ];
  const [inHost, behind] = parts.map((part) => "faults" in part ? [] : part) as [Template, Template];
  const strange = referencesOf(inHost)
    .filter(({ variable, argument }) => !IN_HOST.test(`${variable.name} ${argument}`));
  return [
    ...spaced,
    ...strange.map(({ part }) => fault(OUT_OF_PLACE, part)),
    ...captureFaults([...inHost, ...behind], captures, isLost),
  ];
}

const OUT_OF_PLACE =
  "a placeholder may stand only behind the host (`$host` in it may), else a request could choose where it is sent";

/** It ends where the path begins, which those two variables do themselves. */
const AUTHORITY = /^(?:https?|\$scheme):\/\/((?:(?!\$\(?(?:path|uri)\b)[^/?#])*)/i;
/** What is checked to be part of a host name, and where the connection was made to. */
const IN_HOST = /^(?:host|authority|listenerPort) $|^capture host\./;

/** The `*` of `OPTIONS *` is no path to go to. */
function targetText(value: string, encoded: boolean, { name }: RequestVariable): string {
  return value === "*" && PATHS.has(name) ? "/" : urlText(value, encoded);
}

const PATHS = new Set(["path", "uri"]);

function isWholeQuery({ variable, argument }: Exclude<Template[number], string | number>): boolean {
  return variable.name === "uri" || variable.name === "query" && argument === "";
}

/** The request's query goes before a fragment and behind the arguments that are there. */
function withQuery(to: string, query: string): string {
  const hash = to.indexOf("#");
  const fragment = hash < 0 ? "" : to.slice(hash);
  const base = hash < 0 ? to : to.slice(0, hash);
  if (base.endsWith("?")) return base.slice(0, -1) + fragment;
  if (query === "") return to;
  return base + (base.includes("?") ? "&" : "?") + query + fragment;
}
