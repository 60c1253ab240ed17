/**
 * What a limit counts, in memory that all workers share: tables of keys, and what became of requests. A handle is
 * plain data that crosses to a worker by message.
 */
import { SharedTable } from "../base/shared_table.ts";
import { Tally } from "../base/tally.ts";

/** What is counted of a limit. `dryRun`: let through, though it would have been refused. */
export const LIMIT_COUNTERS = ["passed", "delayed", "refused", "dryRun", "evictions"] as const;
export type LimitCounter = (typeof LIMIT_COUNTERS)[number];

export interface LimitMemory {
  /** Of the hashes of keys. */
  readonly seed: number;
  readonly counts: SharedArrayBuffer;
  /** One for all, or one for each worker. */
  readonly tables: readonly SharedArrayBuffer[];
  readonly perWorker: boolean;
}

/** Memory for `entries` keys at most, in one table or in one for each worker. */
export function createLimitMemory(
  entries: number,
  perWorker: boolean,
  workers: number,
  seed: number,
): LimitMemory {
  const bytes = SharedTable.byteLength(entries);
  return {
    seed,
    counts: new SharedArrayBuffer(Tally.byteLength(workers)),
    tables: Array.from({ length: perWorker ? workers : 1 }, () => new SharedArrayBuffer(bytes)),
    perWorker,
  };
}

export class LimitCounts extends Tally<LimitCounter> {
  /** `worker`: who counts, from 0. */
  constructor(memory: LimitMemory, worker: number) {
    super(LIMIT_COUNTERS, memory.counts, worker);
  }
}
