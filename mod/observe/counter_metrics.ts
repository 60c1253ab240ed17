/**
 * What the columns of the shared counters are called and mean as metrics, by Prometheus' conventions (base units,
 * `_total`, one name with labels instead of many names). Every column stands in a table here, which a test holds. Pure.
 */
import type { ListenerCounter, ServerCounter, TrafficCounter } from "../base/counters.ts";
import { ERROR_CODES } from "../base/errors.ts";
import type { Labels } from "./exposition.ts";

/** Columns that are sums of histograms, by which families those are. */
export const TIMES = [
  {
    name: "first_byte_duration_seconds",
    of: "firstByte",
    column: "firstByteMs",
    help: "Time from the head of a request to the first byte of its answer.",
    ofServer: "Time from the request sent to the first byte of the answer.",
  },
  {
    name: "request_duration_seconds",
    of: "total",
    column: "totalMs",
    help: "Time from the head of a request to the end of its answer; of a connection, its life.",
    ofServer: "Time from the server chosen to the end of the answer.",
  },
] as const;

/** Counters of one name: each column is a sample, told apart by `labels`. */
export interface CounterFamily<Column> {
  readonly name: string;
  readonly help: string;
  readonly type?: "counter" | "gauge";
  readonly columns: readonly { readonly column: Column; readonly labels: Labels }[];
  /** Counted in this part of the metric's unit: 1000 for milliseconds. */
  readonly per?: number;
}

function one<Column>(column: Column): CounterFamily<Column>["columns"] {
  return [{ column, labels: {} }];
}

const RESPONSE_CLASSES = (["1xx", "2xx", "3xx", "4xx", "5xx"] as const).map((code) => {
  return { column: `responses${code}` as const, labels: { code } };
});
/** Milliseconds in the counters, seconds in the metrics. */
export const MS = 1000;

export const LISTENER_METRICS: readonly CounterFamily<ListenerCounter>[] = [
  { name: "connections_total", help: "Connections accepted.", columns: one("accepted") },
  { name: "open_connections", help: "Connections open.", type: "gauge", columns: one("active") },
  { name: "requests_total", help: "Requests read.", columns: one("requests") },
  { name: "responses_total", help: "Responses sent, by class of status.", columns: RESPONSE_CLASSES },
  { name: "received_bytes_total", help: "Bytes from clients.", columns: one("bytesIn") },
  { name: "sent_bytes_total", help: "Bytes to clients.", columns: one("bytesOut") },
  {
    name: "tls_handshakes_total",
    help: "TLS handshakes that succeeded, whole or resuming a session.",
    columns: [
      { column: "tlsHandshakes", labels: { resumed: "false" } },
      { column: "tlsResumed", labels: { resumed: "true" } },
    ],
  },
  { name: "compressed_responses_total", help: "Responses that were compressed.", columns: one("compressed") },
  {
    name: "compression_input_bytes_total",
    help: "Bytes of bodies before they were compressed.",
    columns: one("compressedFrom"),
  },
  { name: "compression_output_bytes_total", help: "The same after it.", columns: one("compressedTo") },
  {
    name: "uncompressed_responses_total",
    help: "Responses that were not compressed as there was no memory for another compressor.",
    columns: one("uncompressed"),
  },
  {
    name: "fallbacks_total",
    help:
      "Requests, and connections of tcp listeners, that their pool failed and that got the fallback of their route.",
    columns: one("fallbacks"),
  },
  {
    name: "mirrors_total",
    help: "Copies of requests for mirrors, by what became of them; skipped: not sent, as it was too much.",
    columns: [
      { column: "mirrorsAnswered", labels: { result: "answered" } },
      { column: "mirrorsFailed", labels: { result: "failed" } },
      { column: "mirrorsSkipped", labels: { result: "skipped" } },
    ],
  },
  {
    name: "cache_requests_total",
    help: "Requests of routes with a cache, by how it took them.",
    columns: [
      { column: "cacheHits", labels: { result: "hit" } },
      { column: "cacheMisses", labels: { result: "miss" } },
      { column: "cacheExpired", labels: { result: "expired" } },
      { column: "cacheRevalidated", labels: { result: "revalidated" } },
      { column: "cacheUpdating", labels: { result: "updating" } },
      { column: "cacheStale", labels: { result: "stale" } },
      { column: "cacheBypassed", labels: { result: "bypass" } },
    ],
  },
  {
    name: "errors_total",
    help: "Requests and connections that ended in an error, by its code.",
    columns: ERROR_CODES.map((code) => ({ column: code, labels: { error: code } })),
  },
];

export const SERVER_METRICS: readonly CounterFamily<ServerCounter>[] = [
  { name: "requests_total", help: "Requests sent to the server.", columns: one("requests") },
  { name: "connections_total", help: "Connections made to the server.", columns: one("connections") },
  { name: "reuses_total", help: "Requests sent over a connection that was open.", columns: one("reuses") },
  {
    name: "errors_total",
    help: "Requests that the server failed, by what happened.",
    columns: [
      { column: "connectErrors", labels: { error: "connectFailed" } },
      { column: "connectTimeouts", labels: { error: "connectTimeout" } },
      { column: "emptyReplies", labels: { error: "emptyReply" } },
      { column: "resets", labels: { error: "responseReset" } },
      { column: "badResponses", labels: { error: "badResponse" } },
      { column: "responseTimeouts", labels: { error: "responseTimeout" } },
    ],
  },
  {
    name: "responses_total",
    help: "Responses of the server, by class of status.",
    columns: RESPONSE_CLASSES,
  },
  { name: "sent_bytes_total", help: "Bytes to the server.", columns: one("bytesIn") },
  { name: "received_bytes_total", help: "Bytes from the server.", columns: one("bytesOut") },
  { name: "retries_total", help: "Attempts that failed here and were tried again.", columns: one("retries") },
  {
    name: "redispatches_total",
    help: "Attempts that came here as another server failed.",
    columns: one("redispatches"),
  },
  {
    name: "hedges_total",
    help: "Second attempts that came here as another server was slow.",
    columns: one("hedges"),
  },
  { name: "hedges_won_total", help: "Those of them whose answer was used.", columns: one("hedgesWon") },
  { name: "queued_total", help: "Requests that waited for the server.", columns: one("queued") },
  { name: "queue_seconds_total", help: "Time spent waiting.", columns: one("queueMs"), per: MS },
  { name: "connect_seconds_total", help: "Time spent connecting.", columns: one("connectMs"), per: MS },
];

/** Of routes and of pools, of requests that have ended. */
export const TRAFFIC_METRICS: readonly CounterFamily<TrafficCounter>[] = [
  { name: "responses_total", help: "Responses sent, by class of status.", columns: RESPONSE_CLASSES },
  { name: "errors_total", help: "Requests that ended in an error.", columns: one("errors") },
  { name: "received_bytes_total", help: "Bytes from clients.", columns: one("bytesIn") },
  { name: "sent_bytes_total", help: "Bytes to clients.", columns: one("bytesOut") },
];
