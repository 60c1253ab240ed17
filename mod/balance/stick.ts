/**
 * Choosing a server for a request that may belong to a session: the session's server where that may be used, else
 * one that the pool's policy chooses, on which the session then is.
 *
 * Where the session is may change between the look and the choice, as other workers choose too: whoever comes
 * second gives its place back and follows the first. It must not know how a session is told or remembered.
 */
import { NO_SERVER, type PoolBalancer, type Waiter } from "./pool.ts";

/** The session of one request or connection. Servers are told by their index in the pool. */
export interface Stick {
  /** The server that the session was on when the request came, or -1. */
  readonly home: number;
  /** The server that the session is on, or -1. */
  wanted(): number;
  /** A place on the server at `index` was taken. Answers where the session is, which another worker may have decided. */
  settle(index: number): number;
}

/** Rounds after which a request stays where it is, wherever its session went meanwhile. */
const MOST_ROUNDS = 4;

/** As `PoolBalancer.acquire`, for a request with a stick. Once a waiter is granted a place, `settle` is to be called. */
export function acquireFor(
  stick: Stick,
  balancer: PoolBalancer,
  hash: number,
  tried: readonly number[],
  now: number,
  waiter: Waiter | null,
): number {
  const { servers } = balancer.pool;
  let wanted = stick.wanted();
  for (let round = 1;; round++) {
    let index = NO_SERVER;
    if (wanted >= 0 && !tried.includes(servers[wanted]!.slot)) index = balancer.acquireAt(wanted, waiter);
    if (index === NO_SERVER) index = balancer.acquire(hash, tried, now, waiter);
    if (index < 0) return index;
    wanted = stick.settle(index);
    if (wanted === index || round === MOST_ROUNDS) return index;
    balancer.release(servers[index]!.slot, now);
  }
}
