/**
 * How often requests may come: a leaky bucket for each key, as the generic cell rate algorithm (ITU-T I.371) has it.
 * All that is remembered of a key is when its bucket will be empty; each request moves that on by one interval, and
 * one that would move it beyond the burst is refused. Shared by all workers, by the clock that they share. Pure.
 */
import { SharedTable } from "../base/shared_table.ts";
import type { RateLimitSnapshot } from "../config/guard_snapshot.ts";
import type { Guard, GuardRequest, Verdict } from "./guard.ts";
import { RequestKey } from "./key.ts";
import { LimitCounts, type LimitMemory } from "./limit_memory.ts";

/** Half of what the clock counts in; of short intervals half of one. */
const TOLERANCE_MS = 0.5;

export class RateLimit implements Guard {
  readonly #settings: RateLimitSnapshot;
  readonly #key: RequestKey;
  readonly #table: SharedTable;
  readonly #counts: LimitCounts;
  /** How far in the future a bucket may come to be empty. */
  readonly #mostMs: number;

  constructor(settings: RateLimitSnapshot, memory: LimitMemory, worker: number) {
    const { key, mask, scope, stepMs, burst } = settings;
    this.#settings = settings;
    this.#key = new RequestKey(key, mask, scope, memory.seed);
    this.#table = new SharedTable(memory.tables[0]!, worker);
    this.#counts = new LimitCounts(memory, worker);
    this.#mostMs = (burst + 1) * stepMs + Math.min(TOLERANCE_MS, stepMs / 2);
  }

  check(request: GuardRequest): Verdict {
    const key = this.#key.of(request);
    if (key === null) return null;
    const { stepMs, delay, status, dryRun } = this.#settings;
    const { now } = request;
    const before = this.#table.evictions;
    const ahead = this.#table.advance(key, stepMs, now + this.#mostMs, now) - now;
    if (this.#table.evictions !== before) this.#counts.add("evictions");
    if (ahead > this.#mostMs) {
      this.#counts.add(dryRun ? "dryRun" : "refused");
      return dryRun
        ? null
        : { kind: "deny", code: "rateLimited", status, fields: retryAfter(ahead - this.#mostMs) };
    }
    const waitMs = delay === null ? 0 : ahead - (1 + delay) * stepMs;
    if (waitMs < 1 || dryRun) {
      this.#counts.add("passed");
      return null;
    }
    this.#counts.add("delayed");
    return { kind: "delay", ms: waitMs };
  }
}

/** RFC 9110 section 10.2.3: whole seconds. */
function retryAfter(ms: number): string {
  return `Retry-After: ${Math.max(1, Math.ceil(ms / 1000))}\r\n`;
}
