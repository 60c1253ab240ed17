/**
 * What the node says of itself, put together from the snapshot in force, shared memory and the health monitor; and
 * the few sums that the monitor and the keeper want of the same counters. Pure.
 */
import { formatHostPort } from "../base/address.ts";
import {
  type Counters,
  LISTENER_COLUMN,
  LISTENER_COUNTERS,
  type ListenerCounter,
  SERVER_COLUMN,
  SERVER_COUNTERS,
  type ServerCounter,
} from "../base/counters.ts";
import type { OpenMemory } from "../base/shared_memory.ts";
import { type ServerSlots, WEIGHT_UNIT } from "../base/slots.ts";
import { PoolView } from "../balance/view.ts";
import { poolsOfRoute } from "../config/route_pools.ts";
import type { Config } from "../config/schema.ts";
import type { PoolSnapshot, ServerSnapshot, Snapshot } from "../config/snapshot.ts";
import type { NameStatus } from "../discovery/name_book.ts";
import type { PassiveCounts } from "../health/passive.ts";
import type {
  AcmeStatus,
  LimitStatus,
  ListenerStatus,
  NodeStatus,
  PoolStatus,
  ServerStatus,
  WorkerStatus,
} from "../observe/status.ts";

/** What the health monitor says of one server. */
export interface ServerView {
  readonly slot: number;
  readonly state: ServerStatus["state"];
  readonly since: number;
  readonly reason: string;
}

export interface StatusFacts {
  readonly version: string;
  readonly snapshot: Snapshot;
  readonly memory: OpenMemory;
  readonly health: readonly ServerView[];
  /** What is known of the sessions of a pool; nothing: it has none. */
  readonly sessions?: (pool: PoolSnapshot) => Pick<PoolStatus, "sessions">;
  readonly limits?: readonly LimitStatus[];
  /** What TLS failed of lately at the server of a slot; null: nothing. */
  readonly tlsTrouble?: (slot: number) => string | null;
  readonly draining: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly now: number;
  readonly workers: readonly WorkerStatus[];
  readonly workersReplaced: number;
  readonly accessLinesDropped: number;
  readonly accessLogProblem?: string;
  readonly names: readonly NameStatus[];
  readonly acme: AcmeStatus;
  readonly certificates?: NodeStatus["certificates"];
  readonly timeline?: NodeStatus["timeline"];
}

export function nodeStatus(facts: StatusFacts): NodeStatus {
  const { snapshot, memory, now, startedAt } = facts;
  const views = new Map(facts.health.map((view) => [view.slot, view]));
  return {
    node: snapshot.node,
    version: facts.version,
    state: facts.draining ? "draining" : "serving",
    generation: snapshot.generation,
    startedAt,
    uptimeMs: now - startedAt,
    workers: facts.workers,
    workersReplaced: facts.workersReplaced,
    accessLinesDropped: facts.accessLinesDropped,
    accessLogProblem: facts.accessLogProblem ?? "",
    names: facts.names,
    acme: facts.acme,
    certificates: facts.certificates ?? [],
    timeline: facts.timeline ?? [],
    listeners: snapshot.listeners.map(({ name, protocol, binds, row, tls }): ListenerStatus => ({
      name,
      protocol,
      binds: binds.map(({ host, port }) => formatHostPort(host, port)),
      certificates: (tls?.certificates ?? []).map((
        { names, issuer, certFile, expiresAt, fingerprint, had },
      ) => ({
        name: names[0] ?? certFile,
        names,
        issuer,
        file: certFile,
        expiresAt,
        fingerprint,
        acme: had !== undefined,
        selfSigned: had === "selfSigned",
      })),
      counters: columns<ListenerCounter>(LISTENER_COUNTERS, (at) => memory.counters.listener(row, at)),
      latency: memory.counters.histogram(row),
    })),
    limits: facts.limits ?? [],
    cache: { ...memory.cache.sum(), maxBytes: snapshot.cache?.maxBytes ?? 0 },
    pools: snapshot.pools.map((pool): PoolStatus => ({
      name: pool.name,
      balance: pool.balance,
      queued: memory.queue.waiting(pool.row),
      ...(pool.breaker === undefined ? {} : {
        breaker: { state: memory.breakers.state(pool.row), opened: memory.breakers.opened(pool.row) },
      }),
      ...facts.sessions?.(pool),
      servers: pool.servers.map((server) => {
        const { slot } = server;
        return serverStatus(server, memory, views.get(slot), facts.tlsTrouble?.(slot) ?? null, startedAt);
      }),
    })),
  };
}

function serverStatus(
  server: ServerSnapshot,
  { slots, counters }: OpenMemory,
  view: ServerView | undefined,
  tlsTrouble: string | null,
  startedAt: number,
): ServerStatus {
  const { name, host, port, slot, backup } = server;
  return {
    name,
    slot,
    address: formatHostPort(host, port),
    state: view?.state ?? "unknown",
    admin: slots.admin(slot),
    since: view?.since ?? startedAt,
    reason: [view?.reason ?? "", tlsTrouble ?? ""].filter((part) => part !== "").join("; "),
    weight: slots.weight(slot) / WEIGHT_UNIT,
    backup,
    active: slots.active(slot),
    counters: columns<ServerCounter>(SERVER_COUNTERS, (at) => counters.server(slot, at)),
  };
}

/** What the link tells the keeper of the traffic. */
export function trafficSums({ listeners }: Snapshot, counters: Counters) {
  const sum = (column: number) => listeners.reduce((all, { row }) => all + counters.listener(row, column), 0);
  return {
    // A gauge over blocks with several writers may be read between two of them.
    connections: Math.max(0, sum(LISTENER_COLUMN.active)),
    accepted: sum(LISTENER_COLUMN.accepted),
    requests: sum(LISTENER_COLUMN.requests),
    errors: sum(LISTENER_COLUMN.responses5xx),
  };
}

/** Servers of a pool that take traffic, and all. */
export function poolHealth({ name, servers }: PoolSnapshot, { slots }: OpenMemory) {
  return {
    pool: name,
    healthy: servers.filter(({ slot }) => slots.available(slot)).length,
    servers: servers.length,
  };
}

/** Pools of listeners that the kernel forwards. */
export function forwardedPools({ listeners }: Config): Set<string> {
  return new Set(
    listeners.filter(({ forward }) => forward !== "proxy")
      .flatMap(({ routes }) => routes.flatMap(poolsOfRoute)),
  );
}

/** How the servers of a pool are to be used by the kernel: the same tiers as for requests, and the same weights. */
export function serverShares(pool: PoolSnapshot, slots: ServerSlots) {
  const view = new PoolView(pool, slots);
  view.refresh();
  const servers = pool.servers.map(({ name, slot }, index) => ({
    server: name,
    // All of weight 0 are a last resort, and equal then.
    share: view.open(index) ? Math.max(1, view.weight(index)) : 0,
    up: slots.up(slot) && !slots.ejected(slot),
  }));
  return { pool: pool.name, servers };
}

/** The slots of pools that listeners of tcp and udp use, where a connection that was made counts as an answer. */
export function tcpSlots({ listeners, pools }: Snapshot): Set<number> {
  const names = new Set(
    listeners.filter(({ protocol }) => protocol !== "http")
      .flatMap(({ routes }) => routes.flatMap(poolsOfRoute)),
  );
  return new Set(
    pools.filter(({ name }) => names.has(name)).flatMap(({ servers }) => servers.map(({ slot }) => slot)),
  );
}

/** What the passive check wants to know of a server. */
export function passiveCounts(counters: Counters, slot: number, tcp: boolean): PassiveCounts {
  const read = (column: ServerCounter) => counters.server(slot, SERVER_COLUMN[column]);
  const responses5xx = read("responses5xx");
  // Of 1xx only a change of protocols is an answer that is counted.
  const answers = read("responses1xx") + read("responses2xx") + read("responses3xx") + read("responses4xx") +
    responses5xx;
  return {
    answers: tcp ? answers + read("connections") : answers,
    connectErrors: read("connectErrors"),
    emptyReplies: read("emptyReplies"),
    responseTimeouts: read("responseTimeouts"),
    badResponses: read("badResponses"),
    responses5xx,
    firstByteMs: read("firstByteMs"),
  };
}

export function columns<Name extends string>(
  names: readonly Name[],
  read: (at: number) => number,
): Record<Name, number> {
  return Object.fromEntries(names.map((name, at) => [name, read(at)])) as Record<Name, number>;
}
