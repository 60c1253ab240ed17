/**
 * The span of a request. The names of its attributes are those of the semantic conventions for HTTP servers where they
 * have one (https://opentelemetry.io/docs/specs/semconv/http/http-spans/), else `tandem.…`. Pure.
 */
import { type ByteRange, type LogText, putAscii, putText, textBound } from "../observe/put.ts";
import type { AccessRecord } from "./access_record.ts";
import { integerKey, putClient, putNumber, putOutcome, putString, textKey } from "./span_parts.ts";

const SPACE = 0x20;
const QUESTION = 0x3f;
const COLON = 0x3a;
const CLOSE_BRACKET = 0x5d;

/** RFC 9110 section 9, RFC 5789: those that the conventions know. Others would be names without end. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

const KEY = {
  method: textKey("http.request.method"),
  unknownMethod: textKey("http.request.method_original"),
  path: textKey("url.path"),
  query: textKey("url.query"),
  scheme: textKey("url.scheme"),
  host: textKey("server.address"),
  port: integerKey("server.port"),
  version: textKey("network.protocol.version"),
  route: textKey("http.route"),
  userAgent: textKey("user_agent.original"),
  status: integerKey("http.response.status_code"),
  requestId: textKey("tandem.request_id"),
};

/** The most bytes that it can need; the name is among them. */
export function requestBound(record: AccessRecord): number {
  return textBound(record.method) + textBound(record.target) + textBound(record.host) +
    2 * textBound(record.route) + textBound(record.userAgent) + textBound(record.requestId);
}

export function putRequestName(bytes: Uint8Array, at: number, record: AccessRecord): number {
  at = putAscii(bytes, at, knownMethod(record.method) ?? "HTTP");
  if (record.route === "") return at;
  bytes[at++] = SPACE;
  return putText(bytes, at, record.route, "json");
}

export function putRequest(bytes: Uint8Array, at: number, record: AccessRecord): number {
  const method = knownMethod(record.method);
  at = putString(bytes, at, KEY.method, method ?? "_OTHER");
  if (method === undefined) at = putString(bytes, at, KEY.unknownMethod, record.method);
  at = putTarget(bytes, at, rangeOf(record.target));
  at = putString(bytes, at, KEY.scheme, record.tls === null ? "http" : "https");
  at = putAuthority(bytes, at, rangeOf(record.host));
  at = putString(bytes, at, KEY.version, record.version === "HTTP/2.0" ? "2" : record.version.slice(5));
  at = putString(bytes, at, KEY.route, record.route);
  at = putClient(bytes, at, record);
  at = putString(bytes, at, KEY.userAgent, record.userAgent);
  at = putString(bytes, at, KEY.requestId, record.requestId);
  if (record.status > 0) at = putNumber(bytes, at, KEY.status, record.status);
  const failed = record.status >= 500 || record.status === 0;
  const error = record.error === "" && record.status >= 500 ? String(record.status) : record.error;
  return putOutcome(bytes, at, record, error, failed);
}

function knownMethod(text: LogText): string | undefined {
  const { bytes, start, end } = rangeOf(text);
  return METHODS.find((method) => {
    if (method.length !== end - start) return false;
    for (let i = 0; i < method.length; i++) if (bytes[start + i] !== method.charCodeAt(i)) return false;
    return true;
  });
}

function putTarget(bytes: Uint8Array, at: number, target: ByteRange): number {
  const { end } = target;
  let question = target.start;
  while (question < end && target.bytes[question] !== QUESTION) question++;
  target.end = question;
  at = putString(bytes, at, KEY.path, target);
  target.start = Math.min(question + 1, end);
  target.end = end;
  return putString(bytes, at, KEY.query, target);
}

/** `host`, `host:port` or `[v6]:port`. */
function putAuthority(bytes: Uint8Array, at: number, host: ByteRange): number {
  const { end } = host;
  let colon = end - 1;
  while (colon >= host.start && host.bytes[colon] !== COLON && host.bytes[colon] !== CLOSE_BRACKET) colon--;
  if (colon < host.start || host.bytes[colon] !== COLON) return putString(bytes, at, KEY.host, host);
  let port = 0;
  for (let i = colon + 1; i < end; i++) port = port * 10 + host.bytes[i]! - 0x30;
  host.end = colon;
  at = putString(bytes, at, KEY.host, host);
  return port >= 1 && port <= 65_535 ? putNumber(bytes, at, KEY.port, port) : at;
}

const encoder = new TextEncoder();

/** A range over the same bytes, which may be narrowed. */
function rangeOf(text: LogText): ByteRange {
  if (typeof text !== "string") return { bytes: text.bytes, start: text.start, end: text.end };
  const bytes = encoder.encode(text);
  return { bytes, start: 0, end: bytes.length };
}
