/**
 * The interface every balancing policy implements. Pure: time and randomness are parameters.
 *
 * A policy only orders servers. Which servers may be used at all (health, admin state, limits, backups, servers
 * already tried) is decided by `pool.ts`, which hands a policy the eligible ones.
 */

/** What a policy may know of the servers of its pool, by index into the pool's list. */
export interface ServerView {
  /** Number of servers in the pool. */
  readonly size: number;
  /** True when the server may get this request. */
  eligible(index: number): boolean;
  /** Effective weight now (slow start and admin changes included), in 1/256 of a configured weight unit; 0: only as a last resort. */
  weight(index: number): number;
  /** Requests or connections under way, over all workers. */
  active(index: number): number;
}

export interface Policy {
  /** Index of the chosen server, or -1 when none is eligible. */
  pick(servers: ServerView, hash: number, now: number): number;
  /** A response (its head) or a connection came after `latencyMs`. Only latency-aware policies care. */
  observe?(index: number, latencyMs: number, now: number): void;
}

/** Makes a policy for a pool; `keys` identify the servers (name and address) and never depend on their order. */
export type PolicyFactory = (
  options: { keys: readonly string[]; weights: readonly number[]; random: () => number; ring: boolean },
) => Policy;
