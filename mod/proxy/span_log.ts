/**
 * Spans for OpenTelemetry: one record becomes one span in the JSON of OTLP, a line in a batch of bytes.
 *
 * As in the access log bytes go straight from the record into the batch; only what is sampled comes here. Pure; it must
 * not know where batches go.
 */
import type { TraceContext } from "../http/trace_context.ts";
import type { Batch } from "../observe/batch.ts";
import type { AccessRecord } from "./access_record.ts";
import { connectionBound, putConnection, putConnectionName } from "./connection_span.ts";
import { putRequest, putRequestName, requestBound } from "./request_span.ts";
import { partsBound, putIdentity, putTimes } from "./span_parts.ts";

const NEWLINE = 0x0a;

export class SpanLog {
  readonly #batch: Batch;

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  /** Adds the span of a request or connection. False: the batch is full and it was dropped (and counted there). */
  append(record: AccessRecord, trace: TraceContext): boolean {
    const request = record.transport === "";
    const bound = partsBound(record) + (request ? requestBound(record) : connectionBound(record));
    if (!this.#batch.reserve(bound)) return false;
    const { bytes, length } = this.#batch;
    let at = putIdentity(bytes, length, trace);
    at = request ? putRequestName(bytes, at, record) : putConnectionName(bytes, at, record);
    at = putTimes(bytes, at, record);
    at = request ? putRequest(bytes, at, record) : putConnection(bytes, at, record);
    bytes[at++] = NEWLINE;
    this.#batch.length = at;
    return true;
  }
}
