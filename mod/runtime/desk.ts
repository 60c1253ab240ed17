/**
 * What the API is answered from, the same in both processes: each asks the other for what is the other's.
 */
import type { PlannedChange } from "../config/plan.ts";
import type { KeeperStatus } from "../observe/keeper_status.ts";
import type { NodeStatus } from "../observe/status.ts";
import type { Command, Outcome, WhichSession } from "./commands.ts";
import type { Nodes, PeerAnswer, PeerRequest } from "./peer_request.ts";

/** The process that is to answer does not. */
export class Unavailable extends Error {}

export interface Desk {
  /** What the balancer says. Rejects with `Unavailable` when it is down, or starting. */
  node(): Promise<NodeStatus>;
  /** What the keeper says. Rejects with `Unavailable` when it does not answer. */
  keeper(): Promise<KeeperStatus>;
  /** Has the node do something; `by`: who wants it, in words. */
  perform(command: Command, by: string): Promise<Outcome>;
  /** What a reload would do now, or with this text in the file. Rejects with `Unavailable`. */
  plan(text?: string): Promise<Plan>;
  /** Sessions of a pool. Null: there is no such pool, or it has no table. */
  sessions(pool: string, asked: AskedSessions): Promise<PoolSessions | null>;
  /** Who there is to ask. Rejects with `Unavailable`. */
  nodes(): Promise<Nodes>;
  /** Asks the API of another node; that it cannot be asked is an answer too. Rejects with `Unavailable`. */
  askNode(node: string, request: PeerRequest): Promise<PeerAnswer>;
}

/** A desk where nobody answers. */
export function noDesk(reason: string): Desk {
  const never = () => Promise.reject(new Unavailable(reason));
  return {
    ...{ node: never, keeper: never, perform: never, plan: never, sessions: never, nodes: never },
    askNode: never,
  };
}

/** What a reload would do now. */
export interface Plan {
  /** Why the file would be refused; none: it would not. */
  readonly problems: readonly string[];
  readonly changes: readonly PlannedChange[];
}

/** Which sessions of a table, and how many at most. */
export interface AskedSessions extends WhichSession {
  readonly limit: number;
  /** A place in the table: 0, or `next` of an earlier answer. */
  readonly after: number;
}

export interface PoolSessions {
  /** Those that fit, and those that there are now. */
  readonly size: number;
  readonly entries: number;
  readonly sessions: readonly PoolSession[];
  /** Where the next ones begin; null: there are no more. */
  readonly next: number | null;
}

export interface PoolSession {
  /** The hash of what the session is told by, in hex: what it was is not kept. */
  readonly key: string;
  /** Null: its server is not in the pool any more. */
  readonly server: string | null;
  readonly expiresInMs: number;
}
