/**
 * Spans for OpenTelemetry: one record becomes one span in the JSON of OTLP, a line in a batch of bytes.
 *
 * The names of attributes are those of the semantic conventions for HTTP servers where they have one
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/), else `tandem.…`. As in the access log bytes go straight
 * from the record into the batch; only what is sampled comes here. Pure; it must not know where batches go.
 */
import { OWN_ID, SPAN_ID_DIGITS, TRACE_ID_DIGITS, type TraceContext } from "../http/trace_context.ts";
import type { Batch } from "../observe/batch.ts";
import {
  type ByteRange,
  type LogText,
  putAscii,
  putBytes,
  putDecimal,
  putInteger,
  putText,
  textBound,
  textLength,
} from "../observe/put.ts";
import type { AccessRecord } from "./access_record.ts";

/** Keys, numbers and separators; every text comes on top, the method and the route twice. */
const FIXED_BYTES = 2400;
const NEWLINE = 0x0a;
const QUOTE = 0x22;
const SPACE = 0x20;
const QUESTION = 0x3f;
const COLON = 0x3a;
const CLOSE_BRACKET = 0x5d;

const encoder = new TextEncoder();
const START = encoder.encode('{"kind":2,"traceId":"');
const SPAN_ID = encoder.encode('","spanId":"');
const PARENT_ID = encoder.encode('","parentSpanId":"');
const NAME = encoder.encode('","name":"');
const START_TIME = encoder.encode('","startTimeUnixNano":"');
const END_TIME = encoder.encode('","endTimeUnixNano":"');
const ATTRIBUTES = encoder.encode('","attributes":[');
const ERROR = encoder.encode('],"status":{"code":2}}');
const UNSET = encoder.encode("]}");

/** What stands before the value of an attribute, its opening quote included. */
function textKey(name: string): Uint8Array {
  return encoder.encode(`{"key":"${name}","value":{"stringValue":"`);
}

function integerKey(name: string): Uint8Array {
  return encoder.encode(`{"key":"${name}","value":{"intValue":`);
}

function decimalKey(name: string): Uint8Array {
  return encoder.encode(`{"key":"${name}","value":{"doubleValue":`);
}

const KEY = {
  method: textKey("http.request.method"),
  path: textKey("url.path"),
  query: textKey("url.query"),
  scheme: textKey("url.scheme"),
  host: textKey("server.address"),
  version: textKey("network.protocol.version"),
  route: textKey("http.route"),
  client: textKey("client.address"),
  userAgent: textKey("user_agent.original"),
  error: textKey("error.type"),
  listener: textKey("tandem.listener"),
  pool: textKey("tandem.pool"),
  server: textKey("tandem.server"),
  requestId: textKey("tandem.request_id"),
  termination: textKey("tandem.termination"),
  port: integerKey("server.port"),
  clientPort: integerKey("client.port"),
  status: integerKey("http.response.status_code"),
  attempts: integerKey("tandem.attempts"),
  queueMs: decimalKey("tandem.queue_ms"),
  connectMs: decimalKey("tandem.connect_ms"),
  firstByteMs: decimalKey("tandem.first_byte_ms"),
};

export class SpanLog {
  readonly #batch: Batch;
  readonly #target: ByteRange = { bytes: new Uint8Array(0), start: 0, end: 0 };
  readonly #host: ByteRange = { bytes: new Uint8Array(0), start: 0, end: 0 };

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  /** Adds the span of a request. False: the batch is full and it was dropped (and counted there). */
  append(record: AccessRecord, trace: TraceContext): boolean {
    if (!this.#batch.reserve(spanBound(record))) return false;
    const { bytes, length } = this.#batch;
    let at = this.#identity(bytes, length, record, trace);
    const first = at;
    at = this.#request(bytes, at, record);
    at = this.#outcome(bytes, at, record);
    // Every attribute ends with a comma.
    if (at > first) at--;
    const failed = record.status >= 500 || record.status === 0;
    at = putBytes(bytes, at, failed ? ERROR : UNSET);
    bytes[at++] = NEWLINE;
    this.#batch.length = at;
    return true;
  }

  #identity(bytes: Uint8Array, at: number, record: AccessRecord, { ids, continued }: TraceContext): number {
    at = putDigits(bytes, putBytes(bytes, at, START), ids, 0, TRACE_ID_DIGITS);
    at = putDigits(bytes, putBytes(bytes, at, SPAN_ID), ids, OWN_ID, SPAN_ID_DIGITS);
    if (continued) {
      at = putDigits(bytes, putBytes(bytes, at, PARENT_ID), ids, OWN_ID + SPAN_ID_DIGITS, SPAN_ID_DIGITS);
    }
    at = putText(bytes, putBytes(bytes, at, NAME), record.method, "json");
    if (record.route !== "") {
      bytes[at++] = SPACE;
      at = putText(bytes, at, record.route, "json");
    }
    at = putNanoseconds(bytes, putBytes(bytes, at, START_TIME), record.time);
    at = putNanoseconds(bytes, putBytes(bytes, at, END_TIME), record.time + record.totalMs);
    return putBytes(bytes, at, ATTRIBUTES);
  }

  #request(bytes: Uint8Array, at: number, record: AccessRecord): number {
    at = putString(bytes, at, KEY.method, record.method);
    const target = rangeOf(record.target, this.#target);
    const { end } = target;
    const question = find(target.bytes, target.start, end, QUESTION);
    target.end = question;
    at = putString(bytes, at, KEY.path, target);
    target.start = Math.min(question + 1, end);
    target.end = end;
    at = putString(bytes, at, KEY.query, target);
    at = putString(bytes, at, KEY.scheme, record.tls === null ? "http" : "https");
    at = this.#authority(bytes, at, record.host);
    at = putString(bytes, at, KEY.version, record.version.replace(/^HTTP\/|\.0$/g, ""));
    at = putString(bytes, at, KEY.route, record.route);
    at = putString(bytes, at, KEY.client, record.clientHost);
    at = putNumber(bytes, at, KEY.clientPort, record.clientPort);
    at = putString(bytes, at, KEY.userAgent, record.userAgent);
    return putString(bytes, at, KEY.requestId, record.requestId);
  }

  /** `host`, `host:port` or `[v6]:port`. */
  #authority(bytes: Uint8Array, at: number, text: LogText): number {
    const host = rangeOf(text, this.#host);
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

  #outcome(bytes: Uint8Array, at: number, record: AccessRecord): number {
    if (record.status > 0) at = putNumber(bytes, at, KEY.status, record.status);
    const error = record.error === "" && record.status >= 500 ? String(record.status) : record.error;
    at = putString(bytes, at, KEY.error, error);
    at = putString(bytes, at, KEY.listener, record.listener);
    at = putString(bytes, at, KEY.pool, record.pool);
    at = putString(bytes, at, KEY.server, record.server);
    at = putString(bytes, at, KEY.termination, record.termination);
    if (record.server !== "") at = putNumber(bytes, at, KEY.attempts, record.retries + 1);
    at = putMs(bytes, at, KEY.queueMs, record.queueMs);
    at = putMs(bytes, at, KEY.connectMs, record.connectMs);
    return putMs(bytes, at, KEY.firstByteMs, record.firstByteMs);
  }
}

function spanBound(record: AccessRecord): number {
  return FIXED_BYTES + 2 * textBound(record.method) + textBound(record.target) + textBound(record.host) +
    2 * textBound(record.route) + textBound(record.clientHost) + textBound(record.userAgent) +
    textBound(record.requestId) + textBound(record.listener) + textBound(record.pool) +
    textBound(record.server);
}

/** A range over the same bytes, which may be narrowed. */
function rangeOf(text: LogText, range: ByteRange): ByteRange {
  if (typeof text === "string") {
    const bytes = encoder.encode(text);
    Object.assign(range, { bytes, start: 0, end: bytes.length });
  } else Object.assign(range, { bytes: text.bytes, start: text.start, end: text.end });
  return range;
}

function find(bytes: Uint8Array, start: number, end: number, byte: number): number {
  while (start < end && bytes[start] !== byte) start++;
  return start;
}

function putDigits(bytes: Uint8Array, at: number, ids: Uint8Array, start: number, count: number): number {
  for (let i = start; i < start + count; i++) bytes[at++] = ids[i]!;
  return at;
}

/** Nothing for an empty text. */
function putString(bytes: Uint8Array, at: number, key: Uint8Array, text: LogText): number {
  if (textLength(text) === 0) return at;
  at = putText(bytes, putBytes(bytes, at, key), text, "json");
  bytes[at++] = QUOTE;
  return putAscii(bytes, at, "}},");
}

function putNumber(bytes: Uint8Array, at: number, key: Uint8Array, value: number): number {
  return putAscii(bytes, putInteger(bytes, putBytes(bytes, at, key), value), "}},");
}

/** Nothing for a time that was never reached. */
function putMs(bytes: Uint8Array, at: number, key: Uint8Array, ms: number): number {
  return ms < 0 ? at : putAscii(bytes, putDecimal(bytes, putBytes(bytes, at, key), ms), "}},");
}

/** A 64-bit number, which stands in quotes; `ms` since 1970, whose fraction counts down to the microsecond. */
function putNanoseconds(bytes: Uint8Array, at: number, ms: number): number {
  return putAscii(bytes, putInteger(bytes, at, Math.round(ms * 1000)), "000");
}
