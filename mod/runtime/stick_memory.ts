/**
 * The memory of all pools' sessions, as the control thread keeps it from one snapshot to the next: that of a pool
 * stays while its name does, and goes into another table when its size has changed. Pure.
 */
import { SharedTable, type TableEntry } from "../base/shared_table.ts";
import { ServerIds } from "../balance/server_ids.ts";
import { keysOfValue } from "../balance/stick_key.ts";
import { createStickMemory, StickCounts, type StickMemory } from "../balance/stick_table.ts";
import type { PoolSnapshot, Snapshot } from "../config/snapshot.ts";
import type { PoolStatus } from "../observe/status.ts";
import type { PlacedSession, WhichSession, WhichSessions } from "./commands.ts";
import type { AskedSessions, PoolSessions } from "./desk.ts";
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

  /** Sessions of a pool, those that are asked for; null: it has no table. `now` in milliseconds since 1970. */
  list(pool: PoolSnapshot, asked: AskedSessions, now: number): PoolSessions | null {
    const table = this.#tableOf(pool.name);
    if (table === null) return null;
    const { servers } = pool;
    const ids = new ServerIds(servers);
    const keys = this.#keysOf(pool, asked);
    const { entries, next } = keys === null
      ? table.entries(asked.limit, now, asked.after)
      : { entries: keys.flatMap((key) => table.entry(key, now) ?? []), next: null };
    const sessions = entries.map(({ key, value, expiry }: TableEntry) => ({
      key: [...key].map((word) => word.toString(16).padStart(8, "0")).join(""),
      server: servers[ids.findNumber(value)]?.name ?? null,
      expiresInMs: Math.round(expiry - now),
    }));
    return { size: table.capacity, entries: table.size(now), sessions, next };
  }

  /**
   * Forgets sessions of a pool: all, those on one server, or the one of a key or a value. How many they were; null: it
   * has no table, or no such server. `now` in milliseconds since 1970.
   */
  forget(pool: PoolSnapshot, which: WhichSessions, now: number): number | null {
    const { name, servers } = pool;
    const { server } = which;
    const table = this.#tableOf(name);
    const index = servers.findIndex((one) => one.name === server);
    if (table === null || server !== undefined && index < 0) return null;
    const keys = this.#keysOf(pool, which);
    if (keys !== null) return keys.filter((key) => table.delete(key, now)).length;
    const { numbers } = new ServerIds(servers);
    return table.deleteWhere((value) => server === undefined || value === numbers[index], now);
  }

  /**
   * Puts the session of a key or a value on a server, whether there was one or not. How many they are; null: the pool has
   * no table, or no such server. `now` in milliseconds since 1970.
   */
  set(pool: PoolSnapshot, { server, ...which }: PlacedSession, now: number): number | null {
    const { name, servers, sticky } = pool;
    const table = this.#tableOf(name);
    const index = servers.findIndex((one) => one.name === server);
    if (table === null || sticky?.kind !== "table" || index < 0) return null;
    const [key] = this.#keysOf(pool, which) ?? [];
    if (key === undefined) return 0;
    table.set(key, new ServerIds(servers).numbers[index]!, now + sticky.ttlMs, now);
    return 1;
  }

  /** Those that are meant; null: none in particular. */
  #keysOf({ name, sticky }: PoolSnapshot, { key, value }: WhichSession): readonly Uint32Array[] | null {
    if (key !== undefined) return [wordsOf(key)];
    const memory = this.#memories.get(name);
    if (value === undefined || memory === undefined || sticky?.kind !== "table") return null;
    return keysOfValue(value, memory.seed, sticky);
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
