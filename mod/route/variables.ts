/**
 * The variables of templates: one entry each, with what it is read from. Adding a variable is adding an entry; the
 * page `docs/rewriting.md` has them all, which a test holds.
 *
 * Values are Latin-1, a character a byte, and data of a stranger: whoever writes one encodes it for where it is
 * written. Pure; it must not know where the facts come from.
 */
import { utf8AsLatin1 } from "../http/grammar.ts";
import { cookieValue } from "./cookie.ts";
import type { RequestFacts } from "./match.ts";
import { rawQueryValue } from "./query.ts";

/** What is known while a request is there. */
export interface RequestSource {
  readonly facts: RequestFacts;
  /** The `Host` field as it came. */
  readonly authority: string;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly listener: string;
  readonly listenerAddress: string;
  readonly listenerPort: number;
  /** Null: the client's connection is not encrypted by us. */
  readonly tls: TlsSource | null;
  readonly requestId: string;
  /** Who the request is of, by its password or token, in UTF-8; empty: nobody has asked. */
  readonly user: string;
  /** What the route's conditions took, by its name; empty: nothing. */
  capture(name: string): string;
  /** Text of a claim of its token; empty: there is none. */
  claim(name: string): string;
}

export interface TlsSource {
  readonly version: string;
  readonly cipher: string;
  readonly serverName: string;
  readonly alpn: string;
  readonly client: {
    readonly subject: string;
    readonly fingerprint: string;
    /** What few ask for. */
    readonly facts: {
      readonly issuer: string;
      readonly serial: string;
      readonly names: readonly string[];
      /** Milliseconds since 1970. */
      readonly expiresAt: number;
    };
  } | null;
}

/** What is known once there is an answer. */
export interface AnswerSource {
  readonly status: number;
  /** Empty: no server was asked. */
  readonly pool: string;
  readonly server: string;
  readonly serverAddress: string;
  /** How the cache took the request; empty: its route has none. */
  readonly cacheStatus: string;
  header(name: string): string | null;
}

interface Named {
  readonly name: string;
  /** Whether `$name(argument)` is meant. */
  readonly argument: "none" | "optional" | "needed";
}

/** Read while the request is there. */
export interface RequestVariable extends Named {
  readonly of: "request";
  /** Whether its value is part of a URL, and so percent-encoded already. */
  encoded(argument: string): boolean;
  read(source: RequestSource, argument: string): string;
}

/** Read when the answer is there: only rules for responses have it. */
export interface AnswerVariable extends Named {
  readonly of: "response";
  read(source: AnswerSource, argument: string): string;
}

export type Variable = RequestVariable | AnswerVariable;

function ofRequest(name: string, read: RequestVariable["read"]): RequestVariable {
  return { name, argument: "none", of: "request", encoded: () => false, read };
}

function ofUrl(name: string, read: RequestVariable["read"]): RequestVariable {
  return { name, argument: "none", of: "request", encoded: () => true, read };
}

function ofAnswer(name: string, read: AnswerVariable["read"]): AnswerVariable {
  return { name, argument: "none", of: "response", read };
}

/** `$name(argument)`. */
function named<V extends Variable>(variable: V, argument: "optional" | "needed" = "needed"): V {
  return { ...variable, argument };
}

const LIST: readonly Variable[] = [
  ofRequest("clientAddress", (source) => source.clientAddress),
  ofRequest("clientPort", (source) => `${source.clientPort}`),
  ofRequest("listener", (source) => source.listener),
  ofRequest("listenerAddress", (source) => source.listenerAddress),
  ofRequest("listenerPort", (source) => `${source.listenerPort}`),
  ofRequest("scheme", ({ tls }) => tls === null ? "http" : "https"),
  ofRequest("method", ({ facts }) => facts.method),
  ofUrl("host", ({ facts }) => facts.host),
  ofUrl("authority", (source) => source.authority),
  ofUrl("path", ({ facts }) => facts.path),
  ofUrl("uri", ({ facts: { path, query } }) => query === "" ? path : `${path}?${query}`),
  named(
    ofUrl("query", ({ facts: { query } }, name) => name === "" ? query : rawQueryValue(query, name)),
    "optional",
  ),
  named(ofRequest("header", ({ facts }, name) => facts.header(name.toLowerCase()) ?? "")),
  named(ofRequest("cookie", ({ facts }, name) => cookieValue(facts.header("cookie"), name) ?? "")),
  named({
    // What was decoded is text, and no bytes as everything else.
    ...ofRequest("capture", (source, name) => {
      return name.startsWith("query.") ? utf8AsLatin1(source.capture(name)) : source.capture(name);
    }),
    encoded: (name) => /^(?:path|host)\./.test(name),
  }),
  ofRequest("requestId", (source) => source.requestId),
  ofRequest("user", ({ user }) => utf8AsLatin1(user)),
  named(ofRequest("claim", (source, name) => source.claim(name))),
  ofRequest("tlsVersion", ({ tls }) => tls?.version ?? ""),
  ofRequest("tlsCipher", ({ tls }) => tls?.cipher ?? ""),
  ofRequest("tlsServerName", ({ tls }) => tls?.serverName ?? ""),
  ofRequest("tlsAlpn", ({ tls }) => tls?.alpn ?? ""),
  ofRequest("tlsClientSubject", ({ tls }) => utf8AsLatin1(tls?.client?.subject ?? "")),
  ofRequest("tlsClientFingerprint", ({ tls }) => tls?.client?.fingerprint ?? ""),
  ofRequest("tlsClientIssuer", ({ tls }) => utf8AsLatin1(tls?.client?.facts.issuer ?? "")),
  ofRequest("tlsClientSerial", ({ tls }) => tls?.client?.facts.serial ?? ""),
  ofRequest("tlsClientNames", ({ tls }) => tls?.client?.facts.names.join(",") ?? ""),
  ofRequest("tlsClientExpires", ({ tls }) => momentOf(tls?.client?.facts.expiresAt ?? NaN)),
  ofAnswer("status", (answer) => `${answer.status}`),
  ofAnswer("pool", (answer) => answer.pool),
  ofAnswer("server", (answer) => answer.server),
  ofAnswer("serverAddress", (answer) => answer.serverAddress),
  ofAnswer("cacheStatus", (answer) => answer.cacheStatus),
  named(ofAnswer("responseHeader", (answer, name) => answer.header(name.toLowerCase()) ?? "")),
];

/** `2027-02-24T13:00:00Z`; empty: it is none. */
function momentOf(time: number): string {
  return Number.isNaN(time) ? "" : new Date(time).toISOString().replace(/\.\d+/, "");
}

export const VARIABLES: ReadonlyMap<string, Variable> = new Map(LIST.map((one) => [one.name, one]));
