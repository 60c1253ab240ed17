/**
 * How many of each key are under way at a time, requests or connections, over all workers.
 *
 * Each worker counts its own in a table that nobody else writes, and all are summed: so what a worker holds ends with
 * it. Whoever comes counts itself first and then looks, so that there are never too many; of two that come at once
 * both may be refused. Pure.
 */
import { SharedTable } from "../base/shared_table.ts";
import type { ConcurrencySnapshot } from "../config/guard_snapshot.ts";
import type { Guard, GuardRequest, Verdict } from "./guard.ts";
import { RequestKey } from "./key.ts";
import { LimitCounts, type LimitMemory } from "./limit_memory.ts";

/** What is under way does not expire. */
const FOREVER = Number.MAX_VALUE;

/** A place that was taken, to be given back once. */
export interface Place {
  release(): void;
}

/** Where there is nothing to count. */
const UNCOUNTED: Place = { release() {} };

export class Concurrency {
  readonly key: RequestKey;
  readonly #settings: ConcurrencySnapshot;
  readonly #own: SharedTable;
  readonly #tables: readonly SharedTable[];
  readonly #counts: LimitCounts;

  constructor(settings: ConcurrencySnapshot, memory: LimitMemory, worker: number) {
    const { key, mask, scope } = settings;
    this.key = new RequestKey(key, mask, scope, memory.seed);
    this.#settings = settings;
    this.#tables = memory.tables.map((table) => new SharedTable(table, worker));
    this.#own = this.#tables[worker]!;
    this.#counts = new LimitCounts(memory, worker);
  }

  /** A place for a key; null: there are too many. A null key is not counted, another is copied. `now` in milliseconds since 1970. */
  enter(given: Uint32Array | null, now: number): Place | null {
    if (given === null) return UNCOUNTED;
    const key = given.slice();
    const { most, dryRun } = this.#settings;
    const before = this.#own.evictions;
    this.#own.add(key, 1, FOREVER, now);
    if (this.#own.evictions !== before) this.#counts.add("evictions");
    const tooMany = this.#sum(key, now) > most;
    this.#counts.add(!tooMany ? "passed" : dryRun ? "dryRun" : "refused");
    if (!tooMany || dryRun) return { release: () => this.#leave(key, now) };
    this.#leave(key, now);
    return null;
  }

  #sum(key: Uint32Array, now: number): number {
    let sum = 0;
    for (const table of this.#tables) sum += table.get(key, now) ?? 0;
    return sum;
  }

  /** Nobody else writes this table, so two steps are as good as one. */
  #leave(key: Uint32Array, now: number): void {
    const count = this.#own.get(key, now);
    if (count === undefined) return;
    if (count > 1) this.#own.set(key, count - 1, FOREVER, now);
    else this.#own.delete(key, now);
  }
}

export class ConcurrencyLimit implements Guard {
  readonly #concurrency: Concurrency;
  readonly #verdict: Verdict;

  constructor(settings: ConcurrencySnapshot, memory: LimitMemory, worker: number) {
    this.#concurrency = new Concurrency(settings, memory, worker);
    this.#verdict = { kind: "deny", code: "concurrencyLimited", status: settings.status };
  }

  check(request: GuardRequest): Verdict {
    const place = this.#concurrency.enter(this.#concurrency.key.of(request), request.now);
    return place === null ? this.#verdict : { kind: "hold", place };
  }
}
