/**
 * The desk in the keeper: what is its own it tells and does, what is the balancer's is asked of it; and what the balancer
 * asks of the keeper.
 */
import type { KeeperStatus } from "../observe/keeper_status.ts";
import type { NodeStatus } from "../observe/status.ts";
import type { BalancerChild } from "./balancer_child_io.ts";
import type { Command, Outcome } from "./commands.ts";
import { type AskedSessions, type Desk, type Plan, type PoolSessions, Unavailable } from "./desk.ts";
import { Operator, type OperatorOptions } from "./operator_io.ts";
import type { Nodes, PeerAnswer, PeerRequest } from "./peer_request.ts";
import { OF_KEEPER, type OfBalancer } from "./questions.ts";
import { Talk, type TalkMessage } from "./talk.ts";
import { after } from "./timer_io.ts";

/** A balancer that does not answer within this is about to be found dead. */
const ANSWER_MS = 3000;

export interface KeeperDeskOptions extends Omit<OperatorOptions, "askBalancer"> {
  readonly nodes: () => Nodes;
  readonly askNode: Desk["askNode"];
  readonly status: () => Promise<KeeperStatus>;
  /** As its supervisor calls it. */
  readonly balancerState: () => string;
}

export class KeeperDesk implements Desk {
  readonly #options: KeeperDeskOptions;
  readonly #operator: Operator;
  /** What is asked of the balancer that there is, and by it. */
  #talk: Talk | null = null;

  constructor(options: KeeperDeskOptions) {
    this.#options = options;
    this.#operator = new Operator({ ...options, askBalancer: (question) => this.#ask(question) });
  }

  /** There is another balancer. */
  begin(child: BalancerChild): void {
    this.#talk = new Talk({
      send: (message) => child.send(message),
      answer: (question) => this.#answer(question),
      after,
    });
  }

  /** It has ended. */
  end(): void {
    this.#talk?.end("the balancer has ended");
    this.#talk = null;
  }

  onMessage(message: TalkMessage): void {
    this.#talk?.onMessage(message);
  }

  // What follows is shown, and never acted on: its shape is that of the same program.
  async node(): Promise<NodeStatus> {
    return await this.#ask({ ask: "status" }) as NodeStatus;
  }

  async sessions(pool: string, asked: AskedSessions): Promise<PoolSessions | null> {
    return await this.#ask({ ask: "sessions", pool, ...asked }) as PoolSessions | null;
  }

  keeper(): Promise<KeeperStatus> {
    return this.#options.status();
  }

  plan(text?: string): Promise<Plan> {
    return this.#options.configurations.plan(text);
  }

  perform(command: Command, by: string): Promise<Outcome> {
    return this.#operator.perform(command, by);
  }

  nodes(): Promise<Nodes> {
    return Promise.resolve(this.#options.nodes());
  }

  askNode(node: string, request: PeerRequest): Promise<PeerAnswer> {
    return this.#options.askNode(node, request);
  }

  async #ask(question: OfBalancer): Promise<unknown> {
    if (this.#talk === null) throw new Unavailable(`the balancer is ${this.#options.balancerState()}`);
    return await this.#talk.ask(question, ANSWER_MS).catch((error: Error) => {
      throw new Unavailable(error.message);
    });
  }

  async #answer(question: unknown): Promise<unknown> {
    const asked = OF_KEEPER.parse(question);
    switch (asked.ask) {
      case "status":
        return await this.keeper();
      case "plan":
        return await this.plan();
      case "do":
        return await this.perform(asked.command, asked.by);
      case "nodes":
        return await this.nodes();
      case "node":
        return await this.askNode(asked.node, asked.request);
    }
  }
}
