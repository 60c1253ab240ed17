/** A status with everything in it, for the tests of its readers. */
import {
  LATENCY_BUCKETS_MS,
  LISTENER_COUNTERS,
  type ListenerCounter,
  SERVER_COUNTERS,
  type ServerCounter,
  TRAFFIC_COUNTERS,
  type TrafficCounter,
} from "../../mod/base/counters.ts";
import type { Traffic, TrafficStatus } from "../../mod/observe/traffic.ts";
import type { LimitStatus, NodeStatus, ServerStatus } from "../../mod/observe/status.ts";

/** Every column has its number, so that no two can be mistaken for each other. */
export function numbered<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name, index) => [name, index + 1])) as Record<Name, number>;
}

export function sampleServer(fields: Partial<ServerStatus> = {}): ServerStatus {
  return {
    name: "a",
    slot: 0,
    address: "10.0.0.11:8080",
    state: "up",
    admin: "ready",
    since: 1_000_000,
    reason: "probe succeeded: 200",
    weight: 1,
    backup: false,
    active: 3,
    counters: numbered<ServerCounter>(SERVER_COUNTERS),
    ...fields,
  };
}

export const SAMPLE_LIMIT: LimitStatus = {
  kind: "rate",
  name: "listener web",
  dryRun: false,
  entries: 1,
  size: 8,
  passed: 2,
  delayed: 3,
  refused: 4,
  wouldRefuse: 5,
  evictions: 6,
};

const SAMPLE_TIMES = {
  buckets: [...LATENCY_BUCKETS_MS, Infinity].map((_, index) => index % 3),
  count: 15,
  sumMs: 1500,
};

export function sampleTraffic(fields: Partial<TrafficStatus> = {}): TrafficStatus {
  const times = { firstByte: { ...SAMPLE_TIMES, sumMs: 300 }, total: SAMPLE_TIMES };
  const traffic: Traffic = { counters: numbered<TrafficCounter>(TRAFFIC_COUNTERS), ...times };
  return {
    spans: { exported: 3, failed: 2, dropped: 1 },
    routes: [{ listener: "web", route: "shop.example.com*", ...traffic }],
    pools: [{ pool: "app", ...traffic }],
    servers: new Map([0, 1, 2, 3].map((slot) => [slot, times])),
    otherServers: null,
    ...fields,
  };
}

export function sampleStatus(fields: Partial<NodeStatus> = {}): NodeStatus {
  return {
    node: "lb1",
    version: "0.1.0",
    state: "serving",
    generation: 7,
    startedAt: 500_000,
    uptimeMs: 3_725_000,
    workers: [{ index: 0, state: "ready", since: 500_000 }],
    workersReplaced: 1,
    accessLinesDropped: 2,
    accessLogProblem: "",
    listeners: [{
      name: "web",
      protocol: "http",
      binds: ["0.0.0.0:8080"],
      certificates: [{
        name: "shop.example.com",
        names: ["shop.example.com", "*.shop.example.com"],
        issuer: "CN=R10,O=Let's Encrypt",
        file: "/etc/tandem/shop.pem",
        expiresAt: 1_900_000_000_000,
        fingerprint: "ab".repeat(32),
        acme: false,
        selfSigned: false,
      }],
      counters: numbered<ListenerCounter>(LISTENER_COUNTERS),
      latency: SAMPLE_TIMES,
    }],
    pools: [{ name: "app", balance: "roundRobin", queued: 0, servers: [sampleServer()] }],
    names: [],
    acme: { active: true, names: [] },
    limits: [],
    cache: { entries: 2, bytes: 3000, stored: 5, evicted: 1, maxBytes: 65_536 },
    timeline: [{
      at: 600_000,
      pool: "app",
      server: "a",
      from: "down",
      to: "up",
      why: "probe succeeded: 200",
    }],
    ...fields,
  };
}
