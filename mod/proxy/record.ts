/**
 * What is noted of one request while it runs: times, sizes, outcome. From it come counters and the access log.
 */
import { type ErrorCode, ERRORS } from "../base/errors.ts";
import { bucketOf, type Counters, LISTENER_COLUMN, SERVER_COLUMN, TRAFFIC_COLUMN } from "../base/counters.ts";
import type { RouteSnapshot } from "../config/snapshot.ts";
import { TRACE_ID_DIGITS, TraceContext } from "../http/trace_context.ts";
import { fromLatin1 } from "../http/grammar.ts";
import type { CacheWord } from "../cache/outcome.ts";
import type { ProxyEnvironment } from "./environment.ts";
import { type AccessRecord, emptyAccessRecord } from "./access_log.ts";
import type { UpstreamRequest } from "./request_head.ts";

const CACHE_COLUMN = {
  BYPASS: "cacheBypassed",
  MISS: "cacheMisses",
  HIT: "cacheHits",
  EXPIRED: "cacheExpired",
  REVALIDATED: "cacheRevalidated",
  UPDATING: "cacheUpdating",
  STALE: "cacheStale",
} as const;

/** Time that has not come. */
const NEVER = -1;

export class Record {
  startedAt = 0;
  acquiredAt = NEVER;
  connectedAt = NEVER;
  firstByteAt = NEVER;
  bytesIn = 0;
  bytesOut = 0;
  /** Bytes of the body before and after it was compressed. */
  compressedFrom = 0;
  compressedTo = 0;
  /** There was no memory for a compressor. */
  uncompressed = false;
  /** 0: no answer was sent. */
  status = 0;
  /** What the server answered, whatever the client gets; 0: nothing yet. */
  #serverStatus = 0;
  error: ErrorCode | null = null;
  retries = 0;
  /** Its pool failed it, and it got what the route has for that. */
  fellBack = false;
  pool = "";
  server = "";
  /** How the cache took it. */
  cache: CacheWord = "";
  /** Rows of its route and pool in the shared counters; -1: none. */
  routeRow = -1;
  poolRow = -1;
  /** As it is called; empty: none, or one of ours. */
  route = "";

  start(now: number, headBytes: number): void {
    this.startedAt = now;
    this.acquiredAt = this.connectedAt = this.firstByteAt = NEVER;
    this.bytesIn = headBytes;
    this.bytesOut =
      this.status =
      this.retries =
      this.compressedFrom =
      this.compressedTo =
        0;
    this.error = null;
    this.uncompressed = this.fellBack = false;
    this.pool = this.server = this.cache = "";
    this.routeRow = this.poolRow = -1;
    this.route = "";
  }

  /** It is this route's; undefined: none takes it. */
  taken(route: RouteSnapshot | undefined): void {
    this.routeRow = route?.row ?? -1;
    this.route = route?.label ?? "";
  }

  acquired(pool: string, server: string, now: number): void {
    this.pool = pool;
    this.server = server;
    this.acquiredAt = now;
    this.connected(NEVER);
  }

  /** The request is on its way to the server. */
  connected(now: number): void {
    this.connectedAt = now;
    this.firstByteAt = NEVER;
    this.#serverStatus = 0;
  }

  /** The head of the server's answer has come. */
  answered(status: number, now: number): void {
    this.#serverStatus = status;
    this.firstByteAt = now;
  }

  /** The exchange became a tunnel, which has ended. */
  tunnelled(bytesUp: number, bytesDown: number, error: ErrorCode | null): void {
    this.bytesIn += bytesUp;
    this.bytesOut += bytesDown;
    this.error = error;
  }

  /** Adds this request's part to the counters of the server it leaves. */
  leaving({ counters }: ProxyEnvironment, slot: number, now: number): void {
    counters.addServer(slot, SERVER_COLUMN.queueMs, this.acquiredAt - this.startedAt);
    counters.observeServer(slot, "totalMs", now - this.acquiredAt);
    if (this.connectedAt >= 0) {
      counters.addServer(slot, SERVER_COLUMN.connectMs, this.connectedAt - this.acquiredAt);
    }
    if (this.firstByteAt < 0) return;
    counters.observeServer(slot, "firstByteMs", this.firstByteAt - this.connectedAt);
    counters.addServer(slot, SERVER_COLUMN.bytesIn, this.bytesIn);
    const uncompressed = this.bytesOut - this.compressedTo + this.compressedFrom;
    counters.addServer(slot, SERVER_COLUMN.bytesOut, uncompressed);
    if (this.#serverStatus > 0) {
      counters.addServer(slot, classColumn(SERVER_COLUMN.responses1xx, this.#serverStatus), 1);
    }
  }

  /** Adds it to the counters of its listener, route and pool. */
  account({ counters }: ProxyEnvironment, row: number, now: number): void {
    counters.addListener(row, LISTENER_COLUMN.requests, 1);
    counters.addListener(row, LISTENER_COLUMN.bytesIn, this.bytesIn);
    counters.addListener(row, LISTENER_COLUMN.bytesOut, this.bytesOut);
    if (this.status > 0) counters.addListener(row, classColumn(LISTENER_COLUMN.responses1xx, this.status), 1);
    if (this.fellBack) counters.addListener(row, LISTENER_COLUMN.fallbacks, 1);
    if (this.uncompressed) counters.addListener(row, LISTENER_COLUMN.uncompressed, 1);
    if (this.compressedFrom > 0) {
      counters.addListener(row, LISTENER_COLUMN.compressed, 1);
      counters.addListener(row, LISTENER_COLUMN.compressedFrom, this.compressedFrom);
      counters.addListener(row, LISTENER_COLUMN.compressedTo, this.compressedTo);
    }
    if (this.cache !== "") counters.addListener(row, LISTENER_COLUMN[CACHE_COLUMN[this.cache]], 1);
    if (this.error !== null) counters.addListener(row, LISTENER_COLUMN[this.error], 1);
    const ms = now - this.startedAt;
    const bucket = bucketOf(ms);
    counters.observeListener(row, ms, bucket);
    if (this.routeRow >= 0) this.#accountTraffic(counters, this.routeRow, ms, bucket);
    if (this.poolRow >= 0) this.#accountTraffic(counters, this.poolRow, ms, bucket);
  }

  #accountTraffic(counters: Counters, row: number, ms: number, bucket: number): void {
    if (this.status > 0) counters.addTraffic(row, classColumn(TRAFFIC_COLUMN.responses1xx, this.status), 1);
    if (this.error !== null) counters.addTraffic(row, TRAFFIC_COLUMN.errors, 1);
    counters.addTraffic(row, TRAFFIC_COLUMN.bytesIn, this.bytesIn);
    counters.addTraffic(row, TRAFFIC_COLUMN.bytesOut, this.bytesOut);
    counters.observeTraffic(row, "totalMs", ms, bucket);
    if (this.firstByteAt < 0) return;
    const firstByteMs = this.firstByteAt - this.startedAt;
    counters.observeTraffic(row, "firstByteMs", firstByteMs, bucketOf(firstByteMs));
  }

  /** Fills the fields of an access record that HTTP and TCP share. */
  fill(access: AccessRecord, environment: ProxyEnvironment, now: number): void {
    access.time = environment.wallClock() - (now - this.startedAt);
    access.pool = this.pool;
    access.server = this.server;
    access.status = this.status;
    access.bytesIn = this.bytesIn;
    access.bytesOut = this.bytesOut;
    access.queueMs = this.acquiredAt < 0 ? NEVER : this.acquiredAt - this.startedAt;
    access.connectMs = this.connectedAt < 0 ? NEVER : this.connectedAt - this.acquiredAt;
    access.firstByteMs = this.firstByteAt < 0 ? NEVER : this.firstByteAt - this.connectedAt;
    access.totalMs = now - this.startedAt;
    access.error = this.error ?? "";
    access.termination = this.error === null ? "--" : ERRORS[this.error].termination;
    access.retries = this.retries;
    access.cache = this.cache;
  }
}

/** The column of a status class: the five stand in a row. */
function classColumn(first: number, status: number): number {
  return first + Math.min(4, Math.floor(status / 100) - 1);
}

const range = () => ({ bytes: NO_BYTES, start: 0, end: 0 });
const NO_BYTES = new Uint8Array(0);

/** The one access record of a worker, filled anew for each request. */
export class AccessRecorder {
  readonly record: AccessRecord = emptyAccessRecord();
  /** Of the connection that is told of, where it is traced. */
  readonly trace = new TraceContext();
  readonly #method = range();
  readonly #target = range();
  readonly #host = range();
  readonly #userAgent = range();
  readonly #referer = range();
  readonly #requestId = range();
  readonly #traceId = range();

  constructor() {
    const { record } = this;
    record.method = this.#method;
    record.target = this.#target;
    record.host = this.#host;
    record.userAgent = this.#userAgent;
    record.referer = this.#referer;
    record.requestId = this.#requestId;
    record.traceId = this.#traceId;
  }

  /** For what is no request; `serverName` is what a client asked for in TLS, or empty; `trace`: null: it is not traced. */
  setConnection(transport: "tcp" | "udp", serverName: string, trace: TraceContext | null): void {
    this.setRequest(null, 1);
    this.record.transport = transport;
    set(this.#host, fromLatin1(serverName), 0, serverName.length);
    this.#setTrace(trace);
  }

  /** Points the texts into the composed request; null: none could be read. */
  setRequest(request: UpstreamRequest | null, minor: number): void {
    this.record.version = minor === 0 ? "HTTP/1.0" : "HTTP/1.1";
    const bytes = request?.lease?.bytes ?? NO_BYTES;
    const r = request !== null && request.lease !== null ? request : NO_REQUEST;
    set(this.#method, bytes, 0, r.methodEnd);
    set(this.#target, bytes, r.targetStart, r.targetEnd);
    set(this.#host, bytes, r.hostStart, r.hostEnd);
    set(this.#userAgent, bytes, r.userAgentStart, r.userAgentEnd);
    set(this.#referer, bytes, r.refererStart, r.refererEnd);
    set(this.#requestId, bytes, r.requestIdStart, r.requestIdEnd);
    this.#setTrace(request?.trace ?? null);
  }

  #setTrace(trace: TraceContext | null): void {
    if (trace === null || !trace.active) set(this.#traceId, NO_BYTES, 0, 0);
    else set(this.#traceId, trace.ids, 0, TRACE_ID_DIGITS);
  }
}

const NO_REQUEST = {
  methodEnd: 0,
  targetStart: 0,
  targetEnd: 0,
  hostStart: 0,
  hostEnd: 0,
  userAgentStart: 0,
  userAgentEnd: 0,
  refererStart: 0,
  refererEnd: 0,
  requestIdStart: 0,
  requestIdEnd: 0,
};

function set(
  to: { bytes: Uint8Array; start: number; end: number },
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  to.bytes = bytes;
  to.start = start;
  to.end = end;
}
