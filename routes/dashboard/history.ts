/**
 * What the dashboard remembers of a node from look to look: traffic for its charts, and the rates of its parts.
 * Pure, and bounded.
 */
import { LATENCY_BUCKETS_MS } from "../../mod/base/counters.ts";
import type { NodeStatus, ServerStatus } from "../../mod/observe/status.ts";

/** Looks that are kept: five minutes of one a second. */
const LOOKS = 300;
/** Rates are over so many looks, so that they can be read; shares of errors over more, as errors are rare. */
const OVER = 5;
const ERRORS_OVER = 30;

/** What happened between two looks. */
export interface Point {
  readonly at: number;
  /** A second. */
  readonly requests: number;
  readonly errors: number;
  /** Milliseconds; null: there was no request. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Connections of clients that are open. */
  readonly connections: number;
  /** Bytes a second from clients and to them. */
  readonly received: number;
  readonly sent: number;
}

interface Look {
  readonly at: number;
  readonly requests: number;
  readonly errors: number;
  readonly buckets: readonly number[];
  readonly connections: number;
  readonly received: number;
  readonly sent: number;
  /** Requests by listener, and by pool and server. */
  readonly each: ReadonlyMap<string, number>;
  /** Failures by pool and server. */
  readonly failures: ReadonlyMap<string, number>;
}

export class History {
  readonly points: Point[] = [];
  #looks: Look[] = [];

  /** Requests a second of a listener (`listener`) or server (`pool/server`) of late; null: not known yet. */
  rate(name: string): number | null {
    const grown = this.#grown("each", name, OVER);
    return grown === null ? null : grown.by / grown.ms * 1000;
  }

  /** Which share of the requests of a server (`pool/server`) has failed of late, 0 to 1; null: there were none. */
  failed(name: string): number | null {
    const requests = this.#grown("each", name, ERRORS_OVER),
      failures = this.#grown("failures", name, ERRORS_OVER);
    if (requests === null || failures === null || requests.by === 0 && failures.by === 0) return null;
    return Math.min(1, failures.by / Math.max(requests.by, failures.by));
  }

  /** What has been added to a number over the last looks, and how long those took. */
  #grown(what: "each" | "failures", name: string, over: number): { by: number; ms: number } | null {
    const last = this.#looks.at(-1), first = this.#looks.at(-1 - over) ?? this.#looks[0];
    if (last === undefined || first === undefined || last === first) return null;
    const [to, from] = [last[what].get(name), first[what].get(name)];
    return to === undefined || from === undefined
      ? null
      : { by: Math.max(0, to - from), ms: last.at - first.at };
  }

  /** `at`: milliseconds since 1970. */
  add(at: number, { listeners, pools, startedAt }: NodeStatus): void {
    const each = new Map<string, number>(), failures = new Map<string, number>();
    for (const { name, counters } of listeners) each.set(name, counters.requests);
    for (const pool of pools) {
      for (const { name, counters } of pool.servers) {
        each.set(`${pool.name}/${name}`, counters.requests);
        failures.set(`${pool.name}/${name}`, failuresOf(counters));
      }
    }
    const look: Look = {
      at,
      requests: sum(listeners.map(({ counters }) => counters.requests)),
      errors: sum(listeners.map(({ counters }) => counters.responses5xx)),
      buckets: LATENCY_BUCKETS_MS.concat(Infinity).map((_, bucket) =>
        sum(listeners.map(({ latency }) => latency.buckets[bucket] ?? 0))
      ),
      connections: sum(listeners.map(({ counters }) => counters.active)),
      received: sum(listeners.map(({ counters }) => counters.bytesIn)),
      sent: sum(listeners.map(({ counters }) => counters.bytesOut)),
      each,
      failures,
    };
    const before = this.#looks.at(-1);
    // A balancer that was started anew counts from 0.
    if (before !== undefined && startedAt > before.at) this.#looks = [];
    else if (before !== undefined && at > before.at) this.points.push(pointOf(before, look));
    this.#looks.push(look);
    if (this.#looks.length > ERRORS_OVER + 1) this.#looks.shift();
    if (this.points.length > LOOKS) this.points.shift();
  }
}

function pointOf(from: Look, to: Look): Point {
  const seconds = (to.at - from.at) / 1000;
  const buckets = to.buckets.map((count, at) => Math.max(0, count - from.buckets[at]!));
  const aSecond = (now: number, before: number) => Math.round(Math.max(0, now - before) / seconds * 10) / 10;
  return {
    at: to.at,
    requests: aSecond(to.requests, from.requests),
    errors: aSecond(to.errors, from.errors),
    p50: quantile(buckets, 0.5),
    p99: quantile(buckets, 0.99),
    connections: to.connections,
    received: aSecond(to.received, from.received),
    sent: aSecond(to.sent, from.sent),
  };
}

/** Requests that the server has failed, whichever way. */
export function failuresOf(counters: ServerStatus["counters"]): number {
  return counters.connectErrors + counters.emptyReplies + counters.resets + counters.badResponses +
    counters.responseTimeouts + counters.responses5xx;
}

/** The upper bound of the bucket that holds it. */
function quantile(buckets: readonly number[], share: number): number | null {
  const wanted = sum(buckets) * share;
  if (wanted === 0) return null;
  let count = 0;
  const at = buckets.findIndex((inBucket) => (count += inBucket) >= wanted);
  return LATENCY_BUCKETS_MS[at] ?? LATENCY_BUCKETS_MS.at(-1)!;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
