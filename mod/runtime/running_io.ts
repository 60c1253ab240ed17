/**
 * What exists in the balancer once its first configuration is known, whatever configuration comes later: shared memory,
 * workers, health checks and tables, tied to each other.
 *
 * It must not know which configuration is in force.
 */
import {
  CONTROL_THREAD,
  createSharedMemory,
  LISTENER_CAPACITY,
  type OpenMemory,
  openSharedMemory,
  POOL_CAPACITY,
  reclaimWorker,
  ROUTE_CAPACITY,
  SERVER_CAPACITY,
} from "../base/shared_memory.ts";
import type { Config } from "../config/schema.ts";
import { HealthMonitor } from "../health/monitor_io.ts";
import type { Probe } from "../health/probe_io.ts";
import { probeTable } from "../health/probes_io.ts";
import type { HealthSink } from "../health/server_watch.ts";
import { Journal } from "../observe/journal.ts";
import type { Log } from "../observe/log.ts";
import type { ServerTransition } from "../observe/status.ts";
import { exitLogged } from "../observe/log_io.ts";
import type { Sink } from "../observe/sink_io.ts";
import type { TlsTrouble } from "../proxy/environment.ts";
import type { Section } from "./carried.ts";
import { Crew } from "./crew_io.ts";
import { passiveCounts } from "./status.ts";
import { TableKeeper } from "./table_keeper.ts";
import { after } from "./timer_io.ts";
import type { SpanExporter } from "./span_exporter_io.ts";

/** EX_SOFTWARE of sysexits.h. */
const HUNG_EXIT = 70;
/** Its connections stand still, so the log gets little time. */
const HUNG_WORDS_MS = 100;

export interface Running {
  readonly memory: OpenMemory;
  readonly tables: TableKeeper;
  readonly crew: Crew;
  readonly monitor: HealthMonitor;
  /** Of servers. */
  readonly journal: Journal<ServerTransition>;
  /** As it was when they were started. */
  readonly workers: Config["workers"];
}

export interface RunningOptions {
  readonly workerEntry: URL;
  readonly workers: Config["workers"];
  /** Workers for `auto`. */
  readonly cores: number;
  readonly accessLog: Sink;
  readonly spans: SpanExporter;
  readonly execProbe: Probe;
  /** A server has changed; the pools show it in the next turn. */
  readonly onHealth: () => void;
  readonly onTlsFailure: (trouble: TlsTrouble) => void;
  /** True for a slot whose servers get tcp alone. */
  readonly servesTcp: (slot: number) => boolean;
  readonly log: Log;
}

/** Makes it all and starts the workers, which have nothing to do yet. */
export function startRunning(options: RunningOptions): Running {
  const { workerEntry, workers, cores, accessLog, spans, execProbe, onTlsFailure, servesTcp, log } = options;
  const count = workers === "auto" ? cores : workers;
  const memory = createSharedMemory({
    workers: count,
    servers: SERVER_CAPACITY,
    listeners: LISTENER_CAPACITY,
    pools: POOL_CAPACITY,
    routes: ROUTE_CAPACITY,
  });
  const open = openSharedMemory(memory, CONTROL_THREAD);
  const tables = new TableKeeper(count, Math.random);
  const crew = new Crew({
    entry: workerEntry,
    count,
    memory,
    log,
    onLog: (batch, done) => accessLog.push(batch, done),
    onSpans: (batch, lost) => spans.push(batch, lost),
    onTlsFailure,
    reclaim: (worker) => {
      reclaimWorker(open, worker);
      tables.reclaim(worker);
    },
    onHung: (worker) => {
      log.error("a data worker hangs: the balancer ends, to be started again", { worker });
      void exitLogged(HUNG_EXIT, HUNG_WORDS_MS);
    },
  });
  crew.start();
  const journal = new Journal<ServerTransition>();
  const monitor = new HealthMonitor({
    probes: probeTable(execProbe),
    sink: healthSink(open, journal, options),
    readCounters: (slot) => passiveCounts(open.counters, slot, servesTcp(slot)),
    wallNow: () => Date.now(),
    random: Math.random,
    now: () => performance.now(),
    after,
  });
  return { memory: open, tables, crew, monitor, journal, workers };
}

/** What goes over to a balancer that takes over, and comes from the one before. */
export function sectionsOf({ monitor, tables: { sticks } }: Running): readonly Section[] {
  return [
    { name: "health", take: () => monitor.remember(), give: (value) => monitor.recall(value) },
    { name: "sticks", take: () => sticks.remember(Date.now()), give: (value) => sticks.recall(value) },
  ];
}

function healthSink(
  { slots, queue }: OpenMemory,
  journal: Journal<ServerTransition>,
  { log, onHealth }: RunningOptions,
): HealthSink {
  return {
    setUp: (slot, up) => {
      slots.setUp(slot, up);
      // Also when it goes down: then backups may serve those who wait.
      queue.wakeAll();
    },
    setEjected: (slot, ejected) => {
      slots.setEjected(slot, ejected);
      queue.wakeAll();
    },
    setAdmin: (slot, admin) => {
      if (slots.admin(slot) === admin) return;
      slots.setAdmin(slot, admin);
      queue.wakeAll();
    },
    setWeight: (slot, weight) => slots.setWeight(slot, weight),
    setLimit: (slot, limit) => {
      if (slots.limit(slot) === limit) return;
      slots.setLimit(slot, limit);
      queue.wakeAll();
    },
    onAgent: (pool, server, words) => {
      log.info("the agent of a server speaks", {
        pool,
        server,
        says: words === "" ? "as configured" : words,
      });
      onHealth();
    },
    onTransition: ({ pool, server, from, to, reason }) => {
      const level = to === "down" || to === "ejected" ? "warning" : "info";
      log[level](`server ${to}`, { pool, server, from, reason });
      journal.add({ at: Date.now(), pool, server, from, to, why: reason });
      onHealth();
    },
  };
}
