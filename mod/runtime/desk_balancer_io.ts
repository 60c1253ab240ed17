/**
 * The desk in the balancer: what is its own it tells, all else is asked of the keeper; and what the keeper asks of it.
 */
import type { Purge } from "../cache/store.ts";
import type { KeeperStatus } from "../observe/keeper_status.ts";
import type { NodeStatus } from "../observe/status.ts";
import { done, OUTCOME, type Outcome, type PlacedSession, refused, type WhichSessions } from "./commands.ts";
import { type AskedSessions, type Desk, type Plan, type PoolSessions, Unavailable } from "./desk.ts";
import { type Nodes, PEER_ANSWER } from "./peer_request.ts";
import type { OfBalancer, OfKeeper } from "./questions.ts";

export interface BalancerFacts {
  /** Null: the first configuration is not in force yet. */
  status(): NodeStatus | null;
  /** Null: there is no such pool, or it has no table. */
  sessions(pool: string, asked: AskedSessions): PoolSessions | null;
  /** How many were forgotten; null: there is no such pool or server, or no table. */
  forgetSessions(pool: string, which: WhichSessions): number | null;
  /** How many were set; null: there is no such pool or server, or no table. */
  setSession(pool: string, session: PlacedSession): number | null;
  /** How many answers were forgotten; null: the first configuration is not in force yet. */
  purgeCache(purge: Purge): Promise<number> | null;
  askKeeper(question: OfKeeper): Promise<unknown>;
}

export function balancerDesk(facts: BalancerFacts): Desk {
  const ask = (question: OfKeeper) =>
    facts.askKeeper(question).catch((error: Error) => {
      throw new Unavailable(`the keeper does not answer: ${error.message}`);
    });
  return {
    node: () => Promise.resolve().then(() => statusOf(facts)),
    // Shown, and never acted on: its shape is that of the same program.
    keeper: async () => await ask({ ask: "status" }) as KeeperStatus,
    plan: async () => await ask({ ask: "plan" }) as Plan,
    perform: async (command, by) => OUTCOME.parse(await ask({ ask: "do", command, by })),
    sessions: (pool, asked) => Promise.resolve(facts.sessions(pool, asked)),
    nodes: async () => await ask({ ask: "nodes" }) as Nodes,
    askNode: async (node, request) => PEER_ANSWER.parse(await ask({ ask: "node", node, request })),
  };
}

/** Answers the keeper. Throws with why it cannot. */
export function answerKeeper(facts: BalancerFacts, question: OfBalancer): unknown {
  switch (question.ask) {
    case "status":
      return statusOf(facts);
    case "sessions":
      return facts.sessions(question.pool, question);
    case "purgeCache": {
      const { ask: _, ...which } = question;
      const purged = facts.purgeCache(which);
      if (purged === null) throw new Unavailable("the node is starting");
      return purged.then((count) => done([], count));
    }
    case "forgetSessions":
      return counted(facts.forgetSessions(question.pool, question), question);
    case "setSession":
      return setSession(facts, question);
  }
}

function setSession(facts: BalancerFacts, asked: PlacedSession & { readonly pool: string }): Outcome {
  if ((asked.key === undefined) === (asked.value === undefined)) {
    return refused(400, "a session is told by either its key or its value");
  }
  const count = facts.setSession(asked.pool, asked);
  return count === 0 ? refused(400, "no client is told by such a value there") : counted(count, asked);
}

function counted(count: number | null, { pool, server }: WhichSessions & { readonly pool: string }): Outcome {
  if (count !== null) return done([], count);
  const or = server === undefined ? "" : `, or no server ${server}`;
  return refused(404, `there is no table of sessions in pool ${pool}${or}`);
}

function statusOf(facts: BalancerFacts): NodeStatus {
  const status = facts.status();
  if (status === null) throw new Unavailable("the node is starting");
  return status;
}
