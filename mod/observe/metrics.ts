/**
 * Which metrics a node has: those of its counters (`counter_metrics.ts`), and what else a status tells. Pure: a status
 * in, a page out.
 */
import type { IssuerStatus } from "../acme/issuer_status.ts";
import { type Histogram, LATENCY_BUCKETS_MS } from "../base/counters.ts";
import {
  type CounterFamily,
  LISTENER_METRICS,
  MS,
  SERVER_METRICS,
  TIMES,
  TRAFFIC_METRICS,
} from "./counter_metrics.ts";
import { firstSamples, poolSamples } from "./bounded.ts";
import { certificateFamily } from "./certificate_metrics.ts";
import { exposition, type Family, histogramSamples, type Labels, type Sample } from "./exposition.ts";
import {
  type LimitStatus,
  type ListenerStatus,
  type NodeStatus,
  type PoolStatus,
  type ServerStatus,
  type SessionStatus,
  takesTraffic,
} from "./status.ts";
import { LABELLED_LIMITS, type Times, type Traffic, type TrafficStatus } from "./traffic.ts";

/** The page of `/metrics`. */
export function metricsPage(status: NodeStatus, traffic: TrafficStatus): string {
  return exposition([
    ...nodeFamilies(status),
    ...listenerFamilies(status),
    certificateFamily(status),
    ...acmeFamilies(status),
    ...sessionFamilies(status, traffic),
    ...limitFamilies(status),
    ...cacheFamilies(status),
    ...spanFamilies(traffic),
    ...routeFamilies(traffic),
    ...poolFamilies(status, traffic),
    ...serverFamilies(status, traffic),
  ]);
}

const SESSION_METRICS: readonly (Pick<Family, "name" | "help" | "type"> & {
  readonly column: Exclude<keyof SessionStatus, "by">;
})[] = [
  { name: "sessions", help: "Sessions in the table.", type: "gauge", column: "entries" },
  { name: "sessions_size", help: "Sessions that fit into the table.", type: "gauge", column: "size" },
  {
    name: "session_hits_total",
    help: "Requests that went to the server of their session.",
    type: "counter",
    column: "hits",
  },
  {
    name: "session_misses_total",
    help: "Requests of no known session.",
    type: "counter",
    column: "misses",
  },
  {
    name: "session_moves_total",
    help: "Sessions put on another server as theirs could not be used.",
    type: "counter",
    column: "moved",
  },
  {
    name: "session_evictions_total",
    help: "Sessions forgotten before their time, for lack of room.",
    type: "counter",
    column: "evictions",
  },
];

function nodeFamilies(status: NodeStatus): Family[] {
  const { node, version } = status;
  const gauge = (name: string, help: string, value: number, labels: Labels = {}): Family => {
    return { name: `tandem_${name}`, help, type: "gauge", samples: [{ labels, value }] };
  };
  const counter = (name: string, help: string, value: number): Family => {
    return { name: `tandem_${name}`, help, type: "counter", samples: [{ labels: {}, value }] };
  };
  return [
    gauge("build_info", "Always 1; says which version runs as which node.", 1, { node, version }),
    gauge("start_time_seconds", "When the balancer started, since 1970.", status.startedAt / MS),
    gauge("draining", "1 while the node finishes what it has.", status.state === "draining" ? 1 : 0),
    gauge("config_generation", "Generation of the configuration in use.", status.generation),
    gauge("workers", "Data workers.", status.workers.length),
    counter("workers_replaced_total", "Data workers that ended and were replaced.", status.workersReplaced),
    counter(
      "access_log_dropped_total",
      "Lines of the access log given up: a slow reader, a full disk.",
      status.accessLinesDropped,
    ),
  ];
}

function listenerFamilies({ listeners }: NodeStatus): Family[] {
  const labelsOf = ({ name }: ListenerStatus) => ({ listener: name });
  const families = LISTENER_METRICS.map((metric) =>
    familyOf("tandem_listener_", metric, listeners, labelsOf)
  );
  families.push(
    histogram(
      "tandem_listener_request_duration_seconds",
      TIMES[1].help,
      listeners,
      labelsOf,
      ({ latency }) => {
        return latency;
      },
    ),
  );
  return families;
}

function cacheFamilies({ cache }: NodeStatus): Family[] {
  const family = (name: string, type: "counter" | "gauge", help: string, value: number): Family => {
    return { name: `tandem_cache_${name}`, help, type, samples: [{ labels: {}, value }] };
  };
  return [
    family("entries", "gauge", "Answers that are stored, in all workers.", cache.entries),
    family("bytes", "gauge", "What they take, with what is on its way in and out.", cache.bytes),
    family("max_bytes", "gauge", "What they may take; 0: no route has a cache.", cache.maxBytes),
    family("stored_total", "counter", "Answers that were stored.", cache.stored),
    family("evictions_total", "counter", "Stored answers that had to go for lack of room.", cache.evicted),
  ];
}

/** Nothing where nothing is had by ACME. */
function acmeFamilies({ acme: { active, names } }: NodeStatus): Family[] {
  if (names.length === 0) return [];
  const gauge = (name: string, help: string, valueOf: (status: IssuerStatus) => number): Family => ({
    name: `tandem_acme_${name}`,
    help,
    type: "gauge",
    samples: names.map((one) => ({ labels: { name: one.name }, value: valueOf(one) })),
  });
  return [
    {
      name: "tandem_acme_active",
      help: "1 on the node that asks the authority.",
      type: "gauge",
      samples: [{ labels: {}, value: active ? 1 : 0 }],
    },
    gauge("issued", "1 when there is a certificate.", ({ expiresAt }) => expiresAt === null ? 0 : 1),
    gauge("failures", "Attempts that failed, since the last that did not.", ({ failures }) => failures),
    gauge("next_attempt_seconds", "When the next attempt is due, since 1970.", ({ nextAt }) => nextAt / MS),
  ];
}

function sessionFamilies({ pools }: NodeStatus, traffic: TrafficStatus): Family[] {
  const labelled = poolsLabelled(traffic);
  return SESSION_METRICS.map(({ name, help, type, column }) => ({
    name: `tandem_pool_${name}`,
    help,
    type,
    samples: poolSamples(pools, labelled, ({ sessions }) => sessions?.[column] ?? null),
  }));
}

/** The pools that are counted by themselves. */
function poolsLabelled({ pools }: TrafficStatus): ReadonlySet<string> {
  return new Set(pools.map(({ pool }) => pool));
}

function limitFamilies({ limits }: NodeStatus): Family[] {
  const labelsOf = ({ kind, name }: LimitStatus) => ({ kind, limit: name });
  const family = (
    name: string,
    help: string,
    type: Family["type"],
    ...values: [(limit: LimitStatus) => number, Labels?][]
  ) => ({
    name: `tandem_limit_${name}`,
    help,
    type,
    samples: values.flatMap(([value, more = {}]) =>
      firstSamples(limits, LABELLED_LIMITS, labelsOf, value).map((one) => {
        return { ...one, labels: { ...one.labels, ...more } };
      })
    ),
  });
  return [
    family(
      "requests_total",
      "Requests or connections that were counted, by what became of them; dryRun: let through though too many.",
      "counter",
      [({ passed }) => passed, { result: "passed" }],
      [({ delayed }) => delayed, { result: "delayed" }],
      [({ refused }) => refused, { result: "refused" }],
      [({ wouldRefuse }) => wouldRefuse, { result: "dryRun" }],
    ),
    family("keys", "Keys that are remembered.", "gauge", [({ entries }) => entries]),
    family("keys_size", "Keys that fit.", "gauge", [({ size }) => size]),
    family("evictions_total", "Keys forgotten before their time, for lack of room.", "counter", [
      ({ evictions }) => evictions,
    ]),
  ];
}

/** Nothing where nothing is traced. */
function spanFamilies({ spans }: TrafficStatus): Family[] {
  return [{
    name: "tandem_trace_spans_total",
    help:
      "Spans of requests and connections, by what became of them; dropped: too many; failed: the collector refused them.",
    type: "counter",
    samples: Object.entries(spans ?? {}).map(([result, value]) => ({ labels: { result }, value })),
  }];
}

function routeFamilies({ routes }: TrafficStatus): Family[] {
  return trafficFamilies("tandem_route_", routes, ({ listener, route }) => ({ listener, route }));
}

function poolFamilies({ pools }: NodeStatus, traffic: TrafficStatus): Family[] {
  const labelled = poolsLabelled(traffic);
  const gauge = (name: string, help: string, value: (pool: PoolStatus) => number): Family => {
    const samples = poolSamples(pools, labelled, value);
    return { name: `tandem_pool_${name}`, help, type: "gauge", samples };
  };
  return [
    gauge("queued", "Requests that wait for a server now.", ({ queued }) => queued),
    {
      name: "tandem_pool_breaker_open",
      help: "1 while the breaker of the pool is open, or half open.",
      type: "gauge",
      samples: poolSamples(
        pools,
        labelled,
        ({ breaker }) => breaker === undefined ? null : breaker.state === "closed" ? 0 : 1,
        Math.max,
      ),
    },
    {
      name: "tandem_pool_breaker_openings_total",
      help: "How often the breaker of the pool has opened.",
      type: "counter",
      samples: poolSamples(pools, labelled, ({ breaker }) => breaker?.opened ?? null),
    },
    gauge("servers", "Servers of the pool.", ({ servers }) => servers.length),
    gauge("servers_up", "Those that new requests may go to.", ({ servers }) => {
      return servers.filter(takesTraffic).length;
    }),
    ...trafficFamilies("tandem_pool_", traffic.pools, ({ pool }) => ({ pool })),
  ];
}

function trafficFamilies<Row extends Traffic>(
  prefix: string,
  rows: readonly Row[],
  labelsOf: (row: Row) => Labels,
): Family[] {
  return [
    ...TRAFFIC_METRICS.map((metric) => familyOf(prefix, metric, rows, labelsOf)),
    ...TIMES.map(({ name, help, of }) => histogram(prefix + name, help, rows, labelsOf, (row) => row[of])),
  ];
}

/** A server, or what all that have no labels of their own come to. */
interface ServerRow extends Times, Pick<ServerStatus, "name" | "address" | "active" | "weight" | "counters"> {
  readonly pool: string;
  readonly up: number;
}

function serverRows({ pools }: NodeStatus, { servers, otherServers }: TrafficStatus): ServerRow[] {
  const all = pools.flatMap((pool) => pool.servers.map((server) => ({ ...server, pool: pool.name })));
  const rows = all.flatMap((server): ServerRow[] => {
    const times = servers.get(server.slot);
    return times === undefined ? [] : [{ ...server, ...times, up: takesTraffic(server) ? 1 : 0 }];
  });
  if (otherServers === null) return rows;
  const others = all.filter(({ slot }) => !servers.has(slot));
  const sum = (value: (one: ServerStatus) => number) => others.reduce((sum, one) => sum + value(one), 0);
  return [...rows, {
    ...otherServers,
    pool: "other",
    name: "other",
    address: "",
    up: others.filter(takesTraffic).length,
    active: sum(({ active }) => active),
    weight: sum(({ weight }) => weight),
  }];
}

function serverFamilies(status: NodeStatus, traffic: TrafficStatus): Family[] {
  const servers = serverRows(status, traffic);
  const labelsOf = ({ pool, name, address }: ServerRow) => ({ pool, server: name, address });
  const gauge = (name: string, help: string, value: (server: ServerRow) => number): Family => {
    const samples = servers.map((server) => ({ labels: labelsOf(server), value: value(server) }));
    return { name: `tandem_server_${name}`, help, type: "gauge", samples };
  };
  return [
    gauge("up", "1 when new requests may go to the server.", ({ up }) => up),
    gauge("active", "Requests or connections under way.", ({ active }) => active),
    gauge("weight", "Effective weight.", ({ weight }) => weight),
    ...SERVER_METRICS.map((metric) => familyOf("tandem_server_", metric, servers, labelsOf)),
    ...TIMES.map(({ name, ofServer, of }) =>
      histogram(`tandem_server_${name}`, ofServer, servers, labelsOf, (row) => row[of])
    ),
  ];
}

const BOUNDS = LATENCY_BUCKETS_MS.map((ms) => ms / MS);

function histogram<Row>(
  name: string,
  help: string,
  rows: readonly Row[],
  labelsOf: (row: Row) => Labels,
  times: (row: Row) => Histogram,
): Family {
  const samples = rows.flatMap((row) => {
    const { buckets, sumMs } = times(row);
    return histogramSamples(labelsOf(row), BOUNDS, buckets, sumMs / MS);
  });
  return { name, help, type: "histogram", samples };
}

function familyOf<Column extends string, Row extends { readonly counters: Readonly<Record<Column, number>> }>(
  prefix: string,
  { name, help, type = "counter", columns, per = 1 }: CounterFamily<Column>,
  rows: readonly Row[],
  labelsOf: (row: Row) => Labels,
): Family {
  const samples: Sample[] = rows.flatMap((row) =>
    columns.map(({ column, labels }) => {
      return { labels: { ...labelsOf(row), ...labels }, value: row.counters[column] / per };
    })
  );
  return { name: prefix + name, help, type, samples };
}
