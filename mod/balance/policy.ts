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
  /** Index of the chosen server, or -1 when none is eligible. `hash` is 32 bits without a sign. */
  pick(servers: ServerView, hash: number, now: number): number;
  /** A response (its head) or a connection came after `latencyMs`. Only latency-aware policies care. */
  observe?(index: number, latencyMs: number, now: number): void;
  /** Weights may have changed since the last call; called before the first pick and never during one. */
  reweigh?(servers: ServerView): void;
  /** Takes over the state of the policy before a reload; `from` gives each server's old index, or -1. */
  adopt?(previous: Policy, from: readonly number[]): void;
}

export interface PolicyOptions {
  /** Name and address of each server; never depend on their order. */
  readonly keys: readonly string[];
  /** Configured weights, in whole units. */
  readonly weights: readonly number[];
  readonly random: () => number;
  /** hash only: a consistent ring instead of a remainder. */
  readonly ring: boolean;
  /** Number of the worker, so that workers need not begin with the same server. */
  readonly worker?: number;
}

/** Makes a policy for a pool. */
export type PolicyFactory = (options: PolicyOptions) => Policy;
