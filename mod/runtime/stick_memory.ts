/**
 * The memory of all pools' sessions, as the control thread keeps it from one snapshot to the next: that of a pool
 * stays while its name does, and goes into another table when its size has changed. Pure.
 */
import { SharedTable } from "../base/shared_table.ts";
import { createStickMemory, StickCounts, type StickMemory } from "../balance/stick_table.ts";
import type { PoolSnapshot, Snapshot } from "../config/snapshot.ts";
import type { PoolStatus } from "../observe/status.ts";

export type StickMemories = ReadonlyMap<string, StickMemory>;

export class Sticks {
  #memories: StickMemories = new Map();
  readonly #workers: number;
  readonly #random: () => number;

  constructor(workers: number, random: () => number) {
    this.#workers = workers;
    this.#random = random;
  }

  /** The memory that a snapshot is to have; nothing changes before `keep`. `now` in milliseconds since 1970. */
  prepare({ pools }: Snapshot, now: number): StickMemories {
    return new Map(
      pools.filter(({ sticky }) => sticky !== undefined).map((pool) => [pool.name, this.#memory(pool, now)]),
    );
  }

  /** The snapshot that this was prepared for is in force. */
  keep(memories: StickMemories): void {
    this.#memories = memories;
  }

  /** What was prepared for the snapshot in force. */
  get current(): StickMemories {
    return this.#memories;
  }

  /** A worker is no more. */
  reclaim(worker: number): void {
    for (const { entries } of this.#memories.values()) {
      if (entries !== null) new SharedTable(entries, this.#workers).reclaim(worker);
    }
  }

  /** What is known of the sessions of a pool; nothing: it has none. `now` in milliseconds since 1970. */
  status({ name, sticky }: PoolSnapshot, now: number): Pick<PoolStatus, "sessions"> {
    const memory = this.#memories.get(name);
    if (sticky === undefined || memory === undefined) return {};
    const counts = new StickCounts(memory, 0);
    const table = memory.entries === null ? null : new SharedTable(memory.entries, this.#workers);
    const sessions = {
      by: sticky.kind,
      entries: table === null ? null : table.size(now),
      size: table === null ? null : table.capacity,
      hits: counts.sum("hits"),
      misses: counts.sum("misses"),
      moved: counts.sum("moved"),
      evictions: counts.sum("evictions"),
    };
    return { sessions };
  }

  #memory({ name, sticky }: PoolSnapshot, now: number): StickMemory {
    const entries = sticky?.kind === "table" ? sticky.size : 0;
    const before = this.#memories.get(name);
    const bytes = entries === 0 ? undefined : SharedTable.byteLength(entries);
    if (before !== undefined && before.entries?.byteLength === bytes) return before;
    const seed = before?.seed ?? Math.floor(this.#random() * 2 ** 32);
    const fresh = createStickMemory(entries, this.#workers, seed);
    if (before === undefined) return fresh;
    if (before.entries !== null && fresh.entries !== null) {
      new SharedTable(before.entries, this.#workers).copyTo(
        new SharedTable(fresh.entries, this.#workers),
        now,
      );
    }
    return { ...fresh, counts: before.counts };
  }
}
