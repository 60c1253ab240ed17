/**
 * What an operator has the node do, in the keeper, whoever brings the command: the admin socket, or the balancer for
 * somebody whom it has let in. Each command leaves a line in the log: who, what, and what came of it.
 */
import { reasonOf } from "../base/reason.ts";
import { logger } from "../observe/log.ts";
import type { CertificateOrder } from "./certificate_orders_io.ts";
import { COMMAND, type Command, describeCommand, done, OUTCOME, type Outcome, refused } from "./commands.ts";
import type { Configurations } from "./configurations_io.ts";
import { changeLive } from "./live_commands.ts";
import type { OfBalancer } from "./questions.ts";

export interface OperatorOptions {
  readonly configurations: Configurations;
  /** Gives an instance's addresses to another node; why not, or null. */
  readonly move: (instance: string) => string | null;
  /** What becomes worse by it, or why it cannot be. */
  readonly maintain: (on: boolean) => readonly string[] | string;
  /** Changes what is stored of certificates by ACME. */
  readonly order: (order: CertificateOrder) => Promise<Outcome>;
  readonly askBalancer: (question: OfBalancer) => Promise<unknown>;
}

const audit = logger("audit");

export class Operator {
  readonly #options: OperatorOptions;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** `by`: who wants it, in words. Never rejects. */
  async perform(command: Command, by: string): Promise<Outcome> {
    const parsed = COMMAND.safeParse(command);
    if (!parsed.success) return refused(400, ...parsed.error.issues.map(({ message }) => message));
    const outcome = await this.#perform(parsed.data, by)
      .catch((error: unknown) => refused(503, reasonOf(error)));
    const what = `${by}: ${describeCommand(command)}`;
    if (outcome.ok) audit.info(`${what}: done`);
    else audit.warning(`${what}: refused`, { reason: outcome.problems.join("; ") });
    return outcome;
  }

  async #perform(command: Command, by: string): Promise<Outcome> {
    const { configurations, move, maintain, order, askBalancer } = this.#options;
    switch (command.do) {
      case "reload": {
        const { problems } = await configurations.reload();
        return problems.length === 0 ? done() : refused(409, ...problems);
      }
      case "moveAddresses": {
        const problem = move(command.instance);
        return problem === null ? done() : refused(409, problem);
      }
      case "setMaintenance": {
        const told = maintain(command.on);
        return typeof told === "string" ? refused(503, told) : done(told);
      }
      case "renewCertificate":
      case "forgetCertificate":
        return await order(command);
      case "purgeCache": {
        const { do: ask, ...which } = command;
        return OUTCOME.parse(await askBalancer({ ask, ...which }));
      }
      case "forgetSessions": {
        const { do: ask, ...which } = command;
        return OUTCOME.parse(await askBalancer({ ask, ...which }));
      }
      case "setSession": {
        const { do: ask, ...session } = command;
        return OUTCOME.parse(await askBalancer({ ask, ...session }));
      }
      default: {
        const stamp = { at: Date.now(), by };
        const changed = await configurations.change((live, { servers = new Map() }) =>
          changeLive(live, command, servers, stamp)
        );
        return "problems" in changed ? refused(changed.status, ...changed.problems) : done();
      }
    }
  }
}
