/**
 * What the metrics tell of routes, pools and servers beside the status: too much for what is asked every second.
 *
 * However large a configuration is, the label sets are bounded: what is beyond is summed in one, by the number of its
 * row in shared memory and not by its place in the configuration, so that no sum ever falls as others come and go.
 */
import type { Histogram, ServerCounter, TrafficCounter } from "../base/counters.ts";
import type { SpanCounts } from "./span_queue.ts";

/** Servers, and pools, that have labels of their own. */
export const LABELLED_SERVERS = 512;
export const LABELLED_POOLS = 256;
export const LABELLED_LIMITS = 256;

export interface TrafficStatus {
  readonly routes: readonly (Traffic & { readonly listener: string; readonly route: string })[];
  readonly pools: readonly (Traffic & { readonly pool: string })[];
  /** Of the servers that have labels of their own, by slot. */
  readonly servers: ReadonlyMap<number, Times>;
  /** Of requests and connections that were traced; null: none is, or was. */
  readonly spans: SpanCounts | null;
  /** All other servers together; null: there are none. */
  readonly otherServers: (Times & { readonly counters: Readonly<Record<ServerCounter, number>> }) | null;
}

/** Of requests that have ended. */
export interface Traffic extends Times {
  readonly counters: Readonly<Record<TrafficCounter, number>>;
}

export interface Times {
  readonly firstByte: Histogram;
  readonly total: Histogram;
}
