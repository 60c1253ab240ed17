/**
 * The memory of all pools' sessions, as the control thread keeps it from one snapshot to the next: that of a pool
 * stays while its name does, and goes into another table when its size has changed. Pure.
 */
import { SharedTable } from "../base/shared_table.ts";
import { ServerIds } from "../balance/server_ids.ts";
import { createStickMemory, StickCounts, type StickMemory } from "../balance/stick_table.ts";
import type { PoolSnapshot, Snapshot } from "../config/snapshot.ts";
import type { PoolStatus } from "../observe/status.ts";
import type { WhichSessions } from "./commands.ts";
import type { PoolSessions } from "./desk.ts";
import {
  MAX_REMEMBERED,
  recallSticks,
  type RememberedSticks,
  rememberedSticks,
  rememberSticks,
} from "./remembered_sticks.ts";

export type StickMemories = ReadonlyMap<string, StickMemory>;

export class Sticks {
  #memories: StickMemories = new Map();
  /** Of the balancer before, for memory that is not there yet. */
  #recalled: ReadonlyMap<string, RememberedSticks> = new Map();
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
    this.#recalled = new Map();
  }

  /** The sessions, for the balancer that goes on; at most so many. `now` in milliseconds since 1970. */
  remember(now: number, most = MAX_REMEMBERED): RememberedSticks[] {
    const tables = [...this.#memories].flatMap(([pool, { seed, entries }]) =>
      entries === null ? [] : [{ pool, seed, table: new SharedTable(entries, this.#workers) }]
    );
    return rememberSticks(tables, most, now);
  }

  /** Goes on from what another has remembered; before the first `prepare`. Throws when it is nothing of the kind. */
  recall(value: unknown): void {
    this.#recalled = new Map(rememberedSticks(value).map((one) => [one.pool, one]));
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
    const table = this.#tableOf(name);
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

  /** Sessions of a pool, `limit` of them at most; null: it has no table. `now` in milliseconds since 1970. */
  list({ name, servers }: PoolSnapshot, limit: number, now: number): PoolSessions | null {
    const table = this.#tableOf(name);
    if (table === null) return null;
    const ids = new ServerIds(servers);
    const sessions = table.entries(limit, now).map(({ key, value, expiry }) => ({
      key: [...key].map((word) => word.toString(16).padStart(8, "0")).join(""),
      server: servers[ids.findNumber(value)]?.name ?? null,
      expiresInMs: Math.round(expiry - now),
    }));
    return { size: table.capacity, entries: table.size(now), sessions };
  }

  /**
   * Forgets sessions of a pool: all, those on one server, or the one of a key. How many they were; null: it has no
   * table, or no such server. `now` in milliseconds since 1970.
   */
  forget({ name, servers }: PoolSnapshot, { server, key }: WhichSessions, now: number): number | null {
    const table = this.#tableOf(name);
    if (table !== null && key !== undefined) return Number(table.delete(wordsOf(key), now));
    const index = servers.findIndex((one) => one.name === server);
    if (table === null || server !== undefined && index < 0) return null;
    const { numbers } = new ServerIds(servers);
    return table.deleteWhere((value) => server === undefined || value === numbers[index], now);
  }

  #tableOf(pool: string): SharedTable | null {
    const entries = this.#memories.get(pool)?.entries ?? null;
    return entries === null ? null : new SharedTable(entries, this.#workers);
  }

  #memory({ name, sticky }: PoolSnapshot, now: number): StickMemory {
    const entries = sticky?.kind === "table" ? sticky.size : 0;
    const before = this.#memories.get(name);
    const bytes = entries === 0 ? undefined : SharedTable.byteLength(entries);
    if (before !== undefined && before.entries?.byteLength === bytes) return before;
    const recalled = this.#recalled.get(name);
    const seed = before?.seed ?? recalled?.seed ?? Math.floor(this.#random() * 2 ** 32);
    const fresh = createStickMemory(entries, this.#workers, seed);
    if (before === undefined) {
      if (recalled !== undefined && fresh.entries !== null) {
        recallSticks(recalled, new SharedTable(fresh.entries, this.#workers));
      }
      return fresh;
    }
    if (before.entries !== null && fresh.entries !== null) {
      new SharedTable(before.entries, this.#workers).copyTo(
        new SharedTable(fresh.entries, this.#workers),
        now,
      );
    }
    return { ...fresh, counts: before.counts };
  }
}

/** A key as it is listed. */
function wordsOf(key: string): Uint32Array {
  return Uint32Array.from(key.match(/.{8}/g) ?? [], (word) => parseInt(word, 16));
}
