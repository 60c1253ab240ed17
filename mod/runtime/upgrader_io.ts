/**
 * Upgrades as the keeper sees them: when one may begin, what goes on meanwhile, and what becomes of it. The steps are in
 * `upgrade_io.ts`; what goes over is what the holdings and the balancer tell.
 */
import type { LiveChanges } from "../config/live.ts";
import type { Log } from "../observe/log.ts";
import type { Holdings } from "./holdings_io.ts";
import { Assembler, type Part } from "./parts.ts";
import type { Program } from "./programs_io.ts";
import { type Successor, upgrade } from "./upgrade_io.ts";

/** A balancer that does not say what it knows by then is no reason not to replace it. */
const CARRY_MS = 5000;

export interface UpgraderOptions {
  /** What takes over; null: this node cannot be upgraded. */
  readonly program: Program | null;
  readonly holdings: Holdings;
  readonly start: (program: Program) => Deno.ChildProcess;
  /** What an operator has changed live. */
  readonly live: () => LiveChanges;
  /** Whether the function of that name serves here. */
  readonly serves: (name: string) => boolean;
  /** Asks the balancer what it knows; `onCarried` takes the answer. */
  readonly ask: () => void;
  /** Why this is not the time; null: it is. */
  readonly obstacle: () => string | null;
  readonly onReplaced: (successor: Successor) => void;
  readonly log: Log;
}

export type Outcome = { readonly pid: number; readonly version: string } | { readonly problem: string };

export class Upgrader {
  readonly #options: UpgraderOptions;
  readonly #answer = new Assembler();
  #asked: PromiseWithResolvers<string> | null = null;
  #underWay = false;
  /** The new program, until it has taken over. */
  #candidate: Successor | null = null;
  #successor: Successor | null = null;
  /** A stop that was asked for meanwhile. */
  #stop: (() => void) | null = null;

  constructor(options: UpgraderOptions) {
    this.#options = options;
  }

  get underWay(): boolean {
    return this.#underWay;
  }

  /** The keeper that has the node now; null: this one has. */
  get successor(): Successor | null {
    return this.#successor;
  }

  /** Has the program take over, after what is under way. */
  async upgrade(after: Promise<unknown>): Promise<Outcome> {
    const { program, log } = this.#options;
    if (program === null) return this.#refuse("this node does not run from a file");
    const obstacle = this.#obstacle();
    if (obstacle !== null) return this.#refuse(obstacle);
    this.#underWay = true;
    await after;
    log.info("upgrade: starting the new program", { program: program.command });
    return await this.#upgrade(program);
  }

  /** A new program that has not taken over yet is given up, and then `stop` is called. */
  giveUp(stop: () => void): void {
    this.#stop = stop;
    this.#candidate?.signal("SIGKILL");
  }

  /** A part of what the balancer knows. */
  onCarried(part: Part): void {
    const whole = this.#answer.add("state", part);
    if (whole !== null) this.#asked?.resolve("text" in whole ? whole.text : "{}");
  }

  #refuse(problem: string): Outcome {
    this.#options.log.error(`upgrade refused: ${problem}`);
    return { problem };
  }

  #obstacle(): string | null {
    if (this.#underWay) return "an upgrade is under way";
    if (Deno.pid === 1) return "all others end with the first process: replace the container instead";
    return this.#options.obstacle();
  }

  async #upgrade(program: Program): Promise<Outcome> {
    const { holdings, start, live, serves, log, onReplaced } = this.#options;
    const upgraded = await upgrade({
      start: () => start(program),
      carryLive: () => JSON.stringify(live()),
      carryBalancer: () => this.#askBalancer(),
      serves,
      letGo: () => holdings.letGo(),
      takeBack: () => holdings.takeBack(),
    }, (candidate) => {
      this.#candidate = candidate;
      if (this.#stop !== null) candidate.signal("SIGKILL");
    });
    this.#underWay = false;
    this.#candidate = null;
    if ("problem" in upgraded) {
      log.error(`upgrade given up: ${upgraded.problem}; running on as before`);
      this.#stop?.();
      return upgraded;
    }
    const { successor, successor: { pid, version } } = upgraded;
    this.#successor = successor;
    log.info("upgrade: the new program has taken over", { version, pid });
    const given = holdings.giveTo(pid);
    await successor.leave();
    onReplaced(successor);
    await given;
    return { pid, version };
  }

  async #askBalancer(): Promise<string> {
    const { promise, resolve } = this.#asked = Promise.withResolvers<string>();
    this.#options.ask();
    const timer = setTimeout(() => {
      this.#options.log.warning("the balancer does not say what it knows: the new one begins without");
      resolve("{}");
    }, CARRY_MS);
    const text = await promise;
    clearTimeout(timer);
    return text;
  }
}
