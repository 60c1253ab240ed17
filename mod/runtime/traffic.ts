/**
 * Reads what the metrics tell of routes, pools and servers from shared memory. Pure.
 */
import { type Counters, type Histogram, SERVER_COUNTERS, TRAFFIC_COUNTERS } from "../base/counters.ts";
import { type OpenMemory, POOL_CAPACITY } from "../base/shared_memory.ts";
import type { Snapshot } from "../config/snapshot.ts";
import {
  LABELLED_POOLS,
  LABELLED_SERVERS,
  type Times,
  type Traffic,
  type TrafficStatus,
} from "../observe/traffic.ts";
import { columns } from "./status.ts";

/** Of what there are too many for labels of their own. */
const OTHER = "other";

export function trafficStatus(
  snapshot: Snapshot,
  memory: OpenMemory,
  spans: TrafficStatus["spans"],
): TrafficStatus {
  const { counters, slots: { capacity } } = memory;
  const slots = snapshot.pools.flatMap(({ servers }) => servers.map(({ slot }) => slot));
  const labelled = slots.filter((slot) => slot < LABELLED_SERVERS);
  return {
    spans,
    routes: routesOf(snapshot, counters),
    pools: poolsOf(snapshot, counters),
    servers: new Map(labelled.map((slot) => [slot, serverTimes(counters, [slot])])),
    // Those that are gone too, as a sum must not fall.
    otherServers: labelled.length === slots.length
      ? null
      : others(counters, from(LABELLED_SERVERS, capacity)),
  };
}

function routesOf({ listeners }: Snapshot, counters: Counters): TrafficStatus["routes"] {
  const named = new Map<number, { listener: string; route: string }>();
  for (const { name, routes } of listeners) {
    for (const { row, label = "" } of routes) {
      if (row === undefined) continue;
      named.set(row, named.has(row) ? { listener: OTHER, route: OTHER } : { listener: name, route: label });
    }
  }
  return [...named].map(([row, names]) => ({ ...names, ...traffic(counters, [row]) }));
}

function poolsOf({ pools }: Snapshot, counters: Counters): TrafficStatus["pools"] {
  const labelled = pools.filter(({ row }) => row < LABELLED_POOLS);
  const all = labelled.map(({ name, row }) => ({ pool: name, ...traffic(counters, [row]) }));
  if (labelled.length === pools.length) return all;
  return [...all, { pool: OTHER, ...traffic(counters, from(LABELLED_POOLS, POOL_CAPACITY)) }];
}

function others(counters: Counters, slots: readonly number[]): TrafficStatus["otherServers"] {
  const sum = (column: number) => slots.reduce((all, slot) => all + counters.server(slot, column), 0);
  return { counters: columns(SERVER_COUNTERS, sum), ...serverTimes(counters, slots) };
}

function serverTimes(counters: Counters, slots: readonly number[]): Times {
  return {
    firstByte: sumOf(slots.map((slot) => counters.serverTimes(slot, "firstByteMs"))),
    total: sumOf(slots.map((slot) => counters.serverTimes(slot, "totalMs"))),
  };
}

function traffic(counters: Counters, rows: readonly number[]): Traffic {
  return {
    counters: columns(
      TRAFFIC_COUNTERS,
      (at) => rows.reduce((all, row) => all + counters.traffic(row, at), 0),
    ),
    firstByte: sumOf(rows.map((row) => counters.trafficTimes(row, "firstByteMs"))),
    total: sumOf(rows.map((row) => counters.trafficTimes(row, "totalMs"))),
  };
}

function sumOf(histograms: readonly Histogram[]): Histogram {
  return histograms.reduce((a, b) => ({
    buckets: a.buckets.map((n, at) => n + b.buckets[at]!),
    count: a.count + b.count,
    sumMs: a.sumMs + b.sumMs,
  }));
}

function from(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, at) => start + at);
}
