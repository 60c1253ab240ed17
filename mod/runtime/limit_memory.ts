/**
 * The memory of all limits, as the control thread keeps it from one snapshot to the next: that of a limit stays while
 * its name does, and goes into another table when its size has changed. Pure.
 */
import { SharedTable } from "../base/shared_table.ts";
import type { LimitSnapshot } from "../config/guard_snapshot.ts";
import { limitsOf } from "../config/limits_of.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { createLimitMemory, LimitCounts, type LimitMemory } from "../guard/limit_memory.ts";
import type { LimitStatus } from "../observe/status.ts";

export type LimitMemories = ReadonlyMap<string, LimitMemory>;

export class Limits {
  #memories: LimitMemories = new Map();
  readonly #workers: number;
  readonly #random: () => number;

  constructor(workers: number, random: () => number) {
    this.#workers = workers;
    this.#random = random;
  }

  /** The memory that a snapshot is to have; nothing changes before `keep`. `now` in milliseconds since 1970. */
  prepare(snapshot: Snapshot, now: number): LimitMemories {
    return new Map([...limitsOf(snapshot)].map(([id, limit]) => [id, this.#memory(id, limit, now)]));
  }

  /** The snapshot that this was prepared for is in force. */
  keep(memories: LimitMemories): void {
    this.#memories = memories;
  }

  /** What was prepared for the snapshot in force. */
  get current(): LimitMemories {
    return this.#memories;
  }

  /** A worker is no more. */
  reclaim(worker: number): void {
    for (const { tables, perWorker } of this.#memories.values()) {
      for (const table of tables) this.#open(table).reclaim(worker);
      if (perWorker) this.#open(tables[worker]!).clear();
    }
  }

  /** What is known of the limits of a snapshot. `now` in milliseconds since 1970. */
  status(snapshot: Snapshot, now: number): LimitStatus[] {
    return [...limitsOf(snapshot)].flatMap(([id, { kind, name, dryRun }]) => {
      const memory = this.#memories.get(id);
      if (memory === undefined) return [];
      const counts = new LimitCounts(memory, 0);
      const tables = memory.tables.map((table) => this.#open(table));
      const sum = (of: (table: SharedTable) => number) => tables.reduce((all, table) => all + of(table), 0);
      return [{
        kind,
        name,
        dryRun,
        entries: sum((table) => table.size(now)),
        size: sum((table) => table.capacity),
        passed: counts.sum("passed"),
        delayed: counts.sum("delayed"),
        refused: counts.sum("refused"),
        wouldRefuse: counts.sum("dryRun"),
        evictions: counts.sum("evictions"),
      }];
    });
  }

  #memory(id: string, { kind, size }: LimitSnapshot, now: number): LimitMemory {
    const before = this.#memories.get(id);
    const bytes = SharedTable.byteLength(size);
    if (before !== undefined && before.tables.every(({ byteLength }) => byteLength === bytes)) return before;
    const seed = before?.seed ?? Math.floor(this.#random() * 2 ** 32);
    const fresh = createLimitMemory(size, kind !== "rate", this.#workers, seed);
    if (before === undefined) return fresh;
    // What is under way is given back where it was taken: a new table begins with nothing.
    if (!fresh.perWorker) {
      before.tables.forEach((table, at) => this.#open(table).copyTo(this.#open(fresh.tables[at]!), now));
    }
    return { ...fresh, counts: before.counts };
  }

  #open(table: SharedArrayBuffer): SharedTable {
    return new SharedTable(table, this.#workers);
  }
}
