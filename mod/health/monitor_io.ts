/**
 * The health monitor of the control thread: one timer and the probes under way around the board.
 *
 * The board decides, this file waits and runs. How a server is probed, where decisions go and what the counters
 * say are parameters. It must not know shared memory, workers or the configuration's syntax.
 */
import { reasonOf } from "../base/reason.ts";
import type { PoolSnapshot } from "../config/snapshot.ts";
import { type BoardEnv, type DueProbe, HealthBoard, type ServerHealth } from "./board.ts";
import { type RememberedServer, rememberedServers } from "./memory.ts";
import type { ProbeTable } from "./probes_io.ts";
import type { ProbeResult } from "./rise_fall.ts";

/** Probes that are due within so short a time start together, which bounds the wake-ups of many servers. */
const MIN_WAIT_MS = 5;

export interface MonitorEnv extends BoardEnv {
  readonly probes: ProbeTable;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls back once, after `ms`; the function it returns takes that back. */
  after(ms: number, call: () => void): () => void;
}

export class HealthMonitor {
  #env: MonitorEnv;
  #board: HealthBoard;
  #cancelTimer: (() => void) | null = null;
  #wakeAt = Infinity;
  #running = new Map<DueProbe, { abort: AbortController; done: Promise<void> }>();
  #closed = false;

  /** Starts nothing; `update` does. */
  constructor(env: MonitorEnv) {
    this.#env = env;
    this.#board = new HealthBoard(env);
  }

  /**
   * Takes the pools of a new snapshot, at the start, on a reload and when members changed. New servers are
   * written to the sink before this returns: call it before the workers get the snapshot.
   */
  update(pools: readonly PoolSnapshot[]): void {
    if (this.#closed) return;
    this.#board.update(pools, this.#env.now());
    for (const [probe, { abort }] of this.#running) if (!this.#board.wanted(probe)) abort.abort();
    this.#arm();
  }

  /** What it knows, for one that goes on after it. */
  remember(): RememberedServer[] {
    return this.#board.remember(this.#env.now());
  }

  /** Goes on from what another monitor has remembered; after `update`. Throws when it is nothing of the kind. */
  recall(value: unknown): void {
    this.#board.recall(rememberedServers(value), this.#env.now());
    this.#arm();
  }

  /** Every server, in the order of the configuration. */
  status(): ServerHealth[] {
    return this.#board.status(this.#env.now());
  }

  /** Stops everything; resolves when the probes under way have closed what they opened. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#disarm();
    for (const { abort } of this.#running.values()) abort.abort();
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #arm(): void {
    this.#disarm();
    this.#wakeAt = this.#board.deadline();
    if (this.#closed || this.#wakeAt === Infinity) return;
    const afterMs = Math.max(MIN_WAIT_MS, this.#wakeAt - this.#env.now());
    this.#cancelTimer = this.#env.after(afterMs, () => this.#wake());
  }

  #wake(): void {
    this.#cancelTimer = null;
    if (this.#closed) return;
    const now = this.#env.now();
    for (const probe of this.#board.due(now)) this.#start(probe);
    this.#board.tick(now);
    this.#arm();
  }

  #start(probe: DueProbe): void {
    const abort = new AbortController();
    const done = this.#run(probe, abort.signal).then((result) => {
      this.#running.delete(probe);
      if (this.#closed) return;
      this.#board.finished(probe, result, this.#env.now());
      if (this.#board.deadline() < this.#wakeAt) this.#arm();
    });
    this.#running.set(probe, { abort, done });
  }

  async #run(probe: DueProbe, signal: AbortSignal): Promise<ProbeResult> {
    try {
      return await this.#env.probes[probe.check.type](probe, signal);
    } catch (error) {
      // A probe should not throw; if one does, its server must not stay unprobed for ever.
      const reason = reasonOf(error);
      return { ok: false, reason: `the probe itself failed: ${reason}`, latencyMs: 0 };
    }
  }
}
