/**
 * The parts of a span in the JSON of OTLP, whatever it is of: each function writes at `at` and returns where it ended.
 *
 * As in a line of the access log no string is made, and room has been reserved. Every attribute ends with a comma. Pure.
 */
import { OWN_ID, SPAN_ID_DIGITS, TRACE_ID_DIGITS, type TraceContext } from "../http/trace_context.ts";
import {
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

const encoder = new TextEncoder();
const QUOTE = 0x22;

/** SpanKind of trace.proto: what a server does for a client that is elsewhere. */
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
export function textKey(name: string): Uint8Array {
  return encoder.encode(`{"key":"${name}","value":{"stringValue":"`);
}

export function integerKey(name: string): Uint8Array {
  return encoder.encode(`{"key":"${name}","value":{"intValue":`);
}

function decimalKey(name: string): Uint8Array {
  return encoder.encode(`{"key":"${name}","value":{"doubleValue":`);
}

const KEY = {
  client: textKey("client.address"),
  clientPort: integerKey("client.port"),
  errorType: textKey("error.type"),
  error: textKey("tandem.error"),
  listener: textKey("tandem.listener"),
  pool: textKey("tandem.pool"),
  server: textKey("tandem.server"),
  termination: textKey("tandem.termination"),
  attempts: integerKey("tandem.attempts"),
  bytesIn: integerKey("tandem.received_bytes"),
  bytesOut: integerKey("tandem.sent_bytes"),
  queueMs: decimalKey("tandem.queue_ms"),
  connectMs: decimalKey("tandem.connect_ms"),
  firstByteMs: decimalKey("tandem.first_byte_ms"),
};

/** Keys, numbers and separators of any span; every text comes on top. */
const FIXED_BYTES = 2600;

/** The most bytes that what is written here can need, the name of the span aside. */
export function partsBound(record: AccessRecord): number {
  return FIXED_BYTES + textBound(record.clientHost) + textBound(record.listener) + textBound(record.pool) +
    textBound(record.server);
}

/** Up to where its name begins. */
export function putIdentity(
  bytes: Uint8Array,
  at: number,
  { ids, continued }: TraceContext,
): number {
  at = putDigits(bytes, putBytes(bytes, at, START), ids, 0, TRACE_ID_DIGITS);
  at = putDigits(bytes, putBytes(bytes, at, SPAN_ID), ids, OWN_ID, SPAN_ID_DIGITS);
  if (continued) {
    at = putDigits(bytes, putBytes(bytes, at, PARENT_ID), ids, OWN_ID + SPAN_ID_DIGITS, SPAN_ID_DIGITS);
  }
  return putBytes(bytes, at, NAME);
}

/** From behind its name to its first attribute. */
export function putTimes(bytes: Uint8Array, at: number, { time, totalMs }: AccessRecord): number {
  at = putNanoseconds(bytes, putBytes(bytes, at, START_TIME), time);
  at = putNanoseconds(bytes, putBytes(bytes, at, END_TIME), time + totalMs);
  return putBytes(bytes, at, ATTRIBUTES);
}

export function putClient(bytes: Uint8Array, at: number, record: AccessRecord): number {
  at = putString(bytes, at, KEY.client, record.clientHost);
  return putNumber(bytes, at, KEY.clientPort, record.clientPort);
}

/** What was done for it, its end included. */
export function putOutcome(
  bytes: Uint8Array,
  at: number,
  record: AccessRecord,
  error: string,
  failed: boolean,
): number {
  at = putString(bytes, at, failed ? KEY.errorType : KEY.error, error);
  at = putString(bytes, at, KEY.listener, record.listener);
  at = putString(bytes, at, KEY.pool, record.pool);
  at = putString(bytes, at, KEY.server, record.server);
  at = putString(bytes, at, KEY.termination, record.termination);
  if (record.server !== "") at = putNumber(bytes, at, KEY.attempts, record.retries + 1);
  at = putNumber(bytes, at, KEY.bytesIn, record.bytesIn);
  at = putNumber(bytes, at, KEY.bytesOut, record.bytesOut);
  at = putMs(bytes, at, KEY.queueMs, record.queueMs);
  at = putMs(bytes, at, KEY.connectMs, record.connectMs);
  // A tcp connection is not looked into: what is noted for it is when it was there.
  if (record.transport !== "tcp") at = putMs(bytes, at, KEY.firstByteMs, record.firstByteMs);
  return putBytes(bytes, at - 1, failed ? ERROR : UNSET);
}

/** Nothing for an empty text. */
export function putString(bytes: Uint8Array, at: number, key: Uint8Array, text: LogText): number {
  if (textLength(text) === 0) return at;
  at = putText(bytes, putBytes(bytes, at, key), text, "json");
  bytes[at++] = QUOTE;
  return putAscii(bytes, at, "}},");
}

export function putNumber(bytes: Uint8Array, at: number, key: Uint8Array, value: number): number {
  return putAscii(bytes, putInteger(bytes, putBytes(bytes, at, key), value), "}},");
}

function putDigits(bytes: Uint8Array, at: number, ids: Uint8Array, start: number, count: number): number {
  for (let i = start; i < start + count; i++) bytes[at++] = ids[i]!;
  return at;
}

/** Nothing for a time that was never reached. */
function putMs(bytes: Uint8Array, at: number, key: Uint8Array, ms: number): number {
  return ms < 0 ? at : putAscii(bytes, putDecimal(bytes, putBytes(bytes, at, key), ms), "}},");
}

/** A 64-bit number, which stands in quotes; `ms` since 1970, whose fraction counts down to the microsecond. */
function putNanoseconds(bytes: Uint8Array, at: number, ms: number): number {
  return putAscii(bytes, putInteger(bytes, at, Math.round(ms * 1000)), "000");
}
