/**
 * Counters in shared memory: one block of float64 per thread, a row per server slot and per listener.
 *
 * Each block has a single writer, so that counting is a plain addition without atomics; a reader sums over the
 * blocks and may miss the last few additions. A 64-bit float counts exactly to 2^53 and is read whole on the
 * 64-bit machines we run on. The block of a dead worker stays, its successor counts on in it. It must not know
 * what the numbers mean, except that gauges end with the thread that keeps them.
 */
import { ERROR_CODES, type ErrorCode } from "./errors.ts";

/** Columns of a server's row. Sums of times are in milliseconds, over `requests`. */
export const SERVER_COUNTERS = [
  "requests",
  "connections",
  "reuses",
  "connectErrors",
  "connectTimeouts",
  "emptyReplies",
  "resets",
  "badResponses",
  "responseTimeouts",
  "responses1xx",
  "responses2xx",
  "responses3xx",
  "responses4xx",
  "responses5xx",
  "bytesIn",
  "bytesOut",
  "retries",
  "redispatches",
  "queued",
  "queueMs",
  "connectMs",
  "firstByteMs",
  "totalMs",
] as const;

/** Columns of a listener's row, before those of the error codes. `active` is a gauge. */
export const LISTENER_COUNTERS = [
  "accepted",
  "active",
  "requests",
  "responses1xx",
  "responses2xx",
  "responses3xx",
  "responses4xx",
  "responses5xx",
  "bytesIn",
  "bytesOut",
  "tlsHandshakes",
  "tlsResumed",
  "compressed",
  "compressedFrom",
  "compressedTo",
  "uncompressed",
  "mirrorsAnswered",
  "mirrorsFailed",
  "mirrorsSkipped",
  ...ERROR_CODES,
] as const;

export type ServerCounter = (typeof SERVER_COUNTERS)[number];
export type ListenerCounter = (typeof LISTENER_COUNTERS)[number];

/** Number of a column, by name. */
export const SERVER_COLUMN = columns(SERVER_COUNTERS);
/** Number of a column, by name; error codes are columns too. */
export const LISTENER_COLUMN: Record<ListenerCounter | ErrorCode, number> = columns(LISTENER_COUNTERS);

/** Upper bounds of the latency histogram in milliseconds; one more bucket has no bound. Prometheus' defaults, and 1 and 30000. */
export const LATENCY_BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000];

export interface Histogram {
  /** Not cumulated; one more than `LATENCY_BUCKETS_MS`, the last without an upper bound. */
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sumMs: number;
}

const BUCKETS = LATENCY_BUCKETS_MS.length + 1;
const SERVER_ROW = SERVER_COUNTERS.length;
/** A listener's row is followed by its histogram and the histogram's sum. */
const LISTENER_ROW = LISTENER_COUNTERS.length + BUCKETS + 1;
const HISTOGRAM = LISTENER_COUNTERS.length;

export class Counters {
  readonly #block: Float64Array;
  readonly #blocks: readonly Float64Array[];
  readonly #listeners: number;

  static byteLength(servers: number, listeners: number, workers: number): number {
    return 8 * workers * (servers * SERVER_ROW + listeners * LISTENER_ROW);
  }

  /** `worker` is the number of this thread, whose block it counts in. */
  constructor(
    memory: SharedArrayBuffer,
    size: { readonly servers: number; readonly listeners: number; readonly workers: number },
    worker: number,
  ) {
    const length = size.servers * SERVER_ROW + size.listeners * LISTENER_ROW;
    this.#blocks = Array.from(
      { length: size.workers },
      (_, at) => new Float64Array(memory, at * length * 8, length),
    );
    this.#block = this.#blocks[worker]!;
    this.#listeners = size.servers * SERVER_ROW;
  }

  addServer(slot: number, column: number, n: number): void {
    this.#block[slot * SERVER_ROW + column]! += n;
  }

  addListener(row: number, column: number, n: number): void {
    this.#block[this.#listeners + row * LISTENER_ROW + column]! += n;
  }

  /** Puts one time into the listener's latency histogram. */
  observeListener(row: number, ms: number): void {
    let bucket = 0;
    while (bucket < LATENCY_BUCKETS_MS.length && ms > LATENCY_BUCKETS_MS[bucket]!) bucket++;
    const at = this.#listeners + row * LISTENER_ROW + HISTOGRAM;
    this.#block[at + bucket]! += 1;
    this.#block[at + BUCKETS]! += ms;
  }

  /** Sum over all threads. */
  server(slot: number, column: number): number {
    return this.#sum(slot * SERVER_ROW + column);
  }

  /** Sum over all threads. */
  listener(row: number, column: number): number {
    return this.#sum(this.#listeners + row * LISTENER_ROW + column);
  }

  /** The listener's latencies over all threads. */
  histogram(row: number): Histogram {
    const at = this.#listeners + row * LISTENER_ROW + HISTOGRAM;
    const buckets = Array.from({ length: BUCKETS }, (_, bucket) => this.#sum(at + bucket));
    return { buckets, count: buckets.reduce((sum, n) => sum + n, 0), sumMs: this.#sum(at + BUCKETS) };
  }

  /** Control thread: a worker is no more, its gauges fall to 0. Call before its successor starts. */
  reclaim(worker: number): void {
    const block = this.#blocks[worker]!;
    for (let at = this.#listeners + LISTENER_COLUMN.active; at < block.length; at += LISTENER_ROW) {
      block[at] = 0;
    }
  }

  /** Control thread: the slot goes to another server. Only once no worker counts for the old one any more. */
  clearServer(slot: number): void {
    for (const block of this.#blocks) block.fill(0, slot * SERVER_ROW, (slot + 1) * SERVER_ROW);
  }

  /** Control thread: the row goes to another listener; as `clearServer`. */
  clearListener(row: number): void {
    const at = this.#listeners + row * LISTENER_ROW;
    for (const block of this.#blocks) block.fill(0, at, at + LISTENER_ROW);
  }

  #sum(at: number): number {
    let sum = 0;
    for (const block of this.#blocks) sum += block[at]!;
    return sum;
  }
}

function columns<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name, at) => [name, at])) as Record<Name, number>;
}
