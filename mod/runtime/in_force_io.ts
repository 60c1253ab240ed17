/**
 * What the workers have in force: the snapshot, with all that exists since the first one.
 *
 * A snapshot comes into force in every worker, or what was before is again. It must not know where snapshots come from.
 */
import type { Purge } from "../cache/store.ts";
import type { Config } from "../config/schema.ts";
import type { PoolSnapshot, Snapshot } from "../config/snapshot.ts";
import type { NodeStatus } from "../observe/status.ts";
import type { TrafficStatus } from "../observe/traffic.ts";
import type { TlsTrouble } from "../proxy/environment.ts";
import type { ControlPort } from "./balancer_io.ts";
import { carry, receive } from "./carried.ts";
import { clearRows, RowOwners } from "./row_owners.ts";
import { type Running, type RunningOptions, sectionsOf, startRunning } from "./running_io.ts";
import {
  forwardedPools,
  nodeStatus,
  poolHealth,
  serverShares,
  type StatusFacts,
  tcpSlots,
  trafficSums,
} from "./status.ts";
import type { Sticks } from "./stick_memory.ts";
import { TlsTroubles } from "./tls_troubles.ts";
import { trafficStatus } from "./traffic.ts";

export type InForceOptions = Omit<RunningOptions, "workers" | "onTlsFailure" | "servesTcp">;

/** What a status tells besides. */
export type StatusBeside =
  & Pick<
    StatusFacts,
    "version" | "names" | "acme" | "certificates" | "accessLogProblem"
  >
  & {
    readonly startedAt: number;
    /** Of the access log, outside the workers. */
    readonly linesDropped: number;
  };

export class InForce {
  readonly #options: InForceOptions;
  #running: Running | null = null;
  #snapshot: Snapshot | null = null;
  #generation = 0;
  #draining = false;
  #tlsTroubles = new TlsTroubles();
  #tcpSlots = new Set<number>();
  #owners = new RowOwners();
  /** What the balancer before knew, until it is put in its places. */
  #received: string | null = null;

  constructor(options: InForceOptions) {
    this.#options = options;
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** The number of workers as it was configured at the start; null: nothing was started yet. */
  get workers(): Config["workers"] | null {
    return this.#running?.workers ?? null;
  }

  /** For the next snapshot. */
  nextGeneration(): number {
    return ++this.#generation;
  }

  receive(text: string): void {
    this.#received = text;
  }

  carry(): string {
    return this.#running === null ? "{}" : carry(sectionsOf(this.#running));
  }

  /** Makes what every configuration needs; once. */
  start({ workers }: Config): void {
    this.#running ??= startRunning({
      ...this.#options,
      workers,
      onTlsFailure: (trouble) => this.#onTlsFailure(trouble),
      servesTcp: (slot) => this.#tcpSlots.has(slot),
    });
  }

  /** Puts a snapshot in force; what is in the way, or nothing. */
  async apply(snapshot: Snapshot): Promise<readonly string[]> {
    // A worker that is done with its drain would listen again.
    if (this.#draining) return ["the configuration stays as it is, as the node is stopping"];
    const running = this.#running!;
    const { crew, memory, tables } = running;
    const before = this.#snapshot;
    this.#claimRows(running, snapshot);
    running.monitor.update(snapshot.pools);
    if (this.#received !== null) this.#goOn(running, this.#received);
    const memories = tables.prepare(snapshot, Date.now());
    const { errors } = await crew.apply(snapshot, memories);
    if (errors.length === 0) {
      tables.keep(memories);
      this.#snapshot = snapshot;
      this.#tcpSlots = tcpSlots(snapshot);
      memory.queue.wakeAll();
      return [];
    }
    if (before !== null && !this.#draining) {
      this.#claimRows(running, before);
      running.monitor.update(before.pools);
      // Some workers have the new one already: all get the old one again.
      const old = { ...before, generation: this.nextGeneration() };
      const { errors: again } = await crew.apply(old, tables.current);
      for (const error of again) this.#options.log.error(`Cannot go back to what ran before: ${error}`);
    }
    return errors;
  }

  /** Nothing comes into force any more; resolves when the last connection has ended, or at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    if (this.#running === null) return;
    const { crew, monitor } = this.#running;
    await crew.drain(deadlineMs);
    crew.close();
    await monitor.close();
  }

  health(): { pool: string; healthy: number; servers: number }[] {
    if (this.#running === null || this.#snapshot === null) return [];
    const { memory } = this.#running;
    return this.#snapshot.pools.map((pool) => poolHealth(pool, memory));
  }

  /** Of the pools whose traffic the kernel forwards. */
  shares(config: Config): ReturnType<ControlPort["shares"]> {
    if (this.#running === null || this.#snapshot === null) return [];
    const { slots } = this.#running.memory;
    const wanted = forwardedPools(config);
    return this.#snapshot.pools.filter(({ name }) => wanted.has(name)).map((pool) =>
      serverShares(pool, slots)
    );
  }

  counters(): ReturnType<ControlPort["counters"]> {
    if (this.#running === null || this.#snapshot === null) {
      return { connections: 0, accepted: 0, requests: 0, errors: 0, workersReplaced: 0 };
    }
    const { crew, memory } = this.#running;
    return { ...trafficSums(this.#snapshot, memory.counters), workersReplaced: crew.replaced };
  }

  /** Throws before the first configuration is in force. */
  status({ linesDropped, ...beside }: StatusBeside): NodeStatus {
    if (this.#running === null || this.#snapshot === null) throw new Error("Cannot tell a status yet");
    const { memory, monitor, crew, tables, journal } = this.#running;
    const now = Date.now();
    return nodeStatus({
      ...beside,
      snapshot: this.#snapshot,
      memory,
      health: monitor.status(),
      sessions: (pool) => tables.sticks.status(pool, now),
      limits: tables.limits.status(this.#snapshot, now),
      tlsTrouble: (slot) => this.#tlsTroubles.recent(slot, now),
      timeline: journal.list,
      draining: this.#draining,
      now,
      workers: crew.status(),
      workersReplaced: crew.replaced,
      accessLinesDropped: crew.logDropped + linesDropped,
    });
  }

  /** Throws before the first configuration is in force. */
  traffic(): TrafficStatus {
    if (this.#running === null || this.#snapshot === null) throw new Error("Cannot tell the traffic yet");
    return trafficStatus(this.#snapshot, this.#running.memory, this.#options.spans.counts);
  }

  /** Has all workers forget stored answers; null: the first configuration is not in force yet. */
  purgeCache(purge: Purge): Promise<number> | null {
    return this.#running === null ? null : this.#running.crew.purge(purge);
  }

  /** Null: there is no such pool. */
  withPool<T>(name: string, use: (pool: PoolSnapshot, sticks: Sticks) => T): T | null {
    const pool = this.#snapshot?.pools.find((one) => one.name === name);
    return pool === undefined || this.#running === null ? null : use(pool, this.#running.tables.sticks);
  }

  #onTlsFailure(trouble: TlsTrouble): void {
    const { pool, server, reason } = trouble;
    if (this.#tlsTroubles.note(trouble, Date.now())) {
      this.#options.log.warning("no TLS connection to a server", { pool, server, reason });
    }
  }

  /** Rows that had another owner begin anew, before anybody counts in them. */
  #claimRows({ memory }: Running, snapshot: Snapshot): void {
    const rows = this.#owners.claim(snapshot);
    clearRows(memory, rows);
    for (const slot of rows.servers) this.#tlsTroubles.forget(slot);
  }

  /** What the balancer before knew: after the servers are known, and before anybody accepts. */
  #goOn(running: Running, received: string): void {
    this.#received = null;
    for (const problem of receive(sectionsOf(running), received)) {
      this.#options.log.warning("not all can be carried over from the balancer before", { problem });
    }
  }
}
